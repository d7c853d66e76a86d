"""Log lines never wait for the reader of a pipe."""

import logging
import os
import threading

from bodydouble.serving import PipeHandler


def read_to_end(descriptor: int, into: list[bytes]) -> None:
    while data := os.read(descriptor, 65536):
        into.append(data)


def test_a_pipe_that_nobody_reads_stops_no_line_and_the_lost_ones_are_counted() -> None:
    reader, writer = os.pipe()
    handler = PipeHandler(writer)
    record = logging.LogRecord("x", logging.INFO, "", 0, "%s", ("y" * 200,), None)
    for _ in range(20_000):
        handler.emit(record)
    got: list[bytes] = []
    thread = threading.Thread(target=read_to_end, args=(reader, got))
    thread.start()
    handler.close()
    os.close(writer)
    thread.join()
    os.close(reader)
    lines = b"".join(got).decode().split("\n")
    lost = sum(int(line.split(" ")[0]) for line in lines if "were dropped" in line)
    assert lost + sum(line == "y" * 200 for line in lines) == 20_000
    assert lost > 5_000

"""How time grows: with the bytes of a body, the operations of two compared documents, and the number of compared pairs.

    python benchmarks/growth.py [--megabytes 1 2 4 8 16] [--operations 500 1000 2000] [--pairs FOLDER]

Processor time, so that a busy machine does not count. What is linear has the same figure in the last column of each row. FOLDER is that of drift.py.
"""

import argparse
import copy
import http.client
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

from bodydouble_spec import Contract
from bodydouble_spec.diff import diff
from drift import ALL_PAIRS, load, pairs_of
from loading import flat_document
from photos import call, processor_s
from startup import server_pid
from throughput import mock_contestant, photo_body, serving

__all__ = ["body_growth", "operations_growth", "pairs_growth"]

CALLS_OF_ONE_MEGABYTE = 64


def body_growth(megabytes: Sequence[float]) -> list[tuple[float, float]]:
    """Return the size of each body in MB, and the milliseconds of the processor in one call with it."""
    figures: list[tuple[float, float]] = []
    with serving(mock_contestant("bodydouble"), core=None) as port:
        process = server_pid(port)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for size in megabytes:
            body = photo_body(size).encode()
            count = max(8, int(CALLS_OF_ONE_MEGABYTE / size))
            call(connection, body)
            begun = processor_s(process)
            for _ in range(count):
                call(connection, body)
            figures.append((len(body) / 1e6, (processor_s(process) - begun) / count * 1000))
    return figures


def operations_growth(counts: Sequence[int]) -> list[tuple[int, float]]:
    """Return each number of operations, and the seconds of loading and comparing two documents that differ in each tenth one."""
    figures: list[tuple[int, float]] = []
    for count in counts:
        before = flat_document(count)
        after = copy.deepcopy(before)
        for path in [*after["paths"].values()][::10]:
            schema = path["post"]["requestBody"]["content"]["application/json"]["schema"]
            schema["properties"]["size"]["minimum"] = 2
        begun = time.process_time()
        diff(Contract.load(before, overlay=None), Contract.load(after, overlay=None))
        figures.append((count, time.process_time() - begun))
    return figures


def pairs_growth(folder: Path, counts: Sequence[int] = (ALL_PAIRS // 4, ALL_PAIRS)) -> list[tuple[int, float]]:
    """Return each number of pairs, and the seconds of loading and comparing so many, as they come in a folder of drift.py."""
    pairs = pairs_of(folder)
    figures: list[tuple[int, float]] = []
    for count in counts:
        begun = time.process_time()
        for before, after in islice(cycle(pairs), count):
            diff(load(before), load(after))
        figures.append((count, time.process_time() - begun))
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--megabytes", type=float, nargs="*", default=[1, 2, 4, 8, 16])
    parser.add_argument("--operations", type=int, nargs="*", default=[500, 1000, 2000])
    parser.add_argument("--pairs", type=Path, help="a folder of drift.py")
    options = parser.parse_args()
    for size, milliseconds in body_growth(options.megabytes):
        print(f"body of {size:5.1f} MB    {milliseconds:8.1f} ms   {milliseconds / size:6.2f} ms per MB")
    for count, seconds in operations_growth(options.operations):
        print(f"{count:5} operations   {seconds:8.2f} s    {1000 * seconds / count:6.2f} ms each")
    for count, seconds in [] if options.pairs is None else pairs_growth(options.pairs):
        print(f"{count:5} pairs        {seconds:8.2f} s    {1000 * seconds / count:6.2f} ms each")


if __name__ == "__main__":
    main()

"""The journal's file: appended entries are in it, even when the process is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bodydouble_mockserver.asgi import Answer
from bodydouble_mockserver.endpoints.handled import HandledRequest
from bodydouble_mockserver.journal.file import CannotWriteJournal, JournalFile
from bodydouble_mockserver.journal.journal import Journal
from bodydouble_mockserver.request import CheckedRequest
from bodydouble_spec import read_exchanges

WRITER = """
import sys, time
from pathlib import Path
from bodydouble_mockserver.request import CheckedRequest
from bodydouble_mockserver.journal.journal import Journal
from bodydouble_mockserver.journal.file import JournalFile
from bodydouble_mockserver.endpoints import HandledRequest
from bodydouble_mockserver.asgi import Answer

journal = Journal(lambda key: "", file=JournalFile(Path(sys.argv[1])), run="run")
while True:
    answer = Answer(200, b"application/json", b"{}")
    scope = {"method": "GET", "path": "/", "query_string": b"", "headers": []}
    journal.append(HandledRequest(scope, answer, CheckedRequest(None, b""), started=time.time()))
    print(f"{time.monotonic()} {journal.numbers().stop - 1}", flush=True)
    time.sleep(0.001)
"""


def handled() -> HandledRequest:
    scope = {"method": "GET", "path": "/", "query_string": b"", "headers": list[tuple[bytes, bytes]]()}
    answer = Answer(200, b"application/json", b"{}")
    return HandledRequest(scope, answer, CheckedRequest(None, b""), started=1.7e9, duration_s=0.1)


def wait_for_lines(path: Path, count: int) -> None:
    deadline = time.monotonic() + 20
    while path.read_bytes().count(b"\n") < count:
        assert time.monotonic() < deadline, f"{count} lines did not come"
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_process_loses_at_most_its_last_second(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    first = float(process.stdout.readline().split()[0])
    said = [(first, 1)]
    while said[-1][0] < first + 1.6:
        moment, number = process.stdout.readline().split()
        said.append((float(moment), int(number)))
    process.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    process.communicate()
    log = read_exchanges(path)
    appended_a_second_before = max(number for moment, number in said if moment <= killed - 1)
    assert [exchange.id for exchange in log.exchanges] == [f"run-{number + 1}" for number in range(len(log.exchanges))]
    assert len(log.exchanges) >= appended_a_second_before > 1
    assert {finding.id for finding in log.findings} <= {"exchange-torn"}


def test_lines_are_written_without_a_flush(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    file = JournalFile(path)
    for count in (1, 2):
        file.append(b"{}\n")
        wait_for_lines(path, count)
    file.close()


def test_closing_writes_the_queued_lines(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(lambda _key: "", file=JournalFile(path))
    for _ in range(3):
        journal.append(handled())
    journal.close()
    journal.close()
    journal.append(handled())
    assert read_exchanges(path).exchanges == tuple(journal.exchanges()[:3])


def test_the_file_keeps_entries_that_memory_dropped(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(lambda _key: "", entries=1, file=JournalFile(path))
    for _ in range(5):
        journal.append(handled())
    journal.close()
    assert len(read_exchanges(path).exchanges) == 5


def test_many_lines_at_once_are_written_in_order(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    file = JournalFile(path)
    lines = [b"%d %b\n" % (number, b"x" * 10_000) for number in range(500)]
    for line in lines:
        file.append(line)
    file.close()
    assert path.read_bytes() == b"".join(lines)


def test_an_entry_that_cannot_be_formatted_is_counted_and_loses_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(lambda _key: "", file=JournalFile(path))
    broken = handled()
    broken.started = float("inf")
    for call in (handled(), broken, handled()):
        journal.append(call)
    journal.close()
    assert [exchange.id[-2:] for exchange in read_exchanges(path).exchanges] == ["-1", "-3"]
    assert (journal.problem or "").endswith("lines lost: 1")
    assert "OverflowError" in caplog.text


def test_an_unfinished_line_of_a_killed_run_does_not_damage_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"format": 1, "id": "tor')
    journal = Journal(lambda _key: "", file=JournalFile(path))
    journal.append(handled())
    journal.close()
    log = read_exchanges(path)
    assert (len(log.exchanges), [finding.pointer for finding in log.findings]) == (1, ["/1"])


@pytest.mark.parametrize("name", ["missing/journal.jsonl", "."])
def test_a_file_that_cannot_be_opened_is_named_with_the_reason(tmp_path: Path, name: str) -> None:
    with pytest.raises(CannotWriteJournal, match=r"the journal file .* cannot be opened: .*; name a file"):
        JournalFile(tmp_path / name)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_logged_once_and_calls_continue(caplog: pytest.LogCaptureFixture) -> None:
    file = JournalFile(Path("/dev/full"))
    journal = Journal(lambda _key: "", file=file)
    for _ in range(3):
        journal.append(handled())
        file.flush()
    journal.close()
    said = f"the journal file /dev/full cannot be written: {os.strerror(28)}; lines lost: "
    assert [record.message for record in caplog.records] == [f"{said}1"]
    assert journal.problem == f"{said}3"
    assert len(journal.exchanges()) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit on the size of a file")
def test_lines_are_written_again_when_the_disk_has_room(tmp_path: Path) -> None:
    script = """\
import resource, signal, sys
from pathlib import Path
from bodydouble_mockserver.journal.file import JournalFile

file = JournalFile(Path(sys.argv[1]))
most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
for size, line in [(most, b"first"), (8, b"second"), (8, b"third"), (most, b"fourth"), (most, b"fifth")]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    file.append(line + b"\\n")
    file.flush()
print(file.problem)
"""
    path = tmp_path / "journal.jsonl"
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False)
    assert done.stdout == f"the journal file {path} can be written again; lines lost: 2\n", done.stderr
    # The line that was cut stays alone.
    assert path.read_bytes() == b"first\nse\nfourth\nfifth\n"


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be moved")
@pytest.mark.parametrize("is_moved", [True, False])
def test_a_file_that_was_moved_or_removed_is_made_anew(tmp_path: Path, is_moved: bool) -> None:
    path, rotated = tmp_path / "journal.jsonl", tmp_path / "journal.jsonl.1"
    file = JournalFile(path)
    file.append(b"first\n")
    file.flush()
    path.rename(rotated)
    if not is_moved:
        rotated.unlink()
    file.append(b"second\n")
    file.close()
    assert path.read_bytes() == b"second\n"
    assert not is_moved or rotated.read_bytes() == b"first\n"
    assert file.problem is None


def test_two_writers_of_one_file_leave_every_line_whole(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    script = """\
import sys
from pathlib import Path
from bodydouble_mockserver.journal.file import JournalFile

file = JournalFile(Path(sys.argv[1]))
for _ in range(40):
    file.append(sys.argv[2].encode() * 200_000 + b"\\n")
file.close()
"""
    writers = [subprocess.Popen([sys.executable, "-c", script, str(path), letter]) for letter in "ab"]
    assert [writer.wait() for writer in writers] == [0, 0]
    lines = path.read_bytes().splitlines()
    assert sorted(lines) == [b"a" * 200_000] * 40 + [b"b" * 200_000] * 40

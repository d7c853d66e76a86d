"""Time and processor time of a call with a photo as a data URI, beside a bare ASGI app.

    python benchmarks/photos.py [--rounds 3]

Machines drift, so the figures to read are the ratio to the bare app and the processor time of a call; the least of the rounds is printed.
"""

import argparse
import http.client
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from startup import server_pid
from throughput import BODY, PATH, Contestant, bare_contestant, mock_contestant, photo_body, serving

CALLS = {"small": 1000, "1.2 MB": 60, "6.5 MB": 20}
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer benchmark"}


@dataclass(frozen=True)
class Figures:
    """One run: milliseconds of a call, milliseconds of the processor in it, and the peak memory so far in MB."""

    call_ms: float
    processor_ms: float
    peak_mb: float


BODIES = {"small": BODY.encode(), "1.2 MB": photo_body(1.2).encode(), "6.5 MB": photo_body(6.5).encode()}


def measure(contestant: Contestant) -> dict[str, Figures]:
    """Send all bodies to one contestant, on any core, one after the other."""
    figures: dict[str, Figures] = {}
    with serving(contestant, None) as port:
        process = server_pid(port)
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for name, body in BODIES.items():
            for _ in range(3):
                call(connection, body)
            begun = processor_s(process)
            times = [call(connection, body) for _ in range(CALLS[name])]
            spent = (processor_s(process) - begun) / len(times)
            figures[name] = Figures(statistics.median(times) * 1000, spent * 1000, peak_mb(process))
    return figures


def call(connection: http.client.HTTPConnection, body: bytes) -> float:
    """Return the seconds of one call."""
    begun = time.perf_counter()
    connection.request("POST", PATH, body, HEADERS)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"the answer was {answer.status}")
    return time.perf_counter() - begun


def processor_s(process: int) -> float:
    """Return the processor seconds of a process so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(process: int) -> float:
    """Return the peak resident memory of a process in MB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        journal = mock_contestant("bodydouble", "--journal", str(Path(folder) / "journal.jsonl"))
        runs = [(measure(bare_contestant()), measure(journal)) for _ in range(options.rounds)]
    for name in BODIES:
        bare, mock = ([run[side][name] for run in runs] for side in (0, 1))
        quickest, own = min(one.call_ms for one in bare), min(one.call_ms for one in mock)
        print(
            f"{name:7} {own:7.2f} ms a call ({own / quickest:.1f} times the bare app), "
            f"processor {min(one.processor_ms for one in mock):6.2f} ms "
            f"(bare {min(one.processor_ms for one in bare):.2f}), peak {max(one.peak_mb for one in mock):.0f} MB"
        )


if __name__ == "__main__":
    main()

"""From a cold process to the first 200, and the memory of the idle server.

    python benchmarks/startup.py [--rounds 7] [--beside CHECKOUT]

Prints the median seconds from starting `bodydouble serve` to a whole answer of the operation, the same for a bare ASGI app, and the
proportional set size (PSS, Linux) of the idle process and its children in MB; then the milliseconds of a request with a 5-MB data URI.
CHECKOUT is a folder with an earlier version of this repository, whose mock is measured in turns with this one. The first start of each, which may
compile its modules, is not counted.
"""

import argparse
import base64
import json
import statistics
import subprocess
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from throughput import BODY, PATH, Contestant, bare_contestant, mock_contestant, serving

MEGABYTE = 1024 * 1024


def earlier_contestant(checkout: Path) -> Contestant:
    """Describe the mock of another checkout."""
    folders = ":".join(str(checkout / name) for name in ("spec", "client", "mockserver", "contract_tests", "cli"))
    mock = mock_contestant(checkout.name)
    return Contestant(checkout.name, lambda port: ["env", f"PYTHONPATH={folders}", *mock.command(port)])


def cold_start_s(contestant: Contestant) -> float:
    """Seconds from starting the process to its first 200."""
    begun = time.perf_counter()
    with serving(contestant, core=None):
        return time.perf_counter() - begun


def pss_mb(pid: int) -> float:
    """Proportional set size of a process in MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def cold_starts(contestants: Sequence[Contestant], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each start of the contestants, in turns, after one that is not counted."""
    times: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    for round_number in range(rounds + 1):
        for contestant in contestants:
            seconds = cold_start_s(contestant)
            if round_number:
                times[contestant.name].append(seconds)
    return times


def server_pid(port: int) -> int:
    """Find the process of the mock that serves on a port."""
    found = subprocess.run(
        ["pgrep", "-f", f"(serve|uvicorn) .*--port {port}( |$)"], capture_output=True, text=True, check=True
    ).stdout
    return int(found.split()[0])


def idle_pss_mb(contestant: Contestant) -> float:
    """Memory of a mock that has answered one request."""
    with serving(contestant) as port:
        return pss_mb(server_pid(port))


def large_request_ms(rounds: int) -> float:
    """Median milliseconds of a request with a 5-MB data URI, over a new connection each."""
    data = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(5 * MEGABYTE * 3 // 4)).decode()
    body = {**json.loads(BODY), "image_urls": [f"data:image/png;base64,{data}"]}
    times: list[float] = []
    with serving(mock_contestant("bodydouble")) as port:
        for number in range(rounds):
            payload = json.dumps({**body, "prompt": str(number)}).encode()
            headers = {"Content-Type": "application/json", "Authorization": "Bearer benchmark"}
            request = urllib.request.Request(f"http://127.0.0.1:{port}{PATH}", payload, headers)
            begun = time.perf_counter()
            with urllib.request.urlopen(request, timeout=30) as response:
                response.read()
            times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--beside", type=Path, help="a checkout of an earlier version")
    options = parser.parse_args()
    rounds: int = options.rounds
    mocks = [mock_contestant("bodydouble"), *([] if options.beside is None else [earlier_contestant(options.beside)])]
    for name, times in cold_starts([bare_contestant(), *mocks], rounds).items():
        print(
            f"{name:12} cold start to first 200: {statistics.median(times):.2f} s ({min(times):.2f}..{max(times):.2f})"
        )
    for mock in mocks:
        print(f"{mock.name:12} idle memory (PSS): {idle_pss_mb(mock):.0f} MB")
    print(f"{'bodydouble':12} a 5-MB data URI: {large_request_ms(rounds):.0f} ms")


if __name__ == "__main__":
    main()

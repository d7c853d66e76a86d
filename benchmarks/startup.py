"""From a cold process to the first 200, and the memory of the idle server.

    python benchmarks/startup.py [--rounds 7]

Prints the median seconds from starting `bodydouble serve` to a whole answer of the operation, the same for a bare ASGI app, and the
proportional set size (PSS, Linux) of the idle process and its children in MB; then the milliseconds of a request with a 5-MB data URI.
"""

import argparse
import base64
import json
import statistics
import subprocess
import time
import urllib.request
from pathlib import Path

from throughput import BODY, PATH, Contestant, bare_contestant, mock_contestant, serving

MEGABYTE = 1024 * 1024


def cold_start_s(contestant: Contestant) -> float:
    """Seconds from starting the process to its first 200."""
    begun = time.perf_counter()
    with serving(contestant, core=None):
        return time.perf_counter() - begun


def pss_mb(pid: int) -> float:
    """Proportional set size of a process in MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def server_pid(port: int) -> int:
    """Find the process of the mock that serves on a port."""
    found = subprocess.run(
        ["pgrep", "-f", f"(serve|uvicorn) .*--port {port}( |$)"], capture_output=True, text=True, check=True
    ).stdout
    return int(found.split()[0])


def idle_pss_mb() -> float:
    """Memory of a mock that has answered one request."""
    with serving(mock_contestant("bodydouble")) as port:
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
    rounds: int = parser.parse_args().rounds
    for contestant in (bare_contestant(), mock_contestant("bodydouble")):
        times = [cold_start_s(contestant) for _ in range(rounds + 1)][1:]
        print(
            f"{contestant.name:12} cold start to first 200: {statistics.median(times):.2f} s ({min(times):.2f}..{max(times):.2f})"
        )
    print(f"{'bodydouble':12} idle memory (PSS): {idle_pss_mb():.0f} MB")
    print(f"{'bodydouble':12} a 5-MB data URI: {large_request_ms(rounds):.0f} ms")


if __name__ == "__main__":
    main()

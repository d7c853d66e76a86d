"""The cost of the recording proxy: calls through it beside calls without it and through Prism's proxy, in turns.

    python benchmarks/proxy.py [--body small|photo] [--rounds 3] [--seconds 5]

A bare ASGI app plays the service. p50 is that of one connection, the rate that of sixteen (wrk; Debian: apt-get install wrk). The proxy checks both
directions, reserves and settles the price, and records each call; Prism checks both directions. Prism joins when it is installed (npm install --global
@stoplight/prism-cli). Machines drift, so the figures to compare are those of one round; medians are printed.
"""

import argparse
import contextlib
import http.client
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from photos import call
from throughput import BODIES, HERE, Contestant, bare_contestant, measure, serving, write_script

CALLS = 20
# A limit that no run reaches: each call costs the price of a picture.
LIMIT_USD = "1000000"


@dataclass(frozen=True)
class Figures:
    """One round of one way to the service: the median milliseconds of a call, and calls a second."""

    p50_ms: float
    rate: float


def proxies(folder: Path, upstream: str) -> Iterator[Contestant]:
    """Yield the proxies in front of a server: ours, and Prism's where it is installed."""
    own = [sys.executable, "-m", "bodydouble", "proxy", "--quiet", "--upstream", upstream, "--max-usd", LIMIT_USD]
    yield Contestant("bodydouble", lambda port: [*own, "--record", str(folder / "recording"), "--port", str(port)])
    if shutil.which("prism"):
        # As published, without what the overlay adds.
        document = HERE.parent / "spec" / "bodydouble_spec" / "openapi.json"
        yield Contestant("Prism", lambda port: ["prism", "proxy", str(document), upstream, "--port", str(port)])


def figures(port: int, body: bytes, script: Path, seconds: int) -> Figures:
    """Measure one server: calls one after the other, then sixteen at a time."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    with contextlib.closing(connection):
        times = [call(connection, body) for _ in range(CALLS)]
    return Figures(statistics.median(times) * 1000, measure(port, seconds, script).rate)


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--body", choices=["small", "photo"], default="photo")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    for tool in ("wrk", "taskset"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is not installed (Debian: apt-get install wrk util-linux)")
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as stack:
        folder = Path(temporary)
        body = BODIES[options.body]()
        script = write_script(folder / "body.lua", body)
        upstream = stack.enter_context(serving(bare_contestant(), None))
        ports = {"none": upstream}
        for contestant in proxies(folder, f"http://127.0.0.1:{upstream}"):
            ports[contestant.name] = stack.enter_context(serving(contestant, None))
        results: dict[str, list[Figures]] = {name: [] for name in ports}
        for _ in range(options.rounds):
            for name, port in ports.items():
                results[name].append(figures(port, body.encode(), script, options.seconds))
    print(f"{'proxy':12} {'p50 ms':>8} {'calls/s':>8}")
    for name, runs in results.items():
        p50, rate = statistics.median(run.p50_ms for run in runs), statistics.median(run.rate for run in runs)
        print(f"{name:12} {p50:8.2f} {rate:8.1f}")


if __name__ == "__main__":
    main()

"""Two hundred clients at once, each sending photos of one megabyte as data URIs: failures, latencies, and peak memory beside its bound.

    python benchmarks/clients.py [--clients 200] [--seconds 15]

The bound: the process before, the options' memory for bodies that arrive (at most one for each client) and for input pictures, what two threads need
to read two bodies, and what the allocator keeps of it all between blocks that are in use. Needs wrk, and Linux for the memory.
"""

import argparse
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bodydouble_mockserver import Settings
from photos import peak_mb
from startup import MEGABYTE, server_pid
from throughput import mock_contestant, photo_body, read_wrk, serving, write_script, wrk_command

__all__ = ["Crowd", "crowd"]

# Each of two threads holds a body as it came, its JSON, the decoded picture and a copy.
_COPIES = 2 * 4
# Of the blocks of bodies, which are freed in another order than they were made: 14 % where all clients end their bodies at once.
_KEPT_SHARE = 1 / 6


@dataclass(frozen=True)
class Crowd:
    """What many clients saw of a server: requests a second, the 99th percentile of latencies, failures, and memory in MB."""

    rate: float
    p99_ms: float
    failures: int
    peak_mb: float
    bound_mb: float


def crowd(clients: int, seconds: int) -> Crowd:
    """Send photos from many clients at once for some seconds."""
    body = photo_body(1.0)
    settings = Settings()
    with tempfile.TemporaryDirectory() as folder, serving(mock_contestant("bodydouble")) as port:
        process = server_pid(port)
        before_mb = peak_mb(process)
        script = write_script(Path(folder) / "photo.lua", body)
        command = wrk_command(port, script, clients, seconds, "--timeout", "60s")
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        seen = read_wrk(text)
        bodies_mb = min(settings.max_pending_bytes, clients * len(body)) / MEGABYTE
        copies_mb = _COPIES * len(body) / MEGABYTE
        used_mb = bodies_mb + settings.inputs_bytes / MEGABYTE + copies_mb
        bound_mb = before_mb + used_mb * (1 + _KEPT_SHARE)
        return Crowd(seen.rate, seen.p99_ms, seen.failures, peak_mb(process), bound_mb)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=15)
    options = parser.parse_args()
    seen = crowd(options.clients, options.seconds)
    print(
        f"{options.clients} clients with photos of 1 MB: {seen.failures} failures, {seen.rate:.0f} requests a second, "
        f"p99 {seen.p99_ms:.0f} ms, peak {seen.peak_mb:.0f} MB (bound {seen.bound_mb:.0f} MB)"
    )


if __name__ == "__main__":
    main()

"""Requests a second of one and of two processes, each with its own memory and with a state in Redis, and latencies while Redis is away.

    python benchmarks/scale.py [--rounds 5] [--seconds 5]

Needs wrk and redis-server (Debian: apt-get install wrk redis-server) and two cores, which load generator, mock and Redis share. Machines drift, so the
figure to read is the ratio within a round; medians are printed. Redis saves as its defaults say; with ``--append-only`` it also appends each write to a
file. The last lines are one process under load whose Redis answers nothing for a third of the time, and one whose Redis is killed and started again;
that one always appends.
"""

import argparse
import contextlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from throughput import BODY, PATH, free_port, latency_ms, mock_contestant, serving, write_script

CONNECTIONS = 16
MEMORY, REDIS = "memory", "Redis"


def measure(ports: Sequence[int], seconds: int, script: Path) -> list[str]:
    """Run wrk on each of the ports at once, with sixteen connections together; return what each says."""

    def run(port: int) -> str:
        command = ["wrk", "-t1", f"-c{CONNECTIONS // len(ports)}", f"-d{seconds}s", "--latency", "-s", str(script)]
        done = subprocess.run([*command, f"http://127.0.0.1:{port}{PATH}"], capture_output=True, text=True, check=True)
        if "Non-2xx" in done.stdout:
            raise RuntimeError(f"not every answer was 2xx:\n{done.stdout}")
        return done.stdout

    with ThreadPoolExecutor(len(ports)) as pool:
        return [*pool.map(run, ports)]


def rate(texts: Sequence[str]) -> float:
    """Return the requests a second of all together."""
    return sum(float(found[1]) for text in texts if (found := re.search(r"Requests/sec:\s+([0-9.]+)", text)))


def slowest_ms(text: str) -> float:
    """Return the longest latency in milliseconds."""
    found = re.search(r"Latency\s+\S+\s+\S+\s+([0-9.]+)(us|ms|s)", text)
    return float("nan") if found is None else float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]


def start_redis(port: int, folder: str, *, appends: bool = True) -> "subprocess.Popen[bytes]":
    """Start Redis with its data in a folder, to which it ``appends`` each write; returns once it answers."""
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", folder]
    options += ["--save", "", "--appendonly", "yes"] if appends else []
    process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return process
        time.sleep(0.05)
    raise RuntimeError("redis-server does not answer")


@contextlib.contextmanager
def interrupted(
    process: "subprocess.Popen[bytes]", port: int, folder: str, seconds: int, *, kill: bool
) -> Generator[None]:
    """Stop Redis in the second third of so many seconds."""
    started: list[subprocess.Popen[bytes]] = []

    def stop() -> None:
        process.send_signal(signal.SIGKILL if kill else signal.SIGSTOP)

    def start() -> None:
        if kill:
            process.wait()
            started.append(start_redis(port, folder))
        else:
            process.send_signal(signal.SIGCONT)

    timers = [threading.Timer(seconds / 3, stop), threading.Timer(2 * seconds / 3, start)]
    for timer in timers:
        timer.start()
    try:
        yield
    finally:
        for timer in timers:
            timer.join()
        for new in started:
            new.terminate()
            new.wait()


def main() -> None:
    """Print the rates, then the latencies without Redis."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--append-only", action="store_true")
    options = parser.parse_args()
    for tool in ("wrk", "redis-server"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is not installed (Debian: apt-get install wrk redis-server)")
    with tempfile.TemporaryDirectory() as folder:
        script = write_script(Path(folder, "body.lua"), BODY)
        print_rates(folder, script, options.rounds, options.seconds, appends=options.append_only)
        print_interruptions(folder, script, 3 * max(options.seconds, 3))


def print_rates(folder: str, script: Path, rounds: int, seconds: int, *, appends: bool) -> None:
    """Measure one and two processes in turns, and print rates and ratios."""
    with contextlib.ExitStack() as stack:
        shared = stack.enter_context(running_redis(folder, appends=appends))[2]
        ports = {
            kind: [stack.enter_context(serving(mock_contestant(kind, *more), None)) for _ in range(2)]
            for kind, more in ((MEMORY, ()), (REDIS, shared))
        }
        rates: dict[tuple[str, int], list[float]] = {(kind, count): [] for count in (1, 2) for kind in ports}
        for kind in ports:
            measure(ports[kind], 2, script)
        for _ in range(rounds):
            for (kind, count), runs in rates.items():
                runs.append(rate(measure(ports[kind][:count], seconds, script)))
    for (kind, count), runs in rates.items():
        ratios = [one / memory for one, memory in zip(runs, rates[MEMORY, count], strict=True)]
        print(
            f"{count} process{'es' if count > 1 else '  '} {kind:8} {statistics.median(runs):8.0f} req/s  "
            f"ratio {statistics.median(ratios):5.2f}  ({min(ratios):.2f}..{max(ratios):.2f})"
        )


def print_interruptions(folder: str, script: Path, seconds: int) -> None:
    """Measure one process while its Redis is stopped, and while it is killed, and print the latencies."""
    with contextlib.ExitStack() as stack:
        redis, port, shared = stack.enter_context(running_redis(folder))
        mock = stack.enter_context(serving(mock_contestant(REDIS, *shared), None))
        for name, kill in (("answers nothing", False), ("is killed", True)):
            with interrupted(redis, port, folder, seconds, kill=kill):
                (text,) = measure([mock], seconds, script)
            print(
                f"Redis {name:16} {rate([text]):8.0f} req/s  p50 {latency_ms(text, '50%'):.1f} ms  p99 {latency_ms(text, '99%'):.1f} ms  most {slowest_ms(text):.0f} ms"
            )


@contextlib.contextmanager
def running_redis(
    folder: str, *, appends: bool = True
) -> "Generator[tuple[subprocess.Popen[bytes], int, tuple[str, str]]]":
    """Run Redis; gives its process and port, and the options of a mock on it."""
    port = free_port()
    process = start_redis(port, folder, appends=appends)
    try:
        yield process, port, ("--state", f"redis://127.0.0.1:{port}/0")
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()

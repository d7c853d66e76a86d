"""Every figure that is promised about speed and memory, beside what was promised.

    python benchmarks/table.py [--times 2] [--quick] [--peers] [--beside CHECKOUT] [--pairs FOLDER] [--only GROUP ...]

Prints a row as soon as it is measured, with the load of the machine before it, since figures of a busy machine say little. ``--quick`` shows that
everything runs. With ``--peers``, Mockoon and openapi-backend are measured in turns with the mock (see throughput.py); CHECKOUT is an earlier
version for start and memory (see startup.py), FOLDER has pairs of documents (see drift.py). ``--only`` takes some groups: small, photo, large,
clients, drawing, start, growth, soak.
"""

import argparse
import contextlib
import os
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from clients import crowd
from drawing import drawing
from growth import body_growth, operations_growth, pairs_growth
from soak import soak
from startup import cold_starts, earlier_contestant, idle_pss_mb
from throughput import (
    BODIES,
    Result,
    bare_contestant,
    mock_contestant,
    own_contestants,
    peer_contestants,
    race,
    serving,
    write_script,
)

__all__ = ["Row"]

GROUPS = ("small", "photo", "large", "clients", "drawing", "start", "growth", "soak")
RIVALS = ("Mockoon", "openapi-backend")
NEEDED = {
    ("small", "bodydouble"): "0.50",
    ("small", "with a journal file"): "0.45",
    ("photo", "bodydouble"): "0.35",
    ("large", "bodydouble"): "0.35",
    ("photo", "with a journal file"): "0.35",
    ("large", "with a journal file"): "0.35",
}


@dataclass(frozen=True)
class Row:
    """One figure: its name, what was measured, and what is needed."""

    name: str
    value: str
    needed: str = ""


@dataclass(frozen=True)
class Effort:
    """How long to measure: rounds and seconds of each run of wrk, starts, pictures, requests of the soak, and sizes of what grows."""

    rounds: int = 3
    seconds: int = 2
    starts: int = 7
    pictures: int = 7
    small: int = 200_000
    photos: int = 5_000
    megabytes: tuple[float, ...] = (1, 2, 4, 8, 16)
    operations: tuple[int, ...] = (500, 1000, 2000)
    pairs: tuple[int, ...] = (250, 1000)


QUICK = Effort(1, 2, 1, 1, 2_000, 50, (1, 2), (50, 100), (5, 10))


def throughput_rows(effort: Effort, body: str, *, with_peers: bool) -> Iterator[Row]:
    """Measure one body against the bare app and the peers, in turns."""
    with tempfile.TemporaryDirectory() as temporary, contextlib.ExitStack() as stack:
        folder = Path(temporary)
        rivals = [peer for peer in peer_contestants(folder) if peer.name in RIVALS] if with_peers else []
        contestants = [*own_contestants(folder), *rivals]
        ports = {contestant.name: stack.enter_context(serving(contestant)) for contestant in contestants}
        script = write_script(folder / f"{body}.lua", BODIES[body]())
        results = race(ports, script, effort.rounds, effort.seconds)
    rates = {name: statistics.median(run.rate for run in runs) for name, runs in results.items()}
    for name, runs in results.items():
        ratio = median_ratio(runs, results["bare app"])
        value = f"{rates[name]:.0f} requests a second, {ratio:.2f} of the bare app"
        yield Row(f"{body}: {name}", value, NEEDED.get((body, name), ""))
    best = max((rates[rival.name] for rival in rivals), default=0)
    if best and body != "small":
        yield Row(f"{body}: beside the better peer", f"{rates['bodydouble'] / best:.1f} times", "1.5 times")


def median_ratio(runs: Sequence[Result], bare: Sequence[Result]) -> float:
    """Return the median over the rounds of the rate beside that of the bare app in the same round."""
    ratios = [run.rate / yardstick.rate for run, yardstick in zip(runs, bare, strict=True) if yardstick.rate]
    return statistics.median(ratios) if ratios else float("nan")


def crowd_rows(effort: Effort) -> Iterator[Row]:
    """Measure two hundred clients at once."""
    seen = crowd(200, 4 * effort.seconds)
    yield Row("200 clients, photos of 1 MB: failures", f"{seen.failures}", "0")
    yield Row("200 clients, photos of 1 MB: p99", f"{seen.p99_ms:.0f} ms at {seen.rate:.0f} requests a second")
    yield Row("200 clients, photos of 1 MB: peak memory", f"{seen.peak_mb:.0f} MB", f"{seen.bound_mb:.0f} MB")


def drawing_rows(effort: Effort) -> Iterator[Row]:
    """Measure the pictures."""
    seen = drawing(effort.pictures)
    yield Row("picture behind a 6.5-MB photo", f"{seen.picture_ms:.0f} ms (most {seen.most_ms:.0f})", "150 ms")
    yield Row(
        "/health while eight are drawn: p99", f"{seen.health_p99_ms:.1f} ms (median {seen.health_ms:.1f})", "20 ms"
    )


def start_rows(effort: Effort, beside: Path | None) -> Iterator[Row]:
    """Measure cold start and idle memory, in turns with an earlier version."""
    earlier = [] if beside is None else [earlier_contestant(beside)]
    mocks = [mock_contestant("bodydouble"), *earlier]
    for name, times in cold_starts([bare_contestant(), *mocks], effort.starts).items():
        yield Row(f"cold start: {name}", f"{statistics.median(times):.2f} s", "0.28 s" if name == "bodydouble" else "")
    for mock in mocks:
        yield Row(f"idle memory: {mock.name}", f"{idle_pss_mb(mock):.0f} MB", "49 MB" if mock is mocks[0] else "")


def growth_rows(effort: Effort, pairs: Path | None) -> Iterator[Row]:
    """Measure how time grows; of each kind, the figure at the last size is needed to be that of the first."""
    for size, milliseconds in body_growth(effort.megabytes):
        yield Row(f"growth: body of {size:.1f} MB", f"{milliseconds:.1f} ms, {milliseconds / size:.2f} ms a MB")
    for count, seconds in operations_growth(effort.operations):
        yield Row(f"growth: drift on {count} operations", f"{seconds:.2f} s, {1000 * seconds / count:.2f} ms each")
    for count, seconds in [] if pairs is None else pairs_growth(pairs, effort.pairs):
        yield Row(f"growth: {count} pairs", f"{seconds:.2f} s, {1000 * seconds / count:.2f} ms each")


def soak_rows(effort: Effort) -> Iterator[Row]:
    """Measure the memory after each eighth of many requests."""
    for name, count, megabytes in soak(effort.small, effort.photos):
        yield Row(f"soak: {name} {count}", f"{megabytes:.1f} MB")


def main() -> None:
    """Print the table as often as wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--only", nargs="*", choices=GROUPS, default=[])
    options = parser.parse_args()
    effort = QUICK if options.quick else Effort()
    groups: dict[str, Callable[[], Iterator[Row]]] = {
        "small": lambda: throughput_rows(effort, "small", with_peers=options.peers),
        "photo": lambda: throughput_rows(effort, "photo", with_peers=options.peers),
        "large": lambda: throughput_rows(effort, "large", with_peers=options.peers),
        "clients": lambda: crowd_rows(effort),
        "drawing": lambda: drawing_rows(effort),
        "start": lambda: start_rows(effort, options.beside),
        "growth": lambda: growth_rows(effort, options.pairs),
        "soak": lambda: soak_rows(effort),
    }
    chosen = {name: rows for name, rows in groups.items() if not options.only or name in options.only}
    for _ in range(options.times):
        print(f"{'':44} {'measured':46} {'needed':10} load")
        for name, rows in chosen.items():
            load = os.getloadavg()[0]
            try:
                for row in rows():
                    print(f"{row.name:44} {row.value:46} {row.needed:10} {load:.1f}", flush=True)
                    load = os.getloadavg()[0]
            except RuntimeError as error:
                # The other figures are still wanted.
                print(f"{name}: {error}")


if __name__ == "__main__":
    main()

"""The checks and the plan of a verification, as text and as JSON."""

import json
import os
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bodydouble_contract_tests.verification import Case, Check, OperationProfile, Plan, Progress
from bodydouble_spec.text import visible

from bodydouble.commands.verify_report import format_cost, group_by_reason

__all__ = ["LogLines", "checks_json", "checks_text", "plan_json", "plan_text", "progress_listener", "progress_text"]


def checks_text(profile: OperationProfile, checks: Sequence[Check]) -> str:
    """Return the catalogue as text: each check with its claim, then the evidence, its source and the price of the check."""
    lines = [f"Checks of {profile.operation.key}", ""]
    for check in checks:
        price = format_cost(check.images, *_price(profile, check.images)) if check.images else "free"
        lines += [f"{check.id}: {check.claim}", f"    {check.evidence} ({check.source}); {price}"]
    return _text([*lines, "", f"{len(checks)} checks"])


def checks_json(profile: OperationProfile, checks: Sequence[Check]) -> str:
    """Return the catalogue as JSON: ``{"operation": …, "checks": […]}``."""
    listed = [{**_check(check), "usd": _price(profile, check.images)[1]} for check in checks]
    return _json({"operation": profile.operation.key, "checks": listed})


def plan_text(plan: Plan, profile: OperationProfile, server: str, *, is_billed: bool) -> str:
    """Return the plan as text: the calls and their cost, the elements that each paid call covers, and those left out."""
    paid = format_cost(plan.images, *_price(profile, plan.images)) if is_billed else "free on this server"
    rows = [
        ("free calls", str(_calls(plan.free)), "refused before a picture is made"),
        ("paid calls" if is_billed else "calls with pictures", str(_calls(plan.paid)), paid),
    ]
    if plan.unpaid:
        rows.append(("further calls", str(_calls(plan.unpaid)), "only when calls are free"))
    covered = {element for case in plan.paid for element in case.covers}
    rows.append(("coverage", f"{len(covered & {*plan.elements})} of {len(plan.elements)}", "elements of the contract"))
    lines = [f"Plan for {profile.operation.key} at {server}; nothing was sent", "", *_aligned(rows)]
    if plan.paid:
        lines += ["", *_aligned([("call", "images", "covers first"), *_new_coverage(plan.paid)])]
    for reason, elements in group_by_reason(plan.unbought).items():
        lines += ["", f"  left out ({reason}):", *(f"    {item}" for item in elements)]
    return _text(lines)


def plan_json(plan: Plan, profile: OperationProfile, server: str, *, is_billed: bool) -> str:
    """Return the plan as JSON, the calls in their order."""
    phases = {"free": plan.free, "paid": plan.paid, "unpaid": plan.unpaid}
    price, usd = _price(profile, plan.images)
    return _json(
        {
            "operation": profile.operation.key,
            "server": server,
            "is_billed": is_billed,
            "requests": _calls(plan.calls),
            "paid_images": plan.images if is_billed else 0,
            "credits": price if is_billed else 0,
            "usd": usd if is_billed else None,
            "elements": plan.elements,
            "unbought": plan.unbought,
            "calls": [{"phase": name, **_case(case)} for name, cases in phases.items() for case in cases],
            "checks": [_check(check) for check in plan.checks],
        }
    )


def _new_coverage(cases: Iterable[Case]) -> Iterator[tuple[str, str, str]]:
    covered: set[str] = set()
    for case in cases:
        yield case.id, _times(case), ", ".join(element for element in case.covers if element not in covered)
        covered.update(case.covers)


def _price(profile: OperationProfile, images: int) -> tuple[float, float | None]:
    usd = profile.usd_per_image
    return images * (profile.credits or 0), None if usd is None else images * usd


def _calls(cases: Iterable[Case]) -> int:
    return sum(case.repeats for case in cases)


def _times(case: Case) -> str:
    return str(case.images) if case.repeats == 1 else f"{case.repeats} x {case.images}"


def _check(check: Check) -> dict[str, Any]:
    named = {"id": check.id, "claim": check.claim, "evidence": str(check.evidence)}
    return {**named, "source": check.source, "images": check.images}


def _case(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "check": case.check,
        "expectation": str(case.expectation),
        "images": case.images,
        "repeats": case.repeats,
        "covers": case.covers,
        "body": case.body,
    }


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    columns = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return ["  " + "  ".join(map(str.ljust, row, columns)).rstrip() for row in rows]


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{visible(line)}\n" for line in lines)


def _json(document: dict[str, Any]) -> str:
    # In ASCII, which cannot hold control characters for a terminal.
    return json.dumps(document, indent=2) + "\n"


# Often enough to show progress in a log, without a line for each call.
_CALLS_PER_LINE = 50

Listener = Callable[[Progress], None]


def progress_text(progress: Progress) -> str:
    """Return the progress in one line: ``12 of 86 calls, spent 0.126 USD, left 0.624 USD, 2 findings: accepted/3``."""
    parts = [f"{progress.number} of {progress.total} calls"]
    if progress.spent_usd is not None:
        parts.append(f"spent {progress.spent_usd:.3f} USD")
    if progress.left_usd is not None:
        parts.append(f"left {progress.left_usd:.3f} USD")
    if progress.findings:
        parts.append(f"{progress.findings} finding{'' if progress.findings == 1 else 's'}")
    text = ", ".join(parts)
    if progress.waiting_s:
        return f"{text}: the server asked to wait {progress.waiting_s:.0f} s"
    return f"{text}: {visible(progress.case)}"


class LogLines:
    """A listener that writes a line at the first call, every fifty calls, after each payment, and before each wait."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._last: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        """Write a line when one is due."""
        last = self._last
        is_due = last is None or progress.waiting_s > 0 or progress.spent_usd != last.spent_usd
        if is_due or (last is not None and progress.number >= last.number + _CALLS_PER_LINE):
            self._last = progress
            self._write(progress_text(progress))


@contextmanager
def progress_listener(*, quiet: bool) -> Generator[Listener | None]:
    """Yield a listener that prints each `Progress` to standard error, None when ``quiet``."""
    if quiet:
        yield None
    elif not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield LogLines(lambda text: print(f"bodydouble: {text}", file=sys.stderr, flush=True))  # noqa: T201 - not the report
    else:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        columns = (BarColumn(bar_width=12), TextColumn("{task.description}", markup=False))
        with Bar(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
            task = bar.add_task("", total=None)
            yield lambda at: bar.update(task, total=at.total, completed=at.number, description=progress_text(at))

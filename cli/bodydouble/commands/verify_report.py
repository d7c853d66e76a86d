"""The texts of ``bodydouble verify``: its report with the pictures received, its checks and plan, and the progress of a run."""

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from itertools import islice
from typing import Any

from bodydouble_contract_tests.verification import (
    Case,
    Check,
    FetchedPicture,
    Observation,
    OperationProfile,
    Plan,
    Progress,
    Verification,
    catalogue,
)
from bodydouble_spec import EVENTS, Severity, flattened
from bodydouble_spec.report import Baseline, Report, ReportCheck, ReportPicture
from bodydouble_spec.text import visible
from PIL import Image

from bodydouble.progress import is_terminal, progress
from bodydouble.reports import muted_fact

__all__ = [
    "LogLines",
    "build_report",
    "checks_json",
    "checks_text",
    "format_cost",
    "plan_json",
    "plan_text",
    "progress_listener",
    "progress_text",
    "report_pictures",
]

_REMARKS = "passed with remarks"
_OUTCOMES = ("passed", _REMARKS, "failed", "muted", "not run")
# Enough to recognise the group; the JSON report lists all.
_MAX_LISTED = 5


def build_report(
    profile: OperationProfile,
    verification: Verification,
    run_facts: Mapping[str, Any],
    baseline: Baseline | None = None,
    pictures: tuple[ReportPicture, ...] = (),
) -> Report:
    """Build the report. ``run_facts`` are the facts known before the run: server, contract. ``baseline`` describes findings no longer found."""
    checks = tuple(_check(check, verification) for check in verification.checks)
    known: Mapping[str, Mapping[str, Any]] = {} if baseline is None else baseline.known
    gone = [{**known.get(fingerprint, {}), "fingerprint": fingerprint} for fingerprint in verification.gone]
    not_run = sum(check.outcome == "not run" for check in checks)
    ran = len(checks) - not_run
    return Report(
        "Verification",
        verification.findings,
        {**run_facts, **_facts(profile, verification, checks, gone)},
        checks=checks,
        pictures=pictures,
        members=_json_members(verification, run_facts, checks, gone),
        known=len(verification.muted),
        details=_details(profile, verification, checks),
        examined=f"{ran} check{'' if ran == 1 else 's'}" + (f"; {not_run} not run" if not_run else ""),
        incomplete=verification.incomplete,
        is_empty=verification.incomplete is not None
        and not verification.findings
        and all(item.status is None for item in verification.observations),
    )


def _group_by_reason(left_out: Mapping[str, str]) -> dict[str, list[str]]:
    """Group what was left out by the reason."""
    reasons: dict[str, list[str]] = {}
    for element, reason in left_out.items():
        reasons.setdefault(reason, []).append(element)
    return reasons


def format_cost(images: int, credits: float, usd: float | None) -> str:  # noqa: A002 - the vendor's unit
    """Return a number of pictures with their cost, as far as it is known: ``12 images, 1,008,000 credits, 0.504 USD``."""
    parts = [f"{images:,} image{'' if images == 1 else 's'}"]
    parts += [f"{credits:,.0f} credits"] if credits else []
    parts += [f"{usd:,.4f}".rstrip("0").rstrip(".") + " USD"] if usd is not None else []
    return ", ".join(parts)


def _check(check: Check, verification: Verification) -> ReportCheck:
    seconds = sum(item.elapsed_s for item in verification.observations if item.case.check == check.id)
    outcome = verification.outcomes.get(check.id, "not run")
    named = ReportCheck(check.id, check.claim, outcome, seconds=seconds)
    if outcome == "not run":
        return replace(named, reason=verification.unbought.get(check.id))
    left = [finding for finding in flattened(verification.findings) if named.has(finding)]
    if any(map(named.has, verification.muted)):
        if not left:
            return replace(named, outcome="muted", reason="in the baseline")
        if all(finding.severity is Severity.INFO for finding in left):
            return replace(named, outcome=_REMARKS)
    return named


def _facts(
    profile: OperationProfile, verification: Verification, checks: tuple[ReportCheck, ...], gone: list[dict[str, Any]]
) -> dict[str, Any]:
    counts = Counter(check.outcome for check in checks)
    facts: dict[str, Any] = {
        "checks": ", ".join(f"{counts[outcome]} {outcome}" for outcome in _OUTCOMES if counts[outcome])
    }
    unexamined = [*_unexamined(profile)]
    if unexamined:
        facts["not examined"] = unexamined
    facts["requests"] = verification.requests
    # Free calls have no price to report.
    if verification.paid_images or verification.usd:
        facts["paid"] = format_cost(verification.paid_images, verification.credits, verification.usd)
    if gone:
        facts["no longer found"] = [
            {name: entry[name] for name in ("id", "pointer", "fingerprint") if name in entry} for entry in gone
        ]
    return facts


def _details(profile: OperationProfile, verification: Verification, checks: tuple[ReportCheck, ...]) -> dict[str, Any]:
    """Return what was covered and what was not, and what is known."""
    facts: dict[str, Any] = {}
    not_run = [check.id for check in checks if check.outcome == "not run"]
    if not_run:
        facts["not run"] = ", ".join(not_run)
    # The coverage of the contract says nothing when only some checks were run.
    if verification.coverage and len(checks) == len(catalogue(profile)):
        facts["coverage"] = _coverage(profile, verification.coverage)
        if verification.pairs:
            facts["pairs of values"] = f"{verification.pairs_covered} of {verification.pairs}"
        facts |= _left_out(verification.unbought)
    return facts | muted_fact(verification.muted)


def _unexamined(profile: OperationProfile) -> Iterator[str]:
    """Yield what the contract declares and no call asks for."""
    if EVENTS in profile.operation.success_media_types:
        yield "event streams"
    yield from (f"callback {name}" for name in dict.fromkeys(item.name for item in profile.operation.callbacks))


def _coverage(profile: OperationProfile, coverage: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return a row for each property of the request: the number of its elements covered by a successful call, and the others."""
    groups: dict[str, dict[str, int]] = {}
    for element, calls in coverage.items():
        # Named after a property: "aspect_ratio=1:1", "num_images maximum (4)".
        name = re.split("[ =]", element, maxsplit=1)[0]
        groups.setdefault(name if name in profile.properties else element, {})[element] = calls
    return [
        {
            "element": name,
            "covered": f"{sum(map(bool, elements.values()))} of {len(elements)}",
            "not covered": _listed([element for element, calls in elements.items() if not calls]) or None,
        }
        for name, elements in groups.items()
    ]


def _left_out(unbought: Mapping[str, str]) -> dict[str, Any]:
    rows = [
        {"reason": reason, "elements": _listed(elements)} for reason, elements in _group_by_reason(unbought).items()
    ]
    return {"left out": rows} if rows else {}


def _listed(items: Sequence[str]) -> str:
    others = len(items) - _MAX_LISTED
    return ", ".join(items[:_MAX_LISTED]) + (f" and {others} more" if others > 0 else "")


def _json_members(
    verification: Verification,
    run_facts: Mapping[str, Any],
    checks: tuple[ReportCheck, ...],
    gone: list[dict[str, Any]],
) -> dict[str, Any]:
    outcomes = {check.id: check.outcome for check in checks}
    return {
        "checks": [
            {
                "id": check.id,
                "claim": check.claim,
                "outcome": outcomes[check.id],
                "evidence": str(check.evidence),
                "source": check.source,
                "images": check.images,
            }
            for check in verification.checks
        ],
        "requests": verification.requests,
        "paid_images": verification.paid_images,
        "credits": verification.credits,
        "usd": verification.usd,
        "coverage": dict(verification.coverage),
        "pairs": verification.pairs,
        "pairs_covered": verification.pairs_covered,
        "unbought": dict(verification.unbought),
        "incomplete": verification.incomplete,
        "muted": [finding.to_dict() for finding in verification.muted],
        "gone": gone,
        **run_facts,
    }


_MOST_PICTURES = 30
_LONGEST_SIDE = 384
# Larger pictures are described, not decoded again.
_LARGEST_PIXELS = 64_000_000


def report_pictures(
    observations: Iterable[Observation], format_request: Callable[[Observation], str]
) -> tuple[ReportPicture, ...]:
    """Return the first thirty pictures received, in the order of the calls; ``format_request`` returns a call as a command."""
    received = ((observation, picture) for observation in observations for picture in observation.pictures)
    return tuple(
        ReportPicture(_title(observation), format_request(observation), _note(picture), *_thumbnail(picture))
        for observation, picture in islice(received, _MOST_PICTURES)
    )


def _title(observation: Observation) -> str:
    repeated = f", repetition {observation.number + 1}" if observation.case.repeats > 1 else ""
    return f"{observation.case.id}{repeated}"


def _note(picture: FetchedPicture) -> str:
    size = f"{picture.pixels[0]}x{picture.pixels[1]}" if picture.pixels else ""
    parts = (size, picture.format or picture.media_type, picture.source, picture.problem or "")
    return ", ".join(part for part in parts if part)


def _thumbnail(picture: FetchedPicture) -> tuple[str, bytes]:
    """Return a small JPEG copy as media type and bytes; both are empty when the picture cannot be shown."""
    if picture.pixels is None or picture.pixels[0] * picture.pixels[1] > _LARGEST_PIXELS:
        return "", b""
    copy = BytesIO()
    try:
        with Image.open(BytesIO(picture.content)) as image:
            # Decodes a JPEG at about the needed size; other formats do not support that.
            image.draft("RGB", (_LONGEST_SIDE, _LONGEST_SIDE))
            image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
            colours = image.convert("RGBA")
        background = Image.new("RGBA", colours.size, "white")
        Image.alpha_composite(background, colours).convert("RGB").save(copy, "JPEG", quality=80)
    except Exception:  # noqa: BLE001 - decoders raise nearly any exception for untrusted bytes; the note describes them
        return "", b""
    return "image/jpeg", copy.getvalue()


def checks_text(profile: OperationProfile, checks: Sequence[Check]) -> str:
    """Return the catalogue as text: each check with its claim, then the evidence, its source and the price of the check."""
    lines = [f"Checks of {profile.operation.key}", ""]
    for check in checks:
        price = format_cost(check.images, *_price(profile, check.images)) if check.images else "free"
        lines += [f"{check.id}: {check.claim}", f"    {check.evidence} ({check.source}); {price}"]
    return _text([*lines, "", f"{len(checks)} checks"])


def checks_json(profile: OperationProfile, checks: Sequence[Check]) -> str:
    """Return the catalogue as JSON: ``{"operation": …, "checks": […]}``."""
    listed = [{**_check_members(check), "usd": _price(profile, check.images)[1]} for check in checks]
    return _json({"operation": profile.operation.key, "checks": listed})


def plan_text(plan: Plan, profile: OperationProfile, server: str, *, is_billed: bool) -> str:
    """Return the plan as text: the calls and their cost, the elements that each paid call covers, and those left out."""
    paid = format_cost(plan.images, *_price(profile, plan.images)) if is_billed else "free on this server"
    rows = [
        ("free calls", str(_calls((*plan.free, *plan.after))), "refused before a picture is made"),
        ("paid calls" if is_billed else "calls with pictures", str(_calls(plan.paid)), paid),
    ]
    further = _calls((*plan.unpaid, *plan.parallel))
    if further:
        rows.append(("further calls", str(further), "only when calls are free"))
    covered = {element for case in plan.paid for element in case.covers}
    rows.append(("coverage", f"{len(covered & {*plan.elements})} of {len(plan.elements)}", "elements of the contract"))
    if plan.pairs:
        rows.append(("", f"{len(plan.pairs_in(plan.calls))} of {len(plan.pairs)}", "pairs of values"))
    lines = [f"Plan for {profile.operation.key} at {server}; nothing was sent", "", *_aligned(rows)]
    if plan.paid:
        calls = _aligned([("call", "images"), *((case.id, _times(case)) for case in plan.paid)])
        lines += ["", calls[0], *(line for pair in zip(calls[1:], _new_coverage(plan), strict=True) for line in pair)]
    for reason, elements in _group_by_reason(plan.unbought).items():
        lines += ["", f"  left out ({reason}):", *(f"    {item}" for item in elements)]
    return _text(lines)


def plan_json(plan: Plan, profile: OperationProfile, server: str, *, is_billed: bool) -> str:
    """Return the plan as JSON, the calls in their order."""
    phases = {
        "free": plan.free,
        "paid": plan.paid,
        "after": plan.after,
        "unpaid": plan.unpaid,
        "parallel": plan.parallel,
    }
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
            "pairs": len(plan.pairs),
            "pairs_covered": len(plan.pairs_in(plan.calls)),
            "unbought": plan.unbought,
            "calls": [{"phase": name, **_case(case)} for name, cases in phases.items() for case in cases],
            "checks": [_check_members(check) for check in plan.checks],
        }
    )


def _new_coverage(plan: Plan) -> Iterator[str]:
    """Yield a line for each paid call: the elements, or the number of pairs, that it is the first to cover."""
    covered: set[str] = set()
    pairs: frozenset[str] = frozenset()
    for case in plan.paid:
        new = [element for element in case.covers if element not in covered]
        new_pairs = len(plan.pairs_in([case]) - pairs)
        yield f"      covers {', '.join(new) or f'{new_pairs} pairs of values'}"
        covered.update(case.covers)
        pairs |= plan.pairs_in([case])


def _price(profile: OperationProfile, images: int) -> tuple[float, float | None]:
    usd = profile.usd_per_image
    return images * (profile.credits or 0), None if usd is None else images * usd


def _calls(cases: Iterable[Case]) -> int:
    return sum(case.repeats for case in cases)


def _times(case: Case) -> str:
    return str(case.images) if case.repeats == 1 else f"{case.repeats} x {case.images}"


def _check_members(check: Check) -> dict[str, Any]:
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
    """A listener that writes a line after the first call, every fifty calls, after each payment, and before each wait."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._last: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        """Write a line when one is due."""
        last = self._last
        # Before the first call there is nothing to say, and the server may not even be there.
        is_due = progress.waiting_s > 0 or (
            progress.number > 0 if last is None else progress.spent_usd != last.spent_usd
        )
        if is_due or (last is not None and progress.number >= last.number + _CALLS_PER_LINE):
            self._last = progress
            self._write(progress_text(progress))


@contextmanager
def progress_listener(*, quiet: bool) -> Generator[Listener | None]:
    """Yield a listener that prints each `Progress` to standard error, None when ``quiet``."""
    if quiet:
        yield None
    elif not is_terminal():
        yield LogLines(lambda text: print(f"bodydouble: {text}", file=sys.stderr, flush=True))  # noqa: T201 - not the report
    else:
        with progress("starting") as shown:
            yield lambda at: shown.update(progress_text(at), at.number, at.total)

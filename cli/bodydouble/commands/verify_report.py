"""The report of a verification: facts for people, and further members for programs."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import BytesIO
from itertools import islice
from typing import Any

from bodydouble_contract_tests.verification import (
    Baseline,
    Check,
    FetchedPicture,
    Observation,
    OperationProfile,
    Verification,
    catalogue,
)
from bodydouble_spec import Finding
from bodydouble_spec.report import Report, ReportCheck, ReportPicture

__all__ = ["build_report", "format_cost", "group_by_reason", "report_pictures"]

_OUTCOMES = ("passed", "failed", "muted", "not run")
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
    return Report(
        "Verification" if verification.incomplete is None else "Verification, incomplete",
        verification.findings,
        {**run_facts, **_facts(profile, verification, checks, gone)},
        checks=checks,
        pictures=pictures,
        members=_json_members(verification, run_facts, checks, gone),
    )


def group_by_reason(left_out: Mapping[str, str]) -> dict[str, list[str]]:
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
    named = ReportCheck(check.id, check.claim, verification.outcomes.get(check.id, "not run"))
    if named.outcome == "not run":
        return ReportCheck(check.id, check.claim, "not run", verification.unbought.get(check.id))
    is_known = any(map(named.has, verification.muted)) and not any(map(named.has, verification.findings))
    return ReportCheck(check.id, check.claim, "muted", "in the baseline") if is_known else named


def _facts(
    profile: OperationProfile, verification: Verification, checks: tuple[ReportCheck, ...], gone: list[dict[str, Any]]
) -> dict[str, Any]:
    counts = Counter(check.outcome for check in checks)
    facts: dict[str, Any] = {}
    if verification.incomplete is not None:
        facts["incomplete"] = verification.incomplete
    facts["checks"] = ", ".join(f"{counts[outcome]} {outcome}" for outcome in _OUTCOMES if counts[outcome])
    if counts["not run"]:
        facts["not run"] = [check.id for check in checks if check.outcome == "not run"]
    facts["requests"] = verification.requests
    # Free calls have no price to report.
    if verification.paid_images or verification.usd:
        facts["paid"] = format_cost(verification.paid_images, verification.credits, verification.usd)
    # The coverage of the contract says nothing when only some checks were run.
    if verification.coverage and len(checks) == len(catalogue(profile)):
        facts["coverage"] = _coverage(profile, verification.coverage)
        facts |= _left_out(verification.unbought)
    if verification.muted:
        facts["muted"] = [_named(finding) for finding in verification.muted]
    if gone:
        facts["no longer found"] = [
            {name: entry[name] for name in ("id", "pointer", "fingerprint") if name in entry} for entry in gone
        ]
    return facts


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
    rows = [{"reason": reason, "elements": _listed(elements)} for reason, elements in group_by_reason(unbought).items()]
    return {"left out": rows} if rows else {}


def _listed(items: Sequence[str]) -> str:
    others = len(items) - _MAX_LISTED
    return ", ".join(items[:_MAX_LISTED]) + (f" and {others} more" if others > 0 else "")


def _named(finding: Finding) -> dict[str, str]:
    return {"id": finding.id, "pointer": finding.pointer, "fingerprint": finding.fingerprint}


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
    from PIL import Image

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

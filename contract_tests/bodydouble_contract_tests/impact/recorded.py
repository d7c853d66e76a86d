"""The verdict on an app's recorded requests: one sentence for each operation, with each cause below it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bodydouble_spec import Exchange, Finding, Severity, join_pointer
from bodydouble_spec.image_fields import image_price

from bodydouble_contract_tests.impact.barriers import Barrier
from bodydouble_contract_tests.impact.breaks import Break, TriedRequest, group_refusals
from bodydouble_contract_tests.impact.calls import AppCall, Servers, tried_calls
from bodydouble_contract_tests.impact.effects import Effect, same_effect
from bodydouble_contract_tests.impact.pairing import OperationPair
from bodydouble_contract_tests.impact.wording import counted, impact_finding, place_text, reason

__all__ = ["VERDICT", "gone_verdict", "recorded_findings"]

VERDICT = "impact-recorded-requests"
"""The beginning of the ids of findings about recorded requests."""

_CAUSES = 4
_TIMES = {2: "twice", 3: "three times", 4: "four times"}


def recorded_findings(
    pair: OperationPair, servers: Servers, exchanges: Sequence[Exchange], reads: Sequence[str] | None = None
) -> Iterator[Finding]:
    """Yield the verdict on the recorded requests of this operation: refused, dearer, answered otherwise, or not affected.

    Each was sent to a mock server for the old contract and to one for the new. Requests that the old contract refuses too are skipped. A
    picture that the recording left out is replaced by one of the same media type, size in pixels and bytes. ``reads`` are the places of an
    answer that the app reads, as JSON pointers; without it, those where its recorded answers have values; without such answers, those that
    the bodydouble client reads.
    """
    if not exchanges:
        return
    complete = [exchange for exchange in exchanges if exchange.raw is None]
    calls = tried_calls(pair, servers, complete, reads)
    incomplete = len(exchanges) - len(complete)
    refused = len(complete) - sum(call.count for call in calls)
    reasons = [
        f"{count:,} skipped: {why}"
        for count, why in (
            (refused, "the old contract refuses such requests too"),
            (incomplete, "the body was not recorded"),
        )
        if count
    ]
    note = f" ({'; '.join(reasons)})" if reasons else ""
    if calls:
        yield _verdict(pair, calls, note)
        return
    total = len(exchanges)
    message = (
        f"{'your call' if total == 1 else f'none of your {total:,} calls'} could {'not ' * (total == 1)}be tried{note}"
    )
    yield impact_finding(f"{VERDICT}-left-out", Severity.INFO, "", message, pair.before, direction="request")


def gone_verdict(message: str, operation: Any, count: int) -> Finding:
    """Return the verdict on the recorded requests of an operation that is gone."""
    text = f"{_share(count, count)} {_are(count)} refused: {message}"
    return impact_finding(f"{VERDICT}-refused", Severity.ERROR, "", text, operation, direction="request", got=count)


def _verdict(pair: OperationPair, calls: list[AppCall], note: str) -> Finding:
    """Return one finding about all recorded requests, the worst part of its sentence first, and each cause in ``covers``.

    Where every call is refused, the sentence says only that: it covers what would change in the answers.
    """
    total = sum(call.count for call in calls)
    parts = [*_refusals(pair, calls, total), *_untried(pair, calls, total), *_effects(pair, calls, total)]
    if not parts:
        rule, message = f"{VERDICT}-accepted", f"no call of yours is affected{note}"
        return impact_finding(rule, Severity.INFO, "", message, pair.before, direction="request", got=0)
    rule, _, covers = parts[0]
    found = [cause for _, _, causes in parts for cause in causes]
    worst = max(found, key=lambda cause: cause.severity.rank)
    refused = sum(call.count for call in calls if call.is_refused)
    return impact_finding(
        f"{VERDICT}-{rule}",
        worst.severity,
        "",
        "; ".join(text for end, text, _ in parts if refused < total or end != "changed") + note,
        pair.before,
        direction=covers[0].direction or "request",
        expected=0,
        got=refused or sum(call.count for call in calls if call.effects or call.barriers),
        request=covers[0].request,
        evidence=worst.evidence,
        covers=found,
    )


Part = tuple[str, str, list[Finding]]
"""A part of the sentence: the end of its id, the text, and the causes."""


def _refusals(pair: OperationPair, calls: list[AppCall], total: int) -> Iterator[Part]:
    tried = [TriedRequest(call.exchange.body, call.faults, call.count) for call in calls]
    causes = sorted(group_refusals(tried), key=lambda cause: -cause.count)
    names = {join_pointer("", replaced.name) for replaced in pair.replaced_properties}
    refused = [call for call in calls if call.is_refused]
    count = sum(call.count for call in refused)
    if not count:
        return
    walls = _grouped(calls, "refused")
    if names:
        # The old name refuses every request; the other causes are counted with the new one.
        causes = [cause for cause in causes if cause.pointer in names]
    texts = [_with_count(barrier.text, number, count) for barrier, number in walls]
    if names and causes:
        texts += [f"{replaced.name} is now {replaced.new_value!r}" for replaced in pair.replaced_properties]
    else:
        texts += [_cause_text(cause, count) for cause in causes]
    found = [*(_wall_finding(pair, calls, barrier, number) for barrier, number in walls)]
    found += [_cause(pair, cause, "") for cause in causes]
    yield "refused", f"{_share(count, total)} {_are(count)} refused: {_listed(texts)}", found
    later = [
        TriedRequest(pair.renamed(call.exchange.body), call.later_faults, call.count)
        for call in calls
        if call.later_faults
    ]
    if later:
        still = sum(request.count for request in later)
        rest = sorted(group_refusals(later), key=lambda cause: -cause.count)
        text = f"with the new name, {_share(still, total)} {_are(still)} still refused: {_listed(_cause_text(cause, still) for cause in rest)}"
        yield "refused", text, [_cause(pair, cause, "/renamed") for cause in rest]


def _untried(pair: OperationPair, calls: list[AppCall], total: int) -> Iterator[Part]:
    walls = _grouped(calls, "untried")
    if not walls:
        return
    count = max(number for _, number in walls)
    text = f"{_share(count, total)} could not be tried: {_listed(barrier.text for barrier, _ in walls)}"
    yield "untried", text, [_wall_finding(pair, calls, barrier, number) for barrier, number in walls]


def _effects(pair: OperationPair, calls: list[AppCall], total: int) -> Iterator[Part]:
    dearer = [call for call in calls if call.costs is not None and call.costs[1] > call.costs[0]]
    causes = _effects_of(calls)
    if dearer:
        yield _cost_part(pair, dearer, total, [one for one in causes if one[0].rule == "default-costs"])
    others = ("default",) if dearer else ("default", "default-costs")
    for rules, sentence in (
        (("status",), "{} will be answered with {}"),
        (("pictures",), "the answers to {} will have {}"),
        (("media-type",), "the answers to {} will be {}"),
        (("answer",), "the answers to {} no longer have what your app reads: {}"),
        (("recorded-answer",), "the answers to {} no longer have what your recorded answers have: {}"),
        (others, "{} will be answered differently: {}"),
        (("default-stated",), "{} leave out what now has a stated default: {}"),
        (("body-ignored",), "{} will be served, but {}"),
        (("ignored",), "{} will be served without a part of it: {}"),
    ):
        own = [(effect, call, count) for effect, call, count in causes if effect.rule in rules]
        if own:
            count = sum(call.count for call in calls if any(effect.rule in rules for effect in call.effects))
            texts = [_with_count(effect.text, number, count) for effect, _, number in own]
            yield (
                "changed",
                sentence.format(_share(count, total), _listed(texts)),
                [_effect_finding(pair, *one) for one in own],
            )


def _cost_part(
    pair: OperationPair, dearer: list[AppCall], total: int, causes: list[tuple[Effect, AppCall, int]]
) -> Part:
    """Return the part about money: how much more, by call and in all, and why."""
    count = sum(call.count for call in dearer)
    pairs = [(call.costs, call.count) for call in dearer if call.costs is not None]
    ratios = {round(new / old, 2) if old else 0.0 for (old, new), _ in pairs}
    ratio = ratios.pop() if len(ratios) == 1 else 0.0
    times = (
        f"{_TIMES.get(int(ratio), f'{ratio:g} times') if ratio == int(ratio) else f'{ratio:g} times'} as much"
        if ratio
        else "more"
    )
    rate = image_price(pair.after.extensions).credits_per_usd or image_price(pair.before.extensions).credits_per_usd
    (old, new), _ = pairs[0]
    more = sum((after - before) * number for (before, after), number in pairs)
    money = f"{_money(new, rate)} instead of {_money(old, rate)}" + (
        "" if count == 1 else f" each, {_money(more, rate)} more in all"
    )
    why = f", because {_listed(effect.text for effect, _, _ in causes)}" if causes else ""
    text = f"{_share(count, total)} would cost {times} ({money}){why}"
    cause = Effect(
        "cost", Severity.ERROR, "", f"{_money(new, rate)} instead of {_money(old, rate)}", "response", old, new
    )
    found = [_effect_finding(pair, cause, dearer[0], count), *(_effect_finding(pair, *one) for one in causes)]
    return "changed", text, found


def _money(amount: float, rate: int | None) -> str:
    return f"{amount:,.0f} credits" if rate is None else f"{amount / rate:.3f} USD"


def _grouped(calls: list[AppCall], kind: str) -> list[tuple[Barrier, int]]:
    """Return each barrier of a kind, once, with the number of calls."""
    found: dict[tuple[str, str], tuple[Barrier, int]] = {}
    for call in calls:
        for barrier in call.barriers:
            if barrier.kind == kind:
                key = (barrier.rule, barrier.text)
                found[key] = barrier, found.get(key, (barrier, 0))[1] + call.count
    return [*found.values()]


def _effects_of(calls: list[AppCall]) -> list[tuple[Effect, AppCall, int]]:
    found: dict[str, tuple[Effect, AppCall, int]] = {}
    for call in calls:
        for effect in call.effects:
            first = found.get(same_effect(effect), (effect, call, 0))
            found[same_effect(effect)] = first[0], first[1], first[2] + call.count
    return sorted(found.values(), key=lambda one: -one[2])


def _share(count: int, total: int) -> str:
    """Return the subject of a part: ``3 of your 41 calls``."""
    if total == 1:
        return "your call"
    return f"{'all' if count == total else f'{count:,}'} of your {counted(total, 'call')}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _with_count(text: str, count: int, total: int) -> str:
    return text if count == total else f"{count:,} because {text}"


def _listed(texts: Iterable[str]) -> str:
    items = [*texts]
    rest = len(items) - _CAUSES
    return "; ".join([*items[:_CAUSES], *([counted(rest, "other reason")] if rest > 0 else [])])


def _cause_text(cause: Break, refused: int) -> str:
    """Describe one cause by an example, with the number of requests unless it applies to all refused ones."""
    tried_request, fault = cause.refused[0]
    text = f"{place_text(tried_request.body, fault.pointer)}: {reason(fault)}"
    return text if cause.count == refused else f"{cause.count} for {text}"


def _cause(pair: OperationPair, cause: Break, suffix: str) -> Finding:
    tried_request, fault = cause.refused[0]
    return impact_finding(
        f"{VERDICT}-refused{suffix}/{cause.rule}",
        fault.severity,
        cause.pointer,
        f"{counted(cause.count, 'call')}: {_cause_text(cause, refused=cause.count)}",
        pair.before,
        direction="request",
        expected=fault.expected,
        got=fault.got,
        request=tried_request.body,
        evidence=fault.evidence,
    )


def _wall_finding(pair: OperationPair, calls: list[AppCall], barrier: Barrier, count: int) -> Finding:
    first = next(call for call in calls if barrier in call.barriers)
    return impact_finding(
        f"{VERDICT}-{barrier.kind}/{barrier.rule}",
        barrier.severity,
        "",
        f"{counted(count, 'call')}: {barrier.text}",
        pair.before,
        direction="request",
        expected=barrier.expected,
        got=barrier.got,
        request=first.exchange.body,
        is_executed=barrier.is_executed,
    )


def _effect_finding(pair: OperationPair, effect: Effect, call: AppCall, count: int) -> Finding:
    return impact_finding(
        f"{VERDICT}-changed/{effect.rule}",
        effect.severity,
        effect.pointer,
        f"{counted(count, 'call')}: {effect.text}",
        pair.before,
        direction=effect.direction,
        expected=effect.expected,
        got=effect.got,
        request=call.exchange.body,
    )

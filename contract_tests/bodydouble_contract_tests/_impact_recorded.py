"""The app's own recorded requests, sent to the new contract."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from bodydouble_spec import Exchange, Finding, Severity, join_pointer, restore_pictures

from bodydouble_contract_tests._impact_breaks import Attempt, Break, breaks
from bodydouble_contract_tests._impact_pair import Pair
from bodydouble_contract_tests._impact_pictures import Pictures
from bodydouble_contract_tests._impact_sentences import found, number_of, reason, what
from bodydouble_contract_tests._impact_standin import NO_BODY, StandIn

__all__ = ["recorded_findings"]

_CAUSES = 4


def recorded_findings(pair: Pair, standin: StandIn, exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """How many of the recorded requests of this operation would now be refused, and why; those are left out that were refused before.

    A picture that the recording left out is replaced by one of the same media type, size in pixels and bytes.
    """
    if not exchanges:
        return
    known = [exchange for exchange in exchanges if exchange.raw is None]
    as_sent, renamed = _replayed(pair, standin, known)
    unknown = len(exchanges) - len(known)
    refused = len(known) - sum(attempt.count for attempt in as_sent)
    reasons = [
        f"{count:,} left out: {why}"
        for count, why in ((refused, "the old contract refuses such requests too"), (unknown, "the body was not kept"))
        if count
    ]
    note = f" ({'; '.join(reasons)})" if reasons else ""
    if not as_sent:
        message = f"none of your {number_of(len(exchanges), 'recorded request')} could be tried{note}"
        yield found("impact-recorded-requests-left-out", Severity.INFO, "", message, pair.before, direction="request")
    elif not pair.identities:
        yield _verdict(pair, as_sent, "", "", note)
    else:
        yield _verdict(pair, as_sent, "as sent, ", "", note)
        yield _verdict(pair, renamed, "with the new name, ", "/renamed", note)


def _replayed(pair: Pair, standin: StandIn, exchanges: Iterable[Exchange]) -> tuple[list[Attempt], list[Attempt]]:
    """Each different request that the old contract allows, as it was recorded and under the new name."""
    pictures = Pictures()
    counts: Counter[str] = Counter()
    first: dict[str, Exchange] = {}
    for exchange in exchanges:
        text = json.dumps(exchange.body, sort_keys=True)
        counts[text] += 1
        first.setdefault(text, exchange)
    as_sent: list[Attempt] = []
    renamed: list[Attempt] = []
    for text, exchange in first.items():
        body = NO_BODY if exchange.body is None else restore_pictures(exchange.body, pictures.text)
        if pair.before.request_required if body is NO_BODY else not pair.was_allowed(body):
            continue
        path = exchange.route if "{" in pair.after.path and pair.after.key == pair.before.key else None
        as_sent.append(Attempt(exchange.body, standin.refuses(pair.after, body, path), counts[text]))
        if pair.identities:
            faults = standin.refuses(pair.after, pair.renamed(body), path)
            renamed.append(Attempt(pair.renamed(exchange.body), faults, counts[text]))
    return as_sent, renamed


def _verdict(pair: Pair, attempts: list[Attempt], manner: str, suffix: str, note: str) -> Finding:
    """One sentence about all recorded requests; each cause is in ``covers``."""
    total = sum(attempt.count for attempt in attempts)
    refused = sum(attempt.count for attempt in attempts if attempt.faults)
    if not refused:
        message = f"{manner}all of your {number_of(total, 'recorded request')} would be accepted{note}"
        rule = f"impact-recorded-requests-accepted{suffix}"
        return found(rule, Severity.INFO, "", message, pair.before, direction="request", got=0)
    causes = sorted(breaks(attempts), key=lambda cause: -cause.count)
    names = {join_pointer("", identity.name) for identity in pair.identities}
    if names and not suffix:
        # Under the old name this refuses everything; the rest is told under the new one.
        causes = [cause for cause in causes if cause.pointer in names]
    told = [_told(cause, refused) for cause in causes[:_CAUSES]]
    told += [f"{number_of(len(causes) - _CAUSES, 'other reason')}"] if len(causes) > _CAUSES else []
    if names and not suffix:
        told = [f"{identity.name} is now {identity.new_value!r}" for identity in pair.identities]
    how_many = "all" if refused == total else f"{refused:,}"
    first, fault = causes[0].refused[0]
    return found(
        f"impact-recorded-requests-refused{suffix}",
        fault.severity,
        "",
        f"{manner}{how_many} of your {number_of(total, 'recorded request')} would be refused: {'; '.join(told)}{note}",
        pair.before,
        direction="request",
        expected=0,
        got=refused,
        request=first.body,
        evidence=fault.evidence,
        covers=[_cause(pair, cause, suffix) for cause in causes],
    )


def _told(cause: Break, refused: int) -> str:
    """One cause with an example, and how many it refuses unless it refuses all of them."""
    attempt, fault = cause.refused[0]
    text = f"{what(attempt.body, fault.pointer)}: {reason(fault)}"
    return text if cause.count == refused else f"{cause.count} for {text}"


def _cause(pair: Pair, cause: Break, suffix: str) -> Finding:
    attempt, fault = cause.refused[0]
    return found(
        f"impact-recorded-requests-refused{suffix}/{cause.rule}",
        fault.severity,
        cause.pointer,
        f"{number_of(cause.count, 'recorded request')}: {_told(cause, refused=cause.count)}",
        pair.before,
        direction="request",
        expected=fault.expected,
        got=fault.got,
        request=attempt.body,
        evidence=fault.evidence,
    )

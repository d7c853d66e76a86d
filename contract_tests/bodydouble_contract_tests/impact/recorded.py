"""An app's recorded requests, sent to the new contract."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from bodydouble_spec import Exchange, Finding, Severity, join_pointer, restore_pictures

from bodydouble_contract_tests.impact.breaks import Break, TriedRequest, group_refusals
from bodydouble_contract_tests.impact.client import NO_BODY, ContractServer, PlaceholderPictures
from bodydouble_contract_tests.impact.pairing import OperationPair
from bodydouble_contract_tests.impact.wording import counted, impact_finding, place_text, reason

__all__ = ["recorded_findings"]

_CAUSES = 4


def recorded_findings(pair: OperationPair, server: ContractServer, exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """Yield how many of the recorded requests of this operation would be refused, and why.

    Requests that the old contract refuses too are skipped. A picture that the recording left out is replaced by one of the same media type,
    size in pixels and bytes.
    """
    if not exchanges:
        return
    complete = [exchange for exchange in exchanges if exchange.raw is None]
    as_sent, renamed = _replayed(pair, server, complete)
    incomplete = len(exchanges) - len(complete)
    refused = len(complete) - sum(tried_request.count for tried_request in as_sent)
    reasons = [
        f"{count:,} skipped: {why}"
        for count, why in (
            (refused, "the old contract refuses such requests too"),
            (incomplete, "the body was not recorded"),
        )
        if count
    ]
    note = f" ({'; '.join(reasons)})" if reasons else ""
    if not as_sent:
        message = f"{_subject(0, len(exchanges))} could be tried{note}"
        yield impact_finding(
            "impact-recorded-requests-left-out", Severity.INFO, "", message, pair.before, direction="request"
        )
    elif not pair.replaced_properties:
        yield _summary(pair, as_sent, "", "", note)
    else:
        yield _summary(pair, as_sent, "as sent, ", "", note)
        yield _summary(pair, renamed, "with the new name, ", "/renamed", note)


def _replayed(
    pair: OperationPair, server: ContractServer, exchanges: Iterable[Exchange]
) -> tuple[list[TriedRequest], list[TriedRequest]]:
    """Send each different request that the old contract allows, as recorded and with the new values of replaced properties."""
    pictures = PlaceholderPictures()
    counts: Counter[str] = Counter()
    first: dict[str, Exchange] = {}
    for exchange in exchanges:
        text = json.dumps(exchange.body, sort_keys=True)
        counts[text] += 1
        first.setdefault(text, exchange)
    as_sent: list[TriedRequest] = []
    renamed: list[TriedRequest] = []
    for text, exchange in first.items():
        body = NO_BODY if exchange.body is None else restore_pictures(exchange.body, pictures.text)
        if pair.before.request_required if body is NO_BODY else not pair.was_allowed(body):
            continue
        path = exchange.route if "{" in pair.after.path and pair.after.key == pair.before.key else None
        as_sent.append(TriedRequest(exchange.body, server.faults_of(pair.after, body, path), counts[text]))
        if pair.replaced_properties:
            faults = server.faults_of(pair.after, pair.renamed(body), path)
            renamed.append(TriedRequest(pair.renamed(exchange.body), faults, counts[text]))
    return as_sent, renamed


def _summary(pair: OperationPair, tried_requests: list[TriedRequest], prefix: str, suffix: str, note: str) -> Finding:
    """Return one finding about all recorded requests, with each cause in ``covers``."""
    total = sum(tried_request.count for tried_request in tried_requests)
    refused = sum(tried_request.count for tried_request in tried_requests if tried_request.faults)
    if not refused:
        message = f"{prefix}{_subject(total, total)} would be accepted{note}"
        rule = f"impact-recorded-requests-accepted{suffix}"
        return impact_finding(rule, Severity.INFO, "", message, pair.before, direction="request", got=0)
    causes = sorted(group_refusals(tried_requests), key=lambda cause: -cause.count)
    names = {join_pointer("", replaced.name) for replaced in pair.replaced_properties}
    if names and not suffix:
        # Under the old name this refuses every request; the other causes are reported under the new one.
        causes = [cause for cause in causes if cause.pointer in names]
    texts = [_cause_text(cause, refused) for cause in causes[:_CAUSES]]
    texts += [f"{counted(len(causes) - _CAUSES, 'other reason')}"] if len(causes) > _CAUSES else []
    if names and not suffix:
        texts = [f"{replaced.name} is now {replaced.new_value!r}" for replaced in pair.replaced_properties]
    first, fault = causes[0].refused[0]
    return impact_finding(
        f"impact-recorded-requests-refused{suffix}",
        fault.severity,
        "",
        f"{prefix}{_subject(refused, total)} would be refused: {'; '.join(texts)}{note}",
        pair.before,
        direction="request",
        expected=0,
        got=refused,
        request=first.body,
        evidence=fault.evidence,
        covers=[_cause(pair, cause, suffix) for cause in causes],
    )


def _subject(count: int, total: int) -> str:
    """Return the subject of a message: ``3 of your 41 recorded requests``."""
    if total == 1:
        return "your recorded request" if count else "not even your one recorded request"
    share = "all" if count == total else f"{count:,}" if count else "none"
    return f"{share} of your {counted(total, 'recorded request')}"


def _cause_text(cause: Break, refused: int) -> str:
    """Describe one cause by an example, with the number of requests unless it applies to all refused ones."""
    tried_request, fault = cause.refused[0]
    text = f"{place_text(tried_request.body, fault.pointer)}: {reason(fault)}"
    return text if cause.count == refused else f"{cause.count} for {text}"


def _cause(pair: OperationPair, cause: Break, suffix: str) -> Finding:
    tried_request, fault = cause.refused[0]
    return impact_finding(
        f"impact-recorded-requests-refused{suffix}/{cause.rule}",
        fault.severity,
        cause.pointer,
        f"{counted(cause.count, 'recorded request')}: {_cause_text(cause, refused=cause.count)}",
        pair.before,
        direction="request",
        expected=fault.expected,
        got=fault.got,
        request=tried_request.body,
        evidence=fault.evidence,
    )

"""The impact of a changed contract on its users, tested by running it: a mock server for the new contract gets the requests of the old one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bodydouble_spec import Contract, Exchange, Finding, Severity, operation_of

from bodydouble_contract_tests.impact.barriers import Barrier, barriers
from bodydouble_contract_tests.impact.calls import Servers
from bodydouble_contract_tests.impact.client import NO_BODY, ClientOnBoth, ContractServer, write_picture
from bodydouble_contract_tests.impact.pairing import OperationPair, pair_operations
from bodydouble_contract_tests.impact.recorded import gone_verdict, recorded_findings
from bodydouble_contract_tests.impact.requests import request_findings
from bodydouble_contract_tests.impact.responses import answer_findings
from bodydouble_contract_tests.impact.terms import OperationTerms
from bodydouble_contract_tests.impact.wording import counted, impact_finding

__all__ = ["NOT_FINISHED", "impact"]

NOT_FINISHED = "impact-not-finished"
"""The id of the finding that not all operations were tried in time."""
_NAMED = 4


def impact(
    old: Contract,
    new: Contract,
    *,
    exchanges: Sequence[Exchange] = (),
    reads: Sequence[str] | None = None,
    only_recorded: bool = False,
    goes_on: Callable[[int, int], bool] = lambda _tried, _all: True,
) -> list[Finding]:
    """Return what worked under the old contract and breaks under the new one, and what still works, the worst first.

    The new contract is served in this process. It gets every boundary case that the old contract allows, every call of the client that the old
    contract serves, and the requests of ``exchanges``, an app's own recordings. Where a required property, such as the model's name, no longer
    allows any old value, everything is run twice: as sent, and with the new value.

    ``reads`` are the places of an answer that the app reads, as JSON pointers; without it, those where its recorded answers have values;
    without such answers, those that the bodydouble client reads.
    ``only_recorded`` leaves out the calls that nobody recorded, which take most of the time. ``goes_on`` is called
    before each operation with the number of those that were tried and of all: once it returns False, no further one is tried. The recorded requests are
    tried in any case. What was not tried, or only in part, is a finding.

    A finding that an answer decided has the source ``executed``, and ``request`` has an example. ``pointer`` is the place in the request, or in the
    answer when the direction is ``response``. Errors and warnings are breaks, each reported once. What still works or is newly possible is
    information. Requests that the old contract refuses too do not count. A contract compared with itself has neither errors nor warnings.
    """
    if not old.operations:
        message = f"nothing was tried: the old contract ({old.source}) has no operations"
        return [impact_finding("impact-not-run", Severity.INFO, "", message, None)]
    if not new.operations:
        return [_no_operation_left(old, new)]
    recorded: dict[str | None, list[Exchange]] = {}
    for exchange in exchanges:
        operation = operation_of(exchange, old.operations)
        recorded.setdefault(None if operation is None else operation.key, []).append(exchange)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bodydouble-")))
        write_picture(folder)
        server = stack.enter_context(ContractServer(new, folder))
        servers = Servers(stack.enter_context(ContractServer(old, folder)), server)
        pairs, gone = pair_operations(old, new)
        findings = [
            found
            for operation in gone
            for found in _gone(OperationTerms(old, operation), server, new, len(recorded.get(operation.key, ())))
        ]
        findings += _kept_away([(pair, barriers(pair, server, _simple_body(pair))) for pair in pairs])
        for pair in pairs:
            findings += recorded_findings(pair, servers, recorded.get(pair.before.key, ()), reads)
        findings += _unmatched_requests(len(recorded.get(None, ())))
        if not only_recorded:
            findings += _unrecorded_findings(pairs, server, folder, goes_on)
    return sorted(findings, key=lambda finding: -finding.severity.rank)


def _unrecorded_findings(
    pairs: Sequence[OperationPair],
    server: ContractServer,
    folder: Path,
    goes_on: Callable[[int, int], bool],
) -> Iterator[Finding]:
    """Yield the findings about calls that nobody recorded, operation by operation as long as there is time."""
    is_client_tried, tried = False, 0
    for pair in pairs:
        if not goes_on(tried, len(pairs)):
            break
        yield from _untried_parts(pair)
        with ClientOnBoth(pair, folder) as client:
            yield from request_findings(pair, server, client)
            yield from answer_findings(pair, client)
            is_client_tried = is_client_tried or bool(client.records)
        tried += 1
    if tried < len(pairs):
        message = (
            f"no call was tried for {len(pairs) - tried:,} of {counted(len(pairs), 'operation')}, because time ran out"
        )
        names = [pair.before.key for pair in pairs[tried : tried + _NAMED]]
        yield impact_finding(NOT_FINISHED, Severity.WARNING, "", message, None, expected=names, is_executed=False)
    if pairs and not is_client_tried:
        message = "the bodydouble client was not tried: none of its calls is served under the old contract"
        yield impact_finding("impact-client-not-tried", Severity.INFO, "", message, None)


def _untried_parts(pair: OperationPair) -> Iterator[Finding]:
    """Yield a finding for each contract with more properties or values than are tried."""
    for which, parts in pair.left_out.items():
        if parts:
            named = "; ".join(f"{part.what} (at {part.pointer or 'the top'} of the schema)" for part in parts[:_NAMED])
            more = f", and {len(parts) - _NAMED:,} such places more" if len(parts) > _NAMED else ""
            message = f"only some requests of the {which} contract were tried; left out: {named}{more}"
            yield impact_finding(
                f"impact-tried-in-part/{which}", Severity.WARNING, "", message, pair.before, is_executed=False
            )


def _no_operation_left(old: Contract, new: Contract) -> Finding:
    """Return the finding that the new document has no operations, with the reason found when it was loaded."""
    worst = max(new.findings, key=lambda finding: finding.severity.rank, default=None)
    why = "" if worst is None else f" ({worst.message})"
    message = f"the new contract ({new.source}) has no operations{why}, so nothing could be tried"
    keys = [operation.key for operation in old.operations]
    return impact_finding("impact-contract-gone", Severity.ERROR, "", message, None, expected=keys, got=[])


def _gone(terms: OperationTerms, server: ContractServer, new: Contract, recorded: int) -> Iterator[Finding]:
    operation = terms.operation
    status = server.request(operation.method, operation.path, terms.sent).status_code
    known = [other.key for other in new.operations]
    message = f"{operation.key} is gone (status {status}); the new contract has {', '.join(known[:5])}"
    if recorded:
        yield gone_verdict(message, operation, recorded)
        return
    yield impact_finding(
        "impact-operation-gone", Severity.ERROR, "", message, operation, expected=operation.key, got=known
    )


def _simple_body(pair: OperationPair) -> Any:
    return next((case.body for case in pair.old_cases if case.valid), NO_BODY)


def _kept_away(found: list[tuple[OperationPair, list[Barrier]]]) -> Iterator[Finding]:
    """Yield a finding for each reason that keeps every call away; operations with the same one are covered by the first."""
    same: dict[tuple[str, str], list[tuple[OperationPair, Barrier]]] = {}
    for pair, reasons in found:
        for barrier in reasons:
            same.setdefault((barrier.rule, _shared(pair, barrier)), []).append((pair, barrier))
    for pairs in same.values():
        findings = [_barrier_finding(pair, barrier) for pair, barrier in pairs]
        others = f" (and {counted(len(pairs) - 1, 'other operation')} likewise)" if len(pairs) > 1 else ""
        yield replace(findings[0], message=f"{findings[0].message}{others}", covers=tuple(findings[1:]))


def _shared(pair: OperationPair, barrier: Barrier) -> str:
    """Return the text that two operations with the same cause share: of moved paths, what was replaced in them."""
    if barrier.rule != "operation-moved":
        return barrier.text
    old, new = pair.old_terms.full_path.split("/"), pair.new_terms.full_path.split("/")
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return f"{'/'.join(old)} {'/'.join(new)}"


def _barrier_finding(pair: OperationPair, barrier: Barrier) -> Finding:
    whole = "every request could not be tried" if barrier.kind == "untried" else "every request is refused"
    body = _simple_body(pair)
    return impact_finding(
        f"impact-{barrier.rule}",
        barrier.severity,
        "",
        f"{whole}: {barrier.text}; everything else was tried as the new contract asks",
        pair.before,
        direction="request",
        expected=barrier.expected,
        got=barrier.got,
        request=None if body is NO_BODY else body,
        is_executed=barrier.is_executed,
    )


def _unmatched_requests(unmatched: int) -> Iterator[Finding]:
    """Yield a finding for the recorded requests that belong to no operation of the old contract."""
    if unmatched:
        verbs = (
            "matches no operation of the old contract and was"
            if unmatched == 1
            else "match no operation of the old contract and were"
        )
        message = f"{counted(unmatched, 'recorded request')} {verbs} skipped"
        yield impact_finding(
            "impact-recorded-requests-elsewhere", Severity.INFO, "", message, None, direction="request"
        )

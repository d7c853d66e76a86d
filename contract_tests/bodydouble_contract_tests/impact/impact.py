"""The impact of a changed contract on its users, tested by running it: a mock server for the new contract gets the requests of the old one."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from bodydouble_spec import Contract, Exchange, Finding, Operation, Severity, operation_of

from bodydouble_contract_tests.impact.client import NO_BODY, ClientOnBoth, ContractServer, write_picture
from bodydouble_contract_tests.impact.pairing import OperationPair, pair_operations
from bodydouble_contract_tests.impact.recorded import recorded_findings
from bodydouble_contract_tests.impact.requests import request_findings
from bodydouble_contract_tests.impact.responses import answer_findings
from bodydouble_contract_tests.impact.wording import counted, impact_finding

__all__ = ["impact"]


def impact(old: Contract, new: Contract, *, exchanges: Sequence[Exchange] = ()) -> list[Finding]:
    """Return what worked under the old contract and breaks under the new one, and what still works, the worst first.

    The new contract is served in this process. It gets every boundary case that the old contract allows, every call of the client that the old
    contract serves, and the requests of ``exchanges``, an app's own recordings. Where a required property, such as the model's name, no longer
    allows any old value, everything is run twice: as sent, and with the new value.

    Each finding was executed: its source is ``executed`` and ``request`` has an example. ``pointer`` is the place in the request, or in the
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
        pairs, gone = pair_operations(old, new)
        is_client_tried = False
        findings = [_gone(operation, server, new, len(recorded.get(operation.key, ()))) for operation in gone]
        for pair in pairs:
            findings += _moved(pair, server)
            client = stack.enter_context(ClientOnBoth(pair, folder))
            findings += request_findings(pair, server, client)
            findings += answer_findings(pair, client)
            findings += recorded_findings(pair, server, recorded.get(pair.before.key, ()))
            is_client_tried = is_client_tried or bool(client.records)
        findings += _unmatched_requests(len(recorded.get(None, ())))
        if pairs and not is_client_tried:
            message = "the bodydouble client was not tried: none of its calls is served under the old contract"
            findings.append(impact_finding("impact-client-not-tried", Severity.INFO, "", message, None))
    return sorted(findings, key=lambda finding: -finding.severity.rank)


def _no_operation_left(old: Contract, new: Contract) -> Finding:
    """Return the finding that the new document has no operations, with the reason found when it was loaded."""
    worst = max(new.findings, key=lambda finding: finding.severity.rank, default=None)
    why = "" if worst is None else f" ({worst.message})"
    message = f"the new contract ({new.source}) has no operations{why}, so nothing could be tried"
    keys = [operation.key for operation in old.operations]
    return impact_finding("impact-contract-gone", Severity.ERROR, "", message, None, expected=keys, got=[])


def _gone(operation: Operation, server: ContractServer, new: Contract, recorded: int) -> Finding:
    status = server.send(operation.method, operation.path)
    known = [other.key for other in new.operations]
    including = f", including {counted(recorded, 'recorded request')} of yours" if recorded else ""
    message = f"{operation.key} is gone: every request to it gets status {status}{including}; the new contract has {', '.join(known[:5])}"
    return impact_finding(
        "impact-operation-gone", Severity.ERROR, "", message, operation, expected=operation.key, got=known
    )


def _moved(pair: OperationPair, server: ContractServer) -> Iterator[Finding]:
    if pair.before.key == pair.after.key:
        return
    body = next((case.body for case in pair.old_cases if case.valid), NO_BODY)
    status = server.send(pair.before.method, pair.before.path, body)
    if status not in {404, 405}:
        return
    message = f"{pair.before.key} has moved to {pair.after.key}: requests to the old path get status {status}; everything else was tried at the new one"
    yield impact_finding(
        "impact-operation-moved",
        Severity.ERROR,
        "",
        message,
        pair.before,
        direction="request",
        expected=pair.before.key,
        got=pair.after.key,
        request=None if body is NO_BODY else body,
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

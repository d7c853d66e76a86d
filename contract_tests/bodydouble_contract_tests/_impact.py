"""What a change of contract means for those who use it, by running it: the new contract is put on a mock server and called as the old one was."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from bodydouble_spec import Contract, Exchange, Finding, Operation, Severity

from bodydouble_contract_tests._impact_answers import answer_findings
from bodydouble_contract_tests._impact_client import OurClient
from bodydouble_contract_tests._impact_pair import Pair, pair_operations
from bodydouble_contract_tests._impact_pictures import write_picture
from bodydouble_contract_tests._impact_recorded import recorded_findings
from bodydouble_contract_tests._impact_requests import request_findings
from bodydouble_contract_tests._impact_sentences import found, number_of
from bodydouble_contract_tests._impact_standin import NO_BODY, StandIn

__all__ = ["impact"]


def impact(old: Contract, new: Contract, *, exchanges: Sequence[Exchange] = ()) -> list[Finding]:
    """What breaks under the new contract that worked under the old one, and what still works, the worst first.

    The new contract is served in this process and called: with every boundary case that the old contract allowed, with every call of the
    client that it served, and with the requests of ``exchanges``, an app's own recordings. Where the property that names the model (or
    whatever every request must name) allows no old value any more, everything is run once as it was sent and once with the new name.

    Nothing is claimed that was not run: each finding has the witness ``executed``, an example in ``request``, and in ``pointer`` the place in the request,
    or in the answer where its direction is ``response``. Errors and warnings are what breaks, each once; of what still holds or is newly
    possible there is information. What the old contract refused too is not counted. A contract against itself has neither error nor warning.
    """
    if not old.operations:
        message = f"nothing was run: the old contract ({old.source}) has no operation"
        return [found("impact-not-run", Severity.INFO, "", message, None)]
    if not new.operations:
        return [_nothing_left(old, new)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bodydouble-")))
        write_picture(folder)
        standin = stack.enter_context(StandIn(new, folder))
        pairs, gone = pair_operations(old, new)
        is_ours = False
        findings = [_gone(operation, standin, new, exchanges) for operation in gone]
        for pair in pairs:
            findings += _moved(pair, standin)
            ours = stack.enter_context(OurClient(pair, folder))
            findings += request_findings(pair, standin, ours)
            findings += answer_findings(pair, ours)
            findings += recorded_findings(pair, standin, [one for one in exchanges if _belongs(one, pair.before)])
            is_ours = is_ours or bool(ours.encounters)
        findings += _elsewhere(old, exchanges)
        if pairs and not is_ours:
            message = "our client was not tried: none of its calls is served under the old contract"
            findings.append(found("impact-client-not-tried", Severity.INFO, "", message, None))
    return sorted(findings, key=lambda finding: -finding.severity.rank)


def _nothing_left(old: Contract, new: Contract) -> Finding:
    """The new document has no operation at all, for a reason that reading it found."""
    worst = max(new.findings, key=lambda finding: finding.severity.rank, default=None)
    why = "" if worst is None else f" ({worst.message})"
    message = f"the new contract ({new.source}) has no operation{why}: nothing of the old one could be run"
    keys = [operation.key for operation in old.operations]
    return found("impact-contract-gone", Severity.ERROR, "", message, None, expected=keys, got=[])


def _gone(operation: Operation, standin: StandIn, new: Contract, exchanges: Sequence[Exchange]) -> Finding:
    status = standin.send(operation.method, operation.path)
    known = [other.key for other in new.operations]
    mine = sum(_belongs(exchange, operation) for exchange in exchanges)
    yours = f", {number_of(mine, 'recorded request')} of yours among them" if mine else ""
    message = f"{operation.key} is gone: all requests to it get status {status}{yours}; the new contract has {', '.join(known[:5])}"
    return found("impact-operation-gone", Severity.ERROR, "", message, operation, expected=operation.key, got=known)


def _moved(pair: Pair, standin: StandIn) -> Iterator[Finding]:
    if pair.before.key == pair.after.key:
        return
    body = next((case.body for case in pair.old_cases if case.valid), NO_BODY)
    status = standin.send(pair.before.method, pair.before.path, body)
    if status not in {404, 405}:
        return
    message = f"{pair.before.key} has moved to {pair.after.key}: what is sent there gets status {status}; what else breaks was tried at the new place"
    yield found(
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


def _belongs(exchange: Exchange, operation: Operation) -> bool:
    """Whether a recorded request went to an operation: by what was recorded of it, else by its method and path."""
    if exchange.operation is not None:
        return exchange.operation == operation.key
    return (exchange.method, exchange.route.rstrip("/")) == (operation.method, operation.path.rstrip("/"))


def _elsewhere(old: Contract, exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """Recorded requests that no operation of the old contract took."""
    others = [one for one in exchanges if not any(_belongs(one, operation) for operation in old.operations)]
    if others:
        message = f"{number_of(len(others), 'recorded request')} went elsewhere than to the old contract's operations and {'was' if len(others) == 1 else 'were'} left out"
        yield found("impact-recorded-requests-elsewhere", Severity.INFO, "", message, None, direction="request")

"""Check that a call was accepted or refused as expected."""

from collections.abc import Iterator

import orjson
from bodydouble_spec import Finding, is_object, is_success

from bodydouble_contract_tests.checks.findings import deviation, generic_pointer, shortened
from bodydouble_contract_tests.checks.model import Case, Credential, ExpectedOutcome
from bodydouble_contract_tests.checks.profile import OperationProfile

__all__ = ["check_status", "expected_statuses", "passing_origin"]

_ACCEPTING = {"valid-accepted", "unknown-key-tolerated"}
_NO_KEY = 401
_PASSING_ORIGINS = ("generated", "recorded")


def passing_origin(case: Case) -> str | None:
    """Return ``generated`` or ``recorded`` for a case that other runs may not have, such as a recorded request of an app; else None."""
    origin = case.id.partition("/")[0]
    return origin if origin in _PASSING_ORIGINS else None


def check_status(profile: OperationProfile, case: Case, status: int, content: bytes) -> Iterator[Finding]:
    """Yield the finding about an unexpected status; ``content`` is the body, whose message is quoted."""
    if case.expectation is ExpectedOutcome.SURVIVED:
        if status >= 500:
            message = f"an odd request gave {status}{_quoted(status, content)}"
            yield _of_case(profile, case, "odd-request-survived", message, "no 5xx", status)
        elif is_success(status):
            yield from _undocumented_success(profile, status)
        return
    expected = expected_statuses(profile, case)
    if status in expected:
        return
    if case.expectation is ExpectedOutcome.ACCEPTED:
        if is_success(status):
            yield from _undocumented_success(profile, status)
            return
        check = case.check if case.check in _ACCEPTING else "valid-accepted"
        message = f"a valid request {_what_happened(status)} with {status}{_quoted(status, content)}"
    elif case.expectation is ExpectedOutcome.REFUSED:
        check = "invalid-refused"
        message = f"an invalid request {_what_happened(status)} with {status}{_quoted(status, content)}"
    else:
        check = "no-key-refused" if case.credential is Credential.NONE else "wrong-key-refused"
        which = "without a key" if case.credential is Credential.NONE else "with a wrong key"
        message = f"a request {which} {_what_happened(status)} with {status}{_quoted(status, content)}"
    yield _of_case(profile, case, check, message, min(expected), status)


def expected_statuses(profile: OperationProfile, case: Case) -> frozenset[int]:
    """Return the statuses that meet the expectation of a case; empty where any status but a 5xx does."""
    match case.expectation:
        case ExpectedOutcome.ACCEPTED:
            documented = (int(key) for key in profile.operation.responses if key.isdecimal())
            return frozenset((profile.operation.success_status, *filter(is_success, documented)))
        case ExpectedOutcome.REFUSED:
            return frozenset({profile.refusal_status})
        case ExpectedOutcome.UNAUTHORIZED:
            return frozenset({_NO_KEY})
        case ExpectedOutcome.SURVIVED:
            return frozenset()


def _undocumented_success(profile: OperationProfile, status: int) -> Iterator[Finding]:
    """Yield a finding for a success under an undocumented status: the same finding for every request."""
    response = profile.operation.response(status)
    expected = profile.operation.success_status
    if response is None and status != expected:
        message = f"a request succeeded with {status}; the documented status is {expected}"
        yield deviation(profile, f"valid-accepted/status-{status}", message, expected, status)


def _of_case(profile: OperationProfile, case: Case, check: str, message: str, expected: int | str, got: int) -> Finding:
    origin = passing_origin(case)
    rule = case.id.removeprefix(f"{check}/") if origin is None else _general_rule(case, origin, got)
    finding_id = check if rule == check else f"{check}/{rule}"
    return deviation(profile, finding_id, message, expected, got, evidence=case.evidence)


def _general_rule(case: Case, origin: str, status: int) -> str:
    """Return a rule that is the same for the same fault, so that it is reported once and its request can be reduced."""
    is_about_a_place = case.expectation is ExpectedOutcome.REFUSED and status < 500
    return f"{origin}{generic_pointer(case.body, case.pointer) if is_about_a_place else ''}-{status}"


def _what_happened(status: int) -> str:
    if is_success(status):
        return "was accepted"
    return "broke the server" if status >= 500 else "was refused" if status >= 400 else "was redirected"


def _quoted(status: int, content: bytes) -> str:
    """Return the message of an error answer, as the end of a sentence; the beginning of the body where there is no known envelope."""
    if is_success(status):
        return ""
    text = content[:400].decode("utf-8", "replace").strip()
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        body = None
    message = body.get("message") if is_object(body) else None
    text = " ".join((message if isinstance(message, str) else text).split())
    return f": {shortened(text)}" if text else ""

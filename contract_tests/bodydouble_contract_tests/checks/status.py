"""Check that a call was accepted or refused as expected."""

from collections.abc import Iterator
from dataclasses import replace

import orjson
from bodydouble_spec import Evidence, Finding, is_object, is_success

from bodydouble_contract_tests.model import (
    Case,
    Credential,
    ExpectedOutcome,
    OperationProfile,
    deviation,
    generic_pointer,
    shortened,
)

__all__ = ["check_status", "expected_statuses", "is_about_status", "passing_origin"]

# The checks that are about the status of their own cases.
_ABOUT_STATUS = {
    "valid-accepted", "unknown-key-tolerated", "odd-request-survived", "invalid-refused", "malformed-refused", "method-refused",
    "no-key-refused", "wrong-key-refused", "client-id-dropped", "cors-preflight",
}  # fmt: skip
_NO_KEY = 401
_PASSING_ORIGINS = ("generated", "recorded")


def is_about_status(check: str) -> bool:
    """Return whether the findings of a check are about the status of an answer."""
    return check in _ABOUT_STATUS


def passing_origin(case: Case) -> str | None:
    """Return ``generated`` or ``recorded`` for a case that other runs may not have, such as a recorded request of an app; else None."""
    origin = case.id.partition("/")[0]
    return origin if origin in _PASSING_ORIGINS else None


def check_status(profile: OperationProfile, case: Case, status: int, content: bytes) -> Iterator[Finding]:
    """Yield the finding about an unexpected status; ``content`` is the body, whose message is quoted."""
    if case.expectation is ExpectedOutcome.SURVIVED:
        if status >= 500:
            check = case.check if case.check in _ABOUT_STATUS else "odd-request-survived"
            message = f"an unusual request got {status}{_quoted(status, content)}"
            yield _of_case(profile, case, check, message, "no 5xx", status)
        elif is_success(status) and (case.form is None or case.form.method is None):
            yield from _undocumented_success(profile, status)
        elif case.form is None and not is_success(status):
            yield from _unstated_limit(profile, case, status, content)
        return
    expected = expected_statuses(profile, case)
    if status in expected:
        return
    happened = f"{_what_happened(status)} with {status}{_quoted(status, content)}"
    if case.expectation is ExpectedOutcome.ACCEPTED:
        if is_success(status):
            yield from _undocumented_success(profile, status)
            return
        check, message = "valid-accepted", f"a valid request {happened}"
    elif case.expectation is ExpectedOutcome.REFUSED:
        check, message = "invalid-refused", f"an invalid request {happened}"
    elif case.credential in {Credential.NONE, Credential.EMPTY}:
        check, message = "no-key-refused", f"a request without a key {happened}"
    else:
        check, message = (
            "wrong-key-refused",
            f"a request with {_CREDENTIALS.get(case.credential, 'a wrong key')} {happened}",
        )
    check = case.check if case.check in _ABOUT_STATUS else check
    wanted = min(expected) if len(expected) == 1 else " or ".join(map(str, sorted(expected)))
    yield _of_case(profile, case, check, message, wanted, status)


_CREDENTIALS = {
    Credential.LONGER: "a key with one more character",
    Credential.LONGER_BEFORE: "a key with one more character",
    Credential.SHORTER: "a key that lacks its last character",
    Credential.OTHER_CASE: "the key in the other letter case",
    Credential.BASIC: "the key under another scheme (Basic)",
    Credential.OTHER_SCHEME: "the key under another scheme (Token)",
    Credential.BARE: "the key without a scheme",
    Credential.OTHER_HEADER: "the key in another header (X-API-Key)",
}


def expected_statuses(profile: OperationProfile, case: Case) -> frozenset[int]:
    """Return the statuses that meet the expectation of a case; empty where any status but a 5xx does."""
    if case.statuses:
        return case.statuses
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


def _unstated_limit(profile: OperationProfile, case: Case, status: int, content: bytes) -> Iterator[Finding]:
    """Yield information when a prompt is refused that the contract allows: its limits are not known, but it states none."""
    oddity = profile.only_oddity(case.body)
    if oddity is not None and status in expected_statuses(profile, replace(case, expectation=ExpectedOutcome.REFUSED)):
        message = f"a prompt that is {_ODDITIES[oddity]} was refused with {status}{_quoted(status, content)}; the contract states no such limit"
        expected = profile.operation.success_status
        yield deviation(
            profile, f"valid-accepted/prompt-{oddity}", message, expected, status, evidence=Evidence.ASSUMED
        )


_ODDITIES = {
    "blank": "blank",
    "long": "longer than 1,000 characters",
    "characters": "not all text (control or unassigned characters)",
}


def _of_case(profile: OperationProfile, case: Case, check: str, message: str, expected: int | str, got: int) -> Finding:
    origin = passing_origin(case)
    rule = case.id.removeprefix(f"{check}/") if origin is None else _general_rule(case, origin, got)
    finding_id = check if rule == check else f"{check}/{rule}"
    # A 5xx is a fault of the server by HTTP itself, whatever the request was.
    evidence = Evidence.DOCUMENTED if got >= 500 else case.evidence
    return deviation(profile, finding_id, message, expected, got, evidence=evidence)


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

"""Whether a call was carried out, refused or turned away as it should have been."""

from collections.abc import Iterator

import orjson
from bodydouble_spec import Finding, is_object

from bodydouble_contract_tests._case import Case, Credential, Expectation
from bodydouble_contract_tests._deviation import deviation, place, short
from bodydouble_contract_tests._subject import Subject

__all__ = ["expected_statuses", "is_generated", "is_success", "judge_status"]

_ACCEPTING = {"valid-accepted", "unknown-key-tolerated"}
_NO_KEY = 401


def is_success(status: int) -> bool:
    """Whether a status says that the call was carried out."""
    return 200 <= status < 300


def is_generated(case: Case) -> bool:
    """Whether a case was made up by chance: its id is that of its body, which no other run need come upon."""
    return case.id.startswith("generated/")


def judge_status(subject: Subject, case: Case, status: int, content: bytes) -> Iterator[Finding]:
    """The finding about an unexpected status; ``content`` is the body, of which the message is quoted."""
    if case.expectation is Expectation.SURVIVED:
        if status >= 500:
            message = f"a request that nobody should send gave {status}{_quoted(status, content)}"
            yield _of_case(subject, case, "odd-request-survived", message, "no 5xx", status)
        elif is_success(status):
            yield from _undocumented_success(subject, status)
        return
    expected = expected_statuses(subject, case)
    if status in expected:
        return
    if case.expectation is Expectation.ACCEPTED:
        if is_success(status):
            yield from _undocumented_success(subject, status)
            return
        check = case.check if case.check in _ACCEPTING else "valid-accepted"
        message = f"a valid request {_what_happened(status)} with {status}{_quoted(status, content)}"
    elif case.expectation is Expectation.REFUSED:
        check = "invalid-refused"
        message = f"an invalid request {_what_happened(status)} with {status}{_quoted(status, content)}"
    else:
        check = "no-key-refused" if case.credential is Credential.NONE else "wrong-key-refused"
        which = "without a key" if case.credential is Credential.NONE else "with a wrong key"
        message = f"a request {which} {_what_happened(status)} with {status}{_quoted(status, content)}"
    yield _of_case(subject, case, check, message, min(expected), status)


def expected_statuses(subject: Subject, case: Case) -> frozenset[int]:
    """The statuses that fulfil the expectation of a case; empty where any but a 5xx does."""
    match case.expectation:
        case Expectation.ACCEPTED:
            documented = (int(key) for key in subject.operation.responses if key.isdecimal())
            return frozenset((subject.operation.success_status, *filter(is_success, documented)))
        case Expectation.REFUSED:
            return frozenset({subject.refusal_status})
        case Expectation.UNAUTHORIZED:
            return frozenset({_NO_KEY})
        case Expectation.SURVIVED:
            return frozenset()


def _undocumented_success(subject: Subject, status: int) -> Iterator[Finding]:
    """The same fault whatever was sent: the request was carried out, under another status."""
    response = subject.operation.response(status)
    expected = subject.operation.success_status
    if response is None and status != expected:
        message = f"a request was carried out with {status}, documented is {expected}"
        yield deviation(subject, "valid-accepted", message, expected, status, rule=f"status-{status}")


def _of_case(subject: Subject, case: Case, check: str, message: str, expected: int | str, got: int) -> Finding:
    rule = _generated_rule(case, got) if is_generated(case) else case.id.removeprefix(f"{check}/")
    return deviation(
        subject, check, message, expected, got, rule=None if rule == check else rule, evidence=case.evidence
    )


def _generated_rule(case: Case, status: int) -> str:
    """The same name for the same fault, so that it counts once and its request can be made smaller."""
    is_about_a_place = case.expectation is Expectation.REFUSED and status < 500
    return f"generated{place(case.body, case.pointer) if is_about_a_place else ''}-{status}"


def _what_happened(status: int) -> str:
    if is_success(status):
        return "was accepted"
    return "broke the server" if status >= 500 else "was turned away" if status >= 400 else "was sent elsewhere"


def _quoted(status: int, content: bytes) -> str:
    """The message of an error answer, to be put behind a sentence; its beginning where it has no known envelope."""
    if is_success(status):
        return ""
    text = content[:400].decode("utf-8", "replace").strip()
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        body = None
    message = body.get("message") if is_object(body) else None
    said = " ".join((message if isinstance(message, str) else text).split())
    return f": {short(said)}" if said else ""

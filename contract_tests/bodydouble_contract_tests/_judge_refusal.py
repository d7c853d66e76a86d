"""Whether a refusal comes in an envelope that an application can read."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
from bodydouble_spec import Finding, Response, pointer_parts

from bodydouble_contract_tests._case import Case
from bodydouble_contract_tests._deviation import deviation, place, short
from bodydouble_contract_tests._judge_opinion import judge_opinion
from bodydouble_contract_tests._judge_status import expected_statuses
from bodydouble_contract_tests._observation import Observation
from bodydouble_contract_tests._subject import Subject

__all__ = ["judge_refusal"]

_CHECK = "refusal-envelope"
_JSON = ("/json", "+json")


def judge_refusal(subject: Subject, case: Case, observation: Observation, status: int) -> Iterator[Finding]:
    """What is wrong with the body of a refusal that has the expected status; of another status the status is the fault."""
    response = subject.operation.response(status)
    if response is None or not response.content or status not in expected_statuses(subject, case):
        return
    yield from _envelope(subject, response, observation, status)
    yield from judge_opinion(subject, observation, status)


def _envelope(subject: Subject, response: Response, observation: Observation, status: int) -> Iterator[Finding]:
    content_type, content = observation.content_type, observation.content
    faults = _faults(subject, status, content_type, content)
    if faults and any(not _faults(subject, status, name, content) for name in _json_types(response)):
        # An envelope that is known, under a media type that is not its own.
        expected = sorted(name for name in _json_types(response) if not _faults(subject, status, name, content))
        message = f"the envelope of a {status} is sent as {short(content_type)!r}, its media type is {expected[0]}"
        yield _deviation(subject, response, status, "media-type", message, expected, content_type)
        return
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        body = None
    for fault in faults:
        rule = fault.id.removeprefix("response-").replace("content-type", "media-type")
        yield replace(
            _deviation(subject, response, status, rule, fault.message, fault.expected, fault.got),
            pointer=place(body, fault.pointer),
            covers=fault.covers,
        )
    if not faults:
        yield from _undocumented(subject, response, status, content_type, body)


def _undocumented(subject: Subject, response: Response, status: int, content_type: str, body: Any) -> Iterator[Finding]:
    """Properties beside the known ones.

    Known ones that are absent are no fault, since refusals have them by turns, and each kind of issue in a list has members of its own.
    """
    for found in subject.operation.validate_response(status, content_type, body, strict=True):
        pointer = place(body, found.pointer)
        if found.id == "response-undocumented" and "*" not in pointer_parts(pointer)[:-1]:
            yield replace(
                _deviation(subject, response, status, "undocumented", found.message, found.expected, found.got),
                pointer=pointer,
            )


def _faults(subject: Subject, status: int, content_type: str, content: bytes) -> list[Finding]:
    return subject.operation.validate_response(status, content_type, content, strict=False)


def _json_types(response: Response) -> list[str]:
    return [name for name in response.content if name.partition(";")[0].strip().lower().endswith(_JSON)]


def _deviation(
    subject: Subject, response: Response, status: int, rule: str, message: str, expected: Any, got: Any
) -> Finding:
    # Known as well as the response is; that an older envelope is documented makes neither of them better known.
    return deviation(subject, _CHECK, message, expected, got, rule=f"{status}-{rule}", evidence=response.evidence)

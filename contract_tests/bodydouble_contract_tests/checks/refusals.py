"""Check that a refusal comes in an envelope that an application can read."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
from bodydouble_spec import Finding, Response, is_json_media_type, pointer_parts

from bodydouble_contract_tests.checks.consistency import check_consistency
from bodydouble_contract_tests.checks.status import expected_statuses
from bodydouble_contract_tests.checks.success import check_cross_validation
from bodydouble_contract_tests.model import Case, Observation, OperationProfile, deviation, generic_pointer, shortened

__all__ = ["check_refusal"]

_CHECK = "refusal-envelope"


def check_refusal(profile: OperationProfile, case: Case, observation: Observation, status: int) -> Iterator[Finding]:
    """Yield the deviations in the body of a refusal with the expected status; of any other status, the status is the fault."""
    response = profile.operation.response(status)
    if response is None or not response.content or status not in expected_statuses(profile, case):
        return
    yield from _envelope(profile, response, observation, status)
    yield from check_consistency(profile, observation, status)
    yield from check_cross_validation(profile, observation, status)


def _envelope(
    profile: OperationProfile, response: Response, observation: Observation, status: int
) -> Iterator[Finding]:
    content_type, content = observation.content_type, observation.examined
    faults = _faults(profile, status, content_type, content)
    if faults and any(not _faults(profile, status, name, content) for name in _json_types(response)):
        # A documented envelope under another media type.
        expected = sorted(name for name in _json_types(response) if not _faults(profile, status, name, content))
        message = f"the envelope of a {status} was sent as {shortened(content_type)!r}; its media type is {expected[0]}"
        yield _deviation(profile, response, status, "media-type", message, expected, content_type)
        return
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        body = None
    for fault in faults:
        rule = fault.id.removeprefix("response-").replace("content-type", "media-type")
        yield replace(
            _deviation(profile, response, status, rule, fault.message, fault.expected, fault.got),
            pointer=generic_pointer(body, fault.pointer),
            covers=fault.covers,
        )
    if not faults:
        yield from _undocumented(profile, response, status, content_type, body)


def _undocumented(
    profile: OperationProfile, response: Response, status: int, content_type: str, body: Any
) -> Iterator[Finding]:
    """Yield a finding for each undocumented property.

    A documented property that is absent is not a fault, since refusals differ in them, and each kind of issue in a list has its own members.
    """
    for found in profile.operation.validate_response(status, content_type, body, strict=True):
        pointer = generic_pointer(body, found.pointer)
        if found.id == "response-undocumented" and "*" not in pointer_parts(pointer)[:-1]:
            yield replace(
                _deviation(profile, response, status, "undocumented", found.message, found.expected, found.got),
                pointer=pointer,
            )


def _faults(profile: OperationProfile, status: int, content_type: str, content: bytes) -> list[Finding]:
    return profile.operation.validate_response(status, content_type, content, strict=False)


def _json_types(response: Response) -> list[str]:
    return [name for name in response.content if is_json_media_type(name)]


def _deviation(
    profile: OperationProfile, response: Response, status: int, rule: str, message: str, expected: Any, got: Any
) -> Finding:
    # The evidence is that of the response; a documented older envelope does not improve it.
    return deviation(profile, f"{_CHECK}/{status}-{rule}", message, expected, got, evidence=response.evidence)

"""Check the answer to a call that was carried out."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
from bodydouble_spec import Evidence, Finding, is_json_media_type

from bodydouble_contract_tests.checks.content import check_content, is_file
from bodydouble_contract_tests.checks.cost import check_cost
from bodydouble_contract_tests.checks.images import check_pictures
from bodydouble_contract_tests.model import Observation, OperationProfile, deviation, generic_pointer

__all__ = ["check_answer", "check_cross_validation"]

_CHECK = "answer-second-opinion"


def check_cross_validation(profile: OperationProfile, observation: Observation, status: int) -> Iterator[Finding]:
    """Yield a finding when only one of the two validators accepts an answer with a documented status; a remark where the answer is too large for both."""
    if observation.beginning is not None:
        message = (
            "the answer has too many values: it was checked against its schema, but otherwise only the first items of its lists were "
            "examined, without openapi-core"
        )
        size = f"{len(observation.content):,} bytes"
        yield deviation(
            profile, f"{_CHECK}/too-large", message, "at most 10,000 values", size, evidence=Evidence.ASSUMED
        )
        return
    content_type, content = observation.content_type, observation.content
    theirs = profile.cross_validation.errors(status, content_type, content)
    if theirs is None:
        return
    ours = profile.operation.validate_response(status, content_type, content, strict=False)
    if theirs and not ours:
        message = f"jsonschema-rs accepts this answer, openapi-core reports: {theirs[0]}"
        yield deviation(profile, f"{_CHECK}/refused", message, "conforms", list(theirs[:3]))
    elif ours and not theirs:
        message = f"openapi-core accepts this answer, jsonschema-rs reports: {ours[0].message}"
        yield deviation(profile, f"{_CHECK}/accepted", message, [fault.message for fault in ours[:3]], "conforms")


def check_answer(
    profile: OperationProfile, observation: Observation, status: int, *, is_live: bool = False
) -> Iterator[Finding]:
    """Yield every deviation of a complete answer with a 2xx status; the same one may come several times."""
    try:
        answer = orjson.loads(observation.examined)
    except orjson.JSONDecodeError:
        answer = None
    response = profile.operation.response(status)
    if response is not None and is_file(response, observation.content_type):
        yield from check_content(profile, observation, response)
    elif response is not None:
        yield from _validate(profile, observation, status, answer)
        yield from check_cross_validation(profile, observation, status)
    yield from _count(profile, observation, answer)
    yield from check_cost(profile, observation, answer, is_live=is_live)
    yield from check_pictures(profile, observation, answer)


def _validate(profile: OperationProfile, observation: Observation, status: int, answer: Any) -> Iterator[Finding]:
    """Validate the answer without and with strictness, each fault once."""
    operation, content, content_type = profile.operation, observation.content, observation.content_type
    nonstrict = operation.validate_response(status, content_type, content, strict=False)
    if any(found.id == "response-content-type" for found in nonstrict):
        response = operation.response(status)
        yield from (replace(found, id="answer-media-type") for found in nonstrict)
        documented = next((name for name in response.content if is_json_media_type(name)), None) if response else None
        if answer is None or documented is None:
            return
        # A body under a wrong media type can be read, and can have faults of its own.
        content_type = documented
        nonstrict = operation.validate_response(status, content_type, content, strict=False)
    strict = operation.validate_response(status, content_type, observation.examined, strict=True)
    reported = set(nonstrict)
    if observation.beginning is not None:
        # A list that was cut may break rules that the whole one keeps.
        reported.update(operation.validate_response(status, content_type, observation.examined, strict=False))
    strict_only = [found for found in strict if found not in reported]
    for check, faults in (("answer-conforms", nonstrict), ("answer-strict", strict_only)):
        for found in faults:
            rule = found.id.removeprefix("response-")
            yield replace(found, id=f"{check}/{rule}", pointer=generic_pointer(answer, found.pointer))


def _count(profile: OperationProfile, observation: Observation, answer: Any) -> Iterator[Finding]:
    promised, is_cut = profile.images_promised(observation.case.body), observation.beginning is not None
    if profile.names.count is None or promised is None:
        return
    for pointer, length in profile.picture_lists(answer):
        # The strict validation reports an empty list.
        if length not in (0, promised) and not (is_cut and length < promised):
            rule = "fewer" if length < promised else "more"
            message = f"the answer has {'at least ' if is_cut else ''}{length} of {promised} pictures"
            yield deviation(profile, f"image-count/{rule}", message, promised, length, pointer=pointer)

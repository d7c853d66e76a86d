"""Compare the verdicts of two validators on an answer."""

from collections.abc import Iterator

from bodydouble_spec import Finding

from bodydouble_contract_tests._deviation import deviation
from bodydouble_contract_tests._observation import Observation
from bodydouble_contract_tests._subject import OperationProfile

__all__ = ["check_cross_validation"]

_CHECK = "answer-second-opinion"


def check_cross_validation(profile: OperationProfile, observation: Observation, status: int) -> Iterator[Finding]:
    """Yield a finding when only one of the two validators accepts an answer with a documented status."""
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

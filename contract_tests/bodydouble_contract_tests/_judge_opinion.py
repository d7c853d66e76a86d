"""Whether a second validator comes to the same verdict on an answer."""

from collections.abc import Iterator

from bodydouble_spec import Finding

from bodydouble_contract_tests._deviation import deviation
from bodydouble_contract_tests._observation import Observation
from bodydouble_contract_tests._subject import Subject

__all__ = ["judge_opinion"]

_CHECK = "answer-second-opinion"


def judge_opinion(subject: Subject, observation: Observation, status: int) -> Iterator[Finding]:
    """The finding when one validator takes an answer with a documented status for conforming and the other does not."""
    content_type, content = observation.content_type, observation.content
    theirs = subject.second_opinion.errors(status, content_type, content)
    if theirs is None:
        return
    ours = subject.operation.validate_response(status, content_type, content, strict=False)
    if theirs and not ours:
        message = f"this answer conforms to us, openapi-core says: {theirs[0]}"
        yield deviation(subject, _CHECK, message, "conforms", list(theirs[:3]), rule="refused")
    elif ours and not theirs:
        message = f"this answer conforms to openapi-core, we say: {ours[0].message}"
        yield deviation(subject, _CHECK, message, [fault.message for fault in ours[:3]], "conforms", rule="accepted")

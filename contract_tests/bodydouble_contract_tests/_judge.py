"""Check one call against everything that the contract claims about it."""

from collections.abc import Iterator

from bodydouble_spec import Finding

from bodydouble_contract_tests._case import Case, ExpectedOutcome
from bodydouble_contract_tests._deviation import deviation, distinct, shortened
from bodydouble_contract_tests._judge_answer import check_answer
from bodydouble_contract_tests._judge_refusal import check_refusal
from bodydouble_contract_tests._judge_status import check_status, is_generated, is_success
from bodydouble_contract_tests._judge_together import check_observations
from bodydouble_contract_tests._observation import Observation, Trouble
from bodydouble_contract_tests._subject import OperationProfile

__all__ = ["check_observation", "check_observations"]


def check_observation(profile: OperationProfile, observation: Observation, *, is_live: bool = False) -> list[Finding]:
    """Return the deviations of one call, each once; empty when every claim about it holds.

    ``is_live`` marks a paid call, for which a charge above the documented price is an error. The status of a repeated call is left to
    `check_observations`, which sees all repetitions. A 429 is not a verdict on the request; the caller leaves it out.
    """
    return list(distinct(_all_findings(profile, observation, is_live=is_live)))


def _all_findings(profile: OperationProfile, observation: Observation, *, is_live: bool) -> Iterator[Finding]:
    case, status = observation.case, observation.status
    if status is not None and case.repeats == 1:
        yield from check_status(profile, case, status, observation.content)
    if observation.trouble is not None:
        yield _trouble(profile, case, observation.trouble, observation)
    elif status is None:
        return
    elif is_success(status):
        # A wrongly accepted call is a finding already; its pictures do not matter.
        if case.expectation in (ExpectedOutcome.ACCEPTED, ExpectedOutcome.SURVIVED):
            yield from check_answer(profile, observation, status, is_live=is_live)
    elif case.expectation in (ExpectedOutcome.REFUSED, ExpectedOutcome.UNAUTHORIZED):
        yield from check_refusal(profile, case, observation, status)


def _trouble(profile: OperationProfile, case: Case, trouble: Trouble, observation: Observation) -> Finding:
    check, expected = _TROUBLES[trouble]
    detail = f": {shortened(observation.detail)}" if observation.detail else ""
    message = f"{_DESCRIPTIONS[trouble]} after {observation.elapsed_s:.1f} s{detail}"
    # The request is part of the fault when the server does not answer it; the framing of a body is not about one request.
    rule = f"/{'generated' if is_generated(case) else case.id}" if check in _OF_A_CASE else ""
    return deviation(profile, f"{check}{rule}", message, expected, str(trouble))


_TROUBLES = {
    Trouble.UNREACHABLE: ("answer-whole", "a connection"),
    Trouble.TIMEOUT: ("answer-in-time", "an answer"),
    Trouble.BROKEN: ("answer-whole", "a complete answer"),
    Trouble.UNDECODABLE: ("content-encoding", "a body with the encoding of its header"),
    Trouble.WRONG_LENGTH: ("body-length", "a body with the length of its header"),
}
_DESCRIPTIONS = {
    Trouble.UNREACHABLE: "no connection was made",
    Trouble.TIMEOUT: "no answer arrived",
    Trouble.BROKEN: "the connection broke, or the answer was not HTTP,",
    Trouble.UNDECODABLE: "the body could not be decoded",
    Trouble.WRONG_LENGTH: "the body did not have its stated length",
}
_OF_A_CASE = {"answer-in-time", "answer-whole"}

"""The verdict on one call: what was claimed of it and did not hold."""

from collections.abc import Iterator

from bodydouble_spec import Finding

from bodydouble_contract_tests._case import Case, Expectation
from bodydouble_contract_tests._deviation import deviation, distinct, short
from bodydouble_contract_tests._judge_answer import judge_answer
from bodydouble_contract_tests._judge_refusal import judge_refusal
from bodydouble_contract_tests._judge_status import is_generated, is_success, judge_status
from bodydouble_contract_tests._judge_together import judge_all
from bodydouble_contract_tests._observation import Observation, Trouble
from bodydouble_contract_tests._subject import Subject

__all__ = ["judge", "judge_all"]


def judge(subject: Subject, observation: Observation, *, is_live: bool = False) -> list[Finding]:
    """What is wrong with one call, each deviation once; an empty list when all that is claimed of it holds.

    ``is_live`` tells that the call was paid for: then a charge above the documented price is an error. The status of a call that is
    repeated is left to `judge_all`, which sees them all. A 429 says nothing about the server and is not for this function.
    """
    return list(distinct(_judge(subject, observation, is_live=is_live)))


def _judge(subject: Subject, observation: Observation, *, is_live: bool) -> Iterator[Finding]:
    case, status = observation.case, observation.status
    if status is not None and case.repeats == 1:
        yield from judge_status(subject, case, status, observation.content)
    if observation.trouble is not None:
        yield _trouble(subject, case, observation.trouble, observation)
    elif status is None:
        return
    elif is_success(status):
        # What was carried out though it should have been refused has been said; its pictures are beside the point.
        if case.expectation in (Expectation.ACCEPTED, Expectation.SURVIVED):
            yield from judge_answer(subject, observation, status, is_live=is_live)
    elif case.expectation in (Expectation.REFUSED, Expectation.UNAUTHORIZED):
        yield from judge_refusal(subject, case, observation, status)


def _trouble(subject: Subject, case: Case, trouble: Trouble, observation: Observation) -> Finding:
    check, expected = _TROUBLES[trouble]
    detail = f": {short(observation.detail)}" if observation.detail else ""
    message = f"{_SAID[trouble]} after {observation.elapsed_s:.1f} s{detail}"
    # Which request silences a server is part of the fault; how a body is framed is not about one request.
    rule = ("generated" if is_generated(case) else case.id) if check in _OF_A_CASE else None
    return deviation(subject, check, message, expected, str(trouble), rule=rule)


_TROUBLES = {
    Trouble.UNREACHABLE: ("answer-whole", "a connection"),
    Trouble.TIMEOUT: ("answer-in-time", "an answer"),
    Trouble.BROKEN: ("answer-whole", "a whole answer"),
    Trouble.UNDECODABLE: ("content-encoding", "a body encoded as its header says"),
    Trouble.WRONG_LENGTH: ("body-length", "a body as long as its header says"),
}
_SAID = {
    Trouble.UNREACHABLE: "no connection was made",
    Trouble.TIMEOUT: "no answer came",
    Trouble.BROKEN: "the connection broke, or what came was not HTTP,",
    Trouble.UNDECODABLE: "the body could not be decoded",
    Trouble.WRONG_LENGTH: "the body ended at another length than its header says",
}
_OF_A_CASE = {"answer-in-time", "answer-whole"}

"""What is wrong with the answer to a call that was carried out."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
from bodydouble_spec import Finding, Severity

from bodydouble_contract_tests._deviation import deviation, place
from bodydouble_contract_tests._judge_opinion import judge_opinion
from bodydouble_contract_tests._judge_picture import judge_pictures
from bodydouble_contract_tests._observation import Observation
from bodydouble_contract_tests._subject import Subject

__all__ = ["judge_answer"]

# Rounding in the service's arithmetic is no other price.
_TOLERANCE = 1e-6


def judge_answer(
    subject: Subject, observation: Observation, status: int, *, is_live: bool = False
) -> Iterator[Finding]:
    """Every deviation of an answer with a 2xx status, whole as it came; the same one may come several times."""
    try:
        answer = orjson.loads(observation.content)
    except orjson.JSONDecodeError:
        answer = None
    if subject.operation.response(status) is not None:
        yield from _read(subject, observation, status, answer)
        yield from judge_opinion(subject, observation, status)
    yield from _count(subject, observation.case.body, answer)
    yield from _cost(subject, observation.case.body, answer, is_live=is_live)
    yield from judge_pictures(subject, observation, answer)


def _read(subject: Subject, observation: Observation, status: int, answer: Any) -> Iterator[Finding]:
    """The plain and the strict reading, each fault once."""
    operation, content, content_type = subject.operation, observation.content, observation.content_type
    plain = operation.validate_response(status, content_type, content, strict=False)
    if any(found.id == "response-content-type" for found in plain):
        response = operation.response(status)
        yield from (replace(found, id="answer-media-type") for found in plain)
        documented = next((name for name in response.content if _is_json(name)), None) if response else None
        if answer is None or documented is None:
            return
        # Under a wrong media type a body can be read all the same, and have faults of its own.
        content_type = documented
        plain = operation.validate_response(status, content_type, content, strict=False)
    strict = operation.validate_response(status, content_type, content, strict=True)
    said = set(plain)
    beyond = [found for found in strict if found not in said]
    for check, faults in (("answer-conforms", plain), ("answer-strict", beyond)):
        for found in faults:
            rule = found.id.removeprefix("response-")
            yield replace(found, id=f"{check}/{rule}", pointer=place(answer, found.pointer))


def _is_json(media_type: str) -> bool:
    return media_type.partition(";")[0].strip().lower().endswith(("/json", "+json"))


def _count(subject: Subject, body: Any, answer: Any) -> Iterator[Finding]:
    promised = subject.images_promised(body)
    if subject.names.count is None or promised is None:
        return
    for pointer, length in subject.picture_lists(answer):
        # An empty list is found by the strict reading.
        if length not in (0, promised):
            rule = "fewer" if length < promised else "more"
            message = f"the number of pictures is {length}, asked for was {promised}"
            yield deviation(subject, "image-count", message, promised, length, rule=rule, pointer=pointer)


def _cost(subject: Subject, body: Any, answer: Any, *, is_live: bool) -> Iterator[Finding]:
    cost = subject.cost(answer)
    if cost is None:
        return
    pointer, used = place(answer, cost[0]), cost[1]
    if used <= 0:
        message = f"the call cost {used:g} credits"
        yield deviation(subject, "credits-positive", message, "more than 0", used, pointer=pointer)
        return
    promised = subject.images_promised(body)
    lengths = [length for _, length in subject.picture_lists(answer)]
    if subject.credits is None or promised is None or any(length != promised for length in lengths):
        return
    price = subject.credits * promised
    is_more = used > price * (1 + _TOLERANCE)
    # Nobody knows the price of several pictures; less than so many times the price of one deviates from nothing.
    if is_more or (promised == 1 and used < price * (1 - _TOLERANCE)):
        message = f"the call cost {used:g} credits, the documented price of {promised} is {price:g}"
        yield deviation(
            subject,
            "charge-as-documented",
            message,
            price,
            used,
            rule="more" if is_more else "less",
            pointer=pointer,
            severity=Severity.ERROR if is_more and is_live else Severity.INFO,
        )

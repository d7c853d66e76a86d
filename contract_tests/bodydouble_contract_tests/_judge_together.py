"""What shows only when several calls are laid side by side."""

from collections import Counter
from collections.abc import Iterable, Iterator

import orjson
from bodydouble_spec import Finding

from bodydouble_contract_tests._deviation import deviation, distinct, place
from bodydouble_contract_tests._judge_status import is_success, judge_status
from bodydouble_contract_tests._observation import Observation
from bodydouble_contract_tests._subject import Subject

__all__ = ["judge_all"]

_TOLERANCE = 1e-6


def judge_all(subject: Subject, observations: Iterable[Observation]) -> list[Finding]:
    """The deviations between calls, each once: an uneven price, and repeated calls that do not all end alike.

    Where all repetitions of a call end with the same wrong status, the finding is that of a single call.
    """
    seen = list(observations)
    return list(distinct((*_prices(subject, seen), *_repetitions(subject, seen))))


def _prices(subject: Subject, observations: list[Observation]) -> Iterator[Finding]:
    """Calls for different numbers of pictures, whose price by the picture must be one."""
    if subject.names.count is None:
        return
    seen: dict[int, Counter[float]] = {}
    pointer = ""
    for count, used, where in filter(None, (_priced(subject, item) for item in observations)):
        seen.setdefault(count, Counter())[used] += 1
        pointer = where
    # A single call at another price is not about the number of pictures.
    usual = {count: prices.most_common(1)[0][0] for count, prices in sorted(seen.items())}
    rates = [used / count for count, used in usual.items()]
    if rates and max(rates) > min(rates) * (1 + _TOLERANCE):
        said = ", ".join(f"{used:g} for {count}" for count, used in usual.items())
        expected = {str(count): rates[0] * count for count in usual}
        got = {str(count): used for count, used in usual.items()}
        message = f"credits are not in proportion to the pictures: {said}"
        yield deviation(subject, "credits-proportional", message, expected, got, pointer=pointer)


def _priced(subject: Subject, observation: Observation) -> tuple[int, float, str] | None:
    """The pictures that a call gave, what it cost, and where that stands; None where it gave others than promised, or names no cost."""
    if observation.status is None or not is_success(observation.status) or observation.trouble is not None:
        return None
    try:
        answer = orjson.loads(observation.content)
    except orjson.JSONDecodeError:
        return None
    count = subject.images_promised(observation.case.body)
    cost = subject.cost(answer)
    if count is None or cost is None or cost[1] <= 0 or any(n != count for _, n in subject.picture_lists(answer)):
        return None
    return count, cost[1], place(answer, cost[0])


def _repetitions(subject: Subject, observations: list[Observation]) -> Iterator[Finding]:
    groups: dict[str, list[Observation]] = {}
    for observation in observations:
        if observation.case.repeats > 1:
            groups.setdefault(observation.case.id, []).append(observation)
    for group in groups.values():
        yield from _repetition(subject, group)


def _repetition(subject: Subject, group: list[Observation]) -> Iterator[Finding]:
    answered = [(item, item.status) for item in group if item.status is not None]
    statuses = Counter(status for _, status in answered)
    broken = sum(count for status, count in statuses.items() if status >= 500)
    if answered and (len(statuses) == 1 or broken == len(answered)):
        item, status = answered[0]
        yield from judge_status(subject, item.case, status, item.content)
        return
    said = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    if broken:
        message = f"{broken} of {len(group)} equal calls gave 5xx ({said})"
        yield deviation(
            subject, "answers-steadily", message, "no 5xx", said, rule="5xx", evidence=group[0].case.evidence
        )
    if len({status // 100 for status in statuses if status < 500}) > 1:
        message = f"{len(group)} equal calls did not end alike: {said}"
        yield deviation(subject, "answers-steadily", message, "one and the same status", said, rule="mixed")

"""Check what only several calls together can show."""

from collections import Counter
from collections.abc import Iterable, Iterator

import orjson
from bodydouble_spec import Finding

from bodydouble_contract_tests._deviation import deviation, distinct, generic_pointer
from bodydouble_contract_tests._judge_status import check_status, is_success
from bodydouble_contract_tests._observation import Observation
from bodydouble_contract_tests._subject import OperationProfile

__all__ = ["check_observations"]

_TOLERANCE = 1e-6


def check_observations(profile: OperationProfile, observations: Iterable[Observation]) -> list[Finding]:
    """Return the deviations between calls, each once: prices out of proportion, and repeated calls with different outcomes.

    Where all repetitions of a call end with the same wrong status, the finding is that of a single call.
    """
    seen = list(observations)
    return list(distinct((*_prices(profile, seen), *_repetitions(profile, seen))))


def _prices(profile: OperationProfile, observations: list[Observation]) -> Iterator[Finding]:
    """Compare the price per picture of calls for different numbers of pictures."""
    if profile.names.count is None:
        return
    seen: dict[int, Counter[float]] = {}
    pointer = ""
    for count, used, where in filter(None, (_priced(profile, item) for item in observations)):
        seen.setdefault(count, Counter())[used] += 1
        pointer = where
    # A single call at another price has another cause than the number of pictures.
    usual = {count: prices.most_common(1)[0][0] for count, prices in sorted(seen.items())}
    rates = [used / count for count, used in usual.items()]
    if rates and max(rates) > min(rates) * (1 + _TOLERANCE):
        listed = ", ".join(f"{used:g} for {count}" for count, used in usual.items())
        expected = {str(count): rates[0] * count for count in usual}
        got = {str(count): used for count, used in usual.items()}
        message = f"credits are not in proportion to the number of pictures: {listed}"
        yield deviation(profile, "credits-proportional", message, expected, got, pointer=pointer)


def _priced(profile: OperationProfile, observation: Observation) -> tuple[int, float, str] | None:
    """Return the number of pictures of a call, its cost, and the pointer to the cost.

    None where the number is not the requested one, or where the answer states no cost.
    """
    if observation.status is None or not is_success(observation.status) or observation.trouble is not None:
        return None
    try:
        answer = orjson.loads(observation.content)
    except orjson.JSONDecodeError:
        return None
    count = profile.images_promised(observation.case.body)
    cost = profile.cost(answer)
    if count is None or cost is None or cost[1] <= 0 or any(n != count for _, n in profile.picture_lists(answer)):
        return None
    return count, cost[1], generic_pointer(answer, cost[0])


def _repetitions(profile: OperationProfile, observations: list[Observation]) -> Iterator[Finding]:
    groups: dict[str, list[Observation]] = {}
    for observation in observations:
        if observation.case.repeats > 1:
            groups.setdefault(observation.case.id, []).append(observation)
    for group in groups.values():
        yield from _repetition(profile, group)


def _repetition(profile: OperationProfile, group: list[Observation]) -> Iterator[Finding]:
    answered = [(item, item.status) for item in group if item.status is not None]
    statuses = Counter(status for _, status in answered)
    broken = sum(count for status, count in statuses.items() if status >= 500)
    if answered and (len(statuses) == 1 or broken == len(answered)):
        item, status = answered[0]
        yield from check_status(profile, item.case, status, item.content)
        return
    listed = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    if broken:
        message = f"{broken} of {len(group)} equal calls gave 5xx ({listed})"
        yield deviation(profile, "answers-steadily/5xx", message, "no 5xx", listed, evidence=group[0].case.evidence)
    if len({status // 100 for status in statuses if status < 500}) > 1:
        message = f"{len(group)} equal calls had different outcomes: {listed}"
        yield deviation(profile, "answers-steadily/mixed", message, "the same status for all calls", listed)

"""Check one call against everything that the contract claims about it."""

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import replace

import orjson
from bodydouble_spec import Evidence, Finding, is_success
from bodydouble_spec.schema import json_key

from bodydouble_contract_tests.checks.headers import check_headers, check_preflight
from bodydouble_contract_tests.checks.identity import check_ids, check_keys, check_secrets, is_relative
from bodydouble_contract_tests.checks.refusals import check_refusal
from bodydouble_contract_tests.checks.status import check_status, expected_statuses, passing_origin
from bodydouble_contract_tests.checks.success import check_answer
from bodydouble_contract_tests.model import (
    Case,
    ExpectedOutcome,
    Observation,
    OperationProfile,
    Trouble,
    deviation,
    distinct,
    generic_pointer,
    shortened,
)

__all__ = ["check_observation", "check_observations"]

_TOLERANCE = 1e-6
_BROKEN = 500


def check_observations(profile: OperationProfile, observations: Iterable[Observation]) -> list[Finding]:
    """Return the deviations between calls, each once.

    They are prices out of proportion, repeated calls with different outcomes, ids that are not new, and keys like the caller's that are accepted although
    others are not. Where all repetitions of a call end with the same wrong status, the finding is that of a single call.
    """
    seen = list(observations)
    found = (
        *_prices(profile, seen),
        *_repetitions(profile, seen),
        *check_ids(profile, seen),
        *check_keys(profile, seen),
    )
    return list(distinct(found))


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
    if not is_success(observation.status) or observation.trouble is not None:
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
    """Check the status of each repeated call once, and compare the outcomes of equal calls, those of different cases too."""
    answered = [item for item in observations if item.status is not None]
    for group in _groups(answered, lambda case: case.id):
        item, statuses = group[0], {item.status or 0 for item in group}
        if item.case.repeats > 1 and (len(statuses) == 1 or min(statuses) >= _BROKEN):
            found = check_status(profile, item.case, item.status or 0, item.content)
            yield from (replace(finding, witness=item.case.id) for finding in found)
    for group in _groups(answered, lambda case: (json_key(case.body), case.credential, case.form)):
        yield from _differences(profile, group)


def _groups(observations: Iterable[Observation], key_of: Callable[[Case], Hashable]) -> Iterable[list[Observation]]:
    groups: dict[Hashable, list[Observation]] = {}
    for item in observations:
        groups.setdefault(key_of(item.case), []).append(item)
    return groups.values()


def _differences(profile: OperationProfile, group: list[Observation]) -> Iterator[Finding]:
    """Yield the findings on equal calls with different outcomes; their witness is the first one with an unusual outcome."""
    statuses = Counter(item.status or 0 for item in group)
    (usual, _), *others = statuses.most_common()
    if not others:
        return
    listed = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    broken = sum(count for status, count in statuses.items() if status >= _BROKEN)
    witness = next(item.case.id for item in group if item.status != usual)
    if 0 < broken < len(group):
        message = f"{broken} of {len(group)} equal calls gave 5xx ({listed})"
        finding = deviation(profile, "answers-steadily/5xx", message, "no 5xx", listed, evidence=Evidence.DOCUMENTED)
        yield replace(finding, witness=witness)
    if len({status // 100 for status in statuses if status < _BROKEN}) > 1:
        message = f"{len(group)} equal calls had different outcomes: {listed}"
        finding = deviation(profile, "answers-steadily/mixed", message, "the same status for all calls", listed)
        yield replace(finding, witness=witness)


def check_observation(
    profile: OperationProfile, observation: Observation, *, is_live: bool = False, secrets: Collection[str] = ()
) -> list[Finding]:
    """Return the deviations of one call, each once; empty when every claim about it holds.

    ``is_live`` marks a paid call, for which a charge above the documented price is an error. ``secrets`` are the texts that the answer must not repeat.
    The status of a repeated call is left to
    `check_observations`, which sees all repetitions. A 429 is not a verdict on the request; the caller leaves it out.
    """
    return list(distinct(_all_findings(profile, observation, is_live=is_live, secrets=secrets)))


def _all_findings(
    profile: OperationProfile, observation: Observation, *, is_live: bool, secrets: Collection[str]
) -> Iterator[Finding]:
    case, status = observation.case, observation.status
    if status is not None and case.repeats == 1 and not is_relative(case):
        yield from check_status(profile, case, status, observation.examined)
    yield from check_secrets(profile, observation, secrets)
    if observation.trouble is not None:
        yield _trouble(profile, case, observation.trouble, observation)
        return
    if status is None:
        return
    if case.form is not None and case.form.method is not None:
        # Another method is another operation: of its answer only the status is stated.
        if case.check == "cors-preflight":
            yield from check_preflight(profile, observation, status)
        return
    # Of an unexpected answer the status is the fault.
    if _is_documented(profile, status) if is_success(status) else status in expected_statuses(profile, case):
        yield from check_headers(profile, observation, status)
    if is_success(status):
        # A wrongly accepted call is a finding already; its pictures do not matter.
        if case.expectation in (ExpectedOutcome.ACCEPTED, ExpectedOutcome.SURVIVED):
            yield from check_answer(profile, observation, status, is_live=is_live)
    elif case.expectation in (ExpectedOutcome.REFUSED, ExpectedOutcome.UNAUTHORIZED):
        yield from check_refusal(profile, case, observation, status)


def _is_documented(profile: OperationProfile, status: int) -> bool:
    return status == profile.operation.success_status or profile.operation.response(status) is not None


def _trouble(profile: OperationProfile, case: Case, trouble: Trouble, observation: Observation) -> Finding:
    check, expected = _TROUBLES[trouble]
    detail = f": {shortened(observation.detail)}" if observation.detail else ""
    message = f"{_DESCRIPTIONS[trouble]} after {observation.elapsed_s:.1f} s{detail}"
    # The request is part of the fault when the server does not answer it; the framing of a body is not about one request.
    rule = f"/{passing_origin(case) or case.id}" if check in _OF_A_CASE else ""
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

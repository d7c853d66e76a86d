"""Whether what free probes showed lets one spend money on the rest."""

from collections.abc import Sequence

from bodydouble_contract_tests._case import Expectation
from bodydouble_contract_tests._observation import Observation

__all__ = ["why_not_to_pay"]


def why_not_to_pay(observations: Sequence[Observation]) -> str | None:
    """The reason against paid calls, or None.

    A server that carries out calls without a valid key, or that refuses no more than half of what it must refuse, is not the one that the
    contract describes; pictures bought there prove nothing.
    """
    if any(item.case.expectation is Expectation.UNAUTHORIZED and _is_success(item) for item in observations):
        return "a call without a valid key was carried out, so no money was spent"
    probes = [item for item in observations if item.case.expectation is Expectation.REFUSED]
    refused = sum(item.status is not None and 400 <= item.status < 500 for item in probes)
    if refused * 2 < len(probes):
        return f"only {refused} of {len(probes)} invalid requests were refused, so no money was spent"
    return None


def _is_success(observation: Observation) -> bool:
    return observation.status is not None and 200 <= observation.status < 300

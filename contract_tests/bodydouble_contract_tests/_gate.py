"""Preflight: decide from the free probes whether to spend money on the paid calls."""

from collections.abc import Sequence

from bodydouble_contract_tests._case import ExpectedOutcome
from bodydouble_contract_tests._observation import Observation

__all__ = ["payment_objection"]


def payment_objection(observations: Sequence[Observation]) -> str | None:
    """Return the reason against paid calls, or None.

    A server that carries out calls without a valid key, or accepts more than half of the invalid requests, does not match the contract; pictures
    bought there prove nothing.
    """
    if any(item.case.expectation is ExpectedOutcome.UNAUTHORIZED and _is_success(item) for item in observations):
        return "a call without a valid key was carried out; no money was spent"
    probes = [item for item in observations if item.case.expectation is ExpectedOutcome.REFUSED]
    refused = sum(item.status is not None and 400 <= item.status < 500 for item in probes)
    if refused * 2 < len(probes):
        return f"only {refused} of {len(probes)} invalid requests were refused; no money was spent"
    return None


def _is_success(observation: Observation) -> bool:
    return observation.status is not None and 200 <= observation.status < 300

"""The result of a verification."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bodydouble_spec import Finding

from bodydouble_contract_tests._check import Check
from bodydouble_contract_tests._observation import Observation

__all__ = ["Verification"]


@dataclass(frozen=True, slots=True)
class Verification:
    """Findings, outcomes and cost of a verification.

    ``findings`` are all distinct deviations, ``muted`` those that the baseline has, ``gone`` the fingerprints of the baseline that were not found
    again. ``outcomes`` maps each check's id to ``passed``, ``failed`` or ``not run``. ``requests`` counts calls to the API; ``paid_images``,
    ``credits`` and ``usd`` are the charges (``usd`` is None where no price is known). ``coverage`` maps each contract element to the number of
    successful calls that prove it. ``incomplete`` is the reason why the run ended early, None when it did not; ``unbought`` lists what the budget left out.
    """

    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]
    outcomes: Mapping[str, str]
    observations: tuple[Observation, ...] = ()
    requests: int = 0
    paid_images: int = 0
    credits: float = 0
    usd: float | None = None
    coverage: Mapping[str, int] = field(default_factory=dict[str, int])
    unbought: Mapping[str, str] = field(default_factory=dict[str, str])
    muted: tuple[Finding, ...] = ()
    gone: tuple[str, ...] = ()
    incomplete: str | None = None

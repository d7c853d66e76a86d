"""The outcome of a verification, ready to be reported."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bodydouble_spec import Finding

from bodydouble_contract_tests._check import Check
from bodydouble_contract_tests._observation import Observation

__all__ = ["Verification"]


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found and what it cost.

    ``findings`` are all distinct deviations, ``muted`` those that a baseline knows, ``gone`` the fingerprints of a baseline that no longer show. ``outcomes`` maps
    each check's id to ``passed``, ``failed`` or ``not run``. ``requests`` counts calls to the API, ``paid_images``, ``credits`` and ``usd`` what was
    charged (``usd`` None where no price is known). ``coverage`` maps each contract element to how many successful calls proved it.
    ``incomplete`` says why the run did not come to its end, None when it did; ``unbought`` what the budget left out.
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

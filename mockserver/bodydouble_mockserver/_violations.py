"""The ways in which a success body can break its contract."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bodydouble_spec import Operation

__all__ = ["Violation", "violations"]


@dataclass(frozen=True, slots=True)
class Violation:
    """One way to break a success body; ``effect`` names what the server has to do beside changing the body."""

    id: str
    description: str
    apply: Callable[[Any], Any]
    effect: str | None = None


def violations(operation: Operation) -> tuple[Violation, ...]:
    """Every violation that the contract of an operation allows to be made."""
    return ()

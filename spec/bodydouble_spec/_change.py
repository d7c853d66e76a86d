"""One difference between two contracts that someone can notice."""

from dataclasses import dataclass, field
from typing import Any

from bodydouble_spec._finding import Finding

__all__ = ["Change"]


@dataclass(frozen=True, slots=True)
class Change(Finding):
    """A finding that says what became different: ``old`` and ``new`` are the JSON values before and after, None where there is none.

    ``id`` is the rule (the ids of oasdiff where it has one), ``pointer`` the place in the new document, or in the old one for what is
    gone; ``direction`` is ``request`` or ``response`` (None for what is neither), ``operation`` the operation's key. ``covers`` holds the
    changes that this one explains: the removal and the addition that are one renaming, or everything under a replaced identity.
    """

    old: Any = field(default=None, compare=False)
    new: Any = field(default=None, compare=False)

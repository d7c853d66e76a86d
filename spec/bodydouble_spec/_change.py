"""One difference between two contracts that a client can notice."""

from dataclasses import dataclass, field
from typing import Any

from bodydouble_spec._finding import Finding

__all__ = ["Change"]


@dataclass(frozen=True, slots=True)
class Change(Finding):
    """A finding about a difference: ``old`` and ``new`` are the JSON values before and after, None where there is no value.

    ``id`` is the rule (oasdiff's id where it has one). ``pointer`` is the place in the new document, or in the old one
    for a removal. ``direction`` is ``request``, ``response`` or None; ``operation`` is the operation's key. ``covers``
    holds the changes that this one explains: the removal and the addition behind a renaming, or everything under a
    replaced model.
    """

    old: Any = field(default=None, compare=False)
    new: Any = field(default=None, compare=False)

"""Where a comparison stands, and the list that it writes its changes to."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bodydouble_spec._change import Change
from bodydouble_spec._defects import listed, show
from bodydouble_spec._diff_rules import RULES, Rule
from bodydouble_spec._finding import Evidence
from bodydouble_spec._json import is_array
from bodydouble_spec._structure import strip

__all__ = ["Changes", "Spot", "Words"]

_NESTED = {
    "request-body": "request-property",
    "request-parameter": "request-parameter-property",
    "response-body": "response-property",
}
_GENERAL = ("keyword-changed", "structure-changed")


class Words(str):
    """A value that stands in a message as it is, without quotation marks."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Spot:
    """One place of one operation: what is compared there, and how it is called in a message.

    ``scope`` is the beginning of the ids of rules (``request-property``), ``root`` what the whole is called ("the request"), ``name`` the
    path of property names below it (``meta.usage``, ``data[].url``), empty at the root. ``is_strict`` tells that the media type knows types.
    """

    operation: str | None
    direction: str | None
    scope: str
    root: str
    is_strict: bool = True
    name: str = ""

    @property
    def it(self) -> str:
        """What the place is called in a message."""
        if not self.name:
            return self.root
        return f"`{self.name}` in {self.root}"

    @property
    def is_request(self) -> bool:
        """Whether clients send what stands here."""
        return self.direction == "request"

    def below(self, step: str, scope: str | None = None) -> "Spot":
        """The spot one step further down: a property's name, ``[]`` for items, ``*`` for other properties."""
        joint = "" if not self.name or step.startswith(("[", " ")) else "."
        return replace(self, name=f"{self.name}{joint}{step}", scope=scope or _NESTED.get(self.scope, self.scope))


class Changes:
    """The changes found so far, in the order in which they were met."""

    def __init__(self, old_place: Callable[[str], str], new_place: Callable[[str], str]) -> None:
        self._places = old_place, new_place
        self.found: list[Change] = []

    def add(
        self, rule: str | Rule, spot: Spot, pointer: str, old: Any = None, new: Any = None, *, is_gone: bool = False
    ) -> None:
        """Note a change. ``pointer`` leads into the repaired new document, or into the old one when ``is_gone``."""
        self.found.append(self.change(rule, spot, pointer, old, new, is_gone=is_gone))

    def change(
        self,
        rule: str | Rule,
        spot: Spot,
        pointer: str,
        old: Any = None,
        new: Any = None,
        *,
        is_gone: bool = False,
        covers: tuple[Change, ...] = (),
    ) -> Change:
        """A change, without noting it."""
        known = RULES[rule] if isinstance(rule, str) else rule
        # The general rules are the only ones whose sentence speaks of a value that may be missing.
        said = [
            _said(Words("nothing") if value is None and known.id.endswith(_GENERAL) else value) for value in (old, new)
        ]
        message = known.sentence.format(it=spot.it, old=said[0], new=said[1])
        place = self._places[0 if is_gone else 1](pointer)
        return Change(
            known.id, known.severity, Evidence.DOCUMENTED, place, message,
            direction=spot.direction, operation=spot.operation, covers=covers, old=_plain(old), new=_plain(new),
        )  # fmt: skip


def _said(value: Any) -> str:
    if isinstance(value, Words):
        return value
    return listed(map(show, value)) if is_array(value) else show(value)


def _plain(value: Any) -> Any:
    # The publisher's prose is no part of what changed.
    return str(value) if isinstance(value, Words) else strip(value)

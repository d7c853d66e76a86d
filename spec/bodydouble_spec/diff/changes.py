"""One difference between two contracts that a client can notice."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from bodydouble_spec.defects import listed, show
from bodydouble_spec.diff.rules import RULES, Rule
from bodydouble_spec.document import strip_prose
from bodydouble_spec.finding import Evidence, Finding, Severity
from bodydouble_spec.limits import DOCUMENT_LIMITS
from bodydouble_spec.meaning import Node
from bodydouble_spec.values import is_array

__all__ = ["Change", "Changes", "Location", "Verbatim"]


@dataclass(frozen=True, slots=True)
class Change(Finding):
    """A finding about a difference: ``old`` and ``new`` are the JSON values before and after, None where there is no value.

    ``id`` is the rule (oasdiff's id where it has one). ``pointer`` is the place in the new document, or in the old one
    for a removal. ``direction`` is ``request``, ``response`` or None; ``operation`` is the operation's key. ``covers``
    holds the changes that this one explains: the removal and the addition behind a renaming, or everything under a
    replaced model. ``witness`` is a value that breaks; ``tried`` is the number of values among which none was found that
    does.
    """

    old: Any = field(default=None, compare=False)
    new: Any = field(default=None, compare=False)
    tried: int | None = field(default=None, compare=False)


Item = TypeVar("Item")

_NESTED = {
    "request-body": "request-property",
    "request-parameter": "request-parameter-property",
    "response-body": "response-property",
}
_GENERAL_RULES = ("keyword-changed", "structure-changed")


class Verbatim(str):
    """A text that a message shows without quotation marks."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Location:
    """One place of one operation, and its name in messages.

    ``scope`` is the start of the rules' ids (``request-property``), ``whole`` the name of the body or parameter ("the
    request"), ``name`` the path of property names below it (``meta.usage``, ``data[].url``), empty at the top.
    ``is_strict`` tells that the media type has types.
    """

    operation: str | None
    direction: str | None
    scope: str
    whole: str
    is_strict: bool = True
    name: str = ""

    @property
    def it(self) -> str:
        """The name of the place in a message."""
        if not self.name:
            return self.whole
        return f"`{self.name}` in {self.whole}"

    @property
    def is_request(self) -> bool:
        """True for a part that clients send."""
        return self.direction == "request"

    @property
    def nested_scope(self) -> str:
        """The scope of what is one level down."""
        return _NESTED.get(self.scope, self.scope)

    def below(self, step: str, scope: str | None = None) -> "Location":
        """Return the location one level down: a property's name, ``[]`` for items, ``*`` for other properties."""
        joint = "" if not self.name or step.startswith(("[", " ")) else "."
        return replace(self, name=f"{self.name}{joint}{step}", scope=scope or self.nested_scope)


class Changes:
    """The changes found so far, in order."""

    def __init__(self, old_place: Callable[[str], str], new_place: Callable[[str], str]) -> None:
        self._places = old_place, new_place
        self.found: list[Change] = []
        self._own: list[list[int]] = [[]]

    def add(
        self,
        rule: str | Rule,
        location: Location,
        pointer: str,
        old: Any = None,
        new: Any = None,
        *,
        is_gone: bool = False,
    ) -> None:
        """Add a change. ``pointer`` leads into the repaired new document, or into the old one when ``is_gone``."""
        self.append(self.change(rule, location, pointer, old, new, is_gone=is_gone))

    def append(self, change: Change) -> None:
        """Add a change that was built before."""
        self._own[-1].append(len(self.found))
        self.found.append(change)

    @contextmanager
    def collected(self) -> Generator[list[int]]:
        """Collect the indices of the changes that are added within, without those of a block inside."""
        self._own.append([])
        yield self._own[-1]
        self._own.pop()

    def worth_listing(self, items: Iterable[Item], kind_of: Callable[[Item], str]) -> Iterator[Item]:
        """Yield the differences in one place of which changes are to be added; of many of a kind the first, and the last change says how many more there are."""
        most, counts, last = DOCUMENT_LIMITS.max_listed, dict[str, int](), dict[str, int]()
        for item in items:
            kind = kind_of(item)
            counts[kind] = counts.get(kind, 0) + 1
            if counts[kind] <= most:
                last[kind] = len(self.found)
                yield item
        for kind, index in last.items():
            if counts[kind] > most:
                told = self.found[index]
                more = f"{told.message}; {counts[kind] - most:,} more changes of this kind are not listed"
                self.found[index] = replace(told, message=more)

    def show(self, witness: str | None) -> None:
        """Make the last change an error, with what shows it; nothing without a witness."""
        if witness is not None:
            self.found[-1] = replace(self.found[-1], severity=Severity.ERROR, witness=witness)

    def rate(self, severity: Severity) -> None:
        """Give the last change another severity than that of its rule."""
        self.found[-1] = replace(self.found[-1], severity=severity)

    def change(
        self,
        rule: str | Rule,
        location: Location,
        pointer: str,
        old: Any = None,
        new: Any = None,
        *,
        is_gone: bool = False,
    ) -> Change:
        """Build a change without adding it."""
        known = RULES[rule] if isinstance(rule, str) else rule
        # Only the sentences of the general rules name a value that may be missing.
        quoted = [
            _quote(Verbatim("nothing") if value is None and known.id.endswith(_GENERAL_RULES) else value)
            for value in (old, new)
        ]
        message = known.sentence.format(it=location.it, old=quoted[0], new=quoted[1])
        place = self._places[0 if is_gone else 1](pointer)
        return Change(
            known.id, known.severity, Evidence.DOCUMENTED, place, message,
            direction=location.direction, operation=location.operation, old=_recorded(old), new=_recorded(new),
        )  # fmt: skip


def _quote(value: Any) -> str:
    value = published(value)
    if isinstance(value, Verbatim):
        return value
    return listed(value, show) if is_array(value) else show(value)


def _recorded(value: Any) -> Any:
    # The publisher's prose is not part of a change.
    value = published(value)
    return str(value) if isinstance(value, Verbatim) else strip_prose(value)


def published(value: Any) -> Any:
    """Return a value with the published schema in place of a node."""
    if isinstance(value, Node):
        return value.roots[0].schema if value.roots else {}
    return value

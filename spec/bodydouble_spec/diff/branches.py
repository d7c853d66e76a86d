"""Alternatives of two versions, matched with each other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bodydouble_spec.meaning import Alternative, Node
from bodydouble_spec.values import is_array, is_object

__all__ = ["Branch", "kind_of", "match_branches"]


@dataclass(frozen=True, slots=True)
class Branch:
    """One alternative, and its number (equal for equal contents)."""

    alternative: Alternative
    number: str

    @property
    def node(self) -> Node:
        """The schema."""
        return self.alternative.node

    @property
    def index(self) -> int:
        """The index in the document."""
        return self.alternative.index

    @property
    def label(self) -> str:
        """The label for messages: the title, the component's name, or the kind of value."""
        title = self.node.title
        if title is not None and title.strip():
            return title
        if self.alternative.reference is not None:
            return self.alternative.reference.rsplit("/", 1)[-1]
        return f"{kind_of(self.node.value)} (alternative {self.index + 1})"


@dataclass(frozen=True, slots=True)
class BranchMatches:
    """The pairs of an alternative before and after, and the alternatives that only one document has."""

    changed: tuple[tuple[Branch, Branch], ...]
    removed: tuple[Branch, ...]
    added: tuple[Branch, ...]


def match_branches(old: Sequence[Branch], new: Sequence[Branch]) -> BranchMatches:
    """Match alternatives: equal contents in any order, then equal references, equal titles, and at last a single pair left over.

    That last pair is matched only when neither has a name.
    """
    removed, added = _without_equal(old, new)
    changed: list[tuple[Branch, Branch]] = []
    for name_of in (_reference, _title):
        _pair(removed, added, name_of, changed)
    if len(removed) == len(added) == 1 and _is_unnamed(removed[0]) and _is_unnamed(added[0]):
        changed.append((removed.pop(), added.pop()))
    return BranchMatches(tuple(changed), tuple(removed), tuple(added))


def _without_equal(old: Sequence[Branch], new: Sequence[Branch]) -> tuple[list[Branch], list[Branch]]:
    added = list(new)
    removed: list[Branch] = []
    for branch in old:
        counterpart = next((item for item in added if item.number == branch.number), None)
        if counterpart is None:
            removed.append(branch)
        else:
            added.remove(counterpart)
    return removed, added


def _pair(
    removed: list[Branch],
    added: list[Branch],
    name_of: Callable[[Branch], str | None],
    changed: list[tuple[Branch, Branch]],
) -> None:
    for branch in list(removed):
        name = name_of(branch)
        counterpart = next((item for item in added if name is not None and name_of(item) == name), None)
        if counterpart is not None:
            changed.append((branch, counterpart))
            removed.remove(branch)
            added.remove(counterpart)


def _reference(branch: Branch) -> str | None:
    return branch.alternative.reference


def _title(branch: Branch) -> str | None:
    return branch.node.title


def _is_unnamed(branch: Branch) -> bool:
    return _reference(branch) is None and _title(branch) is None


def kind_of(schema: Mapping[str, Any]) -> str:
    """Return the kind of a schema's values in a few words."""
    properties = schema.get("properties")
    if is_object(properties) and properties:
        return f"object with {', '.join(list(properties)[:4])}"
    values = schema.get("enum")
    if is_array(values):
        return " or ".join(map(str, values[:3]))
    types = schema.get("type", "schema")
    return " or ".join(map(str, types)) if is_array(types) else str(types)

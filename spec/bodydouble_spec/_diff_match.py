"""Which alternative of a ``oneOf``, ``anyOf`` or ``allOf`` is which in the other document: by content first, then by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bodydouble_spec._diff_side import Node
from bodydouble_spec._json import is_array, is_object

__all__ = ["Branch", "Matched", "match_branches"]


@dataclass(frozen=True, slots=True)
class Branch:
    """One alternative: its position, what stands in the list, what is behind its reference, and its number (equal for equal contents)."""

    index: int
    value: Any
    node: Node
    number: int

    @property
    def reference(self) -> str | None:
        """The reference that stands in the list; None when the schema is written out."""
        return self.value.get("$ref") if is_object(self.value) else None

    @property
    def label(self) -> str:
        """What to call it: its title, the name of its component, or what kind of value it is."""
        title = self.node.value.get("title")
        if isinstance(title, str) and title.strip():
            return title
        if self.reference is not None:
            return self.reference.rsplit("/", 1)[-1]
        return f"{_kind(self.node.value)} (alternative {self.index + 1})"


@dataclass(frozen=True, slots=True)
class Matched:
    """Pairs that are the same alternative, changed, and what is in one document only."""

    changed: tuple[tuple[Branch, Branch], ...]
    removed: tuple[Branch, ...]
    added: tuple[Branch, ...]


def match_branches(old: Sequence[Branch], new: Sequence[Branch]) -> Matched:
    """Match alternatives: equal contents whatever their order, then one reference, one title, and at last the only ones left over.

    The last two are matched only when neither has a name that could say otherwise.
    """
    removed, added = _leave_out_equal(old, new)
    changed: list[tuple[Branch, Branch]] = []
    for name_of in (_reference, _title):
        _pair(removed, added, name_of, changed)
    if len(removed) == len(added) == 1 and _has_no_name(removed[0]) and _has_no_name(added[0]):
        changed.append((removed.pop(), added.pop()))
    return Matched(tuple(changed), tuple(removed), tuple(added))


def _leave_out_equal(old: Sequence[Branch], new: Sequence[Branch]) -> tuple[list[Branch], list[Branch]]:
    added = list(new)
    removed: list[Branch] = []
    for branch in old:
        twin = next((item for item in added if item.number == branch.number), None)
        if twin is None:
            removed.append(branch)
        else:
            added.remove(twin)
    return removed, added


def _pair(
    removed: list[Branch],
    added: list[Branch],
    name_of: Callable[[Branch], str | None],
    changed: list[tuple[Branch, Branch]],
) -> None:
    for branch in list(removed):
        name = name_of(branch)
        twin = next((item for item in added if name is not None and name_of(item) == name), None)
        if twin is not None:
            changed.append((branch, twin))
            removed.remove(branch)
            added.remove(twin)


def _reference(branch: Branch) -> str | None:
    return branch.reference


def _title(branch: Branch) -> str | None:
    title = branch.node.value.get("title")
    return title if isinstance(title, str) and title else None


def _has_no_name(branch: Branch) -> bool:
    return branch.reference is None and _title(branch) is None


def _kind(schema: Mapping[str, Any]) -> str:
    properties = schema.get("properties")
    if is_object(properties) and properties:
        return f"object with {', '.join(list(properties)[:4])}"
    values = schema.get("enum")
    if is_array(values):
        return " or ".join(map(str, values[:3]))
    types = schema.get("type", "schema")
    return " or ".join(map(str, types)) if is_array(types) else str(types)

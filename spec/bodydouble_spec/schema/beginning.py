"""The beginning of a large value, and the faults of it that are faults of the whole value as well.

A validator makes an object of every fault: of a hundred thousand bad items that takes a second and 150 MB, to show a hundred.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from bodydouble_spec.values import is_array, is_object

__all__ = ["Beginning", "beginning_of"]

Path = tuple[str | int, ...]
# What stands behind these keywords holds for its part of the value, whatever the other parts are.
_APPLICATORS = {"properties": 2, "patternProperties": 2, "allOf": 2, "prefixItems": 2, "items": 1, "additionalProperties": 1, "$ref": 1}  # fmt: skip
# These say something of an object that does not depend on what its members hold.
_OF_NAMES = frozenset(("type", "required", "additionalProperties"))


@dataclass(frozen=True, slots=True)
class Beginning:
    """A value whose long arrays and objects were cut.

    ``cut`` are the paths of these.
    """

    value: Any
    cut: frozenset[Path]

    def shows(self, path: Sequence[str | int], evaluation_path: Sequence[str | int], keyword: str) -> bool:
        """Return whether a fault of ``value`` is certainly one of the whole value too.

        ``path`` is its place in the value, ``evaluation_path`` the keywords and names that lead to its rule, ``keyword`` the last of them.
        """
        if not _is_unconditional(evaluation_path):
            return False
        place = tuple(path)
        if place in self.cut:
            return False
        return keyword in _OF_NAMES or not any(cut[: len(place)] == place for cut in self.cut)


def beginning_of(value: Any, most: int) -> Beginning | None:
    """Cut every array and object after ``most`` items; return None when none is longer."""
    cut: set[Path] = set()
    shortened = _shortened(value, most, (), cut)
    return Beginning(shortened, frozenset(cut)) if cut else None


def _shortened(value: Any, most: int, path: Path, cut: set[Path]) -> Any:
    if is_array(value):
        if len(value) > most:
            cut.add(path)
        return [_shortened(item, most, (*path, index), cut) for index, item in enumerate(value[:most])]
    if is_object(value):
        if len(value) > most:
            cut.add(path)
        return {name: _shortened(item, most, (*path, name), cut) for name, item in islice(value.items(), most)}
    return value


def _is_unconditional(path: Sequence[str | int]) -> bool:
    """Return whether every step but the last, the keyword of the fault, applies its schema in any case."""
    place = 0
    while place < len(path) - 1:
        step = _APPLICATORS.get(str(path[place]))
        if step is None:
            return False
        place += step
    return True

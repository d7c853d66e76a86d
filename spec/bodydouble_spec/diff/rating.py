"""Severity by proof: a value that breaks raises a change to an error, a proof that none can lowers it.

In a request, a value breaks that the old contract describes and the new one refuses; in an answer, one that the new
contract describes and the old one does not allow. An answer property that is documented counts as promised, although
the contract may require none.
"""

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from bodydouble_spec.diff.changes import Change, Changes, Location
from bodydouble_spec.diff.constraints import BOUNDS
from bodydouble_spec.finding import Severity
from bodydouble_spec.meaning import Node
from bodydouble_spec.proof import Fault, NoValueError, UncertainError, accepts, candidates, faults, is_within, sample
from bodydouble_spec.schema import matching_text
from bodydouble_spec.text import cut_counted
from bodydouble_spec.values import is_object

__all__ = ["Place", "Rating"]

_MAX_SEARCHES = 400
_SHOWN_CHARACTERS = 300
# The steps through which a proof about a part is one about the whole.
_MONOTONE = {
    "additionalProperties",
    "allOf",
    "anyOf",
    "else",
    "items",
    "patternProperties",
    "prefixItems",
    "properties",
    "then",
}

# The beginning of a rule's end, and the keywords that a value breaks which shows such a change.
_KEYWORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    *((f"{name}-{word}", (keyword,)) for keyword, name in BOUNDS.items() for word in ("decreased", "increased", "set", "unset")),
    ("type-", ("type", "format")), ("list-of-types-", ("type",)), ("became-nullable", ("type", "enum")),
    ("became-not-nullable", ("type", "enum")), ("became-enum", ("enum",)), ("became-not-enum", ("enum",)), ("enum-value-", ("enum",)),
    ("const-", ("enum",)), ("pattern-property-", ("patternProperties",)), ("pattern-", ("pattern",)),
    ("unique-items-", ("uniqueItems",)), ("multiple-of-", ("multipleOf",)), ("additional-properties-", ("additionalProperties",)),
    ("schema-became-", ("not",)), ("one-of-", ("oneOf", "type")), ("any-of-", ("anyOf", "type")), ("all-of-", ("allOf",)), ("not-changed", ("not",)),
    ("if-", ("then", "else")), ("then-", ("then",)), ("else-", ("else",)), ("contains-", ("contains", "minContains")),
    ("property-names-", ("propertyNames",)), ("dependent-required-", ("dependentRequired",)),
    ("dependent-schema-", ("dependentSchemas",)), ("prefix-items-", ("prefixItems", "items")),
    ("wrapped-in-one-of", ("oneOf", "type")),
)  # fmt: skip
_REQUIRED = ("new-required-request-property", "new-required-request-property-with-default", "request-property-removed")


@dataclass(frozen=True, slots=True)
class Place:
    """A pair of schemas, and the step that leads to it from the pair above: a keyword, and a name or index below it."""

    old: Node
    new: Node
    above: "Place | None" = None
    step: tuple[str, Any] = ("", None)

    def below(self, old: Node, new: Node, keyword: str, name: Any) -> "Place":
        """Return the place of a pair below."""
        return Place(old, new, self, (keyword, name))

    @property
    def top(self) -> "Place":
        """The place of the whole body or parameter."""
        place = self
        while place.above is not None:
            place = place.above
        return place

    @property
    def is_monotone(self) -> bool:
        """True where the whole accepts more when the part does."""
        place: Place = self
        while place.above is not None:
            if place.step[0] not in _MONOTONE:
                return False
            place = place.above
        return True


class Rating:
    """The rating of changes by what values show, at one place after the other."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._searches = 0
        self._proved: dict[tuple[int, int], bool] = {}

    @contextmanager
    def at(self, place: Place, location: Location) -> Generator[None]:
        """Rate the changes that are added within."""
        with self._changes.collected() as own:
            yield
        found = self._changes.found
        if not own or location.direction is None or location.scope.endswith("-only-property"):
            return
        concerned = [index for index in own if _keywords(found[index], location)]
        if concerned and self._is_harmless(place, location):
            for index in concerned:
                if _is_value_change(found[index], location):
                    found[index] = replace(found[index], severity=Severity.INFO)
            concerned = [index for index in concerned if not _is_value_change(found[index], location)]
        self._rate_removals(place, own)
        if concerned:
            self._search(place, location, concerned)

    def _is_harmless(self, place: Place, location: Location) -> bool:
        return (place.is_monotone and self._holds(place, location)) or self._holds(place.top, location)

    def _holds(self, place: Place, location: Location) -> bool:
        inner, outer = (place.old, place.new) if location.is_request else (place.new, place.old)
        key = id(inner), id(outer)
        if key not in self._proved:
            self._proved[key] = is_within(inner, outer)
        return self._proved[key]

    def _rate_removals(self, place: Place, own: list[int]) -> None:
        """Show an answer without a property that was promised."""
        found = self._changes.found
        for index in own:
            change = found[index]
            if change.id in ("response-optional-property-removed", "response-required-property-removed"):
                try:
                    value = sample(place.new, is_full=True)
                except NoValueError:
                    value = {}
                found[index] = replace(change, severity=Severity.ERROR, witness=_shown(value))

    def _search(self, place: Place, location: Location, concerned: list[int]) -> None:
        """Look for a value that breaks, for each of the changes at these indices."""
        self._searches += 1
        if self._searches > _MAX_SEARCHES:
            return
        found = self._changes.found
        source, target = (place.old, place.new) if location.is_request else (place.new, place.old)
        waiting = set(concerned)
        tried = 0
        for value in self._values(source, target, [found[index] for index in concerned], location):
            tried += 1
            broken = _broken(target, value, location)
            shown = [index for index in sorted(waiting) if _fits(found[index], location, broken, value)]
            if shown and (whole := _whole(place, location, value)) is not None:
                for index in shown:
                    found[index] = replace(found[index], severity=Severity.ERROR, witness=_shown(whole[0]))
                waiting.difference_update(shown)
            if not waiting:
                return
        for index in waiting:
            found[index] = replace(found[index], tried=tried)

    @staticmethod
    def _values(source: Node, target: Node, changes: list[Change], location: Location) -> Iterator[Any]:
        for change in changes:
            value = change.old if location.is_request else change.new
            if "enum-value-" in change.id:
                yield value
        yield from candidates(source, target)


def _keywords(change: Change, location: Location) -> tuple[str, ...]:
    """Return the keywords that a value breaks which shows the change; none where no value can show it."""
    if change.id in _REQUIRED:
        return ("required", "additionalProperties")
    if change.id.endswith(
        ("-property-became-required", "-property-became-required-with-default", "-property-became-optional")
    ):
        return ("required",)
    suffix = change.id.removeprefix(f"{location.scope}-").removeprefix("response-mediatype-")
    if change.id.startswith("new-") or suffix.startswith(("property-", "optional-property", "required-property")):
        return ()
    return next((keywords for start, keywords in _KEYWORDS if suffix.startswith(start)), ())


def _is_value_change(change: Change, location: Location) -> bool:
    return change.id not in _REQUIRED and bool(_keywords(change, location))


def _broken(target: Node, value: Any, location: Location) -> list[Fault]:
    try:
        return list(faults(target, value, is_text=not location.is_strict))
    except UncertainError:
        return []


def _fits(change: Change, location: Location, broken: list[Fault], value: Any) -> bool:
    keywords = _keywords(change, location)
    for keyword, name in broken:
        if keyword not in keywords:
            continue
        if "enum-value-" in change.id:
            is_narrower = change.id.endswith("-removed") == location.is_request
            return is_narrower and bool(value == (change.old if location.is_request else change.new))
        if keyword in ("required", "additionalProperties") and name is not None and keywords[0] == "required":
            return change.pointer.endswith(f"/{name}") or change.message.startswith(f"`{location.below(name).name}`")
        return True
    return False


def _whole(place: Place, location: Location, value: Any) -> tuple[Any] | None:
    """Return the whole body with a value at its place, in a tuple, when the body is one that breaks too."""
    is_text = not location.is_strict
    source_of: Callable[[Place], Node] = (lambda item: item.old) if location.is_request else (lambda item: item.new)
    for is_full in (False, True):
        whole: Any = value
        here = place
        try:
            while here.above is not None:
                whole = _wrapped(source_of(here.above), here.step, whole, is_full=is_full)
                here = here.above
            target = here.new if location.is_request else here.old
            if accepts(source_of(here), whole, is_text=is_text) and not accepts(target, whole, is_text=is_text):
                return (whole,)
        except (NoValueError, UncertainError):
            continue
    return None


def _wrapped(node: Node, step: tuple[str, Any], value: Any, *, is_full: bool) -> Any:
    keyword, name = step
    if keyword in ("anyOf", "oneOf", "allOf", "then", "else"):
        if not (is_object(value) and node.value.get("properties")):
            return value
        return {**_base(node, is_full), **value}
    if keyword in ("properties", "additionalProperties", "patternProperties"):
        if keyword == "patternProperties":
            name = matching_text(name)
        return {**_base(node, is_full), (name or "other"): value}
    if keyword == "items":
        prefix = [sample(item, is_full=is_full) for item in node.value.get("prefixItems", ())]
        return [*prefix, *[value] * max(node.value.get("minItems", 0) - len(prefix), 1)]
    if keyword == "prefixItems":
        items: list[Any] = [sample(item, is_full=is_full) for item in node.value["prefixItems"]]
        items[name] = value
        return items
    raise UncertainError


def _base(node: Node, is_full: bool) -> dict[str, Any]:
    found = sample(node, is_full=is_full)
    return dict(found) if is_object(found) else {}


def _shown(value: Any) -> str:
    return cut_counted(json.dumps(value, ensure_ascii=False), _SHOWN_CHARACTERS)

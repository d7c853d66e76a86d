"""A sample value from a JSON Schema: it conforms, tells of a success, and uses the contract's own examples."""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import islice
from typing import Any, Final

from bodydouble_spec import Evidence, is_array, is_object
from bodydouble_spec.defects import show
from bodydouble_spec.schema import (
    ANYTHING,
    SchemaEvidence,
    SchemaValidator,
    SchemaView,
    json_key,
    matches_pattern,
    matching_text,
    names_failure,
)

from bodydouble_mockserver.answer.texts import LONGEST_TEXT, is_number, numbers, similar_texts, texts

__all__ = ["NoSample", "check_sample", "sample", "sort_by_success"]

_MAX_DEPTH = 60
_MAX_ITEMS = 10_000
_MAX_DROPPED = 30
# Beyond the first number of values only required properties are sampled, beyond the second none.
_MAX_OPTIONAL, _MAX_VALUES = 3_000, 30_000
# The most values in a sample, repeated ones included.
_MAX_SIZE = 200_000
_SUCCESSES = {
    "active", "available", "complete", "completed", "done", "ended", "finished", "ok", "ready", "resolved", "stop", "succeeded", "success",
    "successful",
}  # fmt: skip
_FAILURES = {
    "aborted", "canceled", "cancelled", "denied", "disabled", "error", "errored", "expired", "fail", "failed", "failure", "inactive", "invalid",
    "rejected", "timeout", "unavailable",
}  # fmt: skip
# An object that holds one of these is the purpose of an answer.
_PURPOSES = {"b64_json", "credits_used", "tokens_used", "url", "usage", "usd_spent"}
_EVIDENCE = SchemaEvidence({}, "", lambda _pointer: Evidence.DOCUMENTED)
_ANYTHING: tuple[Any, ...] = (None, "text", 0, True, [], {})


class _Nothing:
    """The absence of a value, which is not null."""


_NOTHING: Final = _Nothing()


class NoSample(Exception):
    """No value was found that conforms; ``pointer`` is the place in the document.

    ``reason`` is a clause that ends before the place: a limit of this server, or that nothing was found.
    """

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{reason} at {pointer}")
        self.pointer = pointer
        self.reason = reason


def sample(
    validator: SchemaValidator,
    hints: Sequence[Any] = (),
    *,
    fills_nulls: bool = False,
    is_refusal: bool = False,
) -> Any:
    """Return a value that conforms to the schema of a validator.

    Every documented property is in it, with these exceptions: a property named after an error is null or absent, a nullable object
    or list beside a nullable text is null, and a recursive schema is expanded once. ``hints`` are examples of the whole value, used place by
    place where they conform, like those in the schema. With ``fills_nulls`` an example that is null does not
    count. With ``is_refusal`` properties named after errors are wanted. Raises NoSample.
    """
    too_large: str | None = None
    # Most schemas need no check of single places.
    for is_careful in (False, True):
        sampler = _Sampler(validator, is_careful=is_careful, fills_nulls=fills_nulls, is_refusal=is_refusal)
        try:
            value = sampler.value(validator.finite_view(), _Place(hints=tuple(hints)))
        except _TooLarge as error:
            too_large = str(error)
            continue
        if value is not _NOTHING and validator.is_valid(value):
            return value
    place = validator.view.pointer if too_large else next(iter(sampler.failed), validator.view.pointer)
    raise NoSample(place, too_large or sampler.limits.get(place, "found no value that conforms to the schema"))


def check_sample(validator: SchemaValidator, hints: Sequence[Any] = ()) -> None:
    """Check that a value can conform, with as little work as possible: only what is required is sampled, and a large schema is not compiled.

    Raises NoSample.
    """
    sampler = _Sampler(validator, is_careful=False, fills_nulls=False, is_refusal=False, is_least=True)
    try:
        value = sampler.value(validator.finite_view(), _Place())
    except _TooLarge:
        value = _NOTHING
    if value is _NOTHING or not (validator.is_large or validator.is_valid(value)):
        sample(validator, hints)


def sort_by_success(options: Iterable[Any]) -> list[Any]:
    """Sort the options of an enum: those that tell of a success first, those that tell of a failure and null last."""

    def rank(option: Any) -> int:
        word = option.lower() if isinstance(option, str) else ""
        return 0 if word in _SUCCESSES else 2 if word in _FAILURES or option is None else 1

    return sorted(options, key=rank)


class _TooLarge(Exception):
    """A value has too many parts; the text is the reason."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in a value: the name of its property, examples of its value, and its depth."""

    name: str = ""
    hints: tuple[Any, ...] = ()
    depth: int = 0

    def inside(self, hints: Iterable[Any], name: str = "") -> "_Place":
        return _Place(name or self.name, tuple(hints), self.depth + 1)


class _Sampler:
    """One attempt to sample a schema; a careful one checks every value at its place."""

    def __init__(
        self,
        validator: SchemaValidator,
        *,
        is_careful: bool,
        fills_nulls: bool,
        is_refusal: bool,
        is_least: bool = False,
    ) -> None:
        self._names_failure: Callable[[str], bool] = (lambda _name: False) if is_refusal else names_failure
        self._fills_nulls = fills_nulls
        self._validator = validator
        self._is_careful = is_careful
        # With each value, so that its identity stays unique.
        self._sizes: dict[int, tuple[Any, int]] = {}
        self._values = _MAX_OPTIONAL if is_least else 0
        self.failed: list[str] = []
        # By the place, what a schema asks for beyond the limits of this module.
        self.limits: dict[str, str] = {}

    def value(self, view: SchemaView, place: _Place) -> Any:
        """Return the first value found for a place, or _NOTHING."""
        self._values += 1
        if self._values > _MAX_VALUES:
            raise _TooLarge(f"the schema needs more than {_MAX_VALUES:,} values")
        if place.depth >= _MAX_DEPTH:
            self.limits[_pointer(view)] = f"the value is nested deeper than the limit of {_MAX_DEPTH} levels"
        candidates = self._candidates(view, place) if place.depth < _MAX_DEPTH else iter(())
        found = next((value for value in candidates if self._size(value) and self._conforms(view, value)), _NOTHING)
        if found is _NOTHING:
            self.failed.append(_pointer(view))
        return found

    def _size(self, value: Any) -> int:
        """Return the number of values in one, at least 1; what is repeated is counted once for each time. Raises _TooLarge."""
        if not (is_object(value) or is_array(value)):
            return 1
        known = self._sizes.get(id(value))
        if known is None:
            size = 1 + sum(self._size(part) for part in (value.values() if is_object(value) else value))
            known = self._sizes[id(value)] = (value, size)
        if known[1] > _MAX_SIZE:
            raise _TooLarge(f"the schema needs more than {_MAX_SIZE:,} values")
        return known[1]

    def _conforms(self, view: SchemaView, value: Any) -> bool:
        return not self._is_careful or self._allows(view, value)

    def _allows(self, view: SchemaView, value: Any) -> bool:
        """Return whether a value conforms to all schemas of a place."""
        return all(
            self._validator.branch_is_valid(root.schema, value) if is_object(root.schema) else root.schema is not False
            for root in view.roots
        )

    def _candidates(self, view: SchemaView, place: _Place) -> Iterator[Any]:
        # A schema inside of itself is left out.
        found = [way for way in view.ways if not way.is_recursive]
        hints = [*place.hints, *(hint for way in found for hint in _own_hints(way))]
        is_unwanted = self._names_failure(place.name) or (hints[:1] == [None] and not self._fills_nulls)
        if is_unwanted and any("null" in _types(way) for way in found):
            yield None
        for way in found:
            yield from self._of_way(way, replace(place, hints=(*place.hints, *_own_hints(way))))
        if not found and any("null" in _types(way) for way in view.ways):
            yield None  # the end of a schema that contains itself

    def _of_way(self, way: SchemaView, place: _Place) -> Iterator[Any]:
        types = _types(way)
        if way.options is not None:
            hinted = [hint for hint in place.hints if hint in way.options]
            yield from sort_by_success([*hinted, *way.options])
        elif not types:
            yield from place.hints
            yield from _ANYTHING
        else:
            for kind in types:
                yield from self._of_type(kind, way, place)

    def _of_type(self, kind: str, way: SchemaView, place: _Place) -> Iterator[Any]:
        is_failure = self._names_failure(place.name)
        match kind:
            case "object":
                yield from self._objects(way, place)
            case "array":
                yield from self._arrays(way, place)
            case "string":
                yield from (hint for hint in place.hints if isinstance(hint, str) and hint and _has_format(way, hint))
                if self._is_made(way, "minLength", LONGEST_TEXT):
                    yield from texts(way)
            case "boolean":
                yield from (hint for hint in place.hints if isinstance(hint, bool) and not is_failure)
                yield from (False, True) if is_failure else (True, False)
            case "null":
                yield None
            case _:
                whole = kind == "integer"
                if not is_failure:
                    yield from (
                        hint for hint in place.hints if is_number(hint, whole=whole) and _is_in_range(way, hint)
                    )
                yield from numbers(way, whole=whole)

    def _objects(self, way: SchemaView, place: _Place) -> Iterator[dict[str, Any]]:
        required = _required_names(way)
        values: dict[str, Any] = {}
        needed_names = {*required}
        views: dict[str, SchemaView] = {}
        for name in (*way.property_names, *required):
            if name in views or (self._values > _MAX_OPTIONAL and name not in needed_names):
                continue
            view = views[name] = way.property(name)
            value = self._property(way, place, name, view, is_required=name in needed_names)
            if value is not _NOTHING:
                values[name] = value
            elif name in needed_names:
                return
        values = {**values, **self._null_beside_text(views, values)}
        if not self._is_made(way, "minProperties", _MAX_ITEMS):
            return
        values |= self._additions(way, place, int(way.limits.get("minProperties", 0 if values else 1)) - len(values))
        needed = {name: value for name, value in values.items() if name in needed_names}
        optional = [name for name in values if name not in needed]
        most = int(way.limits.get("maxProperties", len(values)))
        if len(values) > most:
            kept = {*needed, *optional[: max(0, most - len(needed))]}
            values = {name: value for name, value in values.items() if name in kept}
        yield values
        for dropped in reversed(optional[:_MAX_DROPPED]):
            yield {name: value for name, value in values.items() if name != dropped}
        yield needed
        yield from ({**needed, name: values[name]} for name in optional[:_MAX_DROPPED] if name in values)

    def _property(self, way: SchemaView, place: _Place, name: str, view: SchemaView, *, is_required: bool) -> Any:
        if not is_required and True in view.values("writeOnly"):
            return _NOTHING
        told = [way.tags[name]] if name in way.tags else []
        hints = [*told, *(hint[name] for hint in place.hints if is_object(hint) and name in hint)]
        before = len(self.failed)
        value = self.value(view, place.inside(hints, name))
        if is_required:
            return value
        if value is _NOTHING:
            del self.failed[before:]  # it may be left out
        return _NOTHING if self._names_failure(name) and value not in (None, False, 0, []) else value

    def _null_beside_text(self, views: Mapping[str, SchemaView], values: dict[str, Any]) -> dict[str, None]:
        """Return null for each nullable object or list that has no purpose of its own, where a nullable text has a value."""
        nullable = {name for name in values if any("null" in _types(way) for way in views[name].ways)}
        if not any(isinstance(values[name], str) and not self._names_failure(name) for name in nullable):
            return {}
        return {
            name: None
            for name in values
            if name in nullable
            and (is_object(values[name]) or is_array(values[name]))
            and not _has_purpose(name, values[name])
        }

    def _additions(self, way: SchemaView, place: _Place, count: int) -> dict[str, Any]:
        """Return properties under names that the schema does not list: one for a map, more where it asks for more."""
        is_map = way.pattern_properties or any(map(is_object, way.values("additionalProperties")))
        if count <= 0 or not (is_map or "minProperties" in way.limits):
            return {}
        result: dict[str, Any] = {}
        for name in self._free_names(way, count):
            view = way.property(name)
            value = self._property(way, place, name, view, is_required=True) if len(result) < count else _NOTHING
            if value is not _NOTHING:
                result[name] = value
        return result

    def _free_names(self, way: SchemaView, count: int) -> Iterator[str]:
        yield from (
            name
            for pattern in way.pattern_properties
            if (first := matching_text(pattern)) is not None
            for name in islice(filter(partial(matches_pattern, pattern), similar_texts(first)), count + 4)
            if name not in way.property_names
        )
        if not way.additional.is_possible:
            return
        first = self.value(way.names, _Place()) if way.names.roots else "key"
        if isinstance(first, str):
            yield from islice((name for name in similar_texts(first) if self._allows(way.names, name)), count + 2)
        yield from (name for name in way.names.options or () if isinstance(name, str))

    def _arrays(self, way: SchemaView, place: _Place) -> Iterator[list[Any]]:
        if not self._is_made(way, "minItems", _MAX_ITEMS):
            return
        least, most = int(way.limits.get("minItems", 0)), int(way.limits.get("maxItems", _MAX_ITEMS))
        matches = int(max(way.values("minContains"), default=1)) if way.contained.roots else 0
        lengths = [max(least, len(way.prefix), matches, 1), max(least, matches, 1), max(least, matches), least]
        if self._names_failure(place.name):
            lengths.reverse()
        for length in dict.fromkeys(lengths):
            items = self._items(way, place, length, matches) if length <= most else None
            if items is not None:
                yield items

    def _is_made(self, way: SchemaView, keyword: str, most: int) -> bool:
        """Return whether a count is within the limit of this module; note one that is not."""
        count = int(way.limits.get(keyword, 0))
        if count > most:
            self.limits[_pointer(way)] = f"{keyword} {show(count)} is above the limit of {most:,}"
        return count <= most

    def _items(self, way: SchemaView, place: _Place, length: int, matches: int) -> list[Any] | None:
        is_unique = True in way.values("uniqueItems")
        examples = [hint for hint in place.hints if is_array(hint) and hint]
        items: list[Any] = []
        seen: set[str] = set()
        others: Iterator[Any] | None = None
        for index in range(length):
            item = way.item(index).combined(way.contained) if index < matches else way.item(index)
            inside = place.inside(hint[min(index, len(hint) - 1)] for hint in examples)
            if is_unique:
                value = _NOTHING
                if index < max(matches, len(way.prefix), *map(len, examples), 0):
                    first = self._distinct(item, inside, length)
                    value = next((one for one in first if json_key(one) not in seen), _NOTHING)
                elif index >= max(matches, len(way.prefix)):
                    # The rest are all of one kind: what was passed over is not tried again.
                    others = others or self._distinct(item, inside, length)
                    value = next((one for one in others if json_key(one) not in seen), _NOTHING)
                seen.add("" if value is _NOTHING else json_key(value))
            else:
                value = items[-1] if items and index > max(matches, len(way.prefix)) else self.value(item, inside)
            if value is _NOTHING:
                return None
            items.append(value)
        return items

    def _distinct(self, view: SchemaView, place: _Place, count: int) -> Iterator[Any]:
        first = self.value(view, place)
        yield first
        yield from (value for value in self._candidates(view, place) if self._conforms(view, value))
        changed = (_changed(first, number) for number in range(1, 4 * count + 4))
        yield from (value for value in changed if self._conforms(view, value))


def _types(way: SchemaView) -> Sequence[str]:
    """Return the types to make values of; none where the schema says nothing about them."""
    types = way.likely_types()
    return () if len(types) == len(ANYTHING) else types


def _required_names(way: SchemaView) -> list[str]:
    """Return the names of the required properties, with those that a listed or required one requires."""
    present = dict.fromkeys((*way.property_names, *way.required))
    dependent: list[Any] = [item for item in way.values("dependentRequired") if is_object(item)]
    return [
        *dict.fromkeys(
            (*way.required, *(other for item in dependent for name in present for other in item.get(name, ())))
        )
    ]


def _own_hints(way: SchemaView) -> list[Any]:
    """Return the examples and the defaults of a schema, the most telling first."""
    listed = [example for examples in way.values("examples") if is_array(examples) for example in examples]
    return [*way.values("example"), *listed, *way.values("default")]


def _pointer(view: SchemaView) -> str:
    """Return the pointer of a schema, of the one that it refers to where it is a reference."""
    parts = view.parts
    return parts[1].pointer if len(parts) > 1 and "$ref" in parts[0].schema else view.pointer


_RANGES = {"int32": 2**31, "int64": 2**63}


def _is_in_range(way: SchemaView, number: float) -> bool:
    """Return whether a whole number is in the range of its format (OpenAPI format registry)."""
    ranges = [_RANGES[name] for name in way.values("format") if name in _RANGES]
    return all(-most <= number < most for most in ranges)


def _has_format(way: SchemaView, text: str) -> bool:
    names = {name for name in way.values("format") if isinstance(name, str)}
    if names & {"byte", "base64"}:
        try:
            return bool(base64.b64decode(text, validate=True))
        except ValueError:
            return False
    return all(_format_validator(name).keeps_formats(text) for name in names)


@cache
def _format_validator(name: str) -> SchemaValidator:
    return SchemaValidator({"format": name}, "response", "", _EVIDENCE)


def _has_purpose(name: str, value: Any) -> bool:
    if is_object(value):
        return name in _PURPOSES or any(key in _PURPOSES or _has_purpose(key, item) for key, item in value.items())
    return is_array(value) and any(_has_purpose(name, item) for item in value)


def _changed(value: Any, number: int) -> Any:
    """Return a value of the same type that differs from the given one, for each number another."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, str):
        return value + str(number) if number % 2 else value[: -len(str(number))] + str(number)
    if isinstance(value, int | float):
        return value + number
    if is_array(value):
        return [_changed(value[0], number), *value[1:]] if value else value
    if is_object(value) and value:
        name = next((key for key, item in value.items() if isinstance(item, str | int | float)), next(iter(value)))
        return {**value, name: _changed(value[name], number)}
    return value

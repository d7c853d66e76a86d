"""Strategies for the values that conform at a place of a body."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from bodydouble_spec.schema import SchemaView, json_key
from hypothesis import strategies as st

from bodydouble_contract_tests.schema import (
    MOST_DRAWN,
    NOTHING,
    Sampler,
    SchemaWalker,
    first_of,
    matches,
    matching,
    numbers,
    satisfying,
    satisfying_any,
)
from bodydouble_contract_tests.strategies.texts import texts

__all__ = ["ValueStrategies"]

Strategy = st.SearchStrategy[Any]

# Keywords that a strategy does not cover; values are made without them and then checked.
_INEXACT = {
    "not", "if", "dependentRequired", "dependentSchemas", "propertyNames", "contains", "oneOf",
    "unevaluatedProperties", "unevaluatedItems", "patternProperties",
}  # fmt: skip
_MORE_ITEMS = 3
_FEW_ITEMS = 16
_ANY_JSON = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=5), st.just([]), st.just({"a": [1.5]})
)
_UNKNOWN = ("x", "unknown_key", "", "a/b~c", "ключ", "🦊", "__proto__", "constructor", "X-Trace")
_NAMES = st.sampled_from(_UNKNOWN)
_FEW_NAMES = 4
_MOST_NAMES = 10_000
_MOST_REPEATED = 1_000_000


class ValueStrategies:
    """Makes strategies from the schema of one body.

    ``extras`` are sets of properties that apps send without documentation; they are mixed in at the top where the schema allows any.
    ``likely_texts`` are mixed in where any text is allowed. ``gaps`` collects the places where no value could be made.
    """

    def __init__(
        self, walker: SchemaWalker, extras: Sequence[dict[str, Any]] = (), likely_texts: Sequence[str] = ()
    ) -> None:
        self._walker = walker
        self._extras = extras
        self._likely_texts = likely_texts
        self._sampler = Sampler(walker)
        self.gaps: list[str] = []

    def body(self) -> Strategy | None:
        """Return a strategy for complete bodies that conform, or None when none can be made."""
        root = self._walker.root
        strategy = self.at(root, is_top=True)
        return None if strategy is None else self._conforming(strategy, root)

    def at(self, place: SchemaView, *, is_top: bool = False) -> Strategy | None:
        """Return a strategy for values that conform at a place, or None when none can be made."""
        if not place.roots:
            return _ANY_JSON
        views = self._walker.ways(place)
        choices = [choice for view in views for choice in self._of_view(view, is_top=is_top)]
        if not choices:
            self.gaps.append(place.pointer)
            return None
        strategy = st.one_of(choices) if len(choices) > 1 else choices[0]
        if all(map(_is_exact, views)):
            return strategy
        return self._conforming(strategy, place)

    def _conforming(self, strategy: Strategy, place: SchemaView) -> Strategy | None:
        """Return the values of a strategy that conform at a place, or None when none is found there."""

        def conforms(value: Any) -> bool:
            return self._walker.conforms(place, value)

        otherwise = self._sampler.at(place)
        if otherwise is NOTHING:
            otherwise = first_of(strategy, conforms, is_simplest=False)
        if otherwise is NOTHING:
            self.gaps.append(place.pointer)
            return None
        return satisfying(strategy, conforms, otherwise)

    def _of_view(self, view: SchemaView, *, is_top: bool) -> list[Strategy]:
        if view.options is not None:
            return [st.sampled_from(view.options)] if view.options else []
        made = [self._of_type(kind, view, is_top=is_top) for kind in view.likely_types()]
        return [strategy for strategy in made if strategy is not None]

    def _of_type(self, kind: str, view: SchemaView, *, is_top: bool) -> Strategy | None:
        match kind:
            case "object":
                return self._objects(view, is_top=is_top)
            case "array":
                return self._arrays(view)
            case "string":
                return texts(view, self._likely_texts)
            case "boolean":
                return st.booleans()
            case "null":
                return st.none()
            case _:
                return numbers(view, whole=kind == "integer")

    def _objects(self, view: SchemaView, *, is_top: bool) -> Strategy | None:
        required: dict[str, Strategy] = {}
        for name in view.required:
            strategy = self.at(view.property(name))
            if strategy is None:
                return None
            required[name] = strategy
        made = {name: self.at(place) for name, place in view.properties.items() if name not in required}
        optional = {name: strategy for name, strategy in made.items() if strategy is not None}
        least = int(view.limits.get("minProperties", 0))
        if least > _MOST_NAMES:
            return None
        for name in list(optional)[: max(0, least - len(required))]:
            required[name] = optional.pop(name)
        if view.names.roots:
            if any(not self._walker.conforms(view.names, name) for name in required):
                return None
            optional = {name: made for name, made in optional.items() if self._walker.conforms(view.names, name)}
        named = st.fixed_dictionaries(required, optional=optional)
        extras = self._unknown(view, least - len(required), is_top=is_top)
        if extras is not None:
            known = set(view.properties)
            named = st.tuples(extras, named).map(
                lambda pair: {**{name: value for name, value in pair[0].items() if name not in known}, **pair[1]}
            )
        if view.values("dependentRequired"):
            named = named.map(lambda value: self._completed(view, value))
        most = view.limits.get("maxProperties")
        if least <= len(required) and most is None:
            return named
        return named.filter(lambda value: least <= len(value) and (most is None or len(value) <= most))

    def _completed(self, view: SchemaView, value: dict[str, Any]) -> dict[str, Any]:
        """Add the properties that others ask for, as far as a value is known."""
        pending, complete = [*value], dict(value)
        while pending:
            name = pending.pop()
            for needed in (one for rules in view.values("dependentRequired") for one in rules.get(name, ())):
                filler = self._sampler.at(view.property(needed)) if needed not in complete else NOTHING
                if filler is not NOTHING:
                    complete[needed] = filler
                    pending.append(needed)
        return complete

    def _unknown(self, view: SchemaView, least: int, *, is_top: bool) -> Strategy | None:
        """Return a strategy for properties without a schema of their own, usually none, or None where they are forbidden."""
        names = self._names(view)
        if names is None:
            return None
        if not view.additional.roots and not view.pattern_properties:
            if least > MOST_DRAWN:
                return _ANY_JSON.map(lambda value: {f"key{index}": value for index in range(least)})
            random = st.dictionaries(
                names if least < _FEW_NAMES else st.text(), _ANY_JSON, min_size=max(0, least), max_size=max(1, least)
            )
            if least > 0 or view.names.roots:
                return random
            usual = st.sampled_from([*[{}] * (len(self._extras) + 1), *self._extras])
            return st.one_of(usual, random) if is_top else _mostly_none(random)
        values = self.at(view.additional)
        if view.pattern_properties:
            return self._patterned(view, values)
        if values is None:
            return None
        count = max(0, least)
        if count > MOST_DRAWN:
            return values.map(lambda value: {f"key{index}": value for index in range(count)})
        chosen = names if count < _FEW_NAMES or view.names.roots else st.text()
        return st.dictionaries(chosen, values, min_size=count, max_size=count + 2)

    def _names(self, view: SchemaView) -> st.SearchStrategy[str] | None:
        """Return a strategy for the names of unknown properties, or None when none can be made."""
        if not view.names.roots:
            return _NAMES
        strategy = self.at(view.names)
        return None if strategy is None else satisfying_any(strategy, _is_text, is_simplest=False)

    def _patterned(self, view: SchemaView, others: Strategy | None) -> Strategy | None:
        entries: list[Strategy] = []
        for pattern, place in view.pattern_properties.items():
            names, values = matching(pattern), self.at(place)
            if names is not None and values is not None:
                entries.append(st.tuples(names, values))
        if others is not None:
            free = [name for name in _UNKNOWN if not any(matches(pattern, name) for pattern in view.pattern_properties)]
            entries += [st.tuples(st.sampled_from(free), others)] if free else []
        return st.lists(st.one_of(entries), max_size=2).map(dict) if entries else None

    def _arrays(self, view: SchemaView) -> Strategy | None:
        least = int(view.limits.get("minItems", 0))
        most = int(view.limits["maxItems"]) if "maxItems" in view.limits else None
        if least > _MOST_REPEATED or (most is not None and most < least):
            return None
        items = self.at(view.items) if most is None or most > len(view.prefix) else None
        if not view.prefix:
            empty = st.just(list[Any]()) if least == 0 else None
            return empty if items is None else self._lists(items, least, most, view)
        made = [self.at(place) for place in view.prefix[:most]]
        first = list(takewhile(lambda strategy: strategy is not None, made))
        choices: list[Strategy] = [st.tuples(*first[:count]).map(list) for count in range(least, len(first) + 1)]
        if items is not None and len(first) == len(view.prefix):
            rest = self._lists(items, max(0, least - len(first)), None if most is None else most - len(first), view)
            choices.append(st.tuples(st.tuples(*first), rest).map(lambda pair: [*pair[0], *pair[1]]))
        if not choices:
            return None
        lists = st.one_of(choices)
        return lists.filter(_all_differ) if True in view.values("uniqueItems") else lists

    def _lists(self, items: Strategy, least: int, most: int | None, view: SchemaView) -> Strategy:
        if least > MOST_DRAWN:
            return self._repeated(items, least, view)
        usual = least + _MORE_ITEMS if most is None else min(most, least + _MORE_ITEMS)
        unique_by = json_key if True in view.values("uniqueItems") else None
        lists = st.lists(items, min_size=least, max_size=usual, unique_by=unique_by)
        contained = self.at(view.contained) if view.contained.roots else None
        if contained is not None:
            count = int(max(view.values("minContains"), default=1))
            some = st.lists(contained, min_size=min(count, MOST_DRAWN), max_size=min(count + 1, MOST_DRAWN))
            return st.one_of(
                lists, st.tuples(some, lists).map(lambda pair: [*pair[0], *pair[1][: _room(pair[0], most)]])
            )
        if most is None or not usual < most <= _FEW_ITEMS:
            return lists
        return st.one_of(lists, st.lists(items, min_size=most, max_size=most, unique_by=unique_by))

    def _repeated(self, items: Strategy, length: int, view: SchemaView) -> Strategy:
        """Return a strategy for lists that are too long to draw each item: a few items, repeated, or different ones where they must differ."""
        if True in view.values("uniqueItems"):
            different = self._sampler.list_of(view, length)
            return st.nothing() if different is None else st.just(different)
        some = st.lists(items, min_size=1, max_size=_MORE_ITEMS)
        return some.map(lambda drawn: (drawn * (length // len(drawn) + 1))[:length])


def _room(items: list[Any], most: int | None) -> int | None:
    return None if most is None else max(0, most - len(items))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_exact(view: SchemaView) -> bool:
    """Return whether every value made from a view conforms to it."""
    factors = view.values("multipleOf")
    is_exact = len(factors) <= 1 and all(float(factor).is_integer() for factor in factors)
    return is_exact and not _INEXACT & view.origins.keys()


def _all_differ(items: list[Any]) -> bool:
    return len({json_key(item) for item in items}) == len(items)


def _mostly_none(random: Strategy) -> Strategy:
    return st.integers(0, 9).flatmap(lambda die: random if die == 9 else st.just({}))

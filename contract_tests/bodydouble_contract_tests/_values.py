"""Strategies for the values that conform at a place of a body."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from hypothesis import strategies as st

from bodydouble_contract_tests._node import Node, Parts, identity
from bodydouble_contract_tests._numbers import numbers
from bodydouble_contract_tests._pattern import matches, matching
from bodydouble_contract_tests._schemas import Schemas
from bodydouble_contract_tests._texts import texts

__all__ = ["Values"]

Strategy = st.SearchStrategy[Any]

_MORE_ITEMS = 3
_FEW_ITEMS = 16
_ANY_JSON = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=5), st.just([]), st.just({"a": [1.5]})
)
_NAMES = st.sampled_from(["x", "unknown_key", "", "a/b~c", "ключ", "🦊", "__proto__", "constructor", "X-Trace"])


class Values:
    """Makes strategies from the schemas of one body.

    ``extras`` are whole sets of properties that apps send though the contract does not know them, mixed in at the top where
    it allows any; ``likely_texts`` are mixed in where any text will do. ``gaps`` collects where no value could be made.
    """

    def __init__(
        self, schemas: Schemas, extras: Sequence[dict[str, Any]] = (), likely_texts: Sequence[str] = ()
    ) -> None:
        self._schemas = schemas
        self._extras = extras
        self._likely_texts = likely_texts
        self.gaps: list[str] = []

    def body(self) -> Strategy | None:
        """Whole bodies; None when none can be made."""
        return self.at(self._schemas.root, is_top=True)

    def at(self, parts: Parts, *, is_top: bool = False) -> Strategy | None:
        """Values that conform to all of ``parts``; None when none can be made."""
        if not parts:
            return _ANY_JSON
        nodes = self._schemas.nodes(parts)
        choices = [choice for node in nodes for choice in self._of_node(node, is_top=is_top)]
        if not choices:
            self.gaps.append(parts[0].pointer)
            return None
        strategy = st.one_of(choices) if len(choices) > 1 else choices[0]
        if all(node.is_exact for node in nodes):
            return strategy
        return strategy.filter(lambda value: self._schemas.conforms(parts, value))

    def _of_node(self, node: Node, *, is_top: bool) -> list[Strategy]:
        if node.options is not None:
            return [st.sampled_from(node.options)] if node.options else []
        made = [self._of_type(kind, node, is_top=is_top) for kind in node.likely_types()]
        return [strategy for strategy in made if strategy is not None]

    def _of_type(self, kind: str, node: Node, *, is_top: bool) -> Strategy | None:
        match kind:
            case "object":
                return self._objects(node, is_top=is_top)
            case "array":
                return self._arrays(node)
            case "string":
                return texts(node, self._likely_texts)
            case "boolean":
                return st.booleans()
            case "null":
                return st.none()
            case _:
                return numbers(node, whole=kind == "integer")

    def _objects(self, node: Node, *, is_top: bool) -> Strategy | None:
        required: dict[str, Strategy] = {}
        for name in node.required:
            strategy = self.at(node.parts_of(name))
            if strategy is None:
                return None
            required[name] = strategy
        made = {name: self.at(parts) for name, parts in node.properties.items() if name not in required}
        optional = {name: strategy for name, strategy in made.items() if strategy is not None}
        least = int(node.limits.get("minProperties", 0))
        for name in list(optional)[: max(0, least - len(required))]:
            required[name] = optional.pop(name)
        named = st.fixed_dictionaries(required, optional=optional)
        extras = self._unknown(node, least - len(required), is_top=is_top)
        if extras is not None:
            known = set(node.properties)
            named = st.tuples(extras, named).map(
                lambda pair: {**{name: value for name, value in pair[0].items() if name not in known}, **pair[1]}
            )
        most = node.limits.get("maxProperties")
        if least <= len(required) and most is None:
            return named
        return named.filter(lambda value: least <= len(value) and (most is None or len(value) <= most))

    def _unknown(self, node: Node, least: int, *, is_top: bool) -> Strategy | None:
        """Properties that the node does not name, usually none; None where none are allowed."""
        if not node.additional and not node.pattern_properties:
            random = st.dictionaries(_NAMES, _ANY_JSON, min_size=max(0, least), max_size=max(1, least))
            if least > 0:
                return random
            usual = st.sampled_from([*[{}] * (len(self._extras) + 1), *self._extras])
            return st.one_of(usual, random) if is_top else _mostly_none(random)
        values = self.at(node.additional)
        if node.pattern_properties:
            return self._patterned(node, values)
        if values is None:
            return None
        count = max(0, least)
        return st.dictionaries(_NAMES if count < 4 else st.text(), values, min_size=count, max_size=count + 2)

    def _patterned(self, node: Node, others: Strategy | None) -> Strategy | None:
        entries: list[Strategy] = []
        for pattern, parts in node.pattern_properties.items():
            names, values = matching(pattern), self.at(parts)
            if names is not None and values is not None:
                entries.append(st.tuples(names, values))
        if others is not None:
            free = _NAMES.filter(lambda name: not any(matches(pattern, name) for pattern in node.pattern_properties))
            entries.append(st.tuples(free, others))
        return st.lists(st.one_of(entries), max_size=2).map(dict) if entries else None

    def _arrays(self, node: Node) -> Strategy | None:
        least = int(node.limits.get("minItems", 0))
        most = int(node.limits["maxItems"]) if "maxItems" in node.limits else None
        if most is not None and most < least:
            return None
        items = self.at(node.items) if most is None or most > len(node.prefix) else None
        if not node.prefix:
            empty = st.just(list[Any]()) if least == 0 else None
            return empty if items is None else self._lists(items, least, most, node)
        made = [self.at(parts) for parts in node.prefix[:most]]
        first = list(takewhile(lambda strategy: strategy is not None, made))
        choices: list[Strategy] = [st.tuples(*first[:count]).map(list) for count in range(least, len(first) + 1)]
        if items is not None and len(first) == len(node.prefix):
            rest = self._lists(items, max(0, least - len(first)), None if most is None else most - len(first), node)
            choices.append(st.tuples(st.tuples(*first), rest).map(lambda pair: [*pair[0], *pair[1]]))
        if not choices:
            return None
        lists = st.one_of(choices)
        return lists.filter(_all_differ) if node.is_unique else lists

    def _lists(self, items: Strategy, least: int, most: int | None, node: Node) -> Strategy:
        usual = least + _MORE_ITEMS if most is None else min(most, least + _MORE_ITEMS)
        unique_by = identity if node.is_unique else None
        lists = st.lists(items, min_size=least, max_size=usual, unique_by=unique_by)
        if most is None or not usual < most <= _FEW_ITEMS:
            return lists
        return st.one_of(lists, st.lists(items, min_size=most, max_size=most, unique_by=unique_by))


def _all_differ(items: list[Any]) -> bool:
    return len({identity(item) for item in items}) == len(items)


def _mostly_none(random: Strategy) -> Strategy:
    return st.integers(0, 9).flatmap(lambda die: random if die == 9 else st.just({}))

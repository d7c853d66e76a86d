"""Numbers for nodes: equal for nodes that mean the same, also where they lead to themselves.

A number depends on nothing but the node and what it leads to, so that it holds in every document. Nodes that lead to no
cycle are numbered from below, each once. Those on a cycle, or between two, are told apart in rounds, each by what it is
and by what it leads to in the round before, until a round tells no more apart; alternatives that are equal then are dropped,
and the rounds begin again. Those above are numbered from below again.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson

from bodydouble_spec.errors import ContractError
from bodydouble_spec.meaning.alternatives import Simplification
from bodydouble_spec.meaning.keywords import Keywords
from bodydouble_spec.meaning.node import Alternative, Node

__all__ = ["digest", "encoded", "form_of", "identify"]

# In a graph that tells one node apart in each round, the rounds are as many as the nodes.
_MAX_STEPS = 3_000_000
_SETS = {"enum", "required", "type"}
# They tell how the schema is written, for messages.
_NO_MEANING = {"declared", "isConst", "isImplied"}


def encoded(value: Any) -> bytes:
    """Return a value as JSON with its keys in order."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        # orjson refuses integers beyond 64 bits and lone surrogates.
        import json

        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def digest(value: Any) -> str:
    """Return a digest of a JSON value whose keys may be in any order."""
    return hashlib.blake2b(encoded(value), digest_size=16).hexdigest()


def identify(nodes: Iterable[Node]) -> None:
    """Set ``number`` and ``is_cyclic`` of each node and of all below it.

    Raises ContractError when the graph is too large to be distinguished.
    """
    roots, budget, reduced = [*nodes], _Budget(), set[Node]()
    while True:
        below = _reached(roots)
        for node in _from_below(below):
            if _drop_equal_alternatives(node, reduced, _own_number):
                _number_new(node)
            node.number = digest(form_of(node))
        cyclic = {
            node: [child for child in children if not child.number]
            for node, children in below.items()
            if not node.number
        }
        above = _from_above(cyclic)
        core = {node: children for node, children in cyclic.items() if node not in above}
        kinds = _kinds(core, budget)
        if not _drop_on_cycles(kinds, reduced):
            break
    for node in cyclic:
        node.is_cyclic = True
    _number_cycles(core, kinds, budget)
    # A node above may be a turn of a cycle that is written once more.
    known = {digest(form_of(node)): node.number for node in core}
    for node in reversed(above):
        if _drop_equal_alternatives(node, reduced, _own_number):
            _number_new(node)
        form = digest(form_of(node))
        node.number = known.get(form, form)


def _drop_on_cycles(kinds: dict[Node, str], reduced: set[Node]) -> bool:
    """Drop equal alternatives of nodes on cycles, after which their kinds are others; return whether there were any."""

    def number(child: Node) -> str:
        # One that was made just now is like no other.
        return child.number or kinds.get(child) or str(id(child))

    changed = [node for node in kinds if _drop_equal_alternatives(node, reduced, number)]
    return bool(changed)


def _number_new(node: Node) -> None:
    for child in node.children:
        if not child.number:
            child.number = digest(form_of(child))


def _drop_equal_alternatives(node: Node, reduced: set[Node], number: Callable[[Node], str]) -> bool:
    """Keep one of the alternatives that mean the same, and simplify what is left; return whether that was done.

    ``reduced`` has the nodes where it was done, so that one with such an alternative is simplified too. ``number`` tells
    the nodes below apart.
    """
    was_reduced = node in reduced
    is_changed = False
    for keyword in ("anyOf", "oneOf"):
        group: list[Alternative] = node.value.get(keyword, [])
        first: dict[str, Alternative] = {}
        for item in group:
            first.setdefault(number(item.node), item)
        left = [*first.values()] if keyword == "anyOf" else group
        if len(left) == len(group) and (was_reduced or not any(item.node in reduced for item in group)):
            continue
        del node.value[keyword]
        if Simplification(node, keyword, left).apply() is not None:
            node.value[keyword] = left
        Keywords.drop_foreign(node.value)
        reduced.add(node)
        is_changed = True
    return is_changed


def _reached(nodes: Iterable[Node]) -> dict[Node, list[Node]]:
    """Return the nodes without a number that these lead to, each with the nodes directly below."""
    found: dict[Node, list[Node]] = {}
    waiting = [node for node in nodes if not node.number]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found[node] = [child for child in node.children if not child.number]
            waiting += found[node]
    return found


def _from_below(below: dict[Node, list[Node]]) -> list[Node]:
    """Return the nodes that lead to no cycle, each behind all that it leads to."""
    above: dict[Node, list[Node]] = {node: [] for node in below}
    for node, children in below.items():
        for child in children:
            above[child].append(node)
    return _peeled(above, {node: len(children) for node, children in below.items()})


def _from_above(below: dict[Node, list[Node]]) -> dict[Node, None]:
    """Return the nodes that no cycle leads to, each behind all that lead to it."""
    counts = dict.fromkeys(below, 0)
    for children in below.values():
        for child in children:
            counts[child] += 1
    return dict.fromkeys(_peeled(below, counts))


def _peeled(onward: dict[Node, list[Node]], counts: dict[Node, int]) -> list[Node]:
    """Return the nodes whose count is zero, and those whose count falls to zero as each takes one from the next ones."""
    done = [node for node, count in counts.items() if not count]
    for node in done:
        for following in onward[node]:
            counts[following] -= 1
            if not counts[following]:
                done.append(following)  # read by the loop above
    return done


def _number_cycles(core: dict[Node, list[Node]], kinds: dict[Node, str], budget: "_Budget") -> None:
    """Set the numbers of the nodes on cycles and between them."""
    members: dict[str, list[Node]] = {}
    for node, kind in kinds.items():
        members.setdefault(kind, []).append(node)
    below = {kind: [kinds[child] for child in core[same[0]]] for kind, same in members.items()}
    for group in _components(below):
        numbers = _group_numbers({kind: members[kind][0] for kind in group}, kinds, below, budget)
        for kind, number in numbers.items():
            for node in members[kind]:
                node.number = number


class _Budget:
    """The steps that are left."""

    def __init__(self) -> None:
        self._left = _MAX_STEPS

    def take(self, count: int) -> None:
        """Take steps; raises ContractError when none are left."""
        self._left -= count
        if self._left < 0:
            raise ContractError("the schemas of this document refer to each other in too many ways; not compared")


def _kinds(core: dict[Node, list[Node]], budget: _Budget) -> dict[Node, str]:
    """Return what tells the nodes apart: equal for those that mean the same, in this graph."""
    size = sum(map(len, core.values())) + len(core)
    current = dict.fromkeys(core, "")
    count = min(len(core), 1)
    while core:
        budget.take(size)
        before = current

        def number(child: Node, before: dict[Node, str] = before) -> str:
            return child.number or before[child]

        current = {node: digest([before[node], form_of(node, number)]) for node in core}
        apart = len(set(current.values()))
        if apart == count:
            break
        count = apart
    return current


def _group_numbers(
    group: dict[str, Node], kinds: dict[Node, str], below: dict[str, list[str]], budget: _Budget
) -> dict[str, str]:
    """Return the numbers of kinds that lead to each other; each is the digest of its own place among all of them."""
    if len(group) == 1 and not group.keys() & {*below[next(iter(group))]}:
        return {kind: digest(form_of(node)) for kind, node in group.items()}
    size = sum(len(below[kind]) + 1 for kind in group)
    current = dict.fromkeys(group, "")
    is_apart = False
    while not is_apart:
        # All are told apart in the round before, so that this one tells which leads to which.
        is_apart = len(set(current.values())) == len(group)
        budget.take(size)
        before = current

        def number(child: Node, before: dict[str, str] = before) -> str:
            return child.number or before[kinds[child]]

        current = {kind: digest([before[kind], form_of(node, number)]) for kind, node in group.items()}
    whole = digest(sorted(current.values()))
    return {kind: digest([number, whole]) for kind, number in current.items()}


def _components(below: dict[str, list[str]]) -> Iterator[list[str]]:
    """Yield the strongly connected components of a graph, each behind those that it leads to (Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    waiting: list[str] = []
    done: set[str] = set()
    for root in below:
        path = [] if root in index else [(root, iter(below[root]))]
        while path:
            key, rest = path[-1]
            if key not in index:
                index[key] = low[key] = len(index)
                waiting.append(key)
            for child in rest:
                if child not in index:
                    path.append((child, iter(below[child])))
                    break
                if child not in done:
                    low[key] = min(low[key], low[child])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[key])
                if low[key] == index[key]:
                    group: list[str] = []
                    while key not in done:
                        group.append(waiting.pop())
                        done.add(group[-1])
                    yield group


def _own_number(node: Node) -> str:
    return node.number


def form_of(node: Node, number: Callable[[Node], str] = _own_number) -> dict[str, Any]:
    """Return what a node is, with numbers in place of the nodes below."""
    form: dict[str, Any] = {}
    for key, value in node.value.items():
        kind = value.__class__
        if key in _NO_MEANING:
            continue
        if kind is Node:
            value = number(value)
        elif kind is dict:
            value = _numbered(value, number)
        elif kind is list:
            value = _listed(key, value, number)
        form[key] = value
    return form


def _numbered(value: Mapping[str, Any], number: Callable[[Node], str]) -> dict[str, Any]:
    return {
        name: number(item) if item.__class__ is Node else (_numbered(item, number) if item.__class__ is dict else item)
        for name, item in value.items()
    }


def _listed(key: str, value: list[Any], number: Callable[[Node], str]) -> list[Any]:
    kind = value[0].__class__ if value else None
    if kind is Alternative:
        numbers = [number(item.node) for item in value]
        return sorted(numbers if key == "oneOf" else set(numbers))
    if kind is Node:
        return [number(item) for item in value]
    return sorted(map(digest, value)) if key in _SETS else value

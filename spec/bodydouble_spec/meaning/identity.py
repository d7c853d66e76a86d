"""Numbers for nodes: equal for nodes that mean the same, also where they lead to themselves.

Nodes that lead to no cycle are numbered from below. All others are told apart in rounds, each by what it is and by the
numbers of what it leads to in the round before, until a round tells no more apart.
"""

import gc
import hashlib
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any

import orjson

from bodydouble_spec.errors import ContractError
from bodydouble_spec.meaning.keywords import plain
from bodydouble_spec.meaning.node import Alternative, Node
from bodydouble_spec.values import is_array, is_object

__all__ = ["digest", "encoded", "form_of", "identify", "without_collection"]

# In a graph that tells one node apart in each round, the rounds are as many as the nodes.
_MAX_STEPS = 3_000_000
_SETS = {"enum", "required", "type"}
# They tell how the schema is written, for messages.
_NO_MEANING = {"declared", "isConst", "isImplied"}


@contextmanager
def without_collection() -> Generator[None]:
    """Keep the garbage collector from reading hundreds of thousands of new objects again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


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


class Numbers(dict[int, str]):
    """Digests by the ids of nodes; ``cyclic`` are the ids of those that lead to a cycle."""

    cyclic: frozenset[int] = frozenset()


def identify(nodes: Iterable[Node]) -> Numbers:
    """Return a digest for each node and all below it, by the node's id, and set ``number`` and ``is_cyclic``.

    Raises ContractError when the graph is too large to be told apart.
    """
    reached = _reached(nodes)
    children = {key: [id(child) for child in node.children] for key, node in reached.items()}
    known = Numbers()
    order = _from_below(children)
    for key in order:
        known[key] = digest(form_of(reached[key], known.__getitem__))
    cyclic = {key: node for key, node in reached.items() if key not in known}
    for node in cyclic.values():
        node.is_cyclic = True
    known |= _rounds(cyclic, known, sum(len(children[key]) + 1 for key in cyclic))
    known.cyclic = frozenset(cyclic)
    for key, node in reached.items():
        node.number = known[key]
    return known


def _reached(nodes: Iterable[Node]) -> dict[int, Node]:
    found: dict[int, Node] = {}
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if id(node) not in found:
            found[id(node)] = node
            waiting += node.children
    return found


def _from_below(children: dict[int, list[int]]) -> list[int]:
    """Return the keys that lead to no cycle, each behind all that it leads to."""
    above: dict[int, list[int]] = {key: [] for key in children}
    left = {key: len(below) for key, below in children.items()}
    for key, below in children.items():
        for child in below:
            above[child].append(key)
    done = [key for key, count in left.items() if not count]
    for key in done:
        for parent in above[key]:
            left[parent] -= 1
            if not left[parent]:
                done.append(parent)  # read by the loop above
    return done


def _rounds(cyclic: dict[int, Node], known: dict[int, str], size: int) -> dict[int, str]:
    current: dict[int, str] = dict.fromkeys(cyclic, "")
    count = 1 if cyclic else 0
    steps = 0
    while cyclic:
        steps += size
        if steps > _MAX_STEPS:
            raise ContractError("the schemas of this document refer to each other in too many ways; not compared")
        before = current

        def number(key: int, before: Mapping[int, str] = before) -> str:
            return before[key] if key in before else known[key]

        current = {key: digest([before[key], form_of(node, number)]) for key, node in cyclic.items()}
        apart = len(set(current.values()))
        if apart == count:
            # What the classes lead to is in the digests of this round.
            return current
        count = apart
    return current


def form_of(node: Node, number: Callable[[int], str]) -> dict[str, Any]:
    """Return what a node is, with numbers in place of the nodes below."""
    return {key: _canonical(key, item, number) for key, item in node.value.items() if key not in _NO_MEANING}


def _canonical(key: str, value: Any, number: Callable[[int], str]) -> Any:
    if isinstance(value, Node):
        return number(id(value))
    if is_array(value):
        if value and isinstance(value[0], Alternative):
            numbers = [number(id(item.node)) for item in value]
            return sorted(numbers if key == "oneOf" else set(numbers))
        if value and isinstance(value[0], Node):
            return [number(id(item)) for item in value]
        if key in _SETS:
            return sorted(map(digest, value))
        return plain(value)
    if is_object(value) and any(_holds_node(item) for item in value.values()):
        return {name: _canonical("", item, number) for name, item in value.items()}
    return plain(value)


def _holds_node(value: Any) -> bool:
    return isinstance(value, Node) or (is_object(value) and any(isinstance(item, Node) for item in value.values()))

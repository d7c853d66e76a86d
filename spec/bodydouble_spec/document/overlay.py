"""OpenAPI Overlay 1.0: facts about the service beyond its published document, each action with its evidence.

The document wins wherever it speaks: ``x-applies-to`` names the contracts that an overlay is about, and an action's
``x-expects`` what it found in the document when it was written. What a document says differently is left as it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bodydouble_spec.defects import shorten, show
from bodydouble_spec.document.expectations import (
    ABSENT,
    Conflict,
    Scope,
    conflicts,
    expand,
    says_all,
    with_own_scheme,
    without,
)
from bodydouble_spec.document.facts import Fact, Overlaid
from bodydouble_spec.errors import OverlayError
from bodydouble_spec.finding import Evidence, Finding, Severity
from bodydouble_spec.values import copy_json, is_array, is_object, join_pointer, resolve_pointer

__all__ = ["Action", "Overlay"]

_SHOWN_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class Action:
    """One change: a JSONPath (RFC 9535) target, and the value to merge there or the order to remove it.

    ``expects`` is what the document has where the action applies (None: anything), ``scope`` the operations it is about.
    """

    target: str
    description: str
    update: Any
    remove: bool
    evidence: Evidence
    source: str
    expects: Any
    scope: Scope


@dataclass(frozen=True, slots=True)
class Overlay:
    """A parsed overlay document."""

    title: str
    actions: tuple[Action, ...]
    scope: Scope

    @classmethod
    def load(cls, path: str | Path) -> "Overlay":
        """Read an overlay (YAML or JSON) from a file or URL.

        Raises OverlayError, naming file and place, when it is malformed, and UnreadableDocument when it cannot be read.
        """
        from bodydouble_spec.document.loader import parse_document, read_source

        document, problem = parse_document(read_source(path))
        if problem is not None:
            raise OverlayError(f"{path}: {problem}")
        return cls.parse(document, str(path))

    @classmethod
    def parse(cls, document: Any, name: str) -> "Overlay":
        """Build an overlay from its parsed document; ``name`` is used in messages."""
        if not is_object(document) or not str(document.get("overlay", "")).startswith("1."):
            raise OverlayError(f"{name}: this is not an OpenAPI Overlay; it needs `overlay: 1.0.0` at the top")
        actions = document.get("actions")
        if not is_array(actions) or not actions:
            raise OverlayError(f"{name}: /actions must be a list with at least one action")
        title = document.get("info", {}).get("title", name) if is_object(document.get("info")) else name
        return cls(
            str(title),
            tuple(_action(item, f"{name}: /actions/{index}", str(title)) for index, item in enumerate(actions)),
            Scope.parse(document.get("x-applies-to"), f"{name}: /x-applies-to"),
        )

    def apply(self, document: dict[str, Any]) -> Overlaid:
        """Apply every action in order to a copy of the document.

        Findings are the actions that match nothing, and the places where the document says something else than an
        action expects and therefore stays as it is. A document that the overlay is not about is not changed.

        Raises OverlayError when an action would replace or remove the whole document.
        """
        if not self.scope.has_document(document):
            return Overlaid(document, (), (_unrelated(self.title),))
        result: dict[str, Any] = copy_json(document)
        facts: list[Fact] = []
        findings: dict[Finding, None] = {}
        for index, action in enumerate(self.actions):
            locations = _locations(action, index, result)
            if not locations:
                findings.setdefault(_unmatched(action, index))
            for location in locations:
                expects = expand(action.expects, action.update)
                found = [] if expects is None else [*conflicts(document, location, expects)]
                findings |= dict.fromkeys(_superseded(action, location, document, found))
                # An absent part is left out by itself; any other difference means that the action is not about this place.
                parts = [conflict.part for conflict in found]
                update = with_own_scheme(without(action.update, parts), result)
                if found and not _is_partly_written(action, found, update):
                    continue
                if not location and (action.remove or not is_object(update)):
                    raise OverlayError(f"/actions/{index} would remove the whole document; target a part of it")
                changed = _remove(result, location) if action.remove else _update(result, location, update)
                pointer = join_pointer("", *location)
                facts += [
                    Fact(pointer + place, action.description, action.evidence, action.source) for place in changed
                ]
        return Overlaid(result, tuple(facts), tuple(findings))


def _locations(action: Action, index: int, document: dict[str, Any]) -> list[tuple[str | int, ...]]:
    """Return the places that an action is about, in an order in which no change moves a later one."""
    import jsonpath_rfc9535

    try:
        nodes = jsonpath_rfc9535.find(action.target, document)
    except jsonpath_rfc9535.JSONPathError as error:
        raise OverlayError(f"/actions/{index}/target cannot be followed in this document: {error}") from None
    about = {node.location for node in nodes if action.scope.has_place(document, node.location)}
    return sorted(about, key=_last_first)


def _is_partly_written(action: Action, found: list[Conflict], update: Any) -> bool:
    """Return whether an action still has something to write beside the places where the document speaks for itself."""
    can_be_left_out = all(conflict.expected == ABSENT and _has(action.update, conflict.part) for conflict in found)
    return not action.remove and can_be_left_out and update != {}


def _has(update: Any, part: tuple[str | int, ...]) -> bool:
    try:
        resolve_pointer(update, part)
    except LookupError:
        return False
    return bool(part)


def _action(item: Any, where: str, title: str) -> Action:
    import jsonpath_rfc9535

    if not is_object(item) or not isinstance(item.get("target"), str):
        raise OverlayError(f"{where} needs a `target`, a JSONPath")
    try:
        jsonpath_rfc9535.compile(item["target"])
    except jsonpath_rfc9535.JSONPathError as error:
        raise OverlayError(f"{where}/target is not a JSONPath (RFC 9535): {error}") from None
    if item.get("remove") is not True and "update" not in item:
        raise OverlayError(f"{where} needs `update` or `remove: true`")
    try:
        evidence = Evidence(item.get("x-evidence", Evidence.ASSUMED))
    except ValueError:
        raise OverlayError(
            f"{where}/x-evidence is {show(item.get('x-evidence'))}; it must be one of {', '.join(Evidence)}"
        ) from None
    source = item.get("x-source", title)
    if not isinstance(source, str):
        raise OverlayError(f"{where}/x-source must be a string, the source of the fact")
    return Action(
        item["target"],
        str(item.get("description") or item["target"]),
        item.get("update"),
        item.get("remove") is True,
        evidence,
        source,
        item.get("x-expects"),
        Scope.parse(item.get("x-applies-to"), f"{where}/x-applies-to"),
    )


def _unmatched(action: Action, index: int) -> Finding:
    return Finding(
        # Facts about one model need not fit another; the document loses nothing.
        "overlay-action-unmatched", Severity.INFO, action.evidence, f"/actions/{index}",
        f"the overlay action {show(action.description)} matches nothing in this document",
        expected=action.target, source="overlay",
    )  # fmt: skip


def _superseded(
    action: Action, location: tuple[str | int, ...], document: dict[str, Any], found: list[Conflict]
) -> Iterator[Finding]:
    """Yield a finding for each place where the document says something else; none where it says what the action says."""
    if found and not action.remove and _says_update(document, location, action.update):
        return
    for conflict in found:
        has_part = _has(action.update, conflict.part)
        ours = resolve_pointer(action.update, conflict.part) if has_part else conflict.expected
        if has_part and says_all(conflict.got, ours):
            continue
        yield Finding(
            "overlay-superseded", Severity.INFO, action.evidence, join_pointer("", *conflict.place),
            f"the overlay action {show(action.description)} is not applied where the document says something else",
            expected=ours, got=_brief(conflict.got), source="overlay",
        )  # fmt: skip


def _brief(said: Any) -> Any:
    return said if len(str(said)) <= _SHOWN_CHARACTERS else shorten(said)


def _says_update(document: dict[str, Any], location: tuple[str | int, ...], update: Any) -> bool:
    try:
        return says_all(resolve_pointer(document, location), update)
    except LookupError:
        return False


def _unrelated(title: str) -> Finding:
    return Finding(
        "overlay-not-applicable", Severity.INFO, Evidence.DOCUMENTED, "",
        f"the overlay {show(title)} is for another service; none of it is applied", source="overlay",
    )  # fmt: skip


def _last_first(location: tuple[str | int, ...]) -> tuple[int, list[tuple[bool, int | str]]]:
    """Order places so that no removal or replacement moves a later one: inner before outer, later items first."""
    return -len(location), [(isinstance(part, str), part if isinstance(part, str) else -part) for part in location]


def _parent(document: Any, location: tuple[str | int, ...]) -> Any:
    value = document
    for part in location[:-1]:
        value = value[part]
    return value


def _remove(document: dict[str, Any], location: tuple[str | int, ...]) -> list[str]:
    del _parent(document, location)[location[-1]]
    return [""]


def _update(document: dict[str, Any], location: tuple[str | int, ...], update: Any) -> list[str]:
    """Update one place; return the pointers of the written places, relative to it."""
    if not location:
        return list(_merge(document, update, ""))
    parent = _parent(document, location)
    target = parent[location[-1]]
    if is_object(target) and is_object(update):
        return list(_merge(target, update, ""))
    # An array gains one entry, or the entries of another array; anything else is replaced.
    is_entry = is_array(target) and not is_array(update)
    parent[location[-1]] = _merged(target, [update] if is_entry else update)
    return [""]


def _merge(target: dict[str, Any], update: dict[str, Any], place: str) -> Iterator[str]:
    """Merge recursively by the Overlay specification; yield the pointers of the written places, relative to the target."""
    for key, value in update.items():
        here = join_pointer(place, key)
        present = target.get(key)
        if is_object(present) and is_object(value):
            yield from _merge(present, value, here)
        else:
            target[key] = _merged(present, value)
            yield here


def _merged(present: Any, update: Any) -> Any:
    added = copy_json(update)
    return [*present, *added] if is_array(present) and is_array(added) else added

"""The document's own word: the contracts that an overlay is about, and the places where a document already says something."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bodydouble_spec.errors import OverlayError
from bodydouble_spec.values import is_array, is_object, pointer_parts, resolve_pointer

__all__ = ["ABSENT", "Conflict", "Scope", "conflicts", "expand", "says_all", "with_own_scheme", "without"]

ABSENT = "absent"
"""The expectation that the document says nothing at a place."""

Place = tuple[str | int, ...]
_MISSING = object()
_MAX_REFERENCES = 20
_OPERATION_PARTS = 3


@dataclass(frozen=True, slots=True)
class Scope:
    """The contracts or operations that something is known of (``x-applies-to``); an empty part does not narrow."""

    hosts: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, value: Any, where: str) -> "Scope":
        """Read an ``x-applies-to``; ``where`` is its place, for messages. Raises OverlayError when it is malformed."""
        if value is None:
            return cls()
        known = ("hosts", "paths", "models")
        if not is_object(value) or not value or not value.keys() <= set(known):
            raise OverlayError(f"{where} must be an object with {', '.join(known)}, each a list of strings")
        for name, texts in value.items():
            if not (is_array(texts) and texts and all(isinstance(text, str) for text in texts)):
                raise OverlayError(f"{where}/{name} must be a list of strings")
        return cls(**{name: frozenset(texts) for name, texts in value.items()})

    def has_document(self, document: Mapping[str, Any]) -> bool:
        """Return whether a repaired document is meant: by the hosts of its servers, without such by path and model."""
        hosts = set(_hosts(document))
        if hosts and self.hosts:
            return bool(hosts & self.hosts)
        if not (self.paths or self.models):
            return not self.hosts
        return any(
            (not self.paths or path in self.paths)
            and (not self.models or bool(self.models.intersection(_models(document, operation))))
            for path, item in document["paths"].items()
            for operation in item.values()
        )

    def has_place(self, document: Mapping[str, Any], location: Place) -> bool:
        """Return whether a place of the document is meant: one in an operation of these models alone, on these paths."""
        if not (self.paths or self.models):
            return True
        if len(location) < _OPERATION_PARTS or location[0] != "paths":
            return False
        models = set(_models(document, resolve_pointer(document, location[:_OPERATION_PARTS])))
        is_model = not self.models or (bool(models) and models <= self.models)
        return is_model and (not self.paths or location[1] in self.paths)


def _hosts(document: Mapping[str, Any]) -> Iterator[str]:
    servers = document.get("servers")
    for server in servers if is_array(servers) else ():
        url = server.get("url") if is_object(server) else None
        try:
            host = urlsplit(url).hostname if isinstance(url, str) else None
        except ValueError:
            continue
        if host is not None:
            yield host


def _models(document: Mapping[str, Any], operation: Any) -> Iterator[str]:
    """Yield the values that an operation's request allows as ``model``; "" for one that is not a text."""
    content = _object(_object(operation, "requestBody"), "content")
    for name in content:
        properties = _object(_follow(document, _object(content, name).get("schema")), "properties")
        model = _follow(document, properties.get("model"))
        values = model.get("enum", [model["const"]] if "const" in model else [])
        yield from (value if isinstance(value, str) else "" for value in values)


def _object(value: Any, key: str) -> dict[str, Any]:
    """Return the object below a key, or an empty one; an extension of a path item may have any shape."""
    inner = value.get(key) if is_object(value) else None
    return inner if is_object(inner) else {}


def _follow(document: Mapping[str, Any], schema: Any) -> dict[str, Any]:
    for _ in range(_MAX_REFERENCES):
        if not (is_object(schema) and isinstance(schema.get("$ref"), str)):
            break
        try:
            schema = resolve_pointer(document, pointer_parts(schema["$ref"]))
        except LookupError:
            return {}
    return schema if is_object(schema) else {}


@dataclass(frozen=True, slots=True)
class Conflict:
    """A place where the document says something else than an action found when it was written.

    ``part`` is the place below the action's target, ``place`` that in the document which says ``got``.
    """

    part: Place
    place: Place
    expected: Any
    got: Any


def expand(expects: Any, update: Any) -> Any:
    """Return an ``x-expects`` in full: ``absent`` alone means absent at every key of the update."""
    return dict.fromkeys(update, ABSENT) if expects == ABSENT and is_object(update) else expects


def conflicts(document: Mapping[str, Any], target: Place, expects: Any, part: Place = ()) -> Iterator[Conflict]:
    """Yield the places at and below an action's target where the document says something else than ``expects``."""
    place, said = _statement(document, (*target, *part))
    if is_object(expects) and (is_object(said) or said is _MISSING):
        for key, inner in expects.items():
            yield from conflicts(document, target, inner, (*part, key))
    elif (said is not _MISSING) if expects == ABSENT else (said is _MISSING or not _is_same(said, expects)):
        yield Conflict(part, place, expects, None if said is _MISSING else said)


def _statement(document: Mapping[str, Any], place: Place) -> tuple[Place, Any]:
    """Return what the document says at a place, and where: an operation's security and a status may be said more generally."""
    said = _value(document, place)
    if said is not _MISSING or len(place) <= _OPERATION_PARTS or place[0] != "paths":
        return place, said
    match place[_OPERATION_PARTS:]:
        case ("security",):
            return ("security",), document.get("security", _MISSING)
        case ("responses", str() as status):
            covering = [(*place[:-1], key) for key in (f"{status[:1]}XX", "default")]
            return next(
                ((wider, _value(document, wider)) for wider in covering if _is_said(document, wider)), (place, said)
            )
        case _:
            return place, said


def _value(document: Mapping[str, Any], place: Place) -> Any:
    try:
        return resolve_pointer(document, place)
    except LookupError:
        return _MISSING


def _is_said(document: Mapping[str, Any], place: Place) -> bool:
    return _value(document, place) is not _MISSING


def _is_same(one: Any, other: Any) -> bool:
    """Return whether two JSON values are equal; True is not 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def says_all(said: Any, update: Any) -> bool:
    """Return whether a value of the document has all that an update would put there."""
    if is_object(said) and is_object(update):
        return all(key in said and says_all(said[key], value) for key, value in update.items())
    return _is_same(said, update)


def without(update: Any, parts: Sequence[Place]) -> Any:
    """Return a copy of an update without some of its parts, and without the objects that are then empty."""
    if not is_object(update) or not parts or () in parts:
        return update
    result: dict[str, Any] = {}
    for key, value in update.items():
        below = [part[1:] for part in parts if part[0] == key]
        if () in below:
            continue
        rest = without(value, below)
        if rest != {} or value == {}:
            result[key] = rest
    return result


def with_own_scheme(update: Any, document: Mapping[str, Any]) -> Any:
    """Return an update whose security requirements name a bearer scheme as the document does."""
    if not (is_object(update) and is_array(update.get("security"))):
        return update
    schemes = _value(document, ("components", "securitySchemes"))
    known: dict[str, Any] = schemes if is_object(schemes) else {}
    own = next((name for name, item in known.items() if is_object(item) and item.get("scheme") == "bearer"), None)
    if own is None:
        return update
    named = [
        {name if name in known else own: scopes for name, scopes in item.items()} if is_object(item) else item
        for item in update["security"]
    ]
    return {**update, "security": named}

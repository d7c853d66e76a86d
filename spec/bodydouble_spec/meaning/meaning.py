"""A document by its meaning: the one form that is compared and fingerprinted."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from bodydouble_spec.document import METHODS, Repaired, repair, without_collection
from bodydouble_spec.meaning.identity import digest, encoded, identify
from bodydouble_spec.meaning.node import Node
from bodydouble_spec.meaning.operations import Operations, Part
from bodydouble_spec.meaning.schemas import Schemas
from bodydouble_spec.meaning.wire import Unread, servers_of, without_prose
from bodydouble_spec.schema import PROSE
from bodydouble_spec.values import is_array, is_object, join_pointer, template_of

__all__ = ["Forms", "Meaning", "fingerprint", "wider_media_types", "wider_statuses"]

_ROOT = {*PROSE, "components", "info", "openapi", "paths", "security", "servers", "tags", "webhooks"}
_ITEM = {*METHODS, *PROSE, "parameters", "servers", "$ref"}
_SCHEME = ("type", "scheme", "in", "name", "openIdConnectUrl", "flows")


def fingerprint(document: Any) -> str:
    """Return the SHA-256, as 64 hexadecimal digits, of the meaning of an OpenAPI document, repaired where it has defects.

    Two documents have one fingerprint exactly when `diff` finds no change between them. Raises ContractError when the
    document is too large to be distinguished from others.
    """
    return Meaning(repair(document)).fingerprint


class Meaning:
    """The meaning of a repaired document: operations by method and path without the names of its parameters, and what they share."""

    @without_collection()
    def __init__(self, repaired: Repaired) -> None:
        self.repaired = repaired
        self.document = repaired.document
        is_directed = _is_directed(self.document)
        self._requests = Schemas(self.document, "readOnly" if is_directed else None)
        self._answers = Schemas(self.document, "writeOnly") if is_directed else self._requests
        self._callbacks: dict[str, Part] = {}
        self._unread = Unread(self.document)
        reader = Operations(self.document, self._requests, self._answers, self._unread, self._callbacks)
        self.operations: dict[tuple[str, str], Part] = {}
        self.paths: dict[tuple[str, str], str] = {}
        self.unread: dict[str, Part] = {}
        paths: dict[str, Any] = self.document["paths"]
        self._read_callbacks(reader)
        for path, item in paths.items():
            pointer = join_pointer("/paths", path)
            template = template_of(path)
            for method, part in reader.of_item(path, item, pointer, pointer):
                self.operations.setdefault((method, template), part)
                self.paths.setdefault((method, template), path)
            self._add_unread(path, item, pointer)
        self._add_root_unread()

    def _add_unread(self, name: str, item: Mapping[str, Any], pointer: str) -> None:
        rest = {
            key: self._unread.value(value, key)
            for key, value in item.items()
            if key not in _ITEM and not key.startswith("x-")
        }
        if rest:
            self.unread[template_of(name)] = Part(rest, pointer, name)

    def _add_root_unread(self) -> None:
        rest = {
            key: self._unread.value(value, key)
            for key, value in self.document.items()
            if key not in _ROOT and not key.startswith("x-")
        }
        if rest:
            self.unread[""] = Part(rest, "", "the document")

    @cached_property
    def servers(self) -> list[dict[str, Any]]:
        """The servers of the whole document."""
        return servers_of(self.document.get("servers"))

    @cached_property
    def schemes(self) -> Mapping[str, Any]:
        """The security schemes by name."""
        schemes: Any = (
            self.document["components"].get("securitySchemes", {}) if is_object(self.document.get("components")) else {}
        )
        return {name: item for name, item in schemes.items() if is_object(item)}

    def scheme(self, name: str) -> Any:
        """Return what a client must know of a security scheme, in one spelling."""
        found = self.schemes.get(name, {})
        kept = {key: without_prose(found[key]) for key in _SCHEME if key in found}
        if kept.get("in") == "header":
            kept["name"] = str(kept.get("name")).lower()
        if "scheme" in kept:
            kept["scheme"] = str(kept["scheme"]).lower()
        return kept

    def alternatives(self, security: Any) -> list[dict[str, list[str]]]:
        """Return the ways to be authorized, each with its schemes and their scopes; an empty one needs nothing."""
        found = [
            {name: sorted(map(str, scopes)) if is_array(scopes) else [] for name, scopes in item.items()}
            for item in (security if is_array(security) else ())
            if is_object(item)
        ]
        return found or [{}]

    def security(self, part: Part) -> list[dict[str, list[str]]]:
        """Return the ways to be authorized for an operation."""
        return self.alternatives(part.value.get("security", self.document.get("security")))

    @cached_property
    def used_schemes(self) -> set[str]:
        """The names of the security schemes that an operation applies."""
        return {name for part in self._every_operation() for way in self.security(part) for name in way}

    def _every_operation(self) -> Iterator[Part]:
        yield from self.operations.values()
        for item in self._callbacks.values():
            yield from item.value.values()

    @cached_property
    def webhooks(self) -> dict[str, Part]:
        """The webhooks by name, each a part with its methods."""
        webhooks = self.document.get("webhooks")
        return {
            name: self._callbacks[place]
            for name in (webhooks if is_object(webhooks) else {})
            if (place := self._webhook_places.get(name)) in self._callbacks
        }

    def _read_callbacks(self, reader: Operations) -> None:
        """Read the path items of webhooks and callbacks, each once; they are repaired like any others."""
        found: dict[str, Any] = {}
        self._webhook_places: dict[str, str] = {}
        webhooks = self.document.get("webhooks")
        for name, item in (webhooks if is_object(webhooks) else {}).items():
            target, place = reader.followed(item, join_pointer("/webhooks", name))
            found[place] = target
            self._webhook_places[name] = place
        waiting = [
            (operation, join_pointer(base, method))
            for base, item in [
                *((join_pointer("/paths", path), item) for path, item in self.document["paths"].items()),
                *found.items(),
            ]
            for method, operation in item.items()
            if method in METHODS
        ]
        while waiting:
            operation, pointer = waiting.pop()
            callbacks = operation.get("callbacks") if is_object(operation) else None
            for name, callback in (callbacks if is_object(callbacks) else {}).items():
                expressions, here = reader.followed(callback, join_pointer(pointer, "callbacks", name))
                for expression, item in expressions.items():
                    target, place = reader.followed(item, join_pointer(here, expression))
                    if place not in found and not expression.startswith("x-"):
                        found[place] = target
                        waiting += [
                            (target[method], join_pointer(place, method)) for method in METHODS if method in target
                        ]
        if not found:
            return
        places = list(found)
        items = {f"/{index}": found[place] for index, place in enumerate(places)}
        again = repair({**self.document, "paths": items, "webhooks": {}}).document["paths"]
        backwards = reader.reversed()
        for place in places:
            self._callbacks[place] = Part({}, place)
        for index, place in enumerate(places):
            item = again.get(f"/{index}", {})
            self._callbacks[place].value |= dict(backwards.of_item("", item, place, place))
            self._add_unread(place, item, place)

    def build(self) -> list[Node]:
        """Build every node, and return those that the operations lead to directly."""
        for schemas in dict.fromkeys((self._requests, self._answers)):
            schemas.finish()
        found: list[Node] = []
        waiting: list[Any] = list(self._every_operation())
        while waiting:
            value = waiting.pop()
            if isinstance(value, Node):
                found.append(value)
            elif isinstance(value, Part):
                waiting += [item for key, item in value.value.items() if key != "callbacks"]
            elif is_object(value):
                waiting += value.values()
        return found

    @cached_property
    @without_collection()
    def fingerprint(self) -> str:
        """The SHA-256 of the meaning, as 64 hexadecimal digits."""
        return hashlib.sha256(self.forms.data()).hexdigest()

    @cached_property
    def forms(self) -> "Forms":
        """The parts as values that are equal when they mean the same. Raises ContractError beyond a budget."""
        identify(self.build())
        return Forms(self)


def _is_directed(document: Mapping[str, Any]) -> bool:
    """Return whether a message of one direction may have other properties than one of the other."""
    text = encoded(document)
    return b'"readOnly"' in text or b'"writeOnly"' in text


class Forms:
    """The parts of a document as JSON values that are equal when the parts mean the same."""

    def __init__(self, meaning: Meaning) -> None:
        self._meaning = meaning
        self._known: dict[int, str] = {}
        self._open: list[int] = []

    def operation(self, part: Part, *, is_incoming: bool = False) -> str:
        """Return the form of an operation, with the security and the servers that are in effect."""
        if id(part) in self._known:
            return self._known[id(part)]
        value = {
            key: self.part(item) for key, item in part.value.items() if key not in {"callbacks", "security", "servers"}
        }
        value["responses"] = _not_covered(self.part(part.value["responses"]), wider_statuses)
        if not is_incoming or "security" in part.value:
            value["security"] = self.security(self._meaning.security(part))
        if not is_incoming or "servers" in part.value:
            value["servers"] = part.value.get("servers", self._meaning.servers)
        self._open.append(id(part))
        value["callbacks"] = {
            name: self.item(item) for name, item in part.value.get("callbacks", {}).items() if item is not None
        }
        self._open.pop()
        form = digest(value)
        if not self._open:
            self._known[id(part)] = form
        return form

    def item(self, item: Part) -> Any:
        """Return the form of the operations of a webhook or callback."""
        return {
            method: ["up", len(self._open) - self._open.index(id(part))]
            if id(part) in self._open
            else self.operation(part, is_incoming=True)
            for method, part in item.value.items()
        }

    def security(self, ways: list[dict[str, list[str]]]) -> list[str]:
        """Return the form of the ways to be authorized, whatever the names of the schemes."""
        return sorted(
            {
                digest(sorted([digest(self._meaning.scheme(name)), scopes] for name, scopes in way.items()))
                for way in ways
            }
        )

    def part(self, value: Any) -> Any:
        """Return the form of a part below an operation."""
        if isinstance(value, Node):
            return value.number
        if isinstance(value, Part):
            # A body without a schema is one of any kind.
            forms = {
                key: self.part(item)
                for key, item in value.value.items()
                if not (isinstance(item, Node) and not item.value)
            }
            if isinstance(value.value.get("content"), dict):
                forms["content"] = _not_covered(forms["content"], wider_media_types)
            return forms
        if is_object(value):
            return {key: self.part(item) for key, item in value.items()}
        return value

    def data(self) -> bytes:
        """Return the form of the whole document."""
        meaning = self._meaning
        value: dict[str, Any] = {
            "operations": [[*key, self.operation(part)] for key, part in sorted(meaning.operations.items())],
            "webhooks": {name: self.item(item) for name, item in meaning.webhooks.items()},
            "schemes": sorted(
                digest(meaning.scheme(name)) for name in meaning.schemes if name not in meaning.used_schemes
            ),
            "unread": {name: part.value for name, part in meaning.unread.items()},
        }
        if not meaning.operations:
            value |= {
                "servers": meaning.servers,
                "security": self.security(meaning.alternatives(meaning.document.get("security"))),
            }
        return digest(value).encode()


def _not_covered(forms: Mapping[str, Any], wider: Callable[[str], tuple[str, ...]]) -> dict[str, Any]:
    """Return the forms of statuses or media types, without those that a wider one says already."""
    return {key: form for key, form in forms.items() if all(forms.get(other) != form for other in wider(key))}


def wider_statuses(status: str) -> tuple[str, ...]:
    """Return the keys of ``responses`` that cover a status too: its range, and the default."""
    if status == "default":
        return ()
    return ("default",) if status.endswith("XX") else (f"{status[0]}XX", "default")


def wider_media_types(name: str) -> tuple[str, ...]:
    """Return the keys of ``content`` that cover a media type too: its range, and that of all."""
    major, _, minor = name.partition("/")
    if minor == "*":
        return () if major == "*" else ("*/*",)
    return (f"{major}/*", "*/*")

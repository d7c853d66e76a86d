"""Operations by their meaning: parameters, bodies, answers, security and servers as they are in effect."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from bodydouble_spec.document import METHODS, UNREAD_PARAMETERS
from bodydouble_spec.meaning.node import Node, Source
from bodydouble_spec.meaning.schemas import Schemas
from bodydouble_spec.meaning.wire import Unread, encoding_of, media_type_of, serialization_of, servers_of
from bodydouble_spec.schema import PROSE
from bodydouble_spec.values import is_array, is_object, join_pointer, path_names, pointer_parts, resolve_pointer

__all__ = ["OPERATION_KEYWORDS", "Operations", "Part"]

OPERATION_KEYWORDS = frozenset((
    "callbacks", "deprecated", "operationId", "parameters", "requestBody", "responses", "security", "servers", "tags",
))  # fmt: skip
"""The keywords of an operation that have a meaning here; the rest is kept as it is written."""
_PARAMETER = {
    "allowEmptyValue", "allowReserved", "content", "deprecated", "explode", "in", "name", "required", "schema", "style",
}  # fmt: skip
_MAX_REFERENCES = 100


@dataclass(slots=True)
class Part:
    """A part of an operation: its canonical keys, the pointer to it, and its name in the document."""

    value: dict[str, Any]
    pointer: str
    name: str = ""

    def child(self, *keys: str | int) -> str:
        """Return the pointer to a place below, as the document spells it."""
        value: Any = self.value
        for key in keys:
            value = value.get(str(key)) if is_object(value) else None
        return value.pointer if isinstance(value, Part | Node) else join_pointer(self.pointer, *keys)


@dataclass(slots=True)
class Operations:
    """The operations of one document.

    ``requests`` and ``answers`` make the nodes of what a client sends and gets; for a webhook or callback, where the
    service calls the client, they change places. ``unread`` returns the parts that have no form of their own.
    """

    document: Mapping[str, Any]
    requests: Schemas
    answers: Schemas
    unread: Unread
    callbacks: Mapping[str, Part] = field(default_factory=dict[str, Part])

    def reversed(self) -> "Operations":
        """Return the reader of webhooks and callbacks."""
        return Operations(self.document, self.answers, self.requests, self.unread, self.callbacks)

    def of_item(self, path: str, item: Mapping[str, Any], pointer: str, place: str) -> Iterator[tuple[str, Part]]:
        """Yield method and operation for each method of the path item at ``pointer``; ``place`` is the pointer shown."""
        for method in METHODS:
            if is_object(item.get(method)):
                own = item[method]
                servers = own.get("servers") or item.get("servers")
                yield (
                    method,
                    self._operation(path, own, servers, join_pointer(pointer, method), join_pointer(place, method)),
                )

    def _operation(self, path: str, item: Mapping[str, Any], servers: Any, pointer: str, place: str) -> Part:
        value: dict[str, Any] = self._rest(item, OPERATION_KEYWORDS)
        if item.get("deprecated") is True:
            value["deprecated"] = True
        if "operationId" in item:
            value["operationId"] = item["operationId"]
        if is_array(item.get("tags")) and item["tags"]:
            value["tags"] = sorted({str(tag) for tag in item["tags"]})
        if UNREAD_PARAMETERS in item:
            value["unreadParameters"] = self.unread.value(item[UNREAD_PARAMETERS])
        value["parameters"] = dict(self._parameters(path, item.get("parameters"), join_pointer(place, "parameters")))
        if is_object(item.get("requestBody")):
            value["requestBody"] = self._body(item["requestBody"], join_pointer(place, "requestBody"))
        responses = item.get("responses")
        value["responses"] = {
            status if status == "default" else status.upper(): self._response(
                response, join_pointer(place, "responses", status)
            )
            for status, response in (responses if is_object(responses) else {}).items()
            if is_object(response)
        }
        if "security" in item:
            value["security"] = item["security"]
        if servers:
            value["servers"] = servers_of(servers)
        callbacks = item.get("callbacks")
        if is_object(callbacks) and callbacks:
            value["callbacks"] = dict(self._callbacks(callbacks, join_pointer(place, "callbacks")))
        return Part(value, place)

    def _parameters(self, path: str, parameters: Any, pointer: str) -> Iterator[tuple[str, Part]]:
        names = path_names(path)
        for index, item in enumerate(parameters if is_array(parameters) else ()):
            place, name = item["in"], item["name"]
            key = name.lower() if place == "header" else name
            if place == "path" and name in names:
                key = str(names.index(name))
            yield f"{place} {key}", self._parameter(item, place, join_pointer(pointer, index), self.requests, name)

    def _parameter(self, item: Mapping[str, Any], place: str, pointer: str, schemas: Schemas, name: str) -> Part:
        value: dict[str, Any] = self._rest(item, _PARAMETER)
        value |= {key: True for key in ("allowEmptyValue", "deprecated", "required") if item.get(key) is True}
        content = item.get("content")
        if is_object(content) and content:
            media_type, found = next(iter(content.items()))
            value["serialization"] = {"content": media_type_of(media_type)}
            found = found if is_object(found) else {}
            source = Source(found.get("schema", {}), join_pointer(pointer, "content", media_type, "schema"))
            value["schema"] = schemas.built(schemas.node(source))
        else:
            node = schemas.built(schemas.node(Source(item.get("schema", {}), join_pointer(pointer, "schema"))))
            value["serialization"] = serialization_of(item, place, node)
            value["schema"] = node
        return Part(value, pointer, name)

    def _body(self, item: Mapping[str, Any], pointer: str) -> Part:
        value: dict[str, Any] = self._rest(item, {"content", "required"})
        if item.get("required") is True:
            value["required"] = True
        value["content"] = self._content(item.get("content"), join_pointer(pointer, "content"), self.requests)
        return Part(value, pointer)

    def _content(self, content: Any, pointer: str, schemas: Schemas) -> dict[str, Part]:
        result: dict[str, Part] = {}
        for name, item in (content if is_object(content) else {}).items():
            if not is_object(item):
                continue
            here = join_pointer(pointer, name)
            value = self._rest(item, {"encoding", "schema"})
            node = None
            if "schema" in item:
                node = schemas.built(schemas.node(Source(item["schema"], join_pointer(here, "schema"))))
                value["schema"] = node
            if node is not None and "encoding" in item:
                for below in node.value.get("properties", {}).values():
                    for inner in schemas.built(below).children:
                        schemas.built(inner)
            encoding = encoding_of(media_type_of(name), item.get("encoding"), node)
            if encoding:
                value["encoding"] = self.unread.value(encoding, "encoding")
            headers = dict(self._part_headers(media_type_of(name), item.get("encoding"), node, here, schemas))
            if headers:
                value["partHeaders"] = headers
            result[media_type_of(name)] = Part(value, here, name)
        return result

    def _response(self, item: Mapping[str, Any], pointer: str) -> Part:
        value: dict[str, Any] = self._rest(item, {"content", "headers"})
        headers = item.get("headers")
        value["headers"] = {
            name.lower(): self._header(name, header, join_pointer(pointer, "headers", name), self.answers)
            for name, header in (headers if is_object(headers) else {}).items()
        }
        value["content"] = self._content(item.get("content"), join_pointer(pointer, "content"), self.answers)
        return Part(value, pointer)

    def _header(self, name: str, header: Any, pointer: str, schemas: Schemas) -> Part:
        found, here = self.followed(header, pointer)
        return self._parameter(found, "header", here, schemas, name)

    def _part_headers(
        self, media_type: str, encoding: Any, node: Node | None, pointer: str, schemas: Schemas
    ) -> Iterator[tuple[str, Part]]:
        """Yield the headers of the parts of a multipart body, by the names of part and header."""
        properties: dict[str, Node] = node.value.get("properties", {}) if node is not None else {}
        if not media_type.startswith("multipart/"):
            return
        for name, item in (encoding if is_object(encoding) else {}).items():
            headers = item.get("headers") if is_object(item) and name in properties else None
            for header, value in (headers if is_object(headers) else {}).items():
                place = join_pointer(pointer, "encoding", name, "headers", header)
                part = self._header(header, value, place, schemas)
                part.name = f"{header}` of the part `{name}"
                yield f"{name} {header.lower()}", part

    def followed(self, value: Any, pointer: str) -> tuple[dict[str, Any], str]:
        """Return an object, or the target of its reference, and the pointer to it; an empty one when there is none."""
        for _ in range(_MAX_REFERENCES):
            if not is_object(value):
                break
            reference = value.get("$ref")
            if not isinstance(reference, str):
                return value, pointer
            try:
                parts = pointer_parts(reference)
                value = resolve_pointer(self.document, parts)
            except LookupError:
                break
            pointer = join_pointer("", *parts)
        return {}, pointer

    def _callbacks(self, callbacks: Mapping[str, Any], pointer: str) -> Iterator[tuple[str, Any]]:
        for name, callback in callbacks.items():
            found, here = self.followed(callback, join_pointer(pointer, name))
            for expression in found:
                if expression.startswith("x-"):
                    continue
                _, place = self.followed(found[expression], join_pointer(here, expression))
                yield f"{name} {expression}", self.callbacks.get(place)

    def _rest(self, item: Mapping[str, Any], known: Set[str]) -> dict[str, Any]:
        """Return the keys of a part that are neither known, nor prose, nor extensions."""
        return {
            key: self.unread.value(value, key)
            for key, value in item.items()
            if key not in known and key not in PROSE and not key.startswith("x-")
        }

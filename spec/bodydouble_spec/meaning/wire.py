"""The form of a message on the wire: media types, names of headers, serialisation, servers."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from bodydouble_spec.document import strip_prose
from bodydouble_spec.errors import ContractError
from bodydouble_spec.meaning.keywords import plain
from bodydouble_spec.meaning.node import Node
from bodydouble_spec.values import is_array, is_object, pointer_parts, resolve_pointer

__all__ = ["Unread", "encoding_of", "media_type_of", "serialization_of", "servers_of", "without_prose"]

_STYLES = {"cookie": "form", "header": "simple", "path": "simple", "query": "form"}
_SCALARS = {"boolean", "integer", "null", "number", "string"}
_MAX_STEPS = 200_000
_PORTS = {"http": 80, "https": 443}


def without_prose(value: Any, key: str = "") -> Any:
    """Return a JSON value without prose and extensions; ``key`` is its key."""
    return plain(strip_prose(value, key))


class Unread:
    """The parts of a document that are compared as they are written, with the targets of their references."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._steps = 0

    def value(self, value: Any, key: str = "") -> Any:
        """Return such a part without prose, with targets in place of references; ``key`` is its key.

        Raises ContractError when that is too large.
        """
        return self._expanded(without_prose(value, key), ())

    def _expanded(self, value: Any, above: tuple[str, ...]) -> Any:
        self._steps += 1
        if self._steps > _MAX_STEPS:
            raise ContractError("the parts of this document that are not read refer to too much; not compared")
        if is_array(value):
            return [self._expanded(item, above) for item in value]
        if not is_object(value):
            return value
        reference = value.get("$ref")
        if not isinstance(reference, str):
            return {name: self._expanded(item, above) for name, item in value.items()}
        if reference in above:
            # On a cycle, what is meant is a number of levels up.
            return {"$ref": len(above) - above.index(reference)}
        try:
            target = without_prose(resolve_pointer(self._document, pointer_parts(reference)))
        except LookupError:
            return value
        beside = {name: self._expanded(item, above) for name, item in value.items() if name != "$ref"}
        found = self._expanded(target, (*above, reference))
        return {**beside, "$ref": found} if beside else found


def media_type_of(name: str) -> str:
    """Return a media type in one spelling: names in lower case, parameters in order; JSON has no charset (RFC 8259)."""
    essence, *parameters = (part.strip() for part in name.split(";"))
    essence = essence.lower()
    found: list[str] = []
    for parameter in filter(None, parameters):
        key, _, value = parameter.partition("=")
        key, value = key.strip().lower(), value.strip()
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        if key == "charset":
            if value.lower() == "utf-8" and (essence.endswith("+json") or essence == "application/json"):
                continue
            value = value.lower()
        found.append(f"{key}={value}")
    return "; ".join([essence, *sorted(found)])


def serialization_of(item: Mapping[str, Any], place: str, node: Node | None) -> dict[str, Any]:
    """Return how the value of a parameter or header becomes text; what makes no difference for its types is left out."""
    style = item.get("style") or _STYLES.get(place, "simple")
    types = set(node.value.get("type", ())) if node is not None else set[str]()
    result: dict[str, Any] = {}
    is_scalar = bool(types) and types <= _SCALARS
    if not (is_scalar and style in {"form", "simple", "spaceDelimited", "pipeDelimited", "deepObject"}):
        result["style"] = style
    if not is_scalar:
        result["explode"] = bool(item.get("explode", style == "form"))
    if place == "query" and item.get("allowReserved") is True:
        result["allowReserved"] = True
    return result


def encoding_of(media_type: str, encoding: Any, schema: Node | None) -> dict[str, Any]:
    """Return the encoding of each property of a form, without what is the default; other bodies have none."""
    is_form = media_type.startswith("application/x-www-form-urlencoded")
    if not (is_object(encoding) and (is_form or media_type.startswith("multipart/"))):
        return {}
    properties: dict[str, Node] = schema.value.get("properties", {}) if schema is not None else {}
    result: dict[str, Any] = {}
    for name, item in encoding.items():
        if name not in properties or not is_object(item):
            continue
        own = without_prose(item)
        if "contentType" in own:
            types = ", ".join(sorted(media_type_of(part) for part in str(own["contentType"]).split(",")))
            own["contentType"] = types
            if types == _content_type(properties[name]):
                del own["contentType"]
        if is_form:
            serialization = serialization_of(own, "query", properties[name])
            own = {key: value for key, value in own.items() if key not in {"style", "explode", "allowReserved"}}
            if serialization != serialization_of({}, "query", properties[name]):
                own |= serialization
        own.pop("headers", None)  # read by themselves
        if own:
            result[name] = own
    return result


def _content_type(node: Node) -> str:
    types = set(node.value.get("type", ())) - {"null"}
    if types == {"array"} and isinstance(items := node.value.get("items"), Node):
        return _content_type(items)
    if types == {"object"}:
        return "application/json"
    if not types or "contentEncoding" in node.value or node.value.get("format") in ("binary", "byte"):
        return "application/octet-stream"
    return "text/plain" if types <= _SCALARS else "application/json"


def servers_of(servers: Any) -> list[dict[str, Any]]:
    """Return the servers in one spelling, each with its URL and the variables that a client may choose, in order of the URLs."""
    listed = (
        [item for item in servers if is_object(item) and isinstance(item.get("url"), str)] if is_array(servers) else []
    )
    found = [_server(item) for item in listed or [{"url": "/"}]]
    unique = {str(item): item for item in found}
    return [unique[key] for key in sorted(unique)]


def _server(item: Mapping[str, Any]) -> dict[str, Any]:
    url: str = item["url"]
    variables = item.get("variables")
    chosen: dict[str, Any] = {}
    for name, variable in (variables if is_object(variables) else {}).items():
        if not is_object(variable) or f"{{{name}}}" not in url:
            continue
        options = variable.get("enum")
        values = sorted(map(str, options)) if is_array(options) else []
        if len(values) > 1:
            chosen[name] = {"default": str(variable.get("default")), "enum": values}
        elif "default" in variable:
            url = url.replace(f"{{{name}}}", str(variable["default"]))
    return {"url": _url(url), "variables": chosen} if chosen else {"url": _url(url)}


def _url(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url.rstrip("/")
    if not parts.netloc:
        return url.rstrip("/")
    user, at, _ = parts.netloc.rpartition("@")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    shown = host if port is None or port == _PORTS.get(parts.scheme.lower()) else f"{host}:{port}"
    return urlunsplit((parts.scheme.lower(), f"{user}{at}{shown}", parts.path.rstrip("/"), parts.query, parts.fragment))

"""Parameters of an operation: read from a request by their style (OpenAPI, "Parameter Object"), and checked."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote, unquote_plus

import orjson

from bodydouble_spec.defects import show
from bodydouble_spec.exchange import is_secret_name
from bodydouble_spec.finding import Evidence, Finding, Severity
from bodydouble_spec.schema import SchemaValidator, SchemaView
from bodydouble_spec.values import is_object, join_pointer

__all__ = ["Parameter", "SentParameters", "parameter_findings", "undeclared_findings"]

_NUMBER = re.compile(r"-?[0-9]{1,300}(\.[0-9]{1,300})?([eE][+-]?[0-9]{1,3})?")
_DEEP = re.compile(r"\[([^\[\]]*)\]")
_USUAL_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
_DELIMITERS = {"spaceDelimited": " ", "pipeDelimited": "|"}
# OpenAPI: parameters of these names are ignored, since media types and security describe them.
_NOT_PARAMETERS = {"accept", "content-type", "authorization"}
_ABSENT = object()
_NULL, _ARRAY, _OBJECT = frozenset(("null",)), frozenset(("array",)), frozenset(("object",))
_MAX_UNDECLARED = 20


@dataclass(frozen=True, slots=True)
class SentParameters:
    """The parameters of one request: ``query`` by decoded name with the values as sent, ``headers`` by lower-case name."""

    query: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    path: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def parse(cls, query: str, headers: Iterable[tuple[str, str]], path: Mapping[str, str]) -> "SentParameters":
        """Read the query string as sent, headers (a repeated one is joined by commas) and the decoded path parameters."""
        values: dict[str, list[str]] = {}
        for part in filter(None, query.split("&")):
            name, _, value = part.partition("=")
            values.setdefault(unquote_plus(name), []).append(value)
        joined: dict[str, str] = {}
        for name, value in headers:
            lowered = name.lower()
            joined[lowered] = f"{joined[lowered]},{value}" if lowered in joined else value
        return cls(values, joined, path)

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies by name, with the values as sent."""
        pairs = (part.strip().partition("=") for part in self.headers.get("cookie", "").split(";"))
        return {name: value.strip('"') for name, equals, value in pairs if equals}


class _Unreadable(ValueError):
    """The text of a parameter is not in the form that the contract has for it."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter. ``location`` is path, query, header or cookie; ``is_json`` tells that its value is JSON (``content``)."""

    name: str
    location: str
    is_required: bool
    validator: SchemaValidator | None
    evidence: Evidence
    style: str
    explode: bool
    is_json: bool
    allows_empty: bool

    @classmethod
    def of(
        cls, item: Mapping[str, Any], validator: SchemaValidator | None, evidence: Evidence, *, is_json: bool
    ) -> "Parameter":
        """Return the parameter of a repaired Parameter Object."""
        location: str = item["in"]
        style = item.get("style")
        chosen = style if isinstance(style, str) else _USUAL_STYLES[location]
        explode = item.get("explode")
        return cls(
            item["name"],
            location,
            item.get("required") is True,
            validator,
            evidence,
            chosen,
            explode if isinstance(explode, bool) else chosen in ("form", "deepObject"),
            is_json,
            item.get("allowEmptyValue") is True,
        )

    @property
    def pointer(self) -> str:
        """The place of the parameter in findings: ``/query/size``."""
        return join_pointer("", self.location, self.name)

    @property
    def is_ignored(self) -> bool:
        """True for a header that OpenAPI describes elsewhere."""
        return self.location == "header" and self.name.lower() in _NOT_PARAMETERS

    def names_query(self, name: str) -> bool:
        """Return whether a query parameter of this name belongs to this parameter."""
        if self.location != "query":
            return False
        if self.is_spread:
            view = self._view
            return name in view.properties or view.additional.is_possible
        return name == self.name or (self.style == "deepObject" and name.startswith(f"{self.name}["))

    @property
    def is_spread(self) -> bool:
        """True where each property of an object is a query parameter of its own."""
        is_form = self.location == "query" and self.style == "form" and self.explode and not self.is_json
        return is_form and self.validator is not None and self._view.types - _NULL == _OBJECT

    @property
    def _view(self) -> SchemaView:
        return SchemaView.of({}) if self.validator is None else self.validator.view

    def findings(self, sent: SentParameters, operation: str) -> list[Finding]:
        """List the faults of this parameter in a request; a secret value is not shown."""
        try:
            value = self._read(sent)
        except _Unreadable as error:
            return [self._finding("request-parameter-unreadable", str(error), operation)]
        if value is _ABSENT:
            if not self.is_required:
                return []
            message = f"required {self.location} parameter {show(self.name)} is missing"
            return [self._finding("request-required", message, operation)]
        if self.validator is None or self.validator.is_valid(value) or (value == "" and self.allows_empty):
            return []
        found = (replace(item, pointer=self.pointer + item.pointer) for item in self.validator.findings(value))
        return [_masked(item) for item in found] if is_secret_name(self.name) else list(found)

    def _finding(self, rule: str, message: str, operation: str) -> Finding:
        severity = Severity.for_evidence(self.evidence)
        return Finding(rule, severity, self.evidence, self.pointer, message, direction="request", operation=operation)

    def _read(self, sent: SentParameters) -> Any:
        if self.location == "query":
            return self._read_query(sent.query)
        if self.location == "path":
            text = sent.path.get(self.name)
        elif self.location == "header":
            text = sent.headers.get(self.name.lower())
        else:
            cookie = sent.cookies.get(self.name)
            text = None if cookie is None else unquote(cookie)
        if text is None:
            return _ABSENT
        if self.is_json:
            return _json(text)
        return self._structured(self._without_prefix(text), ",", str)

    def _without_prefix(self, text: str) -> str:
        """Return a path segment without the dot or the name that the styles ``label`` and ``matrix`` put before the value."""
        if self.style == "label":
            return text.removeprefix(".")
        if self.style == "matrix":
            return text.removeprefix(f";{self.name}=").replace(f";{self.name}=", ",").removeprefix(";")
        return text

    def _read_query(self, query: Mapping[str, Sequence[str]]) -> Any:
        if self.is_spread:
            view = self._view
            own = {name: values for name, values in query.items() if self.names_query(name)}
            return {name: self._value(values, view.property(name)) for name, values in own.items()} or _ABSENT
        if self.style == "deepObject":
            return self._deep(query)
        values = query.get(self.name)
        if not values:
            return _ABSENT
        if self.is_json:
            return _json(unquote_plus(values[-1]))
        if self.explode and self.style == "form" and "array" in self._view.types:
            is_scalar = len(values) == 1 and not self._view.types <= {"array", "object", "null"}
            return _typed(unquote_plus(values[0]), self._view) if is_scalar else self._items(values, self._view)
        delimiter = _DELIMITERS.get(self.style, ",")
        if delimiter != ",":
            values = [unquote_plus(value) for value in values]
            return self._structured(delimiter.join(values), delimiter, str)
        is_list = "array" in self._view.types
        return self._structured(",".join(values) if is_list else values[-1], ",", unquote_plus)

    def _value(self, values: Sequence[str], view: SchemaView) -> Any:
        return self._items(values, view) if "array" in view.types else _typed(unquote_plus(values[-1]), view)

    def _items(self, values: Sequence[str], view: SchemaView) -> list[Any]:
        return [_typed(unquote_plus(value), view.item(index)) for index, value in enumerate(values)]

    def _structured(self, text: str, delimiter: str, decode: Any) -> Any:
        """Read an array or object whose parts are in one text; a decoded part may hold the delimiter."""
        view = self._view
        types = view.types - _NULL
        if self.style == "label" and self.explode:
            delimiter = "."
        if "array" in types and (types == _ARRAY or delimiter in text):
            return [_typed(decode(part), view.item(index)) for index, part in enumerate(text.split(delimiter))]
        if types == _OBJECT:
            parts = text.split(";" if self.style == "matrix" and self.explode else delimiter)
            if self.explode:
                pairs = [part.partition("=")[::2] for part in parts]
            elif len(parts) % 2:
                raise _Unreadable(f"an object is sent as name{delimiter}value{delimiter}name{delimiter}value")
            else:
                pairs = list(zip(parts[::2], parts[1::2], strict=True))
            return {decode(name): _typed(decode(value), view.property(decode(name))) for name, value in pairs}
        return _typed(decode(text), view)

    def _deep(self, query: Mapping[str, Sequence[str]]) -> Any:
        """Read ``filter[status]=a&filter[tags]=b``; deeper brackets are read as deeper objects, as most servers do."""
        result: dict[str, Any] = {}
        for name, values in query.items():
            if not name.startswith(f"{self.name}["):
                continue
            rest = name[len(self.name) :]
            keys: list[str] = _DEEP.findall(rest)
            if "".join(f"[{key}]" for key in keys) != rest or len(keys) > 20:
                raise _Unreadable(f"an object is sent as {self.name}[property]=value")
            view, place = self._view, result
            is_list = keys[-1] == "" and len(keys) > 1
            keys = keys[:-1] if is_list else keys
            for key in keys[:-1]:
                view = view.property(key)
                inner: Any = place.setdefault(key, {})
                if not is_object(inner):
                    raise _Unreadable(f"{self.name}[{key}] is sent as a value and as an object")
                place = inner
            view = view.property(keys[-1])
            place[keys[-1]] = self._items(values, view) if is_list else self._value(values, view)
        return result or _ABSENT


def parameter_findings(parameters: Iterable[Parameter], sent: SentParameters, operation: str) -> list[Finding]:
    """List every fault of the parameters of a request: missing, unreadable, or against their schema.

    A path parameter that the path does not have is not a fault of a request: its template lacks it, so it cannot be sent.
    """
    checked = (
        item for item in parameters if not item.is_ignored and (item.location != "path" or item.name in sent.path)
    )
    return [finding for item in checked for finding in item.findings(sent, operation)]


def undeclared_findings(
    parameters: Sequence[Parameter], sent: SentParameters, known: frozenset[str], operation: str
) -> list[Finding]:
    """List the query parameters that the contract does not have, and those that are sent twice for one value.

    ``known`` are the names of keys. There is no evidence for the service's way with them, so both are only reported.
    """
    findings: list[Finding] = []
    declared = [item.name for item in parameters if item.location == "query"]
    for name, values in sent.query.items():
        owner = next((item for item in parameters if item.names_query(name)), None)
        if owner is None and name not in known:
            close = difflib.get_close_matches(name, declared, 1)
            advice = f"; did you mean {show(close[0])}?" if close else ""
            # A name without a value may be a key that was put in the wrong place.
            shown = show(name) if any(values) else "that has no value"
            pointer = join_pointer("/query", name[:60]) if any(values) else "/query"
            message = f"the contract has no query parameter {shown}{advice}"
            findings.append(_assumed("request-parameter-undeclared", pointer, message, operation))
        elif owner is not None and len(values) > 1 and "array" not in _types_of(owner, name):
            message = f"the query parameter {show(name)} is sent {len(values)} times; the last value was used"
            findings.append(_assumed("request-parameter-repeated", owner.pointer, message, operation))
    return findings[:_MAX_UNDECLARED]


def _assumed(rule: str, pointer: str, message: str, operation: str) -> Finding:
    severity = Severity.for_evidence(Evidence.ASSUMED)
    return Finding(rule, severity, Evidence.ASSUMED, pointer, message, direction="request", operation=operation)


def _masked(finding: Finding) -> Finding:
    rule = finding.id.removeprefix("request-")
    return replace(finding, message=f"the value is against the contract ({rule})", got=None, covers=())


def _json(text: str) -> Any:
    try:
        return orjson.loads(text.encode("utf-8", "surrogatepass"))
    except orjson.JSONDecodeError as error:
        raise _Unreadable(f"the value is not JSON (column {error.colno}: {error.msg})") from None


def _typed(text: str, view: SchemaView) -> Any:
    """Return the value that a text stands for at a place of the schema; the text itself where it stands for none."""
    for option in view.options or ():
        if text == (option if isinstance(option, str) else orjson.dumps(option).decode()):
            return option
    types = view.types
    if types & {"integer", "number"} and _NUMBER.fullmatch(text):
        return int(text) if text.lstrip("-").isdigit() else float(text)
    if "boolean" in types and text in ("true", "false"):
        return text == "true"
    if "null" in types and "string" not in types and text in ("", "null"):
        return None
    return text


def _types_of(owner: Parameter, name: str) -> frozenset[str]:
    """Return the types of the value that a query parameter of this name has."""
    if owner.validator is None:
        return frozenset({"array"})
    view = owner.validator.view
    if owner.style == "deepObject":
        return frozenset({"array"})
    return (view.property(name) if owner.is_spread else view).types

"""Comparison of two versions of one operation: parameters, bodies, answers and callbacks."""

from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from typing import Any

from bodydouble_spec.diff.changes import Changes, Location
from bodydouble_spec.diff.schemas import SchemaComparison
from bodydouble_spec.finding import Severity
from bodydouble_spec.meaning import OPERATION_KEYWORDS, Node, Part, digest, wider_media_types, wider_statuses
from bodydouble_spec.operation import is_json_media_type

__all__ = ["compare_operation"]

_PLACES = {"cookie": "the cookie", "header": "the header", "path": "the path parameter", "query": "the query parameter"}
_ABSENT = Part({}, "")
# Read as they are written: a difference is told, its meaning is not.
_UNREAD = {"itemEncoding", "itemSchema", "links", "prefixEncoding", "unreadParameters"}


def compare_operation(
    comparison: SchemaComparison, old: Part, new: Part, key: str, *, is_incoming: bool = False, whole: str = ""
) -> None:
    """Add the changes between two versions of an operation; ``is_incoming`` tells that the service calls the client."""
    _Operation(comparison, key, whole or key, is_incoming=is_incoming).compare(old, new)


class _Operation:
    """One operation whose two versions are compared."""

    def __init__(self, comparison: SchemaComparison, key: str, whole: str, *, is_incoming: bool) -> None:
        self._comparison = comparison
        self._changes: Changes = comparison.changes
        self._key = key
        self._whole = Location(key, None, "", whole)
        self._name = f" of {whole}" if is_incoming else ""
        # What the service sends is to a client what an answer is.
        self._sent, self._received = ("response", "request") if is_incoming else ("request", "response")
        self._request = Location(key, self._sent, f"{self._sent}-body", f"the request{self._name}")

    def compare(self, old: Part, new: Part) -> None:
        self._compare_metadata(old, new)
        self._compare_parameters(old, new)
        self._compare_request(old, new)
        self._compare_responses(old, new)
        self._compare_callbacks(old, new)
        self._compare_rest(old, new, self._whole, OPERATION_KEYWORDS)

    def _compare_metadata(self, old: Part, new: Part) -> None:
        was, is_now = "deprecated" in old.value, "deprecated" in new.value
        if was != is_now:
            rule = "endpoint-deprecated" if is_now else "endpoint-reactivated"
            self._changes.add(rule, self._whole, new.pointer, was, is_now)
        before, after = old.value.get("operationId"), new.value.get("operationId")
        if before != after:
            rule = "api-operation-id-added" if before is None else "api-operation-id-removed"
            self._changes.add(rule, self._whole, new.child("operationId"), before, after, is_gone=False)
        known, kept = old.value.get("tags", []), new.value.get("tags", [])
        for tag in known:
            if tag not in kept:
                self._changes.add("api-tag-removed", self._whole, old.child("tags"), tag, None, is_gone=True)
        for tag in kept:
            if tag not in known:
                self._changes.add("api-tag-added", self._whole, new.child("tags"), None, tag)

    def _parameter_at(self, key: str, name: str, part: Part) -> Location:
        place = key.partition(" ")[0]
        media_type = part.value["serialization"].get("content", "")
        scope = "request-parameter" if self._sent == "request" else "response-header"
        whole = f"{_PLACES.get(place, place)} `{name}`{self._name}"
        return Location(self._key, self._sent, scope, whole, is_strict=is_json_media_type(media_type))

    def _compare_parameters(self, old: Part, new: Part) -> None:
        before: dict[str, Part] = old.value["parameters"]
        after: dict[str, Part] = new.value["parameters"]
        for key, part in before.items():
            location = self._parameter_at(key, (after.get(key) or part).name, part)
            if key in after:
                self._compare_parameter(part, after[key], location)
            else:
                rule = f"request-parameter-removed{'-with-deprecation' if 'deprecated' in part.value else ''}"
                self._changes.add(rule, location, part.pointer, _shown(part), None, is_gone=True)
        for key, part in after.items():
            if key not in before:
                kind = "required" if "required" in part.value else "optional"
                rule = "new-request-path-parameter" if key.startswith("path ") else f"new-{kind}-request-parameter"
                self._changes.add(rule, self._parameter_at(key, part.name, part), part.pointer, None, _shown(part))

    def _compare_parameter(self, old: Part, new: Part, location: Location) -> None:
        was, is_now = "required" in old.value, "required" in new.value
        if was != is_now:
            rule = "request-parameter-became-required" if is_now else "request-parameter-became-optional"
            self._changes.add(rule, location, new.pointer, was, is_now)
        was, is_now = "deprecated" in old.value, "deprecated" in new.value
        if was != is_now:
            rule = "request-parameter-deprecated" if is_now else "request-parameter-reactivated"
            self._changes.add(rule, location, new.pointer, was, is_now)
        self._compare_serialized(old, new, location, "request-parameter-serialization-changed")
        self._compare_rest(old, new, location, {"deprecated", "required", "schema", "serialization"})

    def _compare_serialized(self, old: Part, new: Part, location: Location, rule: str) -> None:
        """Compare how a value becomes text, and its schema."""
        before, after = old.value["serialization"], new.value["serialization"]
        was, is_now = old.value["schema"], new.value["schema"]
        # The serialization says only what matters for the types, so those come first.
        if (
            before.keys() == after.keys()
            or was.value.get("type") == is_now.value.get("type")
            or "content" in {*before, *after}
        ):
            changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
            if changed:
                keyword = next(key for key in ("content", "style", "explode", "allowReserved") if key in changed)
                part = new if keyword in after else old
                self._changes.add(rule, location, part.child(keyword), before, after, is_gone=part is old)
                self._changes.show(_example(old, new))
        self._comparison.compare(was, is_now, location)

    def _compare_request(self, old: Part, new: Part) -> None:
        before: Part | None = old.value.get("requestBody")
        after: Part | None = new.value.get("requestBody")
        was, is_now = (part is not None and "required" in part.value for part in (before, after))
        if before is None and after is not None:
            self._changes.add(
                f"request-body-added-{'required' if is_now else 'optional'}", self._whole, after.pointer, None, is_now
            )
        elif before is not None and after is None:
            self._changes.add("request-body-removed", self._whole, before.pointer, was, None, is_gone=True)
        elif before is not None and after is not None:
            if was != is_now:
                rule = "request-body-became-required" if is_now else "request-body-became-optional"
                self._changes.add(rule, self._request, after.pointer, was, is_now)
            kind = f"{self._sent}-body-media-type"
            self._compare_content(
                before, after, self._request, kind if self._sent == "request" else "response-media-type", kind
            )
            self._compare_rest(before, after, self._request, {"content", "required"})

    def _compare_content(self, old: Part, new: Part, location: Location, rule: str, schema_rule: str) -> None:
        before: dict[str, Part] = old.value["content"]
        after: dict[str, Part] = new.value["content"]
        for name in {**before, **after}:
            was, is_now = (_said(parts, name, wider_media_types) for parts in (before, after))
            if not location.is_request and name not in after and not {*wider_media_types(name)} & {*before}:
                is_now = None  # an answer in a range that is new may be of another type
            if was is None and is_now is not None:
                self._changes.add(f"{rule}-added", location, is_now.pointer, None, is_now.name)
            elif was is not None and is_now is None:
                self._changes.add(f"{rule}-removed", location, was.pointer, was.name, None, is_gone=True)
                if not location.is_request and any(name in wider_media_types(other) for other in after):
                    self._changes.rate(Severity.INFO)  # only some of what was possible is left
            elif was is not None and is_now is not None:
                below = replace(location, is_strict=is_json_media_type(name))
                self._compare_media_type(was, is_now, below, schema_rule)

    def _compare_media_type(self, old: Part, new: Part, location: Location, rule: str) -> None:
        before, after = old.value.get("schema"), new.value.get("schema")
        if before is not None and after is not None:
            self._comparison.compare(before, after, location)
        elif before is not None and before.value:
            self._changes.add(f"{rule}-schema-removed", location, before.pointer, before, None, is_gone=True)
        elif after is not None and after.value:
            self._changes.add(f"{rule}-schema-added", location, after.pointer, None, after)
        was, is_now = old.value.get("encoding", {}), new.value.get("encoding", {})
        if digest(was) != digest(is_now):
            is_gone = not is_now
            kind = "request-body" if location.is_request else "response"
            place = (old if is_gone else new).child("encoding")
            self._changes.add(
                f"{kind}-serialization-changed", location, place, was or None, is_now or None, is_gone=is_gone
            )
        self._compare_part_headers(old.value.get("partHeaders", {}), new.value.get("partHeaders", {}), location)
        self._compare_rest(old, new, location, {"encoding", "partHeaders", "schema"})

    def _compare_part_headers(self, before: dict[str, Part], after: dict[str, Part], body: Location) -> None:
        if not body.is_request:
            self._compare_each_header(before, after, body)
            return
        for key in {**before, **after}:
            was, is_now = before.get(key), after.get(key)
            shown = is_now or was or _ABSENT
            whole = f"the header `{shown.name}` in {body.whole}"
            location = Location(body.operation, body.direction, "request-parameter", whole, is_strict=False)
            if was is None:
                kind = "required" if "required" in shown.value else "optional"
                self._changes.add(f"new-{kind}-request-parameter", location, shown.pointer, None, _shown(shown))
            elif is_now is None:
                self._changes.add("request-parameter-removed", location, was.pointer, _shown(was), None, is_gone=True)
            else:
                self._compare_parameter(was, is_now, location)

    def _compare_responses(self, old: Part, new: Part) -> None:
        before: dict[str, Part] = old.value["responses"]
        after: dict[str, Part] = new.value["responses"]
        for status in {**before, **after}:
            was, is_now = (_said(parts, status, wider_statuses) for parts in (before, after))
            location = Location(self._key, self._received, f"{self._received}-body", f"the {status} answer{self._name}")
            kind = "success" if status.startswith("2") else "non-success"
            if is_now is None and was is not None:
                self._changes.add(f"response-{kind}-status-removed", location, was.pointer, status, None, is_gone=True)
                if not location.is_request and any(status in wider_statuses(other) for other in after):
                    self._changes.rate(Severity.INFO)  # only some of what was possible is left
            elif was is None and is_now is not None:
                self._changes.add(f"response-{kind}-status-added", location, is_now.pointer, None, status)
            elif was is not None and is_now is not None:
                self._compare_response(was, is_now, location)

    def _compare_response(self, old: Part, new: Part, location: Location) -> None:
        self._compare_each_header(old.value["headers"], new.value["headers"], location)
        kind = f"{self._received}-body-media-type"
        rule = "response-media-type" if self._received == "response" else kind
        self._compare_content(old, new, location, rule, kind)
        self._compare_rest(old, new, location, {"content", "headers"})

    def _compare_each_header(self, before: dict[str, Part], after: dict[str, Part], body: Location) -> None:
        for key in {**before, **after}:
            was, is_now = before.get(key), after.get(key)
            shown = is_now or was or _ABSENT
            location = Location(
                body.operation,
                body.direction,
                "response-header",
                f"the header `{shown.name}` of {body.whole}",
                is_strict=False,
            )
            if was is None:
                self._changes.add("response-header-added", location, shown.pointer, None, shown.name)
            elif is_now is None:
                kind = "required" if "required" in was.value else "optional"
                self._changes.add(
                    f"{kind}-response-header-removed", location, was.pointer, was.name, None, is_gone=True
                )
            else:
                self._compare_header(was, is_now, location)

    def _compare_header(self, old: Part, new: Part, location: Location) -> None:
        is_optional_now = "required" in old.value and "required" not in new.value
        if is_optional_now:
            self._changes.add("response-header-became-optional", location, new.pointer, True, False)
        self._compare_serialized(old, new, location, "response-serialization-changed")
        self._compare_rest(old, new, location, {"schema", "serialization", *(("required",) if is_optional_now else ())})

    def _compare_callbacks(self, old: Part, new: Part) -> None:
        before: Mapping[str, Part | None] = old.value.get("callbacks", {})
        after: Mapping[str, Part | None] = new.value.get("callbacks", {})
        for name in {**before, **after}:
            compare_item(self._comparison, before.get(name), after.get(name), self._key, "callback", name)

    def _compare_rest(self, old: Part, new: Part, location: Location, handled: Set[str]) -> None:
        """Add a change for each keyword that no rule covers, so that no difference is lost."""
        for keyword in {**old.value, **new.value}:
            before, after = old.value.get(keyword), new.value.get(keyword)
            if keyword in handled or (
                (keyword in old.value) == (keyword in new.value) and digest(before) == digest(after)
            ):
                continue
            is_gone = keyword not in new.value
            place = (old if is_gone else new).child(keyword)
            rule = "not-compared" if keyword in _UNREAD else "structure-changed"
            self._changes.add(rule, location, place, before, after, is_gone=is_gone)


def compare_item(
    comparison: SchemaComparison, old: Part | None, new: Part | None, key: str | None, kind: str, name: str
) -> None:
    """Add the changes between two versions of a webhook or callback."""
    location = Location(key, None, "", f"`{name}`")
    if new is None or old is None:
        part = old or new
        word = "removed" if new is None else "added"
        if part is not None:
            values = (name, None) if new is None else (None, name)
            comparison.changes.add(f"{kind}-{word}", location, part.pointer, *values, is_gone=new is None)
        return
    for method in {**old.value, **new.value}:
        was: Part | None = old.value.get(method)
        is_now: Part | None = new.value.get(method)
        shown = f"{method.upper()} `{name}`"
        if was is not None and is_now is None:
            comparison.changes.add(f"{kind}-removed", location, was.pointer, shown, None, is_gone=True)
        elif was is None and is_now is not None:
            comparison.changes.add(f"{kind}-added", location, is_now.pointer, None, shown)
        elif was is not None and is_now is not None and comparison.enter(was, is_now):
            whole = f"the {kind} {shown}"
            compare_operation(comparison, was, is_now, key or shown, is_incoming=True, whole=whole)


def _said(parts: Mapping[str, Part], key: str, wider: Callable[[str], tuple[str, ...]]) -> Part | None:
    """Return what is said of a status or media type: under its own key, or under a wider one."""
    return next((parts[name] for name in (key, *wider(key)) if name in parts), None)


def _shown(part: Part) -> dict[str, Any]:
    schema = part.value["schema"]
    published: Any = schema.roots[0].schema if isinstance(schema, Node) and schema.roots else {}
    return {
        **{key: item for key, item in part.value.items() if key not in {"schema", "serialization"}},
        "schema": published,
    }


_DELIMITERS = {"pipeDelimited": "|", "spaceDelimited": "%20"}


def _example(old: Part, new: Part) -> str | None:
    """Return a list of two as both versions send it, when that differs."""
    texts = [_list_of_two(part) for part in (old, new)]
    return f"{texts[0]} became {texts[1]}" if all(texts) and texts[0] != texts[1] else None


def _list_of_two(part: Part) -> str | None:
    serialization, name = part.value["serialization"], part.name
    if "content" in serialization:
        return f"{name}={serialization['content']}"
    style = serialization.get("style", "form")
    if style in ("form", *_DELIMITERS) and serialization.get("explode"):
        return f"{name}=1&{name}=2"
    if style in ("form", *_DELIMITERS, "simple"):
        return f"{name}=1{_DELIMITERS.get(style, ',')}2"
    return f"{name} ({style})"

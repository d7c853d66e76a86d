"""Comparison of two versions of one operation: parameters, bodies, answers and security."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bodydouble_spec.diff.changes import Changes, Location
from bodydouble_spec.diff.documents import Part
from bodydouble_spec.diff.schemas import SchemaComparison
from bodydouble_spec.values import is_array, is_object

__all__ = ["compare_operation", "compare_schemes", "compare_security"]


def compare_security(changes: Changes, old: Part, new: Part, location: Location, rule: str) -> None:
    """Add the changes of ``security`` between two operations or documents; ``rule`` is the start of the ids."""
    before, after = _requirements(old), _requirements(new)
    place = old.child("security"), new.child("security")
    for name in before:
        if name and name not in after:
            changes.add(f"{rule}-removed", location, place[0], name, None, is_gone=True)
    for name, scopes in after.items():
        if name and name not in before:
            changes.add(f"{rule}-added", location, place[1], None, name)
        for scope in sorted(scopes - before.get(name, scopes)):
            changes.add(f"{rule}-scope-added", location, place[1], None, scope)
        for scope in sorted(before.get(name, scopes) - scopes):
            changes.add(f"{rule}-scope-removed", location, place[0], scope, None, is_gone=True)


def compare_schemes(changes: Changes, old: Part, new: Part) -> None:
    """Add the changes between the security schemes of two documents."""
    before, after = _schemes(old), _schemes(new)
    for name in {**before, **after}:
        here, there = (part.child("components", "securitySchemes", name) for part in (old, new))
        location = Location(None, None, "", f"the security scheme `{name}`")
        if name not in after:
            changes.add("api-security-component-removed", location, here, name, None, is_gone=True)
        elif name not in before:
            changes.add("api-security-component-added", location, there, None, name)
        elif _significant_fields(before[name]) != _significant_fields(after[name]):
            values = _significant_fields(before[name]), _significant_fields(after[name])
            changes.add("api-security-component-type-changed", location, there, *values)


def _requirements(part: Part) -> dict[str, set[str]]:
    """Return the scopes that each requirement needs, by the names of its schemes."""
    found: dict[str, set[str]] = {}
    security = part.value.get("security")
    for requirement in security if is_array(security) else ():
        if is_object(requirement):
            scopes = [scope for value in requirement.values() if is_array(value) for scope in map(str, value)]
            found.setdefault(" and ".join(sorted(requirement)), set()).update(scopes)
    return found


def _schemes(part: Part) -> Mapping[str, Any]:
    components = part.value.get("components")
    schemes = components.get("securitySchemes") if is_object(components) else None
    return {name: item for name, item in schemes.items() if is_object(item)} if is_object(schemes) else {}


def _significant_fields(scheme: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a scheme that a client has to know."""
    return {key: scheme[key] for key in ("type", "scheme", "in", "name", "openIdConnectUrl", "flows") if key in scheme}


_JSON_SUFFIXES = ("/json", "+json")
_PLACES = {"cookie": "the cookie", "header": "the header", "path": "the path parameter", "query": "the query parameter"}
_HANDLED = {
    "deprecated",
    "description",
    "operationId",
    "parameters",
    "requestBody",
    "responses",
    "security",
    "summary",
    "tags",
}


def compare_operation(comparison: SchemaComparison, old: Part, new: Part, key: str, names: Mapping[str, str]) -> None:
    """Add the changes between two versions of an operation; ``names`` maps old path parameters to new ones."""
    if comparison.are_equal(dict(old.value), dict(new.value)) and all(was == is_now for was, is_now in names.items()):
        return
    _Operation(comparison, key).compare(old, new, names)


class _Operation:
    """One operation whose two versions are compared."""

    def __init__(self, comparison: SchemaComparison, key: str) -> None:
        self._comparison = comparison
        self._changes = comparison.changes
        self._key = key
        self._whole = Location(key, None, "", key)
        self._request = Location(key, "request", "request-body", "the request")

    def compare(self, old: Part, new: Part, names: Mapping[str, str]) -> None:
        self._compare_metadata(old, new)
        compare_security(self._changes, old, new, self._whole, "api-security")
        self._compare_parameters(old, new, names)
        self._compare_request(old, new)
        self._compare_responses(old, new)
        self._compare_rest(old, new, self._whole, _HANDLED)

    def _compare_metadata(self, old: Part, new: Part) -> None:
        was, is_now = bool(old.value.get("deprecated")), bool(new.value.get("deprecated"))
        if was != is_now:
            rule = "endpoint-deprecated" if is_now else "endpoint-reactivated"
            self._changes.add(rule, self._whole, new.pointer, was, is_now)
        before, after = old.value.get("operationId"), new.value.get("operationId")
        if before != after:
            rule = "api-operation-id-added" if before is None else "api-operation-id-removed"
            self._changes.add(rule, self._whole, new.child("operationId"), before, after, is_gone=False)
        tags = [part.value.get("tags") for part in (old, new)]
        known, kept = (list(map(str, item)) if is_array(item) else [] for item in tags)
        for tag in known:
            if tag not in kept:
                self._changes.add("api-tag-removed", self._whole, old.child("tags"), tag, None, is_gone=True)
        for tag in kept:
            if tag not in known:
                self._changes.add("api-tag-added", self._whole, new.child("tags"), None, tag)

    def _compare_parameters(self, old: Part, new: Part, names: Mapping[str, str]) -> None:
        before = {
            (place, names.get(name, name) if place == "path" else name): part
            for (place, name), part in _parameters(old).items()
        }
        after = _parameters(new)
        for key, part in before.items():
            place, name = key
            location = Location(
                self._key, "request", "request-parameter", f"{_PLACES.get(place, place)} `{name}`", is_strict=False
            )
            if key in after:
                self._compare_parameter(part, after[key], location)
            else:
                is_deprecated = part.value.get("deprecated") is True
                rule = f"request-parameter-removed{'-with-deprecation' if is_deprecated else ''}"
                self._changes.add(rule, location, part.pointer, dict(part.value), None, is_gone=True)
        for (place, name), part in after.items():
            if (place, name) not in before:
                location = Location(self._key, "request", "request-parameter", f"{_PLACES.get(place, place)} `{name}`")
                kind = "required" if part.value.get("required") is True else "optional"
                rule = "new-request-path-parameter" if place == "path" else f"new-{kind}-request-parameter"
                self._changes.add(rule, location, part.pointer, None, dict(part.value))

    def _compare_parameter(self, old: Part, new: Part, location: Location) -> None:
        was, is_now = bool(old.value.get("required")), bool(new.value.get("required"))
        if was != is_now:
            rule = "request-parameter-became-required" if is_now else "request-parameter-became-optional"
            self._changes.add(rule, location, new.pointer, was, is_now)
        was, is_now = bool(old.value.get("deprecated")), bool(new.value.get("deprecated"))
        if was != is_now:
            rule = "request-parameter-deprecated" if is_now else "request-parameter-reactivated"
            self._changes.add(rule, location, new.pointer, was, is_now)
        schemas = old.value.get("schema", {}), new.value.get("schema", {})
        self._comparison.compare(schemas[0], old.child("schema"), schemas[1], new.child("schema"), location)
        self._compare_rest(old, new, location, {"description", "name", "required", "deprecated", "schema"})

    def _compare_request(self, old: Part, new: Part) -> None:
        keyword = "requestBody"
        if keyword not in old.value and keyword not in new.value:
            return
        before = self._comparison.old.follow(old.value.get(keyword, {}), old.child(keyword))
        after = self._comparison.new.follow(new.value.get(keyword, {}), new.child(keyword))
        was, is_now = bool(before.value.get("required")), bool(after.value.get("required"))
        if keyword not in old.value:
            kind = "required" if is_now else "optional"
            self._changes.add(f"request-body-added-{kind}", self._whole, after.pointer, None, is_now)
        elif keyword not in new.value:
            self._changes.add("request-body-removed", self._whole, before.pointer, was, None, is_gone=True)
        else:
            if was != is_now:
                rule = "request-body-became-required" if is_now else "request-body-became-optional"
                self._changes.add(rule, self._request, after.pointer, was, is_now)
            self._compare_content(before, after, self._request, "request-body-media-type", "request-body-media-type")
            self._compare_rest(before, after, self._request, {"content", "description", "required"})

    def _compare_content(self, old: Part, new: Part, location: Location, rule: str, schema_rule: str) -> None:
        before, after = (_objects(part.value.get("content")) for part in (old, new))
        for name, media_type in before.items():
            if name not in after:
                self._changes.add(f"{rule}-removed", location, old.child("content", name), name, None, is_gone=True)
                continue
            here, there = Part(media_type, old.child("content", name)), Part(after[name], new.child("content", name))
            is_strict = name.partition(";")[0].strip().lower().endswith(_JSON_SUFFIXES)
            below = replace(location, is_strict=is_strict)
            self._compare_media_type(here, there, below, schema_rule)
        for name in after:
            if name not in before:
                self._changes.add(f"{rule}-added", location, new.child("content", name), None, name)

    def _compare_media_type(self, old: Part, new: Part, location: Location, rule: str) -> None:
        if "schema" in old.value and "schema" in new.value:
            pair = old.value["schema"], new.value["schema"]
            self._comparison.compare(pair[0], old.child("schema"), pair[1], new.child("schema"), location)
        elif "schema" in old.value:
            self._changes.add(
                f"{rule}-schema-removed", location, old.child("schema"), old.value["schema"], None, is_gone=True
            )
        elif "schema" in new.value:
            self._changes.add(f"{rule}-schema-added", location, new.child("schema"), None, new.value["schema"])
        self._compare_rest(old, new, location, {"schema"})

    def _compare_responses(self, old: Part, new: Part) -> None:
        before, after = (_objects(part.value.get("responses")) for part in (old, new))
        for status in {**before, **after}:
            here, there = old.child("responses", status), new.child("responses", status)
            location = Location(self._key, "response", "response-body", f"the {status} answer")
            kind = "success" if status.startswith("2") else "non-success"
            if status not in after:
                self._changes.add(f"response-{kind}-status-removed", location, here, status, None, is_gone=True)
            elif status not in before:
                self._changes.add(f"response-{kind}-status-added", location, there, None, status)
            else:
                pair = Part(before[status], here), Part(after[status], there)
                self._compare_headers(*pair, location)
                self._compare_content(*pair, location, "response-media-type", "response-body-media-type")
                self._compare_rest(*pair, location, {"content", "description", "headers"})

    def _compare_headers(self, old: Part, new: Part, body: Location) -> None:
        before, after = (_objects(part.value.get("headers")) for part in (old, new))
        for name in {**before, **after}:
            location = Location(
                body.operation, "response", "response-header", f"the header `{name}` of {body.whole}", is_strict=False
            )
            was = self._comparison.old.follow(before.get(name, {}), old.child("headers", name))
            is_now = self._comparison.new.follow(after.get(name, {}), new.child("headers", name))
            if name not in before:
                self._changes.add("response-header-added", location, is_now.pointer, None, name)
            elif name not in after:
                kind = "required" if was.value.get("required") is True else "optional"
                self._changes.add(f"{kind}-response-header-removed", location, was.pointer, name, None, is_gone=True)
            else:
                self._compare_header(was, is_now, location)

    def _compare_header(self, old: Part, new: Part, location: Location) -> None:
        was, is_now = bool(old.value.get("required")), bool(new.value.get("required"))
        if was and not is_now:
            self._changes.add("response-header-became-optional", location, new.pointer, was, is_now)
        schemas = old.value.get("schema", {}), new.value.get("schema", {})
        self._comparison.compare(schemas[0], old.child("schema"), schemas[1], new.child("schema"), location)
        self._compare_rest(old, new, location, {"description", "schema", *(("required",) if was else ())})

    def _compare_rest(self, old: Part, new: Part, location: Location, handled: set[str]) -> None:
        """Add a general change for each keyword that no rule covers, so that no difference is lost."""
        for keyword in {**old.value, **new.value}:
            before, after = old.value.get(keyword), new.value.get(keyword)
            pair = {keyword: before} if keyword in old.value else {}, {keyword: after} if keyword in new.value else {}
            if keyword in handled or self._comparison.are_equal(*pair):
                continue
            is_gone = keyword not in new.value
            place = (old if is_gone else new).child(keyword)
            self._changes.add("structure-changed", location, place, before, after, is_gone=is_gone)


def _parameters(operation: Part) -> dict[tuple[str, str], Part]:
    parameters = operation.value.get("parameters")
    return {
        (item["in"], item["name"]): Part(item, operation.child("parameters", index))
        for index, item in enumerate(parameters if is_array(parameters) else ())
    }


def _objects(value: Any) -> dict[str, dict[str, Any]]:
    return {name: item for name, item in value.items() if is_object(item)} if is_object(value) else {}

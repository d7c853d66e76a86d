"""Repairs of a whole document: every defect is a finding, and each operation that can be understood is kept."""

import re
from dataclasses import dataclass
from typing import Any

from bodydouble_spec._defects import Defects, show
from bodydouble_spec._finding import Finding, Severity
from bodydouble_spec._pointer import join_pointer, pointer_parts, resolve_pointer
from bodydouble_spec._repair_schema import SchemaRepair

__all__ = ["METHODS", "Repaired", "repair"]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

_JSON = "application/json"
_STATUS = re.compile(r"[1-5][0-9][0-9]|[1-5]XX|default")
_TEMPLATE = re.compile(r"\{([^{}]+)\}")
# What OpenAPI 3.0 allows beside `type` in each kind of security scheme; 3.1 adds nothing that matters here.
_SCHEME_KEYS = {
    "http": {"scheme", "bearerFormat"},
    "apiKey": {"name", "in"},
    "oauth2": {"flows"},
    "openIdConnect": {"openIdConnectUrl"},
}
_SCHEME_NEEDS = {
    "http": {"scheme"},
    "apiKey": {"name", "in"},
    "oauth2": {"flows"},
    "openIdConnect": {"openIdConnectUrl"},
}


@dataclass(frozen=True, slots=True)
class Repaired:
    """A document that can be used, and what had to be repaired in it."""

    document: dict[str, Any]
    findings: tuple[Finding, ...]


def repair(document: Any) -> Repaired:
    """A usable copy of an OpenAPI document, and a finding for each defect, with its JSON pointer.

    A warning was repaired without loss; an error lost a promise of the document (a reference that leads nowhere, an
    operation that is no object). The argument is not changed.
    """
    defects = Defects()
    if not isinstance(document, dict):
        message = f"the document is {show(document)}; an OpenAPI document is an object"
        defects.add(
            "document-unreadable", "", message, severity=Severity.ERROR, repaired="a document without operations"
        )
        document = {}
    return Repaired(_DocumentRepair(document, defects).repair(), tuple(defects.findings))


class _DocumentRepair:
    def __init__(self, document: dict[str, Any], defects: Defects) -> None:
        self._document = document
        self._defects = defects
        version = document.get("openapi")
        self._is_31 = isinstance(version, str) and re.match(r"3\.[1-9]", version) is not None
        self._schemas = SchemaRepair(defects, self._check_reference, is_31=self._is_31)

    def repair(self) -> dict[str, Any]:
        result: dict[str, Any] = {"openapi": self._version(), "info": self._info()}
        result |= {key: value for key, value in self._document.items() if key not in result}
        # Components first: a reference into them is followed from the repaired ones.
        result["components"] = self._components()
        self._components_repaired = result["components"]
        result["paths"] = self._paths()
        if "security" in result:
            result["security"] = self._security(result["security"], "/security")
        return result

    def _version(self) -> str:
        version = self._document.get("openapi")
        if isinstance(version, str) and re.match(r"3\.[0-9]", version):
            return version
        if self._document:
            found = f"`openapi` is {show(version)}" if "openapi" in self._document else "`openapi` is missing"
            self._defects.add("openapi-version", "/openapi", f"{found}; OpenAPI 3 is read", repaired="read as 3.0.0")
        return "3.0.0"

    def _info(self) -> dict[str, Any]:
        info = self._document.get("info")
        if isinstance(info, dict) and isinstance(info.get("title"), str) and isinstance(info.get("version"), str):
            return info
        if self._document:
            self._defects.add("info-missing", "/info", "`info` needs a title and a version", repaired="placeholders")
        known: dict[str, Any] = info if isinstance(info, dict) else {}
        return {**known, "title": str(known.get("title", "untitled")), "version": str(known.get("version", "0"))}

    def _components(self) -> dict[str, Any]:
        components = self._object(self._document.get("components", {}), "/components")
        result = dict(components)
        schemas = self._object(components.get("schemas", {}), "/components/schemas")
        result["schemas"] = {
            name: self._schemas.repair(schema, join_pointer("/components/schemas", name))
            for name, schema in schemas.items()
        }
        schemes = self._object(components.get("securitySchemes", {}), "/components/securitySchemes")
        repaired = {name: self._security_scheme(name, scheme) for name, scheme in schemes.items()}
        result["securitySchemes"] = {name: scheme for name, scheme in repaired.items() if scheme is not None}
        return {name: value for name, value in result.items() if value or name in components}

    def _object(self, value: Any, pointer: str) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self._lose("not-an-object", pointer, f"this must be an object, it is {show(value)}", "an empty object", value)
        return {}

    def _security_scheme(self, name: str, scheme: Any) -> dict[str, Any] | None:
        pointer = join_pointer("/components/securitySchemes", name)
        if isinstance(scheme, dict) and isinstance(scheme.get("$ref"), str):
            scheme = self._follow(scheme, pointer)
        kind = scheme.get("type") if isinstance(scheme, dict) else None
        if not isinstance(scheme, dict) or kind not in _SCHEME_KEYS or not _SCHEME_NEEDS[kind] <= scheme.keys():
            self._lose(
                "security-scheme-malformed", pointer, f"this is no security scheme: {show(scheme)}", "left out", scheme
            )
            return None
        allowed = {"type", "description"} | _SCHEME_KEYS[kind]
        foreign = [key for key in scheme if key not in allowed and not key.startswith("x-")]
        if foreign:
            message = f"a security scheme of type {kind} has no {', '.join(f'`{key}`' for key in foreign)}"
            self._defects.add("security-scheme-malformed", pointer, message, repaired="left out", got=foreign)
        return {key: value for key, value in scheme.items() if key not in foreign}

    def _security(self, value: Any, pointer: str) -> list[dict[str, Any]]:
        known = self._components_repaired.get("securitySchemes", {})
        requirements: list[dict[str, Any]] = []
        for index, requirement in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(requirement, dict) and all(name in known for name in requirement):
                requirements.append(requirement)
            else:
                message = f"the requirement {show(requirement)} names no security scheme of this document"
                self._lose("security-scheme-unknown", join_pointer(pointer, index), message, "left out", requirement)
        return requirements

    def _paths(self) -> dict[str, Any]:
        paths = self._document.get("paths", {})
        if isinstance(paths, list):
            merged: dict[str, Any] = {}
            for item in paths:
                merged |= item if isinstance(item, dict) else {}
            self._defects.add(
                "paths-is-array", "/paths", "`paths` is an array", repaired="its items merged into one object"
            )
            sources = {
                name: join_pointer("/paths", index, name)
                for index, item in enumerate(paths)
                if isinstance(item, dict)
                for name in item
            }
            paths = merged
        else:
            paths = self._object(paths, "/paths")
            sources = {name: join_pointer("/paths", name) for name in paths}
        result: dict[str, Any] = {}
        for name, item in paths.items():
            if name.startswith("x-"):
                continue
            path = self._path_item(name, item, sources[name])
            if path is not None:
                result[name if name.startswith("/") else f"/{name}"] = path
        return result

    def _path_item(self, name: str, item: Any, pointer: str) -> dict[str, Any] | None:
        if not name.startswith("/"):
            self._defects.add(
                "path-without-slash", pointer, f"the path {show(name)} does not begin with /", repaired="with a /"
            )
        if isinstance(item, dict) and "$ref" in item:
            item = self._follow(item, pointer)
        if not isinstance(item, dict):
            self._lose(
                "not-an-object", pointer, f"a path item must be an object, this is {show(item)}", "left out", item
            )
            return None
        shared = self._parameters(item.get("parameters", []), join_pointer(pointer, "parameters"))
        result = {key: value for key, value in item.items() if key not in METHODS and key != "parameters"}
        for method in METHODS:
            if method not in item:
                continue
            here = join_pointer(pointer, method)
            if isinstance(item[method], dict):
                result[method] = self._operation(name, item[method], shared, here)
            else:
                self._lose(
                    "not-an-object",
                    here,
                    f"an operation must be an object, this is {show(item[method])}",
                    "left out",
                    None,
                )
        return result

    def _operation(
        self, path: str, operation: dict[str, Any], shared: list[dict[str, Any]], pointer: str
    ) -> dict[str, Any]:
        result = dict(operation)
        own = self._parameters(operation.get("parameters", []), join_pointer(pointer, "parameters"))
        taken = {(item["name"], item["in"]) for item in own}
        parameters = [item for item in shared if (item["name"], item["in"]) not in taken] + own
        declared = {item["name"] for item in parameters if item["in"] == "path"}
        for name in _TEMPLATE.findall(path):
            if name not in declared:
                self._defects.add(
                    "path-parameter-undeclared", pointer, f"{{{name}}} is in the path only", repaired="any text"
                )
                parameters.append({"name": name, "in": "path", "required": True, "schema": {"type": "string"}})
        result.pop("parameters", None)
        if parameters:
            result["parameters"] = parameters
        if "requestBody" in operation:
            result["requestBody"] = self._request_body(operation["requestBody"], join_pointer(pointer, "requestBody"))
        result["responses"] = self._responses(operation.get("responses"), join_pointer(pointer, "responses"))
        if "security" in operation:
            result["security"] = self._security(operation["security"], join_pointer(pointer, "security"))
        return result

    def _parameters(self, parameters: Any, pointer: str) -> list[dict[str, Any]]:
        result: list[dict[str, Any]] = []
        for index, found in enumerate(parameters if isinstance(parameters, list) else [parameters]):
            here = join_pointer(pointer, index)
            item = self._follow(found, here) if isinstance(found, dict) and "$ref" in found else found
            place = item.get("in") if isinstance(item, dict) else None
            if (
                not isinstance(item, dict)
                or not isinstance(item.get("name"), str)
                or place not in {"path", "query", "header", "cookie"}
            ):
                self._lose(
                    "parameter-malformed",
                    here,
                    f"a parameter needs `name` and `in`, this is {show(found)}",
                    "left out",
                    found,
                )
                continue
            item = dict(item)
            if place == "path" and item.get("required") is not True:
                self._defects.add(
                    "parameter-malformed", here, "a path parameter must say `required: true`", repaired="required"
                )
                item["required"] = True
            if "content" not in item:
                item["schema"] = self._schemas.repair(item.get("schema", {}), join_pointer(here, "schema"))
            result.append(item)
        return result

    def _request_body(self, body: Any, pointer: str) -> dict[str, Any]:
        if isinstance(body, dict) and "$ref" in body:
            body = self._follow(body, pointer)
        body = self._object(body, pointer)
        if "content" not in body and (body.keys() & {"type", "properties", "oneOf", "anyOf", "allOf"}):
            self._defects.add(
                "request-body-is-schema", pointer, "the schema stands where `content` should", repaired=f"as {_JSON}"
            )
            return {"required": True, "content": {_JSON: {"schema": self._schemas.repair(body, pointer)}}}
        if "content" not in body:
            self._lose("content-missing", pointer, "the request body has no `content`", f"any {_JSON}", None)
        return {**body, "content": self._content(body.get("content", {_JSON: {}}), join_pointer(pointer, "content"))}

    def _content(self, content: Any, pointer: str) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name, media_type in self._object(content, pointer).items():
            here = join_pointer(pointer, name)
            result[name] = dict(self._object(media_type, here))
            if "schema" in result[name]:
                result[name]["schema"] = self._schemas.repair(result[name]["schema"], join_pointer(here, "schema"))
        return result

    def _responses(self, responses: Any, pointer: str) -> dict[str, Any]:
        if responses is None:
            self._lose("responses-missing", pointer, "the operation has no `responses`", "none is known", None)
            return {}
        result: dict[str, Any] = {}
        for key, found in self._object(responses, pointer).items():
            here = join_pointer(pointer, key)
            response = self._follow(found, here) if isinstance(found, dict) and "$ref" in found else found
            if key.startswith("x-"):
                continue
            if not _STATUS.fullmatch(key) or not isinstance(response, dict):
                self._lose(
                    "response-malformed",
                    here,
                    f"{show(key)}: {show(response)} is no response of a status",
                    "left out",
                    None,
                )
                continue
            response = dict(response)
            if not isinstance(response.get("description"), str):
                self._defects.add(
                    "response-description-missing",
                    here,
                    f"the response {key} has no `description`",
                    repaired="an empty one",
                )
                response["description"] = ""
            if "content" in response:
                response["content"] = self._content(response["content"], join_pointer(here, "content"))
            result[key] = response
        return result

    def _check_reference(self, reference: str) -> str | None:
        try:
            self._target(reference)
        except _BrokenReference as broken:
            return str(broken)
        return None

    def _follow(self, value: dict[str, Any], pointer: str) -> Any:
        """What a reference outside a schema leads to; None, and a finding, when it leads nowhere."""
        reference = value["$ref"]
        try:
            return self._target(reference)
        except _BrokenReference as broken:
            message = f"the reference {show(reference)} is {broken}"
            self._lose(f"ref-{broken}", join_pointer(pointer, "$ref"), message, "nothing", reference)
            return None

    def _target(self, reference: Any) -> Any:
        seen: set[str] = set()
        while True:
            if not isinstance(reference, str):
                raise _BrokenReference("dangling")
            if not reference.startswith("#"):
                raise _BrokenReference("external")
            if reference in seen:
                raise _BrokenReference("circular")
            seen.add(reference)
            try:
                target = resolve_pointer(self._document, pointer_parts(reference))
            except LookupError:
                raise _BrokenReference("dangling") from None
            if not isinstance(target, dict) or "$ref" not in target:
                return target
            reference = target["$ref"]

    def _lose(self, rule: str, pointer: str, message: str, repaired: str, got: Any) -> None:
        self._defects.add(rule, pointer, message, severity=Severity.ERROR, repaired=repaired, got=got)


class _BrokenReference(Exception):
    """Why a reference cannot be followed: dangling, external or circular."""

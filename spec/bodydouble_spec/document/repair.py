"""Repair of a whole document: every defect is a finding, and each readable operation is kept."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bodydouble_spec.defects import Defects, show
from bodydouble_spec.document.references import References
from bodydouble_spec.document.repair_schemas import SchemaRepair
from bodydouble_spec.finding import Evidence, Finding, Severity
from bodydouble_spec.schema import PROSE
from bodydouble_spec.values import is_array, is_object, join_pointer, path_names

__all__ = ["METHODS", "Repaired", "repair", "unreadable"]

# The keys that OpenAPI 3.0 requires beside `type` in each kind of security scheme; those of 3.1 are the same.
_REQUIRED_KEYS = {
    "apiKey": {"name", "in"},
    "http": {"scheme"},
    "oauth2": {"flows"},
    "openIdConnect": {"openIdConnectUrl"},
}
_ALLOWED_KEYS = {kind: {"type", "description", *needed} for kind, needed in _REQUIRED_KEYS.items()}
_ALLOWED_KEYS["http"].add("bearerFormat")


def repair_schemes(schemes: dict[str, Any], pointer: str, references: References, defects: Defects) -> dict[str, Any]:
    """Return the readable security schemes of ``components``, without keys that their type does not allow."""
    result: dict[str, Any] = {}
    for name, found in schemes.items():
        followed = references.follow(found, join_pointer(pointer, name))
        if followed is None:
            continue
        scheme, here = followed
        kind = scheme.get("type") if is_object(scheme) else None
        if not is_object(scheme) or not isinstance(kind, str) or not _is_complete(kind, scheme):
            message = f"this is not a security scheme: {show(scheme)}"
            defects.add_error("security-scheme-malformed", here, message, repaired="left out", got=scheme)
            continue
        foreign = [key for key in scheme if key not in _ALLOWED_KEYS[kind] and not key.startswith("x-")]
        if foreign:
            message = f"a security scheme of type {kind} must not have {', '.join(map(show, foreign[:5]))}"
            defects.add("security-scheme-malformed", here, message, repaired="left out", got=foreign)
        result[name] = {key: value for key, value in scheme.items() if key not in foreign}
    return result


def _is_complete(kind: str, scheme: dict[str, Any]) -> bool:
    return kind in _REQUIRED_KEYS and _REQUIRED_KEYS[kind] <= scheme.keys()


def repair_requirements(value: Any, pointer: str, known: dict[str, Any], defects: Defects) -> list[dict[str, Any]]:
    """Return the security requirements whose schemes are all ``known``."""
    requirements: list[dict[str, Any]] = []
    for index, found in enumerate(value if is_array(value) else [value]):
        requirement = found
        if is_object(found):
            # A description is not allowed here, but it names no scheme.
            is_prose = {name for name in found if name not in known and (name in PROSE or name.startswith("x-"))}
            requirement = {name: scopes for name, scopes in found.items() if name not in is_prose}
        if is_object(requirement) and all(name in known for name in requirement):
            requirements.append(requirement)
        else:
            message = f"the requirement {show(requirement)} names a security scheme that is not declared"
            here = join_pointer(pointer, index) if is_array(value) else pointer
            defects.add_error("security-scheme-unknown", here, message, repaired="left out", got=requirement)
    return requirements


UNREAD_PARAMETERS = "x-unread-parameters"
"""The key of an operation for its parameters of a newer OpenAPI, which are only compared as they are written."""

_UNREAD_PLACES = {"querystring"}
_JSON = "application/json"
_STATUS = re.compile(r"[1-5][0-9][0-9]|[1-5][Xx]{2}|default")
_YES = {"on", "true", "y", "yes", "1"}
_SCHEMA_KEYWORDS = {"allOf", "anyOf", "oneOf", "properties", "type"}


class OperationRepair:
    """Repairs the operations of one document.

    ``schemes`` are its repaired security schemes. ``moved`` is filled in: the new pointer of each moved part and its
    published pointer.
    """

    def __init__(
        self,
        defects: Defects,
        references: References,
        schemas: SchemaRepair,
        schemes: dict[str, Any],
        moved: dict[str, str],
    ) -> None:
        self._defects = defects
        self._references = references
        self._schemas = schemas
        self._schemes = schemes
        self._moved = moved

    def repair(
        self, path: str, operation: dict[str, Any], shared: list[dict[str, Any]], pointer: str, new_pointer: str
    ) -> dict[str, Any]:
        """Return a usable copy of the operation at ``pointer``; ``shared`` are the repaired parameters of its path item."""
        result = self._with_flags(operation, ("deprecated",), pointer)
        own = self.parameters(operation.get("parameters", []), join_pointer(pointer, "parameters"))
        taken = {(item["name"], item["in"]) for item in own}
        parameters = [item for item in shared if (item["name"], item["in"]) not in taken] + own
        declared = {item["name"] for item in parameters if item["in"] == "path"}
        for name in dict.fromkeys(filter(None, path_names(path))):
            if name not in declared:
                message = f"the path parameter {show(name)} is not declared"
                self._defects.add("path-parameter-undeclared", pointer, message, repaired="any text")
                parameters.append({"name": name, "in": "path", "required": True, "schema": {"type": "string"}})
        written = result.pop("parameters", None)
        if parameters:
            result["parameters"] = parameters
        unread = [
            item
            for item in (written if is_array(written) else ())
            if is_object(item) and item.get("in") in _UNREAD_PLACES
        ]
        if unread:
            result[UNREAD_PARAMETERS] = unread
        if "requestBody" in operation:
            result["requestBody"] = self._request_body(
                operation["requestBody"], join_pointer(pointer, "requestBody"), join_pointer(new_pointer, "requestBody")
            )
        result["responses"] = self._responses(
            operation.get("responses"), join_pointer(pointer, "responses"), join_pointer(new_pointer, "responses")
        )
        if "security" in operation:
            here = join_pointer(pointer, "security")
            result["security"] = repair_requirements(operation["security"], here, self._schemes, self._defects)
        return result

    def parameters(self, parameters: Any, pointer: str) -> list[dict[str, Any]]:
        """Return the readable parameters, with references followed."""
        result: list[dict[str, Any]] = []
        for index, found in enumerate(parameters if is_array(parameters) else [parameters]):
            place = join_pointer(pointer, index) if is_array(parameters) else pointer
            followed = self._references.follow(found, place)
            if followed is None:
                continue
            item, here = followed
            if (
                not is_object(item)
                or not isinstance(item.get("name"), str)
                or item.get("in") not in ("path", "query", "header", "cookie")
            ):
                is_newer = is_object(item) and item.get("in") in _UNREAD_PLACES
                reason = (
                    "a parameter with `in: querystring` is not supported"
                    if is_newer
                    else "a parameter needs `name` and `in`"
                )
                message = f"{reason}: {show(item)}"
                self._defects.add_error("parameter-malformed", here, message, repaired="left out", got=item)
                continue
            repaired = self._with_flags(
                item, ("deprecated", "required", "explode", "allowReserved", "allowEmptyValue"), here
            )
            if item["in"] == "path" and repaired.get("required") is not True:
                message = "a path parameter must say `required: true`"
                self._defects.add("parameter-malformed", here, message, repaired="required")
                repaired["required"] = True
            if "content" in item:
                repaired["content"] = self._content(item["content"], join_pointer(here, "content"))
            else:
                repaired["schema"] = self._schemas.repair(item.get("schema", {}), join_pointer(here, "schema"))
            result.append(repaired)
        return result

    def _request_body(self, found: Any, place: str, new_pointer: str) -> dict[str, Any]:
        anything: dict[str, Any] = {"content": {_JSON: {}}}
        found_body, pointer = self._references.follow(found, place) or (anything, place)
        body = self._with_flags(self._defects.require_object(found_body, pointer), ("required",), pointer)
        self._note_move(new_pointer, pointer)
        if "content" in body:
            return {**body, "content": self._content(body["content"], join_pointer(pointer, "content"))}
        if not _SCHEMA_KEYWORDS & body.keys():
            message = "the request body has no `content`"
            self._defects.add_error("content-missing", pointer, message, repaired=f"any {_JSON}")
            return {**body, "content": {_JSON: {}}}
        message = "the schema is in place of `content`"
        self._defects.add("request-body-is-schema", pointer, message, repaired=f"as {_JSON}")
        self._note_move(join_pointer(new_pointer, "content", _JSON, "schema"), pointer)
        return {"required": True, "content": {_JSON: {"schema": self._schemas.repair(body, pointer)}}}

    def _with_flags(self, item: dict[str, Any], names: tuple[str, ...], pointer: str) -> dict[str, Any]:
        """Return a copy in which these are true or false; ``no`` and ``yes`` are texts in YAML 1.2, but flags in YAML 1.1."""
        result = dict(item)
        for name in names:
            value = item.get(name, False)
            if not isinstance(value, bool):
                flag = str(value).lower() in _YES
                message = f"`{name}` must be true or false, not {show(value)}"
                repaired = f"read as {str(flag).lower()}"
                self._defects.add("flag-malformed", join_pointer(pointer, name), message, repaired=repaired, got=value)
                result[name] = flag
        return result

    def _content(self, content: Any, pointer: str) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name, found in self._defects.require_object(content, pointer).items():
            here = join_pointer(pointer, name)
            media_type = result[name] = dict(self._defects.require_object(found, here))
            if "schema" in media_type:
                media_type["schema"] = self._schemas.repair(media_type["schema"], join_pointer(here, "schema"))
            if "examples" in media_type:
                examples = join_pointer(here, "examples")
                media_type["examples"] = self._defects.require_object(media_type["examples"], examples)
        return result

    def _responses(self, responses: Any, pointer: str, new_pointer: str) -> dict[str, Any]:
        if responses is None:
            message = "the operation has no `responses`"
            self._defects.add_error("responses-missing", pointer, message, repaired="no responses")
            return {}
        result: dict[str, Any] = {}
        for key, found in self._defects.require_object(responses, pointer).items():
            if key.startswith("x-"):
                continue
            followed = self._references.follow(found, join_pointer(pointer, key))
            if followed is None:
                continue
            response, here = followed
            if not _STATUS.fullmatch(key) or not is_object(response):
                message = f"{show(key)}: {show(response)} is not a status with a response"
                self._defects.add_error("response-malformed", here, message, repaired="left out")
                continue
            self._note_move(join_pointer(new_pointer, key), here)
            result[key if key == "default" else key.upper()] = self._response(key, response, here)
        return result

    def _response(self, status: str, response: dict[str, Any], pointer: str) -> dict[str, Any]:
        result = dict(response)
        if not isinstance(response.get("description"), str):
            message = f"the response {status} has no `description`"
            self._defects.add("response-description-missing", pointer, message, repaired="an empty one")
            result["description"] = ""
        if "content" in response:
            result["content"] = self._content(response["content"], join_pointer(pointer, "content"))
        if "headers" in response:
            result["headers"] = self._headers(response["headers"], join_pointer(pointer, "headers"))
        return result

    def _headers(self, headers: Any, pointer: str) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name, found in self._defects.require_object(headers, pointer).items():
            followed = self._references.follow(found, join_pointer(pointer, name))
            if followed is None:
                continue
            header, here = followed
            result[name] = header = dict(self._defects.require_object(header, here))
            if "schema" in header:
                header["schema"] = self._schemas.repair(header["schema"], join_pointer(here, "schema"))
        return result

    def _note_move(self, new_pointer: str, pointer: str) -> None:
        self._moved[new_pointer] = pointer


METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

_SCHEMAS = "/components/schemas"
_SCHEMES = "/components/securitySchemes"


@dataclass(frozen=True, slots=True)
class Repaired:
    """A usable document, the findings of its repair, and the published pointers of its moved parts."""

    document: dict[str, Any]
    findings: tuple[Finding, ...]
    moved: Mapping[str, str] = field(default_factory=dict[str, str])

    def published_pointer(self, pointer: str) -> str:
        """Translate a pointer into the repaired document to one into the published document."""
        above = pointer
        while above and above not in self.moved:
            above = above.rpartition("/")[0]
        return self.moved.get(above, "") + pointer[len(above) :]

    def as_published(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Yield findings about the repaired document with the pointers of the published one."""
        for finding in findings:
            yield replace(finding, pointer=self.published_pointer(finding.pointer))


def repair(document: Any) -> Repaired:
    """Return a usable copy of an OpenAPI document, and a finding with a JSON pointer for each defect.

    A warning was repaired without loss; an error lost a promise of the document (a broken reference, an operation that
    is not an object). The argument is not changed. A second repair loses nothing more.
    """
    if not is_object(document):
        return unreadable(f"the document is {show(document)}; an OpenAPI document is an object")
    if "swagger" in document and "openapi" not in document:
        problem = f"this is Swagger {document['swagger']}, which is not supported; convert it to OpenAPI 3 first"
        return unreadable(problem, "/swagger")
    defects = Defects()
    moved: dict[str, str] = {}
    return Repaired(_DocumentRepair(document, defects, moved).repair(), defects.findings, moved)


def unreadable(problem: str, pointer: str = "") -> Repaired:
    """Return the stand-in for an unreadable document: no operations, and one finding with the reason."""
    finding = Finding(
        "document-unreadable", Severity.ERROR, Evidence.DOCUMENTED, pointer, problem, "an OpenAPI document in JSON or YAML",
        repaired="a document without operations",
    )  # fmt: skip
    info = {"title": "untitled", "version": "0"}
    return Repaired({"openapi": "3.0.0", "info": info, "components": {}, "paths": {}}, (finding,))


class _DocumentRepair:
    def __init__(self, document: dict[str, Any], defects: Defects, moved: dict[str, str]) -> None:
        self._document = document
        self._defects = defects
        self._moved = moved
        self._references = References(document, defects)
        self._version = self._read_version()
        self._schemas = SchemaRepair(defects, self._references.problem, is_31=not self._version.startswith("3.0"))

    def repair(self) -> dict[str, Any]:
        components = self._components()
        schemes: dict[str, Any] = components.get("securitySchemes", {})
        operations = OperationRepair(self._defects, self._references, self._schemas, schemes, self._moved)
        result: dict[str, Any] = {"openapi": self._version, "info": self._info()}
        result |= {key: value for key, value in self._document.items() if key not in result}
        result |= {"components": components, "paths": self._paths(operations)}
        if "security" in result:
            result["security"] = repair_requirements(result["security"], "/security", schemes, self._defects)
        for parts in self._schemas.left_over():
            result = self._with_repaired(result, parts, parts)
        return result

    def _with_repaired(self, value: Any, parts: Sequence[str], below: Sequence[str]) -> Any:
        """Return a copy of a value with the schema repaired that is at the end of ``parts``, of which ``below`` are left."""
        if not below:
            return self._schemas.repair(value, join_pointer("", *parts))
        name, *rest = below
        if is_object(value) and name in value:
            return {**value, name: self._with_repaired(value[name], parts, rest)}
        if is_array(value) and name.isdecimal() and int(name) < len(value):
            return [
                self._with_repaired(item, parts, rest) if index == int(name) else item
                for index, item in enumerate(value)
            ]
        return value

    def _read_version(self) -> str:
        version = self._document.get("openapi")
        if isinstance(version, str) and re.match(r"3\.[0-9]", version):
            return version
        if isinstance(version, float) and 3 <= version < 4:
            message = f"`openapi` is the number {version}, not a string"
            self._defects.add("openapi-version", "/openapi", message, repaired=f'read as "{version}"')
            return str(version)
        found = f"`openapi` is {show(version)}" if "openapi" in self._document else "`openapi` is missing"
        self._defects.add(
            "openapi-version", "/openapi", f"{found}; only OpenAPI 3 is supported", repaired="read as 3.0.0"
        )
        return "3.0.0"

    def _info(self) -> dict[str, Any]:
        info = self._document.get("info")
        known: dict[str, Any] = info if is_object(info) else {}
        if isinstance(known.get("title"), str) and isinstance(known.get("version"), str):
            return known
        self._defects.add("info-missing", "/info", "`info` needs a title and a version", repaired="placeholders")
        return {**known, "title": str(known.get("title", "untitled")), "version": str(known.get("version", "0"))}

    def _components(self) -> dict[str, Any]:
        components = self._defects.require_object(self._document.get("components", {}), "/components")
        schemas = self._defects.require_object(components.get("schemas", {}), _SCHEMAS)
        schemes = self._defects.require_object(components.get("securitySchemes", {}), _SCHEMES)
        result = {
            **components,
            "schemas": {
                name: self._schemas.repair(schema, join_pointer(_SCHEMAS, name)) for name, schema in schemas.items()
            },
            "securitySchemes": repair_schemes(schemes, _SCHEMES, self._references, self._defects),
        }
        return {name: value for name, value in result.items() if value or name in components}

    def _paths(self, operations: OperationRepair) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name, found, place in self._path_items():
            if name.startswith("x-"):
                continue
            path = name if name.startswith("/") else f"/{name}"
            if path != name:
                message = f"the path {show(name)} does not begin with /"
                self._defects.add("path-without-slash", place, message, repaired="with a /")
            followed = self._references.follow(found, place)
            if followed is None:
                continue
            item, pointer = followed
            if is_object(item):
                before = result.get(path, {})
                result[path] = {
                    **before,
                    **self._path_item(path, item, pointer, operations, frozenset(METHODS) & before.keys()),
                }
            else:
                message = f"a path item must be an object, not {show(item)}"
                self._defects.add_error("not-an-object", pointer, message, repaired="left out", got=item)
        return result

    def _path_items(self) -> Iterator[tuple[str, Any, str]]:
        """Yield name, value and pointer of each path item."""
        if "paths" not in self._document:
            if not {"components", "webhooks"} & self._document.keys():
                message = "the document has no `paths`"
                self._defects.add_error("paths-missing", "/paths", message, repaired="no operations")
            return
        paths = self._document["paths"]
        listed = {"/paths": paths}
        if is_array(paths):
            message = "`paths` is an array"
            self._defects.add("paths-is-array", "/paths", message, repaired="its items merged into one object")
            listed = {join_pointer("/paths", index): item for index, item in enumerate(paths)}
        for pointer, items in listed.items():
            for name, item in self._defects.require_object(items, pointer).items():
                yield name, item, join_pointer(pointer, name)

    def _path_item(
        self, path: str, item: dict[str, Any], pointer: str, operations: OperationRepair, taken: frozenset[str]
    ) -> dict[str, Any]:
        shared = operations.parameters(item.get("parameters", []), join_pointer(pointer, "parameters"))
        result = {key: value for key, value in item.items() if key not in METHODS and key != "parameters"}
        for method in METHODS:
            if method not in item:
                continue
            here = join_pointer(pointer, method)
            new = join_pointer("/paths", path, method)
            if method in taken:
                message = f"the document has {method.upper()} {show(path)} twice"
                self._defects.add_error("operation-twice", here, message, repaired="the first one is kept")
            elif is_object(item[method]):
                self._moved[new] = here
                result[method] = operations.repair(path, item[method], shared, here, new)
            else:
                message = f"an operation must be an object, not {show(item[method])}"
                self._defects.add_error("not-an-object", here, message, repaired="left out")
        return result

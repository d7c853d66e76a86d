"""Repair of a whole document: every defect is a finding, and each readable operation is kept."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bodydouble_spec._defects import Defects, show
from bodydouble_spec._finding import Evidence, Finding, Severity
from bodydouble_spec._json import is_array, is_object
from bodydouble_spec._pointer import join_pointer
from bodydouble_spec._references import References
from bodydouble_spec._repair_operation import OperationRepair
from bodydouble_spec._repair_schema import SchemaRepair
from bodydouble_spec._repair_security import repair_requirements, repair_schemes

__all__ = ["METHODS", "Repaired", "repair", "unreadable"]

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
        nearest = max((new for new in self.moved if f"{pointer}/".startswith(f"{new}/")), key=len, default=None)
        return pointer if nearest is None else self.moved[nearest] + pointer[len(nearest) :]


def repair(document: Any) -> Repaired:
    """Return a usable copy of an OpenAPI document, and a finding with a JSON pointer for each defect.

    A warning was repaired without loss; an error lost a promise of the document (a broken reference, an operation that
    is not an object). The argument is not changed. A second repair loses nothing more.
    """
    if not is_object(document):
        return unreadable(f"the document is {show(document)}; an OpenAPI document is an object")
    defects = Defects()
    moved: dict[str, str] = {}
    return Repaired(_DocumentRepair(document, defects, moved).repair(), defects.findings, moved)


def unreadable(problem: str) -> Repaired:
    """Return the stand-in for an unreadable document: no operations, and one finding with the reason."""
    finding = Finding(
        "document-unreadable", Severity.ERROR, Evidence.DOCUMENTED, "", problem, "an OpenAPI document in JSON or YAML",
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
        return result

    def _read_version(self) -> str:
        version = self._document.get("openapi")
        if isinstance(version, str) and re.match(r"3\.[0-9]", version):
            return version
        found = f"`openapi` is {show(version)}" if "openapi" in self._document else "`openapi` is missing"
        self._defects.add("openapi-version", "/openapi", f"{found}; OpenAPI 3 is read", repaired="read as 3.0.0")
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

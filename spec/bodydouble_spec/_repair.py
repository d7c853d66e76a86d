"""Repairs of a whole document: every defect is a finding, and each operation that can be understood is kept."""

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
    """A document that can be used, what had to be repaired in it, and where its moved parts stood in the published one."""

    document: dict[str, Any]
    findings: tuple[Finding, ...]
    places: Mapping[str, str] = field(default_factory=dict[str, str])

    def published_pointer(self, pointer: str) -> str:
        """Where what is at ``pointer`` of the repaired document stands in the published one."""
        moved = max((new for new in self.places if f"{pointer}/".startswith(f"{new}/")), key=len, default=None)
        return pointer if moved is None else self.places[moved] + pointer[len(moved) :]


def repair(document: Any) -> Repaired:
    """A usable copy of an OpenAPI document, and a finding for each defect, with its JSON pointer.

    A warning was repaired without loss; an error lost a promise of the document (a reference that leads nowhere, an
    operation that is no object). The argument is not changed. What is already repaired loses nothing more.
    """
    if not is_object(document):
        return unreadable(f"the document is {show(document)}; an OpenAPI document is an object")
    defects = Defects()
    places: dict[str, str] = {}
    return Repaired(_DocumentRepair(document, defects, places).repair(), defects.findings, places)


def unreadable(problem: str) -> Repaired:
    """What stands for a document that is none: one without operations, and one finding that says why."""
    finding = Finding(
        "document-unreadable", Severity.ERROR, Evidence.DOCUMENTED, "", problem, "an OpenAPI document in JSON or YAML",
        repaired="a document without operations",
    )  # fmt: skip
    info = {"title": "untitled", "version": "0"}
    return Repaired({"openapi": "3.0.0", "info": info, "components": {}, "paths": {}}, (finding,))


class _DocumentRepair:
    def __init__(self, document: dict[str, Any], defects: Defects, places: dict[str, str]) -> None:
        self._document = document
        self._defects = defects
        self._places = places
        self._references = References(document, defects)
        self._version = self._read_version()
        self._schemas = SchemaRepair(defects, self._references.problem, is_31=not self._version.startswith("3.0"))

    def repair(self) -> dict[str, Any]:
        components = self._components()
        schemes: dict[str, Any] = components.get("securitySchemes", {})
        operations = OperationRepair(self._defects, self._references, self._schemas, schemes, self._places)
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
                message = f"a path item must be an object, this is {show(item)}"
                self._defects.lose("not-an-object", pointer, message, repaired="left out", got=item)
        return result

    def _path_items(self) -> Iterator[tuple[str, Any, str]]:
        """Name, value and pointer of each path item."""
        if "paths" not in self._document:
            if not {"components", "webhooks"} & self._document.keys():
                message = "the document has no `paths`"
                self._defects.lose("paths-missing", "/paths", message, repaired="no operations")
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
                self._defects.lose("operation-twice", here, message, repaired="the first one")
            elif is_object(item[method]):
                self._places[new] = here
                result[method] = operations.repair(path, item[method], shared, here, new)
            else:
                message = f"an operation must be an object, this is {show(item[method])}"
                self._defects.lose("not-an-object", here, message, repaired="left out")
        return result

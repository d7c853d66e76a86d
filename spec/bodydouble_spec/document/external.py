"""References to other files of the same folder: their targets become components of the document."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from bodydouble_spec.defects import show
from bodydouble_spec.errors import UnreadableDocument
from bodydouble_spec.finding import Finding
from bodydouble_spec.values import is_array, is_object, pointer_parts, resolve_pointer

__all__ = ["embed_files", "explain_references"]

_SCHEMA_KEYS = {
    "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "schema", "then", "unevaluatedItems",
    "unevaluatedProperties",
}  # fmt: skip
_SCHEMA_LISTS = {"allOf", "anyOf", "oneOf", "prefixItems"}
_SCHEMA_MAPS = {"$defs", "definitions", "dependentSchemas", "patternProperties", "properties", "schemas"}
_DATA = {"const", "default", "enum", "example", "examples"}
_OTHERS = "x-files"
_MAX_FILES = 200


def embed_files(document: Any, path: Path, read: Callable[[Path], Any]) -> Any:
    """Return a document in which references to files of its own folder are references to components.

    A reference to anything else (another folder, a URL, a file that cannot be read) stays as it is. ``read`` parses a file.
    """
    if not (is_object(document) and _has_external(document)):
        return document
    return _Embedding(path, read).embed(document)


def _has_external(value: Any) -> bool:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if is_object(item):
            reference = item.get("$ref")
            if isinstance(reference, str) and not reference.startswith("#"):
                return True
            waiting += [below for below in item.values() if isinstance(below, (dict, list))]
        elif is_array(item):
            waiting += [below for below in item if isinstance(below, (dict, list))]
    return False


def explain_references(
    findings: Iterable[Finding], path: Path | None, read: Callable[[Path], Any]
) -> Iterator[Finding]:
    """Yield findings, those about references to other files with the reason why they were not followed.

    ``path`` is that of the document, None where it is no file; ``read`` parses a file.
    """
    for finding in findings:
        if finding.id == "ref-external" and isinstance(finding.got, str):
            reason = _why_not_embedded(finding.got, path, read)
            yield replace(finding, message=f"the reference {show(finding.got)} {reason}")
        else:
            yield finding


def _why_not_embedded(reference: str, path: Path | None, read: Callable[[Path], Any]) -> str:
    name, _, pointer = reference.partition("#")
    if _is_absolute(name) or path is None:
        return "leads to another address; only files of the document's own folder are read"
    folder = path.resolve().parent
    target = (folder / unquote(name)).resolve()
    if not target.is_relative_to(folder):
        return f"leads out of the folder {folder}; only files of the document's own folder are read"
    if not target.is_file():
        return f"leads to {name}, and there is no such file in {folder}"
    try:
        resolve_pointer(read(target), pointer_parts(f"#{pointer}"))
    except UnreadableDocument as error:
        return f"leads to a file that cannot be read: {error}"
    except LookupError:
        return f"leads to {name}, which has nothing at #{pointer}"
    return f"leads to {name}, one of more than {_MAX_FILES} files"


def _is_absolute(name: str) -> bool:
    return name.startswith("/") or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", name) is not None


class _Embedding:
    def __init__(self, path: Path, read: Callable[[Path], Any]) -> None:
        self._folder = path.resolve().parent
        self._top = path.resolve()
        self._read = read
        self._files: dict[Path, Any] = {}
        self._names: dict[tuple[Path, str, bool], str] = {}
        self._schemas: dict[str, Any] = {}
        self._others: dict[str, Any] = {}

    def embed(self, document: dict[str, Any]) -> dict[str, Any]:
        self._files[self._top] = document
        result: dict[str, Any] = self._walk(document, self._top, is_schema=False, key="")
        components = result.get("components", {})
        if is_object(components) and self._names:
            schemas = components.get("schemas", {})
            merged = {**schemas, **self._schemas} if is_object(schemas) else self._schemas
            result["components"] = {**components, "schemas": merged, _OTHERS: self._others}
        return result

    def _walk(self, value: Any, file: Path, *, is_schema: bool, key: str) -> Any:
        if is_array(value):
            below = is_schema or key in _SCHEMA_LISTS
            return [self._walk(item, file, is_schema=below, key="") for item in value]
        if not is_object(value):
            return value
        result: dict[str, Any] = {}
        for name, item in value.items():
            if name == "$ref" and isinstance(item, str):
                result[name] = self._reference(item, file, is_schema=is_schema)
            elif name in _DATA and key not in _SCHEMA_MAPS:
                result[name] = item
            else:
                result[name] = self._walk(item, file, is_schema=name in _SCHEMA_KEYS or key in _SCHEMA_MAPS, key=name)
        return result

    def _reference(self, reference: str, file: Path, *, is_schema: bool) -> str:
        name, _, pointer = reference.partition("#")
        if not name and file == self._top:
            return reference
        target = file if not name else self._file(name, file)
        if target is None:
            return reference
        if target == self._top:
            return f"#{pointer}"
        key = (target, pointer, is_schema)
        if key not in self._names:
            try:
                found = resolve_pointer(self._files[target], pointer_parts(f"#{pointer}"))
            except LookupError:
                return reference
            slug = re.sub(r"[^A-Za-z0-9_.-]+", ".", f"{target.name}{pointer}").strip(".")
            taken = self._schemas if is_schema else self._others
            while slug in taken:
                slug += "_"
            self._names[key] = slug
            taken[slug] = {}
            taken[slug] = self._walk(found, target, is_schema=is_schema, key="")
        return f"#/components/{'schemas' if is_schema else _OTHERS}/{self._names[key]}"

    def _file(self, name: str, file: Path) -> Path | None:
        """Return a file of the folder, once it is read; None for any other."""
        if _is_absolute(name):
            return None
        path = (file.parent / unquote(name)).resolve()
        if not path.is_relative_to(self._folder) or len(self._files) > _MAX_FILES:
            return None
        if path not in self._files:
            try:
                self._files[path] = self._read(path)
            except UnreadableDocument:
                return None
        return path

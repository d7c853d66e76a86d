"""References to other files of the same folder: their targets become components of the document, and each file a finding."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from bodydouble_spec.defects import show
from bodydouble_spec.errors import UnreadableDocument
from bodydouble_spec.finding import Evidence, Finding, Severity
from bodydouble_spec.values import is_array, is_object, join_pointer, pointer_parts, resolve_pointer

__all__ = ["embed_files", "explain_references", "file_findings"]

_SCHEMA_KEYS = {
    "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "schema", "then", "unevaluatedItems",
    "unevaluatedProperties",
}  # fmt: skip
_SCHEMA_LISTS = {"allOf", "anyOf", "oneOf", "prefixItems"}
_SCHEMA_MAPS = {"$defs", "definitions", "dependentSchemas", "patternProperties", "properties", "schemas"}
_DATA = {"const", "default", "enum", "example", "examples"}
_OTHERS = "x-files"
_MAX_FILES = 200


def embed_files(document: Any, path: Path, read: Callable[[Path], Any]) -> tuple[Any, tuple[Path, ...]]:
    """Return a document in which references to files of its own folder are references to components, and these files.

    A reference to anything else (another folder, a URL, a file that cannot be read) stays as it is. ``read`` parses a file.
    """
    if not (is_object(document) and _has_external(document)):
        return document, ()
    embedding = _Embedding(path, read)
    return embedding.embed(document), embedding.files


def _has_external(value: dict[str, Any]) -> bool:
    waiting: list[dict[str, Any] | list[Any]] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            reference = item.get("$ref")
            if isinstance(reference, str) and not reference.startswith("#"):
                return True
            item = [*item.values()]
        waiting += [below for below in item if isinstance(below, (dict, list))]
    return False


def file_findings(document: Any, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield a finding at the first reference to each other file from which a document as published was completed.

    ``findings`` are those of the completed document, which name the references that were not followed.
    """
    unfollowed = {finding.got for finding in findings if finding.id == "ref-external"}
    places: dict[str, list[str]] = {}
    for pointer, reference in _references(document):
        if not reference.startswith("#") and reference not in unfollowed:
            places.setdefault(reference.partition("#")[0], []).append(pointer)
    for name, pointers in places.items():
        count = "a reference points" if len(pointers) == 1 else f"{len(pointers)} references point"
        message = f"{count} to the file {show(name)} in the document's own folder"
        yield Finding("ref-file", Severity.INFO, Evidence.DOCUMENTED, pointers[0], message, repaired="read from there")


def _references(document: Any) -> Iterator[tuple[str, str]]:
    """Yield the pointer and the text of each reference, without those in data."""
    waiting: list[tuple[Any, tuple[Any, ...]]] = [(document, ())]
    for value, parts in waiting:
        if is_array(value):
            waiting += [(item, (*parts, index)) for index, item in enumerate(value)]
        for name, item in value.items() if is_object(value) else ():
            if name == "$ref" and isinstance(item, str):
                yield join_pointer("", *parts, name), item
            elif name not in _DATA or (parts and parts[-1] in _SCHEMA_MAPS):
                waiting.append((item, (*parts, name)))


def explain_references(
    findings: Iterable[Finding], path: Path | None, read: Callable[[Path], Any]
) -> Iterator[Finding]:
    """Yield findings, those about references to other files with the reason why they were not followed.

    ``path`` is that of the document, None where it is not a file; ``read`` parses a file.
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
        return "points to another address; only files in the document's own folder are read"
    folder = path.resolve().parent
    target = (folder / unquote(name)).resolve()
    if not target.is_relative_to(folder):
        return f"points outside the folder {folder}; only files in the document's own folder are read"
    if not target.is_file():
        return f"points to {name}, and there is no such file in {folder}"
    try:
        resolve_pointer(read(target), pointer_parts(f"#{pointer}"))
    except UnreadableDocument as error:
        return f"points to a file that cannot be read: {error}"
    except LookupError:
        return f"points to {name}, which has nothing at #{pointer}"
    return f"points to {name}, one of more than {_MAX_FILES} files"


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

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(file for file in self._files if file != self._top)

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

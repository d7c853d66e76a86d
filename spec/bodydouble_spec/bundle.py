"""Bundles: a contract as a single document, or as a folder of document, overlay and provenance."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bodydouble_spec.document import is_url, parse_document, read_source
from bodydouble_spec.errors import ContractError, UnreadableDocument
from bodydouble_spec.values import is_object
from bodydouble_spec.vendored import FOLDER, SOURCE

__all__ = ["Bundle", "nearest_pyproject"]

_SUFFIXES = (".json", ".yaml", ".yml")
_DOCUMENT, _OVERLAY = "openapi", "overlay"
_PROVENANCE = "provenance.json"
# Written for speed by `contract update`; it repeats the document.
_DERIVED = "merged.json"
_MAX_LISTED = 5


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files of one contract; ``overlay`` and ``provenance`` are None where there is none.

    A folder has one document (any name), at most one overlay (``overlay.yaml``, or another name) and at most one ``provenance.json``.
    A document that is named by itself has the overlay next to it as ``overlay.yaml``, ``overlay.yml`` or ``overlay.json``; a
    provenance beside it does not count, since it may be that of another document. A URL stands alone.
    """

    document: str | Path
    overlay: Path | None = None
    provenance: Path | None = None

    @classmethod
    def find(cls, source: str | Path) -> "Bundle":
        """Find the files of a contract at a document, a folder or a URL, or of ``"vendored"``; only files of a folder are read.

        Raises UnreadableDocument for a folder that cannot be listed, ContractError for one without a document, or with several documents
        or overlays.
        """
        if source == "":  # which Path takes for the working directory
            raise UnreadableDocument("the contract has no name; name a document, a folder or an http(s) URL")
        if source == SOURCE:
            source = FOLDER
        if isinstance(source, str) and is_url(source):
            return cls(source)
        if os.path.isdir(source):  # noqa: PTH112 - False for a name that no file can have, where Path raises
            return cls._in_folder(Path(source))
        beside = (Path(source).with_name(f"{_OVERLAY}{suffix}") for suffix in _SUFFIXES) if Path(source).name else ()
        return cls(source, next((path for path in beside if os.path.isfile(path)), None))  # noqa: PTH113 - as above

    @classmethod
    def _in_folder(cls, folder: Path) -> "Bundle":
        try:
            inside = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES and path.is_file())
        except OSError as error:
            raise UnreadableDocument(f"{folder}: {error.strerror or error}; name a readable folder") from None
        files = [path for path in inside if not path.name.startswith(".") and path.name not in {_DERIVED, _PROVENANCE}]
        kinds = {path: _kind(path) for path in files}
        documents = [path for path in files if kinds[path] == _DOCUMENT]
        overlays = [path for path in files if kinds[path] == _OVERLAY]
        if not documents:
            others = f"; it has {_names(files)}" if files else ""
            raise ContractError(
                f"{folder}: there is no contract document in this folder{others}; put an openapi.json there"
            )
        for found, noun in ((documents, "documents"), (overlays, "overlays")):
            if len(found) > 1:
                advice = "keep one of them there, or name a document itself"
                raise ContractError(
                    f"{folder}: there are {len(found)} {noun} in this folder, {_names(found)}; {advice}"
                )
        provenance = folder / _PROVENANCE
        return cls(documents[0], overlays[0] if overlays else None, provenance if provenance.is_file() else None)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the bundle; none for a URL."""
        document = () if isinstance(self.document, str) and is_url(self.document) else (Path(self.document),)
        return (*document, *(path for path in (self.overlay, self.provenance) if path is not None))

    def read_provenance(self, fingerprint: Callable[[], str]) -> Mapping[str, str] | None:
        """Read the provenance, or return None where there is none.

        ``fingerprint`` returns that of the document. Raises ContractError when the provenance is that of another one.
        """
        if self.provenance is None:
            return None
        facts, problem = parse_document(read_source(self.provenance))
        if problem is not None or not (is_object(facts) and all(isinstance(value, str) for value in facts.values())):
            raise ContractError(
                f"{self.provenance}: {problem or 'it must be an object of strings'}; correct or remove it"
            )
        known = facts.get("fingerprint")
        if known is not None and known != (actual := fingerprint()):
            raise ContractError(
                f"{self.provenance} belongs to another document: it has the fingerprint {known[:64]}, but {self.document} has {actual}; "
                "adopt the document with contract update, or remove the provenance"
            )
        return facts


def _kind(path: Path) -> str | None:
    """Return the kind of a file in a folder, by the usual names, and else by its content; None for neither document nor overlay."""
    if path.stem.lower() in {_DOCUMENT, _OVERLAY}:
        return path.stem.lower()
    value, _ = parse_document(read_source(path))
    if not is_object(value):
        return None
    if _OVERLAY in value:
        return _OVERLAY
    return _DOCUMENT if not value.keys().isdisjoint({"openapi", "swagger", "paths"}) else None


def _names(files: list[Path]) -> str:
    more = f" and {len(files) - _MAX_LISTED} more" if len(files) > _MAX_LISTED else ""
    return ", ".join(path.name for path in files[:_MAX_LISTED]) + more


def nearest_pyproject(folder: Path) -> Path | None:
    """Return the ``pyproject.toml`` in a folder, or in the nearest folder above it that has one; None where none has."""
    candidates = (parent / "pyproject.toml" for parent in (folder, *folder.parents))
    return next((path for path in candidates if path.is_file()), None)

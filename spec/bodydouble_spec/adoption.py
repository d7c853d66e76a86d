"""Adoption of a revision: the published structure in our own words, checked against the overlay, and the files that hold it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from bodydouble_spec.bundle import Bundle
from bodydouble_spec.contract import Contract
from bodydouble_spec.diff import Change, diff, read_name
from bodydouble_spec.document import (
    Downloaded,
    Overlay,
    is_url,
    parse_document,
    read_source,
    repair,
    restore_prose,
    strip_prose,
)
from bodydouble_spec.errors import ContractError
from bodydouble_spec.exchange import Redactor
from bodydouble_spec.finding import Finding, Severity
from bodydouble_spec.meaning import fingerprint
from bodydouble_spec.operation import Operation
from bodydouble_spec.schema import SchemaView
from bodydouble_spec.values import is_object
from bodydouble_spec.vendored import merged_bytes

__all__ = ["Adoption", "adopt"]

_DOCUMENT, _OVERLAY, _PROVENANCE, _MERGED = "openapi.json", "overlay.yaml", "provenance.json", "merged.json"
_MODEL = "model"


@dataclass(frozen=True, slots=True)
class Adoption:
    """The result of adopting a revision: ``files`` maps names to the bytes to write, all or none.

    ``old`` and ``new`` are the contracts as published and ``changes`` the differences between them. ``findings`` are
    the overlay actions that no longer match, and the parts of the new document that could not be read. ``provenance``
    is the content of ``provenance.json``.
    """

    old: Contract
    new: Contract
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]
    provenance: Mapping[str, str]
    files: Mapping[str, bytes]


def adopt(source: str | Path, folder: Path, today: date, on_download: Downloaded | None = None) -> Adoption:
    """Prepare the adoption of a document, of that of a bundle or of ``"vendored"`` into a folder of contract files; write nothing.

    ``folder`` holds ``openapi.json``, ``overlay.yaml`` and ``provenance.json``. The name and date of a revision come
    from its bundle's provenance, else from its file name (``2026-06-12-4cd011cd.json``); without one, the name is its
    digest and the date that of the file, or ``today`` for a URL. ``on_download`` hears of the progress of a download. Raises ContractError when the document is not a contract or the folder holds none, and
    OverlayError when the overlay is malformed.
    """
    adopted, previous = _read_adopted(folder, _DOCUMENT), _read_adopted(folder, _PROVENANCE)
    overlay = Overlay.load(_existing(folder, _OVERLAY))
    bundle = Bundle.find(source)
    data = read_source(bundle.document, on_download)
    published, problem = parse_document(data)
    if problem is None and not is_object(published):
        problem = "an OpenAPI document must be an object"
    if problem is not None:
        raise ContractError(f"{source}: {problem}; nothing was adopted")
    document = _with_own_prose(published, adopted, source)
    new = Contract.load(document, overlay=overlay)
    if new.partial_reason is not None:
        raise ContractError(f"{source}: {new.partial_reason}; nothing was adopted")
    if not new.operations:
        raise ContractError(f"{source}: it has no readable operation, so nothing was adopted; see contract check")
    old_published, new_published = Contract.load(adopted, overlay=None), Contract.load(document, overlay=None)
    stated = bundle.read_provenance(lambda: fingerprint(published)) or {}
    provenance = {**previous, **_provenance(bundle.document, data, new, today), **stated}
    files = {_DOCUMENT: _json_bytes(document), _PROVENANCE: _json_bytes(provenance)}
    result = overlay.apply(repair(document).document)
    files[_MERGED] = merged_bytes(result, files[_DOCUMENT], _existing(folder, _OVERLAY).read_bytes())
    findings = (item for item in new.findings if item.source == "overlay" or item.severity is Severity.ERROR)
    return Adoption(
        replace(old_published, source=f"{previous.get('revision', folder)}"),
        replace(new_published, source=Redactor().text(str(source))),
        tuple(diff(old_published, new_published)),
        tuple(findings),
        provenance,
        files,
    )


def _with_own_prose(published: dict[str, Any], adopted: dict[str, Any], source: str | Path) -> dict[str, Any]:
    document: dict[str, Any] = restore_prose(adopted, strip_prose(published))
    version = published["info"].get("version") if is_object(published.get("info")) else None
    if isinstance(version, str):
        document["info"]["version"] = version
    try:
        _json_bytes(document)
    except ValueError as error:
        raise ContractError(f"{source}: it cannot be written as JSON ({error}); nothing was adopted") from None
    if fingerprint(document) != fingerprint(published):
        raise ContractError(f"{source}: its structure cannot be copied without its prose; nothing was adopted")
    return document


def _provenance(source: str | Path, data: bytes, contract: Contract, today: date) -> dict[str, str]:
    is_address = isinstance(source, str) and is_url(source)
    name, day = read_name(str(source))
    if day is None:
        name = f"sha256:{sha256(data).hexdigest()[:12]}"
        day = today if is_address else datetime.fromtimestamp(Path(source).stat().st_mtime, UTC).date()
    models = [model for operation in contract.operations for model in _models(operation)]
    return {
        # A file has no URL: it counts as a later revision of the same document, whose URL is kept.
        **({"document": Redactor().text(str(source))} if is_address else {}),
        "revision": name,
        "date": day.isoformat(),
        _MODEL: ", ".join(dict.fromkeys(models)),
        "fingerprint": contract.fingerprint,
    }


def _models(operation: Operation) -> list[str]:
    """Return the allowed values of a request's ``model`` property."""
    model = SchemaView.of(operation.request_schema).properties.get(_MODEL)
    options = None if model is None else model.options
    return [value for value in options or () if isinstance(value, str)]


def _read_adopted(folder: Path, name: str) -> dict[str, Any]:
    value, problem = parse_document(_existing(folder, name).read_bytes())
    if problem is not None or not is_object(value):
        raise ContractError(f"{folder / name}: {problem or 'it must be an object'}; restore the file first")
    return value


def _existing(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise ContractError(
            f"{folder}: there is no {name}; name a folder with the contract's files ({_DOCUMENT}, {_OVERLAY}, {_PROVENANCE})"
        )
    return path


def _json_bytes(value: Any) -> bytes:
    return f"{json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)}\n".encode()

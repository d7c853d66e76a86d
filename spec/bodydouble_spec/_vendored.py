"""The vendored pair, published document and overlay, and the merged document kept beside them.

Applying the overlay needs a YAML reader and JSONPath, which cost more to import than the mock may take to start. So the result is
kept in ``merged.json`` with the digests of what it was made from; when either file has changed, it is made again in memory.
``python -m bodydouble_spec`` writes it.
"""

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from bodydouble_spec._finding import Evidence, Finding, Severity
from bodydouble_spec._overlay import Fact, Overlaid, Overlay

__all__ = ["NAME", "kept", "merged_document", "overlaid", "overlay", "provenance", "published"]

NAME = "vendored contract"
_FOLDER = Path(__file__).parent
_DOCUMENT, _OVERLAY, _MERGED = _FOLDER / "openapi.json", _FOLDER / "overlay.yaml", _FOLDER / "merged.json"


def published() -> dict[str, Any]:
    """The vendored document: the structure as published, in our words."""
    document: dict[str, Any] = orjson.loads(_DOCUMENT.read_bytes())
    return document


def provenance() -> dict[str, str]:
    """Where the vendored document came from: URL, revision, date, fingerprint."""
    facts: dict[str, str] = orjson.loads((_FOLDER / "provenance.json").read_bytes())
    return facts


def overlay() -> Overlay:
    """The vendored overlay."""
    return Overlay.load(_OVERLAY)


def overlaid(repaired: dict[str, Any]) -> Overlaid:
    """The vendored overlay applied to the repaired vendored document: the kept result, or made anew when a file has changed."""
    try:
        merged: dict[str, Any] = orjson.loads(_MERGED.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return overlay().apply(repaired)
    if merged.get("inputs") != _digests(_DOCUMENT.read_bytes(), _OVERLAY.read_bytes()):
        return overlay().apply(repaired)
    facts = (Fact(**{**item, "evidence": Evidence(item["evidence"])}) for item in merged["facts"])
    return Overlaid(merged["document"], tuple(facts), tuple(map(_finding, merged.get("findings", ()))))


def merged_document(repaired: dict[str, Any]) -> bytes:
    """The bytes of ``merged.json`` for the files as they are now."""
    return kept(overlay().apply(repaired), _DOCUMENT.read_bytes(), _OVERLAY.read_bytes())


def kept(result: Overlaid, document: bytes, overlay: bytes) -> bytes:
    """The bytes of ``merged.json`` for a result, and for the bytes of the document and of the overlay that it was made from."""
    content = {
        "inputs": _digests(document, overlay),
        "document": result.document,
        "facts": [asdict(fact) for fact in result.facts],
    }
    if result.findings:
        content["findings"] = [asdict(finding) for finding in result.findings]
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _digests(document: bytes, overlay: bytes) -> dict[str, str]:
    files = {_DOCUMENT.name: document, _OVERLAY.name: overlay}
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def _finding(item: dict[str, Any]) -> Finding:
    known = {"severity": Severity(item["severity"]), "evidence": Evidence(item["evidence"]), "covers": ()}
    values: dict[str, Any] = {**item, **known}
    return Finding(**values)

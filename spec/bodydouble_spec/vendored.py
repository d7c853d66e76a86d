"""The vendored document and overlay, and the merged document stored beside them.

Applying the overlay needs a YAML reader and JSONPath, which take longer to import than the mock may take to start. So
the result is stored in ``merged.json`` with the digests of its inputs; when either file has changed, it is computed
again in memory. ``nox -s merge_contract`` writes it.
"""

import hashlib
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from bodydouble_spec.document import Fact, Overlaid, parse_document
from bodydouble_spec.errors import OverlayError
from bodydouble_spec.finding import Evidence, Finding, Severity

if TYPE_CHECKING:
    from bodydouble_spec.document import Overlay

__all__ = [
    "FOLDER",
    "NAME",
    "SOURCE",
    "merged_bytes",
    "merged_document",
    "overlaid",
    "overlay",
    "provenance",
    "published",
]

NAME = "vendored contract"
SOURCE = "vendored"
"""The name by which every command and function that takes a contract takes this one."""
FOLDER = Path(__file__).parent
"""The bundle of the vendored contract."""
_DOCUMENT, _OVERLAY, _MERGED = FOLDER / "openapi.json", FOLDER / "overlay.yaml", FOLDER / "merged.json"


def published() -> dict[str, Any]:
    """Return the vendored document: the structure as published, in our own words."""
    document: dict[str, Any] = orjson.loads(_DOCUMENT.read_bytes())
    return document


def provenance() -> dict[str, str]:
    """Return the origin of the vendored document: URL, revision, date, fingerprint."""
    facts: dict[str, str] = orjson.loads((FOLDER / "provenance.json").read_bytes())
    return facts


def overlay() -> "Overlay":
    """Return the vendored overlay."""
    return _parse_overlay(_OVERLAY.read_bytes())


@lru_cache(maxsize=1)
def _parse_overlay(data: bytes) -> "Overlay":
    from bodydouble_spec.document import Overlay

    document, problem = parse_document(data)
    if problem is not None:
        raise OverlayError(f"{_OVERLAY}: {problem}")
    return Overlay.parse(document, str(_OVERLAY))


def overlaid(repaired: dict[str, Any]) -> Overlaid:
    """Return the repaired vendored document with its overlay applied.

    The stored result is used, unless one of its files has changed.
    """
    try:
        merged: dict[str, Any] = orjson.loads(_MERGED.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return overlay().apply(repaired)
    if merged.get("inputs") != _digests(_DOCUMENT.read_bytes(), _OVERLAY.read_bytes()):
        return overlay().apply(repaired)
    facts = (Fact(**{**item, "evidence": Evidence(item["evidence"])}) for item in merged["facts"])
    return Overlaid(merged["document"], tuple(facts), tuple(map(_finding, merged.get("findings", ()))))


def merged_document(repaired: dict[str, Any]) -> bytes:
    """Return the bytes of ``merged.json`` for the current files."""
    return merged_bytes(overlay().apply(repaired), _DOCUMENT.read_bytes(), _OVERLAY.read_bytes())


def merged_bytes(result: Overlaid, document: bytes, overlay: bytes) -> bytes:
    """Return the bytes of ``merged.json`` for a result, and for the bytes of its document and its overlay."""
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

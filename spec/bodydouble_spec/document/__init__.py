"""A published document: read, repaired, overlaid with what is known beside it, and fingerprinted."""

from typing import TYPE_CHECKING, Any

from bodydouble_spec.document.expansion import refuse_expansion
from bodydouble_spec.document.facts import Fact, Overlaid
from bodydouble_spec.document.lines import DocumentLines
from bodydouble_spec.document.loader import (
    Downloaded,
    copy_document,
    download_size,
    is_url,
    parse_document,
    read_document,
    read_source,
    without_collection,
)
from bodydouble_spec.document.prose import restore_prose, strip_prose
from bodydouble_spec.document.repair import METHODS, UNREAD_PARAMETERS, Repaired, repair, unreadable
from bodydouble_spec.document.source import SourceDocument

if TYPE_CHECKING:
    from bodydouble_spec.document.overlay import Overlay

__all__ = [
    "METHODS",
    "UNREAD_PARAMETERS",
    "DocumentLines",
    "Downloaded",
    "Fact",
    "Overlaid",
    "Overlay",
    "Repaired",
    "SourceDocument",
    "copy_document",
    "download_size",
    "is_url",
    "parse_document",
    "read_document",
    "read_source",
    "refuse_expansion",
    "repair",
    "restore_prose",
    "strip_prose",
    "unreadable",
    "without_collection",
]


def __getattr__(name: str) -> Any:
    """Import ``Overlay`` when it is first used: the vendored contract is stored with its overlay applied."""
    if name == "Overlay":
        from bodydouble_spec.document.overlay import Overlay

        return Overlay
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

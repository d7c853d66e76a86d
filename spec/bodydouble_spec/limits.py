"""The limits on work with a document that others wrote, in one place; those of a server are its settings, those of a run its options."""

from dataclasses import dataclass

__all__ = ["DOCUMENT_LIMITS", "DocumentLimits"]


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Limits on a document: what is read of it, and how much of it is tried.

    A document larger than ``max_bytes``, with more than ``max_values`` JSON values or more than ``max_levels`` of nesting is refused. ``fetch_s`` are the seconds for
    each step of fetching it. With its references written out, a document that `drift` or `contract check` reads has at most ``max_expanded_values`` on
    ``max_expanded_levels``; the largest known one has about 1,500.

    Requests are made of the required properties of an object and the first ``max_properties`` others, and of the first ``max_options`` values of an
    enum; not of an object with more than ``max_required`` required ones. All requests of an operation have ``max_case_bytes`` together.
    Of the changes of one kind in one place, the first ``max_listed`` are listed. The largest known document has 44 properties and 106 options in one place.
    """

    max_bytes: int = 32 * 1024 * 1024
    max_values: int = 1_000_000
    # The deepest published document has 28 levels; repair and conversion recurse a few frames for each.
    max_levels: int = 120
    fetch_s: float = 20.0
    max_expanded_values: int = 200_000
    max_expanded_levels: int = 200
    max_properties: int = 100
    max_options: int = 200
    max_required: int = 1_000
    max_listed: int = 100
    max_case_bytes: int = 16 * 1024 * 1024


DOCUMENT_LIMITS = DocumentLimits()

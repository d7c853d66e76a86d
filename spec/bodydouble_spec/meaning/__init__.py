"""A document by its meaning: one form of every spelling, under the fingerprint and under the comparison."""

from bodydouble_spec.meaning.identity import digest, form_of
from bodydouble_spec.meaning.meaning import Meaning, fingerprint, wider_media_types, wider_statuses
from bodydouble_spec.meaning.node import Alternative, Node, Source
from bodydouble_spec.meaning.operations import OPERATION_KEYWORDS, Part
from bodydouble_spec.meaning.wire import without_prose

__all__ = [
    "OPERATION_KEYWORDS",
    "Alternative",
    "Meaning",
    "Node",
    "Part",
    "Source",
    "digest",
    "fingerprint",
    "form_of",
    "wider_media_types",
    "wider_statuses",
    "without_prose",
]

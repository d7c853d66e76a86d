"""A document by its meaning: one form of every spelling, under the fingerprint and under the comparison."""

from bodydouble_spec.meaning.identity import digest, form_of, identify, without_collection
from bodydouble_spec.meaning.meaning import Forms, Meaning, fingerprint, wider_statuses
from bodydouble_spec.meaning.node import Alternative, Node, Source
from bodydouble_spec.meaning.operations import Part
from bodydouble_spec.meaning.wire import without_prose

__all__ = [
    "Alternative",
    "Forms",
    "Meaning",
    "Node",
    "Part",
    "Source",
    "digest",
    "fingerprint",
    "form_of",
    "identify",
    "wider_statuses",
    "without_collection",
    "without_prose",
]

"""JSON Schema as an OpenAPI document uses it: its keywords, one reading of it, a compiled validator, and the strict check of a value."""

from bodydouble_spec.schema.evidence import SchemaEvidence
from bodydouble_spec.schema.keywords import (
    EXTENSIBLE_NAME_MAPS,
    NAME_MAPS,
    NEWER_KEYWORDS,
    PROSE,
    SIMPLE,
    SUBSCHEMA_LISTS,
    SUBSCHEMA_MAPS,
    SUBSCHEMAS,
    normalize_bound,
    number_of,
)
from bodydouble_spec.schema.pattern import matches_pattern, matching_text
from bodydouble_spec.schema.strict import names_failure, strict_findings
from bodydouble_spec.schema.text_rules import ANY_NAME
from bodydouble_spec.schema.types import ANYTHING, json_key, type_of
from bodydouble_spec.schema.undocumented import UndocumentedProperty, undocumented_properties
from bodydouble_spec.schema.validation import REBASING, Direction, SchemaConverter, SchemaValidator
from bodydouble_spec.schema.view import SchemaPart, SchemaView

__all__ = [
    "ANYTHING",
    "ANY_NAME",
    "EXTENSIBLE_NAME_MAPS",
    "NAME_MAPS",
    "NEWER_KEYWORDS",
    "PROSE",
    "REBASING",
    "SIMPLE",
    "SUBSCHEMAS",
    "SUBSCHEMA_LISTS",
    "SUBSCHEMA_MAPS",
    "Direction",
    "SchemaConverter",
    "SchemaEvidence",
    "SchemaPart",
    "SchemaValidator",
    "SchemaView",
    "UndocumentedProperty",
    "json_key",
    "matches_pattern",
    "matching_text",
    "names_failure",
    "normalize_bound",
    "number_of",
    "strict_findings",
    "type_of",
    "undocumented_properties",
]

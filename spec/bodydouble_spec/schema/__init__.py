"""JSON Schema as an OpenAPI document uses it: its keywords, a compiled validator, and the strict reading of a value."""

from bodydouble_spec.schema.keywords import EXTENSIBLE_NAME_MAPS, NAME_MAPS, NEWER_KEYWORDS, PROSE, SIMPLE, number_of
from bodydouble_spec.schema.strict import strict_findings
from bodydouble_spec.schema.validation import REBASING, Direction, SchemaValidator, normalize_bound, to_json_schema

__all__ = [
    "EXTENSIBLE_NAME_MAPS",
    "NAME_MAPS",
    "NEWER_KEYWORDS",
    "PROSE",
    "REBASING",
    "SIMPLE",
    "Direction",
    "SchemaValidator",
    "normalize_bound",
    "number_of",
    "strict_findings",
    "to_json_schema",
]

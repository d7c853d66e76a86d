"""One compiled validator for a schema, and findings built from its structured errors, never from its text."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from bodydouble_spec._defects import shorten, show
from bodydouble_spec._finding import Evidence, Finding, Severity
from bodydouble_spec._json_schema import Direction
from bodydouble_spec._pointer import join_pointer

__all__ = ["SchemaValidator"]

_LISTED = 12


class SchemaValidator:
    """A JSON Schema 2020-12, compiled once; ``format`` is an annotation, as the standard has it.

    ``is_valid(value)`` is the fast answer (microseconds); ``findings(value)`` gives all faults at once. Raises ValueError when the
    schema cannot be compiled.
    """

    def __init__(self, schema: dict[str, Any], direction: Direction, operation: str, evidence: Evidence) -> None:
        self._validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=False)
        self._direction: Direction = direction
        self._operation = operation
        self._evidence = evidence
        self.schema = schema

    def is_valid(self, value: Any) -> bool:
        """Whether the value conforms; a value that JSON cannot express does not."""
        try:
            return self._validator.is_valid(value)
        except ValueError:
            return False

    def findings(self, value: Any) -> list[Finding]:
        """Every fault of the value; an empty list when it conforms."""
        try:
            errors = list(self._validator.iter_errors(value))
        except ValueError as error:
            # Lone surrogates, non-finite numbers and nesting beyond the validator's bound are not JSON.
            return [self._finding("not-json", "", f"this is not JSON: {str(error)[:80]}", None, None)]
        return [finding for error in errors for finding in self._from_error(error)]

    def _from_error(self, error: jsonschema_rs.ValidationError) -> Iterator[Finding]:
        pointer = join_pointer("", *error.instance_path)
        keyword = error.kind.name
        details = error.kind.as_dict()
        value = error.instance
        if keyword == "required":
            missing = str(details["property"])
            yield self._finding(
                "required",
                join_pointer(pointer, missing),
                f"required property {show(missing)} is missing",
                missing,
                None,
            )
        elif keyword in {"additionalProperties", "unevaluatedProperties"}:
            for name in details["unexpected"]:
                yield self._finding(
                    _kebab(keyword), join_pointer(pointer, name), f"property {show(name)} is not allowed", None, name
                )
        elif keyword in {"anyOf", "oneOf"}:
            yield self._no_branch(error, pointer, keyword)
        else:
            expected, wanted = _expectation(keyword, details)
            yield self._finding(_kebab(keyword), pointer, f"{show(value)} {wanted}", expected, value)

    def _no_branch(self, error: jsonschema_rs.ValidationError, pointer: str, keyword: str) -> Finding:
        """What kept each allowed shape from matching, as covered findings."""
        context: list[list[jsonschema_rs.ValidationError]] = error.kind.as_dict().get("context", [])
        branches = [[found for nested in branch for found in self._from_error(nested)] for branch in context]
        covers = tuple(found for branch in branches for found in branch)[:_LISTED]
        matched = sum(not branch for branch in branches)
        what = (
            f"matches {matched} of the allowed shapes, not exactly one"
            if matched
            else "matches none of the allowed shapes"
        )
        return self._finding(
            _kebab(keyword), pointer, f"{show(error.instance)} {what}", len(branches), error.instance, covers
        )

    def _finding(
        self, keyword: str, pointer: str, message: str, expected: Any, got: Any, covers: tuple[Finding, ...] = ()
    ) -> Finding:
        return Finding(
            id=f"{self._direction}-{keyword}",
            severity=Severity.for_evidence(self._evidence),
            evidence=self._evidence,
            pointer=pointer,
            message=message,
            expected=expected,
            got=shorten(got),
            direction=self._direction,
            operation=self._operation,
            covers=covers,
        )


def _expectation(keyword: str, details: dict[str, Any]) -> tuple[Any, str]:
    """What was expected as a JSON value, and the rest of the sentence "VALUE …"."""
    match keyword:
        case "type":
            types = list(details["types"])
            return types, f"is not of type {' or '.join(types)}"
        case "enum":
            options = list(details["options"])
            listed = ", ".join(show(option) for option in options[:_LISTED])
            more = f" and {len(options) - _LISTED} more" if len(options) > _LISTED else ""
            return options, f"is not one of {listed}{more}"
        case "const":
            return details["expected_value"], f"is not {show(details['expected_value'])}"
        case "pattern":
            return details["pattern"], "does not have the required form"
        case "minimum" | "exclusiveMinimum":
            bound = "at least" if keyword == "minimum" else "more than"
            return details["limit"], f"is too small; it must be {bound} {details['limit']}"
        case "maximum" | "exclusiveMaximum":
            bound = "at most" if keyword == "maximum" else "less than"
            return details["limit"], f"is too large; it must be {bound} {details['limit']}"
        case "minItems" | "minLength" | "minProperties":
            return details["limit"], f"is too short; it must have at least {details['limit']} {_COUNTED[keyword]}"
        case "maxItems" | "maxLength" | "maxProperties":
            return details["limit"], f"is too long; it may have at most {details['limit']} {_COUNTED[keyword]}"
        case "multipleOf":
            return details["multiple_of"], f"is not a multiple of {details['multiple_of']}"
        case "uniqueItems":
            return None, "has an item twice"
        case _:
            return None, f"breaks the rule `{keyword}`"


_COUNTED = {
    "maxItems": "items", "maxLength": "characters", "maxProperties": "properties",
    "minItems": "items", "minLength": "characters", "minProperties": "properties",
}  # fmt: skip


def _kebab(keyword: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in keyword)

"""One compiled validator for a schema, with findings from its structured errors, never from their text."""

import logging
import re
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, Literal

import jsonschema_rs
import orjson

from bodydouble_spec.defects import shorten, show
from bodydouble_spec.finding import Evidence, Finding, Severity
from bodydouble_spec.schema.beginning import beginning_of
from bodydouble_spec.schema.evidence import SchemaEvidence
from bodydouble_spec.schema.keywords import SUBSCHEMA_LISTS, SUBSCHEMA_MAPS, SUBSCHEMAS, normalize_bound
from bodydouble_spec.schema.sentences import expectation
from bodydouble_spec.schema.text_rules import whole_text_names
from bodydouble_spec.schema.view import SchemaView
from bodydouble_spec.values import is_array, is_object, join_pointer, pointer_parts, resolve_pointer, type_name

__all__ = ["REBASING", "Direction", "SchemaConverter", "SchemaValidator"]

Direction = Literal["request", "response"]

# Annotations, which do not affect validity; the rest of an OpenAPI schema is JSON Schema. Examples and discriminators stay, for samples and
# for the strict reading.
_ANNOTATIONS = {"$comment", "externalDocs", "nullable", "xml"}
# These change the base of references, which could then lead out of the document.
REBASING = {"$anchor", "$dynamicAnchor", "$dynamicRef", "$id", "$recursiveAnchor", "$recursiveRef", "$schema"}
_HIDDEN = {"request": "readOnly", "response": "writeOnly"}


class SchemaConverter:
    """Converts the schemas of one repaired OpenAPI document to JSON Schema 2020-12, for one direction.

    ``nullable`` becomes a type, a boolean exclusive bound a number, and each ``$ref`` into the document an entry of
    ``$defs`` (recursion is kept). A ``readOnly`` property is not required in a request, a ``writeOnly`` one not in a
    response. A schema that is referred to is converted once, when the first schema needs it, and shared by all.
    """

    def __init__(self, document: Mapping[str, Any], direction: Direction) -> None:
        self._document = document
        self._hidden = _HIDDEN[direction]
        self._is_30 = str(document.get("openapi", "3.0")).startswith("3.0")
        self._references: dict[str, str] = {}
        # For each name: the converted schema, and the names that it refers to.
        self._definitions: dict[str, tuple[Any, dict[str, None]]] = {}
        # All that a name leads to, itself included, once it has been walked.
        self._closures: dict[str, set[str]] = {}
        self._referred: dict[str, None] = {}

    def to_json_schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Return the JSON Schema of a schema of the document, with all that it refers to below ``$defs``."""
        self._referred = {}
        result = self._convert_object(schema)
        definitions = self._reachable(self._referred)
        if definitions:
            result["$defs"] = {**result.get("$defs", {}), **definitions}
        result["$schema"] = "https://json-schema.org/draft/2020-12/schema"
        return result

    def _reachable(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the schemas with these names, and those that they refer to, by name."""
        found: set[str] = set()
        for first in names:
            found |= self._closure(first)
        return {name: self._definition(name)[0] for name in sorted(found)}

    def _closure(self, first: str) -> set[str]:
        known = self._closures.get(first)
        if known is not None:
            return known
        found: set[str] = set()
        # A loop, not a recursion: a chain of references may be longer than Python's stack.
        waiting = {first}
        while waiting:
            name = waiting.pop()
            found.add(name)
            found.update(self._closures.get(name, ()))
            waiting = (waiting | self._definition(name)[1].keys()) - found
        self._closures[first] = found
        return found

    def _definition(self, name: str) -> tuple[Any, dict[str, None]]:
        definition = self._definitions.get(name)
        if definition is None:
            try:
                target = resolve_pointer(self._document, pointer_parts(self._references[name]))
            except LookupError:
                target = {}
            self._referred = {}
            converted: Any = self._convert(target) if isinstance(target, bool) or is_object(target) else {}
            definition = self._definitions[name] = converted, self._referred
        return definition

    def _convert(self, schema: Any) -> Any:
        return self._convert_object(schema) if is_object(schema) else schema

    def _convert_object(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Convert a schema that is an object; references are collected, not followed."""
        if isinstance(schema.get("$ref"), str):
            return self._reference(schema)
        result: dict[str, Any] = {}
        for keyword, value in schema.items():
            if keyword in SUBSCHEMAS:
                result[keyword] = self._convert(value)
            elif keyword in SUBSCHEMA_LISTS and is_array(value):
                result[keyword] = [self._convert(item) for item in value]
            elif keyword in SUBSCHEMA_MAPS and is_object(value):
                result[keyword] = {name: self._convert(item) for name, item in value.items()}
            elif keyword not in _ANNOTATIONS | REBASING and not keyword.startswith("x-"):
                result[keyword] = value
        if schema.get("nullable") is True and isinstance(schema.get("type"), str):
            result["type"] = [schema["type"], "null"]
        normalize_bound(result, "minimum", "exclusiveMinimum")
        normalize_bound(result, "maximum", "exclusiveMaximum")
        self._drop_hidden_requirements(result, schema)
        return result

    def _reference(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        result = {"$ref": f"#/$defs/{self._name(schema['$ref'])}"}
        if self._is_30:
            return result  # which ignores siblings of a reference
        return result | self._convert_object({key: value for key, value in schema.items() if key != "$ref"})

    def _name(self, reference: str) -> str:
        # A slash, tilde or percent sign in the name would be read as part of the pointer.
        name = re.sub("[^A-Za-z0-9_.-]", ".", reference.removeprefix("#/"))
        while self._references.setdefault(name, reference) != reference:
            name += "_"
        self._referred[name] = None
        return name

    def _drop_hidden_requirements(self, result: dict[str, Any], schema: Mapping[str, Any]) -> None:
        properties, required = schema.get("properties"), result.get("required")
        if not (is_object(properties) and is_array(required)):
            return
        hidden = [name for name, item in properties.items() if is_object(item) and item.get(self._hidden) is True]
        if any(name in hidden for name in required):
            result["required"] = [name for name in required if name not in hidden]


_LOG = logging.getLogger("bodydouble.spec")
_MAX_COVERED = 12
_MAX_FAULTS = 100
# A compiled schema has a copy of all that it refers to: one of this size takes 0.1 s to compile, and 10 MB.
_LARGE_BYTES = 600_000
_MAX_LARGE = 4
_LARGE: "deque[weakref.ref[SchemaValidator]]" = deque()


class SchemaValidator:
    """A JSON Schema 2020-12, compiled when first used; ``format`` is an annotation, as in the standard.

    ``is_valid(value)`` is fast (microseconds); ``findings(value)`` lists all faults. ``schema`` may be a function that
    returns the schema. One that cannot be compiled is logged then, and accepts any value.
    """

    def __init__(
        self,
        schema: dict[str, Any] | Callable[[], dict[str, Any]],
        direction: Direction,
        operation: str,
        evidence: SchemaEvidence,
    ) -> None:
        self._source = schema
        self._branches: dict[int, jsonschema_rs.Draft202012Validator] = {}
        self._options: dict[tuple[str | int, ...], list[Any]] = {}
        self._direction: Direction = direction
        self._operation = operation
        self._evidence = evidence

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema."""
        return self._schema

    def of_part(self, schema: dict[str, Any]) -> "SchemaValidator":
        """Return a validator of another schema in the same place, such as a part of this one."""
        return SchemaValidator(schema, self._direction, self._operation, self._evidence)

    @cached_property
    def _schema(self) -> dict[str, Any]:
        return self._source() if callable(self._source) else self._source

    @cached_property
    def _validator(self) -> jsonschema_rs.Draft202012Validator:
        self._keep_if_large()
        return self._compiled(self.schema)

    def _keep_if_large(self) -> None:
        """Forget what an earlier large schema was compiled to, so that memory does not grow with the number of operations."""
        if self.is_large:
            _LARGE.append(weakref.ref(self))
            if len(_LARGE) > _MAX_LARGE:
                forgotten = _LARGE.popleft()()
                if forgotten is not None and forgotten is not self:
                    forgotten.forget_compiled()

    def forget_compiled(self) -> None:
        """Free what the schema was compiled to; it is compiled again when it is used again."""
        for name in ("_validator", "_format_validator"):
            vars(self).pop(name, None)
        self._branches = {}

    @cached_property
    def size(self) -> int:
        """The bytes of the schema as JSON, with all that it refers to; 0 where orjson cannot write it."""
        try:
            return len(orjson.dumps(self.schema))
        except TypeError:
            return 0  # nested deeply, or with a whole number beyond 64 bits

    @property
    def is_large(self) -> bool:
        """Return whether compiling the schema takes a tenth of a second and ten megabytes, or more."""
        return self.size >= _LARGE_BYTES

    def _compiled(self, schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
        try:
            return _compile(schema)
        except ValueError as error:
            _LOG.error("a %s schema of %s %s; any value is accepted", self._direction, self._operation, _problem(error))
            return _compile({})

    def problem(self, known: dict[int, str | None]) -> str | None:
        """Return the reason why the schema cannot be compiled, or None.

        It and the schemas that it refers to are compiled one by one, without each other; ``known`` keeps the results,
        so that a schema that many refer to is compiled once.
        """
        definitions: dict[str, Any] = self.schema.get("$defs", {})
        anything = dict.fromkeys(definitions, True)
        problems: list[str | None] = []
        for part in (self.schema, *filter(is_object, definitions.values())):
            if id(part) not in known:
                known[id(part)] = None
                try:
                    _compile({**part, "$defs": anything})
                except ValueError as error:
                    known[id(part)] = _problem(error)
            problems.append(known[id(part)])
        return next((problem for problem in problems if problem is not None), None)

    @cached_property
    def view(self) -> SchemaView:
        """The schema place by place, kept for all values that are checked; it has no end where a schema contains itself."""
        return self._evidence.view(self.schema, is_endless=True)

    def finite_view(self) -> SchemaView:
        """View the schema again, with an end where it contains itself, to make values of it."""
        return self._evidence.view(self.schema, is_endless=False)

    @cached_property
    def whole_text_names(self) -> frozenset[str]:
        """The properties whose pictures cannot be checked by their references, by `whole_text_names`."""
        return whole_text_names(self.schema)

    def is_valid(self, value: Any) -> bool:
        """Return whether the value conforms.

        A value with a lone surrogate does not; NaN and infinity count as null, as orjson writes them.
        """
        return _conforms(self._validator, value)

    @cached_property
    def _has_formats(self) -> bool:
        return any(is_object(part) and "format" in part for part in _parts(self.schema))

    @cached_property
    def _format_validator(self) -> jsonschema_rs.Draft202012Validator:
        return jsonschema_rs.Draft202012Validator(self.schema, validate_formats=True)

    def keeps_formats(self, value: Any) -> bool:
        """Return whether a value that conforms also has the form that each ``format`` names."""
        if not self._has_formats:
            return True
        try:
            return _conforms(self._format_validator, value)
        except ValueError:
            return True  # the schema cannot be compiled; any value is accepted

    def branch_is_valid(self, branch: dict[str, Any], value: Any) -> bool:
        """Return whether the value conforms to one subschema of ``schema``, given as the identical object."""
        validator = self._branches.get(id(branch))
        if validator is None:
            definitions = {**self.schema.get("$defs", {}), **branch.get("$defs", {})}
            validator = self._branches[id(branch)] = self._compiled({**branch, "$defs": definitions})
        return _conforms(validator, value)

    def evidence_for(self, views: Iterable[SchemaView]) -> Evidence | None:
        """Return the strongest evidence for places of ``view``; None for no place."""
        return self._evidence.strongest(views)

    def findings(self, value: Any) -> list[Finding]:
        """List every fault of the value; empty when it conforms. Beyond 100 faults the rest is counted in one finding, or, where the
        value is large, said to be there.

        Where a value breaks the same rule more than once, with different evidence, the most severe fault is listed.
        """
        try:
            first = self._first_faults(value)
            if first is not None:
                return [*first, self._finding((), "more-faults", "", "more faults are not listed", None, None)]
            errors = iter(self._validator.iter_errors(value))
        except ValueError as error:
            # For example, lone surrogates and keys that are not strings.
            message = f"the value is not JSON: {show(str(error))}"
            return [self._finding((), "not-json", "", message, None, None)]
        faults = (finding for error in errors for finding in self._from_error(error))
        findings = _most_severe(islice(faults, _MAX_FAULTS))
        more = sum(1 for _ in errors)  # only counted: a large request may have a hundred thousand
        if more:
            findings.append(self._finding((), "more-faults", "", f"{more} more faults are not listed", None, more))
        return findings

    def _first_faults(self, value: Any) -> list[Finding] | None:
        """Return the first faults of a large value, without the search for all; None when its beginning does not have enough."""
        beginning = beginning_of(value, 2 * _MAX_FAULTS)
        if beginning is None:
            return None
        errors = self._validator.iter_errors(beginning.value)
        certain = (e for e in errors if beginning.shows(e.instance_path, e.evaluation_path, e.kind.name))
        found = (fault for error in certain for fault in self._from_error(error))
        faults = _most_severe(found)[:_MAX_FAULTS]
        return faults if len(faults) == _MAX_FAULTS else None

    def _from_error(self, error: jsonschema_rs.ValidationError) -> Iterator[Finding]:
        pointer = join_pointer("", *error.instance_path)
        keyword = error.kind.name
        details = error.kind.as_dict()
        path = error.evaluation_path
        if keyword == "required":
            missing = str(details["property"])
            message = f"required property {show(missing)} is missing"
            yield self._finding(path, "required", join_pointer(pointer, missing), message, missing, None)
        elif keyword in {"additionalProperties", "unevaluatedProperties"}:
            for name in details["unexpected"]:
                message = f"property {show(name)} is not allowed"
                yield self._finding(path, _kebab(keyword), join_pointer(pointer, name), message, None, name)
        elif keyword in {"anyOf", "oneOf"}:
            yield self._unmatched(error, pointer, keyword)
        else:
            value = error.instance
            expected, sentence = expectation(keyword, details, value)
            if keyword == "enum":
                # The list is a new one in each error; a hundred findings share one.
                expected = self._options.setdefault(tuple(error.schema_path), expected)
            got = type_name(value) if keyword == "type" else value
            yield self._finding(path, _kebab(keyword), pointer, f"{show(value)} {sentence}", expected, got)

    def _unmatched(self, error: jsonschema_rs.ValidationError, pointer: str, keyword: str) -> Finding:
        """Return a finding that covers the faults in each allowed shape."""
        context: list[list[jsonschema_rs.ValidationError]] = error.kind.as_dict().get("context", [])
        value = error.instance
        faults = (found for branch in context for nested in branch for found in self._from_error(nested))
        matched = sum(not branch for branch in context)
        what = f"matches {matched} of the allowed shapes, not exactly one" if matched else "matches no allowed shape"
        message = f"{show(value)} {what}"
        return self._finding(
            error.evaluation_path,
            _kebab(keyword),
            pointer,
            message,
            len(context),
            value,
            tuple(_most_severe(islice(faults, _MAX_COVERED))),
        )

    def _finding(
        self,
        path: Sequence[str | int],
        keyword: str,
        pointer: str,
        message: str,
        expected: Any,
        got: Any,
        covers: tuple[Finding, ...] = (),
    ) -> Finding:
        evidence = self._evidence.along(path)
        return Finding(
            id=f"{self._direction}-{keyword}",
            severity=Severity.for_evidence(evidence),
            evidence=evidence,
            pointer=pointer,
            message=message,
            expected=expected,
            got=shorten(got),
            direction=self._direction,
            operation=self._operation,
            covers=covers,
        )


def _most_severe(findings: Iterable[Finding]) -> list[Finding]:
    """Return each rule once at each place, with the most severe of its findings, in order."""
    kept: dict[Finding, Finding] = {}
    for finding in findings:
        known = kept.setdefault(finding, finding)
        if finding.severity.rank > known.severity.rank:
            kept[finding] = finding
    return list(kept.values())


def _parts(value: Any) -> Iterator[Any]:
    """Yield every value in a schema, in no particular order."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        yield part
        if is_object(part):
            waiting += part.values()
        elif is_array(part):
            waiting += part


def _compile(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=False)


def _problem(error: ValueError) -> str:
    return f"cannot be compiled: {str(error).splitlines()[0][:160]}"


def _conforms(validator: jsonschema_rs.Draft202012Validator, value: Any) -> bool:
    try:
        return validator.is_valid(value)
    except ValueError:
        return False


def _kebab(keyword: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in keyword)

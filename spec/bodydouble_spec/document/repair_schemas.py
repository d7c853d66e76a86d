"""Repair of one Schema Object, into a form that the document's OpenAPI version allows."""

import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from bodydouble_spec.defects import Defects, show
from bodydouble_spec.schema import NEWER_KEYWORDS, REBASING, SIMPLE, normalize_bound, number_of
from bodydouble_spec.values import is_array, is_object, join_pointer, pointer_parts

__all__ = ["ReferenceCheck", "SchemaRepair"]

# The reason why a reference cannot be followed ("dangling", "external", "circular"), or None when it can.
ReferenceCheck = Callable[[Any], str | None]

_COMPONENT = re.compile(r"#/components/schemas/[^/]+")
_TYPES = {"array", "boolean", "integer", "number", "object", "string"}
_FLAGS = {"deprecated", "nullable", "readOnly", "uniqueItems", "writeOnly"}
_WORDS = {"false": False, "no": False, "off": False, "on": True, "true": True, "yes": True}
_NUMBER = "a number"
_ALSO_BOOLEAN = {"additionalProperties", "unevaluatedItems", "unevaluatedProperties"}


class SchemaRepair:
    """Repairs schemas of one document; ``is_31`` tells OpenAPI 3.1 and later from 3.0."""

    def __init__(self, defects: Defects, check_reference: ReferenceCheck, *, is_31: bool) -> None:
        self._defects = defects
        self._check_reference = check_reference
        self._is_31 = is_31
        self._repaired: set[str] = set()
        self._referred: list[str] = []

    def left_over(self) -> Iterator[list[str]]:
        """Yield the parts of each pointer that a schema refers to and where no schema was repaired, those found meanwhile included."""
        # References to components are the usual ones, and every component is repaired.
        while self._referred:
            parts = pointer_parts(self._referred.pop())
            if join_pointer("", *parts) not in self._repaired:
                yield parts

    def repair(self, schema: Any, pointer: str) -> dict[str, Any]:
        """Return a usable copy of the schema at ``pointer``; every change is reported as a defect."""
        self._repaired.add(pointer)
        if isinstance(schema, bool):
            if not self._is_31:
                self._defects.add(
                    "schema-not-object",
                    pointer,
                    f"a schema is {show(schema)}; OpenAPI 3.0 has no boolean schemas",
                    repaired="an object with the same meaning",
                )
            return {} if schema else {"not": {}}
        if not is_object(schema):
            self._defects.add_error(
                "schema-not-object",
                pointer,
                f"a schema must be an object, not {show(schema)}",
                repaired="any value",
                got=schema,
            )
            return {}
        if "$ref" in schema:
            return self._repair_reference(schema, pointer)
        result: dict[str, Any] = {}
        for keyword, value in schema.items():
            if self._is_sound(keyword, value):
                result[keyword] = value
            else:
                self._repair_keyword(result, keyword, value, pointer)
        for bound in ("Minimum", "Maximum") if self._is_31 else ():
            normalize_bound(result, bound.lower(), f"exclusive{bound}")
        if result.get("type") == "array" and "items" not in result and not self._is_31:
            self._defects.add("items-missing", pointer, "an array has no `items`", repaired="items of any kind")
            result["items"] = {}
        return result

    def _repair_reference(self, schema: dict[str, Any], pointer: str) -> dict[str, Any]:
        reference = schema["$ref"]
        problem = self._check_reference(reference)
        if problem is None:
            if not _COMPONENT.fullmatch(reference):
                self._referred.append(reference)
            # OpenAPI 3.0 ignores the siblings of a reference.
            siblings = {key: value for key, value in schema.items() if key != "$ref"} if self._is_31 else {}
            return {"$ref": reference, **(self.repair(siblings, pointer) if siblings else {})}
        self._defects.add_error(
            f"ref-{problem}",
            join_pointer(pointer, "$ref"),
            f"the reference {show(reference)} is {problem}",
            repaired="any value",
            got=reference,
        )
        return {}

    def _is_sound(self, keyword: str, value: Any) -> bool:
        """Return whether a keyword needs no repair, as most do."""
        if keyword == "type":
            return isinstance(value, str) and value in _TYPES
        return keyword in SIMPLE and SIMPLE[keyword][0](value) and (self._is_31 or keyword not in NEWER_KEYWORDS)

    def _repair_keyword(self, result: dict[str, Any], keyword: str, value: Any, pointer: str) -> None:
        here = join_pointer(pointer, keyword)
        if keyword in NEWER_KEYWORDS and not self._is_31:
            self._note_version(
                "keyword-newer", here, f"`{keyword}` is OpenAPI 3.1; this document says 3.0", "read as in 3.1"
            )
        if keyword in SIMPLE:
            is_usable, expected = SIMPLE[keyword]
            if keyword in _FLAGS and isinstance(value, str) and value.lower() in _WORDS:
                # Words of YAML 1.1, which are texts in YAML 1.2.
                flag = _WORDS[value.lower()]
                message = f"`{keyword}` must be {expected}, not {show(value)}"
                self._defects.add(
                    "keyword-malformed", here, message, repaired=f"read as {str(flag).lower()}", got=value
                )
                result[keyword] = flag
                return
            if self._accept(is_usable(value), keyword, value, here, expected):
                result[keyword] = value
        elif keyword in self._REPAIRS:
            self._REPAIRS[keyword](self, result, keyword, value, here)
        elif keyword in REBASING:
            message = f"`{keyword}` is not supported; a reference is a pointer into this document"
            self._defects.add_error("keyword-unsupported", here, message, repaired="left out", got=value)
        else:
            result[keyword] = value

    def _repair_type(self, result: dict[str, Any], _keyword: str, value: Any, here: str) -> None:
        listed = value if is_array(value) else [value]
        valid = [name for name in listed if isinstance(name, str) and (name in _TYPES or name == "null")]
        known = list(dict.fromkeys(valid))
        if len(valid) < len(listed) or not known:
            self._defects.add_error(
                "schema-type-unknown",
                here,
                f"{show(value)} is not a JSON type",
                repaired="the types that are known",
                got=value,
            )
        if self._is_31:
            if known:
                result["type"] = known if is_array(value) else known[0]
            return
        if is_array(value) or "null" in known:
            self._note_version(
                "keyword-newer",
                here,
                f"{show(value)} as a type is OpenAPI 3.1; this document says 3.0",
                "nullable, anyOf or enum with the same meaning",
            )
        types = [name for name in known if name != "null"]
        if len(types) == 1:
            result["type"] = types[0]
            if "null" in known:
                result["nullable"] = True
        elif types:
            nullable = {"nullable": True} if "null" in known else {}
            result.setdefault("allOf", []).append({"anyOf": [{"type": name, **nullable} for name in types]})
        elif known:
            result["enum"] = [None]

    def _repair_map(self, result: dict[str, Any], keyword: str, value: Any, here: str) -> None:
        if self._accept(is_object(value), keyword, value, here, "an object of schemas"):
            result[keyword] = {name: self.repair(item, join_pointer(here, name)) for name, item in value.items()}

    def _repair_list(self, result: dict[str, Any], keyword: str, value: Any, here: str) -> None:
        if self._accept(is_array(value) and bool(value), keyword, value, here, "a list of schemas"):
            repaired = [self.repair(item, join_pointer(here, index)) for index, item in enumerate(value)]
            result[keyword] = [*result.get(keyword, []), *repaired]

    def _repair_items(self, result: dict[str, Any], keyword: str, value: Any, here: str) -> None:
        if not is_array(value):
            result[keyword] = self.repair(value, here)
            return
        branches = [self.repair(item, join_pointer(here, index)) for index, item in enumerate(value)]
        self._defects.add_error(
            "items-is-list", here, "`items` must be one schema, not a list", repaired="an item may be any of them"
        )
        result[keyword] = {"anyOf": branches} if branches else {}

    def _repair_subschema(self, result: dict[str, Any], keyword: str, value: Any, here: str) -> None:
        is_flag = keyword in _ALSO_BOOLEAN and isinstance(value, bool)
        result[keyword] = value if is_flag else self.repair(value, here)

    def _repair_required(self, result: dict[str, Any], keyword: str, value: Any, here: str) -> None:
        names = [name for name in value if isinstance(name, str)] if is_array(value) else []
        is_valid = is_array(value) and len(names) == len(value)
        self._accept(is_valid, keyword, value, here, "a list of property names")
        if names:
            result[keyword] = list(dict.fromkeys(names))

    def _repair_const(self, result: dict[str, Any], keyword: str, value: Any, here: str) -> None:
        if self._is_31:
            result[keyword] = value
            return
        self._note_version(
            "keyword-newer", here, "`const` is OpenAPI 3.1; this document says 3.0", "an enum of one value"
        )
        result["enum"] = [value]

    def _repair_number(self, result: dict[str, Any], keyword: str, value: Any, here: str) -> None:
        number = number_of(value)
        is_usable = number is not None and (keyword != "multipleOf" or number > 0)
        if not self._accept(is_usable, keyword, value, here, _NUMBER):
            return
        result[keyword] = number if isinstance(value, str) else value
        if isinstance(value, str):
            self._defects.add(
                "keyword-malformed",
                here,
                f"`{keyword}` must be a number, not the text {show(value)}",
                repaired="the number",
                got=value,
            )

    def _repair_exclusive(self, result: dict[str, Any], keyword: str, value: Any, here: str) -> None:
        bound = "minimum" if keyword == "exclusiveMinimum" else "maximum"
        if isinstance(value, bool):
            result[keyword] = value
            if self._is_31:
                message = f"a boolean `{keyword}` is OpenAPI 3.0; this document says 3.1"
                self._note_version("keyword-older", here, message, f"`{bound}` made exclusive")
        elif self._accept(not isinstance(value, str) and number_of(value) is not None, keyword, value, here, _NUMBER):
            if self._is_31:
                result[keyword] = value
                return
            message = f"a number as `{keyword}` is OpenAPI 3.1; this document says 3.0"
            self._note_version("keyword-newer", here, message, f"`{bound}` {value}, exclusive")
            result.setdefault("allOf", []).append({bound: value, keyword: True})

    _REPAIRS: ClassVar[dict[str, Callable[["SchemaRepair", dict[str, Any], str, Any, str], None]]] = {
        "$defs": _repair_map,
        "additionalProperties": _repair_subschema,
        "allOf": _repair_list,
        "anyOf": _repair_list,
        "const": _repair_const,
        "contains": _repair_subschema,
        "contentSchema": _repair_subschema,
        "dependentSchemas": _repair_map,
        "else": _repair_subschema,
        "exclusiveMaximum": _repair_exclusive,
        "exclusiveMinimum": _repair_exclusive,
        "if": _repair_subschema,
        "items": _repair_items,
        "maximum": _repair_number,
        "minimum": _repair_number,
        "multipleOf": _repair_number,
        "not": _repair_subschema,
        "oneOf": _repair_list,
        "patternProperties": _repair_map,
        "prefixItems": _repair_list,
        "properties": _repair_map,
        "propertyNames": _repair_subschema,
        "required": _repair_required,
        "then": _repair_subschema,
        "type": _repair_type,
        "unevaluatedItems": _repair_subschema,
        "unevaluatedProperties": _repair_subschema,
    }

    def _accept(self, usable: bool, keyword: str, value: Any, here: str, expected: str) -> bool:
        if usable:
            return True
        if expected == _NUMBER and isinstance(value, int) and number_of(value) is None and not isinstance(value, bool):
            rule, message = "number-too-large", f"`{keyword}` must be a number up to 1.8e308, not {show(value)}"
        else:
            rule, message = "keyword-malformed", f"`{keyword}` must be {expected}, not {show(value)}"
        self._defects.add_error(rule, here, message, repaired="left out", got=value)
        return False

    def _note_version(self, rule: str, pointer: str, message: str, repaired: str) -> None:
        self._defects.add(rule, pointer, message, repaired=repaired)

"""The keywords without subschemas that hold together at one place, as one set of keywords with one spelling."""

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cache
from typing import Any

from bodydouble_spec.schema import ANYTHING, json_key, normalize_bound, number_of, type_of
from bodydouble_spec.values import is_array, is_object

__all__ = ["ORDER", "Keywords", "by_type", "plain"]

ORDER = ("object", "array", "string", "integer", "number", "boolean", "null")
"""The types, in the order of a canonical list."""

_LEAST = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
_MOST = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
_FLAGS = {"deprecated", "readOnly", "uniqueItems", "writeOnly"}
_NUMBERS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
# The keywords that say something of values of these types only.
_OF_TYPE = {
    "string": {"minLength", "maxLength", "pattern", "contentEncoding", "contentMediaType", "contentSchema"},
    "number": _NUMBERS,
    "array": {
        "contains", "items", "maxContains", "maxItems", "minContains", "minItems", "prefixItems", "unevaluatedItems", "uniqueItems",
    },
    "object": {
        "additionalProperties", "dependentRequired", "dependentSchemas", "maxProperties", "minProperties", "patternProperties",
        "properties", "propertyNames", "required", "unevaluatedProperties",
    },
}  # fmt: skip


@cache
def by_type(types: frozenset[str]) -> frozenset[str]:
    """Return the keywords that say nothing of values of these types."""
    present: frozenset[str] = types | frozenset[str]({"number"} if "integer" in types else ())
    foreign = frozenset[str]().union(*(names for name, names in _OF_TYPE.items() if name not in present))
    return foreign | (frozenset[str]() if present & {"string", "number"} else {"format"})


def plain(value: Any) -> Any:
    """Return a JSON value with 1 in place of 1.0."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    if is_object(value):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if is_array(value) else value


class Keywords:
    """Keywords that are added schema by schema."""

    def __init__(self) -> None:
        self.required = Names()
        self._types = ANYTHING | {"integer"}
        self._has_type = False
        self._options: dict[str, Any] | None = None
        self._is_const = False
        self._found: dict[str, Any] = {}

    def add(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Add the keywords of a schema; return those that cannot be merged with the others."""
        own = dict(schema)
        for bound in ("Minimum", "Maximum"):
            normalize_bound(own, bound.lower(), f"exclusive{bound}")
        self._add_types(own)
        self._add_options(own)
        _respell_content(own)
        return {name: value for name, value in own.items() if not self._merge(name, plain(value))}

    def _add_types(self, own: dict[str, Any]) -> None:
        stated, is_nullable = own.pop("type", None), own.pop("nullable", None) is True
        if stated is None:
            if is_nullable:
                # Without a type it has no effect, but its author means something by it.
                self._found["nullable"] = True
            return
        types = frozenset([stated] if isinstance(stated, str) else stated)
        if is_nullable:
            types |= {"null"}
        self._types &= types | {"integer"} if "number" in types else types
        self._has_type = True

    def _add_options(self, own: dict[str, Any]) -> None:
        lists = [own.pop("enum")] if is_array(own.get("enum")) else []
        if "const" in own:
            lists.append([own.pop("const")])
            self._is_const = True
        for values in lists:
            options = {json_key(value): plain(value) for value in values}
            if self._options is not None:
                options = {key: value for key, value in self._options.items() if key in options}
            self._options = options

    def _merge(self, name: str, value: Any) -> bool:
        found = self._found
        if name == "required":
            self.required.update(value if is_array(value) else ())
        elif name == "dependentRequired" and is_object(value):
            known: dict[str, set[str]] = found.setdefault(name, {})
            for key, names in value.items():
                known.setdefault(key, set()).update(map(str, names if is_array(names) else ()))
        elif name in _FLAGS:
            found[name] = bool(found.get(name)) or value is True
        elif name in _LEAST or name in _MOST:
            if number_of(value) is None:
                return True
            pick = max if name in _LEAST else min
            found[name] = pick(found[name], value) if name in found else value
        elif name == "multipleOf" and name in found:
            one, other = Fraction(str(found[name])), Fraction(str(value))
            least = Fraction(
                math.lcm(one.numerator * other.denominator, other.numerator * one.denominator),
                one.denominator * other.denominator,
            )
            found[name] = plain(float(least)) if least.denominator != 1 else int(least)
        elif name in found and json_key(found[name]) != json_key(value):
            # The outermost default counts.
            return name == "default"
        else:
            found[name] = value
        return True

    def value(self) -> dict[str, Any] | None:
        """Return the keywords in their canonical form, or None when no value can obey them."""
        types = _whole(self._types)
        found = self._found
        result: dict[str, Any] = {}
        options = self._options
        if options is not None:
            if not options:
                return None
            fitting = {key: value for key, value in options.items() if _has_type(value, types)}
            kinds = frozenset(map(type_of, fitting.values()))
            # A list in which no value has the type is a mistake, and is compared as it is written.
            options = fitting or options
            types = _whole(kinds | (types & {"null"} if self._has_type else frozenset[str]())) if kinds else types
        if not types:
            return None
        if options is not None and not _is_all_of_its_types(options):
            result["enum"] = list(options.values())
            if self._is_const:
                result["isConst"] = True
            if not self._has_type:
                result["isImplied"] = True
        if types != ANYTHING:
            result["type"] = [name for name in ORDER if name in types]
        result |= {
            name: value
            for name, value in found.items()
            if not (value is False and name in _FLAGS)
            and not (name.startswith("min") and value == 0 and name not in _NUMBERS)
        }
        self._add_names(result)
        _tighten(result, types)
        return result

    def _add_names(self, result: dict[str, Any]) -> None:
        if "dependentRequired" in result:
            names = result["dependentRequired"]
            result["dependentRequired"] = {name: sorted(names[name]) for name in sorted(names)}
        if self.required.names:
            result["required"] = sorted(self.required.names)
        if self.required.declared:
            result["declared"] = sorted(self.required.declared)

    @staticmethod
    def drop_foreign(value: dict[str, Any]) -> None:
        """Remove the keywords that say nothing of values of the types that are left."""
        if "type" in value:
            for name in by_type(frozenset(value["type"])) & value.keys():
                del value[name]


class Names:
    """The required names: ``names`` of the messages of this direction, ``declared`` of the schema."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.declared: set[str] = set()

    def update(self, names: Iterable[str]) -> None:
        """Add names."""
        self.names |= {*names}
        self.declared |= {*names}


def _respell_content(own: dict[str, Any]) -> None:
    if str(own.get("contentEncoding")).lower() == "base64" and "format" not in own and "contentMediaType" not in own:
        own["format"] = "byte"
        del own["contentEncoding"]
    elif own.get("contentMediaType") == "application/octet-stream" and not {"contentEncoding", "format"} & own.keys():
        own["format"] = "binary"
        del own["contentMediaType"]


def _whole(types: frozenset[str]) -> frozenset[str]:
    return types - {"integer"} if "number" in types else types


def _has_type(value: Any, types: frozenset[str]) -> bool:
    kind = type_of(value)
    return kind in types or (kind == "integer" and "number" in types)


def _is_all_of_its_types(options: Mapping[str, Any]) -> bool:
    kinds = {type_of(value) for value in options.values()}
    return kinds <= {"boolean", "null"} and ("boolean" not in kinds or {"true", "false"} <= options.keys())


def _tighten(result: dict[str, Any], types: frozenset[str]) -> None:
    """Write the bounds of integers inclusively, and leave out a bound that another one implies."""
    is_whole = "integer" in types
    for bound, exclusive, step in (("minimum", "exclusiveMinimum", 1), ("maximum", "exclusiveMaximum", -1)):
        limit, beyond = result.get(bound), result.get(exclusive)
        if is_whole:
            inner = [] if limit is None else [_rounded(limit, step)]
            if beyond is not None:
                inner.append(_rounded(beyond, step) + (step if _rounded(beyond, step) == beyond else 0))
                del result[exclusive]
            if inner:
                result[bound] = (max if step > 0 else min)(inner)
        elif limit is not None and beyond is not None:
            del result[bound if step * beyond >= step * limit else exclusive]
    if is_whole and result.get("multipleOf") == 1:
        del result["multipleOf"]


def _rounded(limit: Any, step: int) -> Any:
    return math.ceil(limit) if step > 0 else math.floor(limit)

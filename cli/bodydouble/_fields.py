"""The fields of a schema as rows, for readers who do not read JSON Schema."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from bodydouble_spec import Contract, is_array, is_object, join_pointer, pointer_parts, resolve_pointer

from bodydouble._limits import limits_of

__all__ = ["Field", "fields_of"]

_MAX_DEPTH = 12
# References can make a small document expand without end; the largest body of 180 real documents takes 123 visits.
_MAX_VISITS = 5_000


@dataclass(frozen=True, slots=True)
class Field:
    """One field, such as ``data[].url``: its type and limits in words, its default and its evidence.

    ``pointer`` leads to its schema in ``contract.document``. ``evidence`` also lists the limits whose evidence differs.
    """

    name: str
    type: str
    required: bool
    limits: str
    default: Any
    evidence: str
    pointer: str


def fields_of(contract: Contract, pointer: str) -> list[Field]:
    """List the fields of the schema at ``pointer`` in ``contract.document``, parents before children; [] when there is no schema."""
    try:
        schema = resolve_pointer(contract.document, pointer_parts(pointer))
    except LookupError:
        return []
    found: dict[str, list[Field]] = {}
    for field in _SchemaWalker(contract).fields(schema, pointer, "", required=False):
        found.setdefault(field.name, []).append(field)
    return [_merged(fields) for fields in found.values()]


def _merged(fields: list[Field]) -> Field:
    """Merge fields of one name, from several alternatives, into one row."""
    types = dict.fromkeys(name for field in fields for name in field.type.split(" or "))
    limits = dict.fromkeys(field.limits for field in fields if field.limits)
    is_required = all(field.required for field in fields)
    return replace(fields[0], type=" or ".join(types), limits=" or ".join(limits), required=is_required)


class _SchemaWalker:
    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._visits = 0

    def fields(
        self,
        schema: Any,
        pointer: str,
        name: str,
        *,
        required: bool,
        is_alternative: bool = False,
        open_pointers: tuple[str, ...] = (),
    ) -> Iterator[Field]:
        """Yield the field at ``pointer`` and those below it; for an alternative only those below it.

        A recursive schema is followed once.
        """
        parts = list(self._parts(schema, pointer, ()))
        if name and not is_alternative:
            yield self._field(name, parts, required=required)
        places = {place for _, place in parts}
        if places & set(open_pointers) or len(open_pointers) > _MAX_DEPTH:
            return
        below = (*open_pointers, *places)
        needed = {item for part, _ in parts for item in part.get("required", ())}
        for part, place in parts:
            for key, item in part.get("properties", {}).items():
                child = f"{name}.{key}" if name else key
                here = join_pointer(place, "properties", key)
                yield from self.fields(item, here, child, required=key in needed, open_pointers=below)
            if is_object(part.get("items")):
                here = join_pointer(place, "items")
                yield from self.fields(part["items"], here, f"{name}[]", required=False, open_pointers=below)
            for keyword in ("anyOf", "oneOf"):
                for index, branch in enumerate(part.get(keyword, ())):
                    here = join_pointer(place, keyword, index)
                    yield from self.fields(branch, here, name, required=False, is_alternative=True, open_pointers=below)

    def _parts(self, schema: Any, pointer: str, seen: tuple[str, ...]) -> Iterator[tuple[dict[str, Any], str]]:
        """Yield the schemas that apply together at one place, each with its pointer, following ``$ref`` and ``allOf``."""
        self._visits += 1
        if not is_object(schema) or pointer in seen or self._visits > _MAX_VISITS:
            return
        seen = (*seen, pointer)
        reference = schema.get("$ref")
        if isinstance(reference, str):
            target = reference.removeprefix("#")
            yield from self._parts(resolve_pointer(self._contract.document, pointer_parts(target)), target, seen)
            return
        yield schema, pointer
        for index, item in enumerate(schema.get("allOf", ())):
            yield from self._parts(item, join_pointer(pointer, "allOf", index), seen)

    def _field(self, name: str, parts: list[tuple[dict[str, Any], str]], *, required: bool) -> Field:
        texts = dict.fromkeys(text for part, _ in parts if (text := _type_of(part)))
        limits = {text: None for part, _ in parts for text in limits_of(part).values()}
        pointer = parts[0][1] if parts else ""
        return Field(
            name=name,
            type=" and ".join(texts) or "any",
            required=required,
            limits="; ".join(limits),
            default=next((part["default"] for part, _ in parts if "default" in part), None),
            evidence=self._evidence(parts),
            pointer=pointer,
        )

    def _evidence(self, parts: list[tuple[dict[str, Any], str]]) -> str:
        if not parts:
            return ""
        whole = self._contract.evidence(parts[0][1])
        different = [
            f"{keyword} {evidence}"
            for part, place in parts
            for keyword in limits_of(part)
            if (evidence := self._contract.evidence(join_pointer(place, keyword))) != whole
        ]
        return "; ".join([whole, *different])


def _type_of(schema: dict[str, Any]) -> str:
    kind = schema.get("type")
    names: list[str] = kind if is_array(kind) else [kind] if isinstance(kind, str) else []
    branches = [item for keyword in ("anyOf", "oneOf") for item in schema.get(keyword, ()) if is_object(item)]
    if not names:
        names = list(dict.fromkeys(text for item in branches if (text := _type_of(item))))
    if not names and "properties" in schema:
        names = ["object"]
    if names and schema.get("nullable") is True:
        names = [*names, "null"]
    return " or ".join(names)

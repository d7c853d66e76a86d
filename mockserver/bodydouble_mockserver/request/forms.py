"""Bodies of forms: their fields as sent, and as the values that a schema has in their places."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

import orjson
from bodydouble_spec import RecordedPicture, refer_to_file, refer_to_pictures, refer_to_text
from bodydouble_spec.schema import SchemaView, type_of
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from bodydouble_mockserver.request.body import UnreadableBody

__all__ = ["FormField", "as_object", "misplaced", "parse_form", "repeated_names", "typed"]

FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
Put = Callable[[bytes], str]

_RULE = "request-not-form"

_BRACKETED = re.compile(r"(.+?)\[([^\[\]]*)\]")


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a form.

    ``value`` is a text, a part that was sent as JSON, or the reference to a file or Base64 picture. Where it has references, the bytes as sent
    are ``whole``, which is JSON where ``is_json``.
    """

    name: str
    value: Any
    is_file: bool = False
    whole: bytes | None = None
    is_json: bool = False

    def with_pictures(self) -> "FormField":
        """Return the field with its pictures as they were sent."""
        if self.whole is None:
            return self
        return replace(self, value=orjson.loads(self.whole) if self.is_json else self.whole.decode("latin-1"))


def parse_form(
    body: bytes, content_type: str, put: Put, max_fields: int
) -> tuple[list[FormField], dict[str, RecordedPicture]] | UnreadableBody:
    """Return the fields of a form, and the description of each of its files by its reference.

    ``put`` stores a file and returns its hash. A form with more fields than ``max_fields`` is a 413, one that cannot be read a 400.
    """
    media_type, options = parse_options_header(content_type)
    try:
        if media_type == FORM.encode():
            if body.count(b"&") >= max_fields:
                return _too_many(max_fields)
            return _pairs(body, put)
        boundary = options.get(b"boundary", b"")
        if not boundary:
            return UnreadableBody(
                400, "The Content-Type multipart/form-data has no boundary; let the HTTP client set it", _RULE
            )
        if body.count(b"\n--" + boundary) > max_fields:
            return _too_many(max_fields)
        return _Parts(put).read(body, boundary)
    except UnicodeDecodeError as error:
        return UnreadableBody(400, f"A field of the form is not UTF-8: {error.reason}; send UTF-8", _RULE)
    except MultipartParseError as error:
        return UnreadableBody(400, f"Malformed multipart body: {error}", _RULE)


def _too_many(max_fields: int) -> UnreadableBody:
    return UnreadableBody(413, f"The form has more than {max_fields:,} fields")


def _pairs(body: bytes, put: Put) -> tuple[list[FormField], dict[str, RecordedPicture]]:
    fields: list[FormField] = []
    pictures: dict[str, RecordedPicture] = {}
    for name, value in parse_qsl(body.decode(), keep_blank_values=True, errors="strict"):
        data = value.encode()
        found = refer_to_text(data, put)
        if found is None:
            fields.append(FormField(name, value))
        else:
            pictures[found[0]] = found[1]
            fields.append(FormField(name, found[0], whole=data))
    return fields, pictures


class _Parts:
    """Collects the parts of a multipart body."""

    def __init__(self, put: Put) -> None:
        self._put = put
        self._fields: list[FormField] = []
        self._pictures: dict[str, RecordedPicture] = {}
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        self._data: list[bytes] = []
        self._is_complete = False

    def read(self, body: bytes, boundary: bytes) -> tuple[list[FormField], dict[str, RecordedPicture]]:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._add_name,
                "on_header_value": self._add_value,
                "on_header_end": self._end_header,
                "on_part_data": self._add_data,
                "on_part_end": self._end,
                "on_end": self._complete,
            },
        )
        parser.write(body)
        parser.finalize()
        if not self._is_complete:
            raise MultipartParseError("it ends before its last boundary")
        return self._fields, self._pictures

    def _begin(self) -> None:
        self._headers, self._data = {}, []

    def _add_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        self._data.append(data[start:end])

    def _complete(self) -> None:
        self._is_complete = True

    def _end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        if b"name" not in options:
            raise MultipartParseError("a part has no name in its Content-Disposition")
        name = options[b"name"].decode()
        data = b"".join(self._data)
        media_type = self._headers.get(b"content-type", b"").decode("latin-1")
        if b"filename" in options:
            if data or options[b"filename"]:  # a browser sends an empty part where no file was chosen
                reference, picture = refer_to_file(data, media_type, self._put)
                self._pictures[reference] = picture
                self._fields.append(FormField(name, reference, is_file=True, whole=data))
            return
        found = refer_to_text(data, self._put)
        if found is not None:
            reference, picture = found
            self._pictures[reference] = picture
            self._fields.append(FormField(name, reference, whole=data))
        elif media_type.partition(";")[0].strip().lower() == "application/json":
            self._fields.append(self._json(name, data))
        else:
            self._fields.append(FormField(name, data.decode()))

    def _json(self, name: str, data: bytes) -> FormField:
        text, pictures = refer_to_pictures(data, self._put)
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return FormField(name, data.decode())  # the schema decides on the text
        self._pictures |= pictures
        return FormField(name, value, whole=data if pictures else None, is_json=True)


def as_object(fields: Sequence[FormField]) -> dict[str, Any]:
    """Return the fields by name, as they were sent; a name that is repeated has a list of values."""
    values: dict[str, list[Any]] = {}
    for field in fields:
        values.setdefault(field.name, []).append(field.value)
    return {name: found if len(found) > 1 else found[0] for name, found in values.items()}


def typed(fields: Sequence[FormField], view: SchemaView | None) -> dict[str, Any]:
    """Return the fields as the object that a schema describes: numbers, booleans, arrays and objects where it has no text.

    A text that is none of these stays a text, for the schema to refuse. ``name[]`` and ``name[0]`` are items of ``name``, ``name[key]`` is its
    member, unless the schema has a property with the brackets in its name.
    """
    ways = () if view is None else view.ways
    groups: dict[str, list[tuple[str | None, FormField]]] = {}
    for field in fields:
        name, key = _split(field.name, ways)
        groups.setdefault(name, []).append((key, field))
    return {name: _assembled(group, _places(name, ways)) for name, group in groups.items()}


def _assembled(group: Sequence[tuple[str | None, FormField]], places: Sequence[SchemaView]) -> Any:
    """Return the value of one property from all fields that are for it."""
    if all(key and not key.isdigit() for key, _ in group):
        ways = [way for place in places for way in place.ways]
        return {key: _value(field, [way.property(key) for way in ways]) for key, field in group if key}
    items = [item for place in places for item in _items(place)]
    is_array = any(key is not None for key, _ in group)
    if not is_array and items:
        is_array = len(group) > 1 or not any(_fits(_value(group[0][1], places), place) for place in places)
    if is_array:
        return [_value(field, items) for _, field in group]
    return _value(group[-1][1], places)


def repeated_names(fields: Sequence[FormField], result: Mapping[str, Any]) -> list[str]:
    """Return the names of fields that were sent more than once and are no array in the result: the last value was kept."""
    counts = Counter(field.name for field in fields)
    return [name for name, count in counts.items() if count > 1 and type(result.get(name, [])) is not list]


def misplaced(fields: Sequence[FormField], view: SchemaView) -> Iterator[FormField]:
    """Yield the files sent where the schema has a text, and the texts sent where it has a file."""
    for field in fields:
        name, _ = _split(field.name, view.ways)
        ways = [way for place in _places(name, view.ways) for way in (*place.ways, *_item_ways(place))]
        texts = [way for way in ways if "string" in way.types and "type" in way.origins]
        files = [way for way in texts if "binary" in way.values("format") or way.values("contentMediaType")]
        if texts and ((field.is_file and not files) or (not field.is_file and len(files) == len(texts))):
            yield field


def _split(name: str, ways: Sequence[SchemaView]) -> tuple[str, str | None]:
    bracketed = _BRACKETED.fullmatch(name)
    if bracketed is None or any(name in way.properties for way in ways):
        return name, None
    return bracketed[1], bracketed[2]


def _places(name: str, ways: Sequence[SchemaView]) -> list[SchemaView]:
    own = [way.properties[name] for way in ways if name in way.properties]
    return own or [way.additional for way in ways]


def _items(place: SchemaView) -> list[SchemaView]:
    """Return the views of the items of a place that is an array in one way; none for a place that may be anything."""
    return [way.items for way in place.ways if "array" in way.types and "type" in way.origins]


def _item_ways(place: SchemaView) -> list[SchemaView]:
    return [way for item in _items(place) for way in item.ways]


def _value(field: FormField, places: Sequence[SchemaView]) -> Any:
    """Return a field's value as one of the types of a place."""
    text = field.value
    if not isinstance(text, str) or not places or any("string" in place.types for place in places):
        return text
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return value if any(_fits(value, place) for place in places) else text


_NUMBERS = {"integer", "number"}


def _fits(value: Any, place: SchemaView) -> bool:
    """Return whether a value is of a type of a place; any number is, where a number is, for the schema to judge."""
    kind = type_of(value)
    return kind in place.types or (kind in _NUMBERS and not _NUMBERS.isdisjoint(place.types))

"""The fields of the form that tries an operation, made from its contract, and the request that they make."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from bodydouble_spec import Operation, is_json_media_type, picture_kind
from bodydouble_spec.description import limits_of
from bodydouble_spec.image_fields import request_fields
from bodydouble_spec.schema import SchemaView
from bodydouble_spec.text import cut_line, json_text

__all__ = ["FormRequest", "SentFile", "TryField", "fields_of_operation", "tried_request"]

_MAX_OPTIONS = 200
_MAX_FIELDS = 100
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


@dataclass(frozen=True, slots=True)
class TryField:
    """A field of the form. ``place`` is ``body``, ``path``, ``query`` or ``header``.

    ``kind`` is ``pictures``, ``choice`` (of ``options``), ``long``, ``number``, ``json`` or ``text``; ``is_main`` tells the fields that image
    operations are about. ``value`` is what stands in the form at first.
    """

    place: str
    name: str
    kind: str
    is_required: bool
    is_main: bool
    hint: str
    options: Sequence[str] = ()
    value: str = ""

    @property
    def key(self) -> str:
        """The name of the field in the form."""
        return f"{self.place}:{self.name}"


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that was dropped on the form."""

    name: str
    media_type: str
    data: bytes

    def to_uri(self) -> str:
        """Return the file as a data URI, with the type that its bytes begin like."""
        kind = picture_kind(self.data)
        media_type = self.media_type if kind is None else kind.media_type
        return f"data:{media_type or 'application/octet-stream'};base64,{base64.b64encode(self.data).decode()}"


@dataclass(frozen=True, slots=True)
class FormRequest:
    """A request that the form makes: the path with its query, the headers, and the body: JSON, or the fields of a form and its files."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    json: Any = None
    data: Mapping[str, str] | None = None
    files: Sequence[tuple[str, SentFile]] = ()


def fields_of_operation(operation: Operation) -> list[TryField]:
    """Return the fields for an operation: those of its body, what image operations are about first, and its parameters."""
    view = _body_view(operation)
    fields = [] if view is None else [*_body_fields(view)]
    for item in operation.inputs:
        if item.location in ("path", "query", "header"):
            schema = None if item.validator is None else item.validator.schema
            fields.append(_field(item.location, item.name, SchemaView.of(schema), is_required=item.is_required))
    return sorted(fields[:_MAX_FIELDS], key=lambda field: not field.is_main)


def _body_view(operation: Operation) -> SchemaView | None:
    media_type = _media_type(operation)
    validator = None if media_type is None else operation.request_bodies[media_type]
    return None if validator is None else SchemaView.of(validator.schema)


def _media_type(operation: Operation) -> str | None:
    """Return the media type to send: JSON where the contract has it, else a form."""
    types = operation.request_media_types
    json_types = (name for name in types if is_json_media_type(name))
    return next(json_types, next((name for name in types if name in _FORMS), None))


def _body_fields(view: SchemaView) -> Iterator[TryField]:
    roles = request_fields(view.properties)
    for name in dict.fromkeys(
        (*filter(None, (roles.prompt, roles.inputs, roles.ratio, roles.count)), *view.properties)
    ):
        inner = view.properties[name]
        kind = "long" if name == roles.prompt else "pictures" if name == roles.inputs else None
        is_main = name in (roles.prompt, roles.inputs, roles.ratio, roles.count)
        yield _field("body", name, inner, kind, is_required=name in view.required, is_main=is_main)


def _field(
    place: str, name: str, view: SchemaView, kind: str | None = None, *, is_required: bool, is_main: bool = False
) -> TryField:
    options = [] if view.options is None else [_text(value) for value in view.options if value is not None]
    types = {*view.likely_types()} - {"null"}
    if kind is None and types == {"boolean"}:
        options = ["true", "false"]
    chosen = kind or (
        "choice"
        if 0 < len(options) <= _MAX_OPTIONS
        else "number"
        if types and types <= {"integer", "number"}
        else "text"
        if types == {"string"}
        else "json"
    )
    default = next(iter(view.values("default")), None)
    hints = [limit.text for limit in limits_of(view) if limit.keyword not in ("enum", "const")]
    hints += [] if default is None else [f"default {_text(default)}"]
    only = options[0] if is_required and len(options) == 1 else ""
    return TryField(place, name, chosen, is_required, is_main, cut_line("; ".join(hints)), options, only)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_text(value)


def tried_request(
    operation: Operation, fields: Sequence[TryField], given: Mapping[str, str], files: Mapping[str, Sequence[SentFile]]
) -> FormRequest:
    """Return the request by the texts and files of the form; a field that is left empty is not sent.

    A text that is no number or no JSON is sent as a text, so that the answer says what is wrong with it.
    """
    path, query, headers = operation.path, dict[str, str](), dict[str, str]()
    view, media_type = _body_view(operation), _media_type(operation)
    is_form = media_type in _FORMS
    body: dict[str, Any] = {}
    form_files: list[tuple[str, SentFile]] = []
    for field in fields:
        text, own_files = given.get(field.key, ""), files.get(field.key, ())
        if field.place == "path":
            path = path.replace(f"{{{field.name}}}", text or "-")
        elif not text and not own_files:
            continue
        elif field.place == "query":
            query[field.name] = text
        elif field.place == "header":
            headers[field.name] = text
        elif field.kind == "pictures":
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            if is_form:
                form_files += [(field.name, file) for file in own_files]
                body |= {field.name: "\n".join(lines)} if lines else {}
            else:
                values = [*(file.to_uri() for file in own_files), *lines]
                is_list = view is not None and "array" in view.properties[field.name].types
                body[field.name] = values if is_list else values[0]
        else:
            body[field.name] = text if is_form else _value(field, text, view)
    if is_form:
        return FormRequest(path, query, headers, data=body, files=form_files)
    return FormRequest(path, query, headers, json=None if media_type is None else body)


def _value(field: TryField, text: str, view: SchemaView | None) -> Any:
    """Return the value that a text stands for."""
    options = None if view is None else view.properties[field.name].options
    chosen = next((value for value in options or () if _text(value) == text), None)
    if chosen is not None:
        return chosen
    if field.kind in ("long", "text"):
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text

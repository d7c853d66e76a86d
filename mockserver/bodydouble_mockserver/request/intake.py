"""The one intake of a request: its body parsed, its pictures decoded, hashed and stored, each replaced by a short reference.

Nothing after it reads the megabytes of the body again: checks, journal, gallery and log work on the references.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import orjson
from bodydouble_spec import (
    ReadBody,
    RecordedPicture,
    first_picture,
    is_json_media_type,
    is_object,
    refer_to_pictures,
)
from bodydouble_spec.schema import SchemaView

from bodydouble_mockserver.request.body import CODING_RULE, UnreadableBody, decompress
from bodydouble_mockserver.request.forms import FORM, MULTIPART, FormField, as_object, parse_form, repeated_names, typed
from bodydouble_mockserver.request.limits import exceeded_limit
from bodydouble_mockserver.request.parsing import duplicate_keys, explain, without_mark
from bodydouble_mockserver.settings import Settings

__all__ = ["Intake", "Note", "take_in"]

Put = Callable[[bytes], str]

_BEGINNING_BYTES = 1024 * 1024
_MAX_CODINGS = 3
_NO_PICTURES: Mapping[str, RecordedPicture] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Note:
    """Something about the form of a body that is accepted without evidence: a rule and a sentence."""

    rule: str
    message: str


# Not frozen: creating a frozen instance takes three times as long, on every request.
@dataclass(slots=True, eq=False)
class Intake:
    """The body of a request, read once, whatever the operation.

    ``body`` is what was sent, without compression and byte order mark. ``parsed`` is its value and ``text`` that value as JSON, both with a
    reference in the place of each picture; ``pictures`` describes these by reference. ``parsed`` is None and ``text`` is the body where it
    was not read: ``problem`` says why, or it is neither JSON nor a form. The ``fields`` of a form are texts in ``parsed`` until `apply_types`.
    """

    media_type: str = ""
    body: bytes = b""
    parsed: Any = None
    text: bytes = b""
    pictures: Mapping[str, RecordedPicture] = field(default_factory=dict[str, RecordedPicture])
    fields: Sequence[FormField] | None = None
    problem: UnreadableBody | None = None
    notes: Sequence[Note] = ()
    is_read: bool = False
    view: SchemaView | None = None

    @property
    def read(self) -> ReadBody | None:
        """The value with its pictures, for a record; None where the body was not read."""
        return ReadBody(self.parsed, self.text, self.pictures) if self.is_read else None

    def whole(self) -> Any:
        """Return the parsed body with its pictures as they were sent, for the rare rule that needs a whole text."""
        if self.fields is None:
            return orjson.loads(self.body)
        return typed([one.with_pictures() for one in self.fields], self.view)

    def apply_types(self, view: SchemaView | None) -> None:
        """Give the fields of a form the types that a schema has in their places."""
        if self.fields is not None:
            self.view = view
            self.parsed = typed(self.fields, view)
            self.text = orjson.dumps(self.parsed)

    def duplicate_keys(self) -> list[str]:
        """Return the names that were sent twice where one value counts; the last one was kept."""
        if self.fields is not None:
            return repeated_names(self.fields, self.parsed)
        return duplicate_keys(self.text, self.parsed) if is_object(self.parsed) else []


def take_in(body: bytes | UnreadableBody, headers: Mapping[bytes, bytes], settings: Settings, put: Put) -> Intake:
    """Read a body by its Content-Type and Content-Encoding; ``put`` stores a picture and returns its SHA-256 hash.

    Nothing is raised: ``problem`` of the result says why a body cannot be used.
    """
    content_type = headers.get(b"content-type", b"")
    media_type = "application/json" if content_type == b"application/json" else _media_type(content_type)
    encoding = headers.get(b"content-encoding")
    codings = _codings(encoding) if encoding and body else ()
    notes = [_compressed(codings)] if codings else []
    if isinstance(body, UnreadableBody):
        return Intake(media_type, problem=body, notes=notes)
    if len(codings) > _MAX_CODINGS:
        problem = UnreadableBody(415, f"The Content-Encoding names {len(codings)} codings; send one", CODING_RULE)
        return Intake(media_type, body, text=body, problem=problem, notes=notes)
    for coding in reversed(codings):
        decoded = decompress(body, coding, settings.max_body_bytes)
        if isinstance(decoded, UnreadableBody):
            return Intake(media_type, body, text=body, problem=decoded, notes=notes)
        body = decoded
    if is_json_media_type(media_type):
        return _json(media_type, body, notes, settings, put)
    if media_type in (FORM, MULTIPART) and body:
        form = parse_form(body, content_type.decode("latin-1"), put, settings.max_json_values)
        if isinstance(form, UnreadableBody):
            return Intake(media_type, body, text=body, problem=form, notes=notes)
        fields, pictures = form
        parsed = as_object(fields)
        return Intake(
            media_type, body, parsed, orjson.dumps(parsed), pictures, fields=fields, notes=notes, is_read=True
        )
    return Intake(media_type, body, text=body, notes=notes)


def _codings(header: bytes) -> tuple[str, ...]:
    """Return the codings that a Content-Encoding names, in the order in which they were applied."""
    names = (name.strip().lower() for name in header.decode("latin-1").split(","))
    return tuple(name for name in names if name not in ("", "identity"))


def _compressed(codings: Sequence[str]) -> Note:
    named = ", ".join(codings)[:80]
    return Note(
        "request-compressed",
        f"the body was sent with Content-Encoding {named}; there is no evidence that the service accepts it",
    )


def _media_type(content_type: bytes) -> str:
    return content_type.partition(b";")[0].strip().lower().decode("latin-1")


def _json(media_type: str, body: bytes, notes: list[Note], settings: Settings, put: Put) -> Intake:
    bare = without_mark(body)
    if bare is not body:
        notes.append(
            Note(
                "request-byte-order-mark",
                "the body begins with a byte order mark; there is no evidence that the service accepts it",
            )
        )
    limits = settings.max_json_values, settings.max_json_levels
    # The beginning first, up to a picture: the search for pictures takes long in millions of short strings.
    beginning = bare[: first_picture(bare, _BEGINNING_BYTES)] if len(bare) > _BEGINNING_BYTES else b""
    problem = exceeded_limit(beginning, *limits) if beginning else None
    text, pictures = (bare, _NO_PICTURES) if problem is not None else refer_to_pictures(bare, put)
    problem = problem or exceeded_limit(text, *limits)
    if problem is not None:
        return Intake(media_type, bare, text=bare, problem=problem, notes=notes)
    try:
        parsed = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return Intake(media_type, bare, text=bare, problem=_explained(bare, text, error), notes=notes)
    return Intake(media_type, bare, parsed, text, pictures, notes=notes, is_read=True)


def _explained(body: bytes, text: bytes, error: orjson.JSONDecodeError) -> UnreadableBody:
    if text is not body:
        # The positions in the text are not those in the body.
        try:
            orjson.loads(body)
        except orjson.JSONDecodeError as own:
            error = own
    return explain(body, error)

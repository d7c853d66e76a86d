"""A recorded exchange made ready to be sent again. A record has no keys and no pictures.

The key comes from ``AIMLAPI_KEY``, and a small picture of the same type replaces each picture.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import unquote_plus

from bodydouble_spec.exchange import Exchange, RecordedPicture, restore_pictures
from bodydouble_spec.operation import BEARER, KeyPlace, Security, essence
from bodydouble_spec.snippets.curl import FORM, MULTIPART, FormPart, curl_command, header_text
from bodydouble_spec.snippets.python import python_code
from bodydouble_spec.text import visible
from bodydouble_spec.values import is_array, is_object

__all__ = ["Repetition", "as_curl", "as_python"]

# The others are set by the sender, or belong to the app's own HTTP library.
_SENT_HEADERS = ("content-type", "accept", "prefer", "x-client-request-id")
_LONGEST_SIDE = 32
_WRITABLE = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP", "image/bmp": "BMP"}


def as_curl(exchange: Exchange, origin: str | None = None) -> str:
    """Return a curl command for a POSIX shell that sends the request again; every text of the record is quoted.

    ``origin`` is the server's; None uses ``$AIMLAPI_BASE_URL``, or the mock's usual address.
    """
    sent = Repetition.of(exchange)
    command = curl_command(
        exchange.method,
        sent.path,
        origin=origin,
        headers=sent.headers,
        # In ASCII, which every terminal and shell supports.
        body=None if sent.body is None else json.dumps(sent.body),
        form=sent.form,
        security=sent.security,
    )
    return "\n".join((*sent.comments, command))


def as_python(exchange: Exchange, origin: str | None = None) -> str:
    """Return Python code with the library requests that sends the request again; ``origin`` as for `as_curl`."""
    sent = Repetition.of(exchange)
    code = python_code(
        exchange.method,
        sent.path,
        origin=origin,
        headers=sent.headers,
        body=sent.body,
        form=sent.form,
        places=() if sent.security is None else sent.security.preferred,
    )
    return "\n".join((*sent.comments, code))


@dataclass(frozen=True, slots=True)
class Repetition:
    """The parts of a request that is sent again: ``body`` is its JSON, ``form`` the fields of a form in its place, and ``security`` the places of the key.

    ``comments`` say what differs from the recorded request, as lines that begin with ``#``.
    """

    path: str
    headers: Mapping[str, str]
    body: Any
    form: Sequence[FormPart] | None
    security: Security | None
    comments: Sequence[str]

    @classmethod
    def of(cls, exchange: Exchange) -> "Repetition":
        """Prepare the repetition of a recorded request."""
        places = tuple(map(KeyPlace.read, exchange.key_in))
        headers, form = _headers(exchange), _form(exchange)
        if form is not None:
            headers.pop("content-type", None)  # that of a form is written with its boundary
        return cls(
            _without_keys(exchange.path, places),
            headers,
            None if form is not None or exchange.body is None else _restored(exchange.body),
            form,
            None if exchange.key is None else Security((places,)) if places else BEARER,
            _comments(exchange),
        )


def _without_keys(path: str, places: Sequence[KeyPlace]) -> str:
    """Return a path without the keys in its query, which were not recorded."""
    names = {place.name for place in places if place.location == "query"}
    route, _, query = path.partition("?")
    kept = [part for part in query.split("&") if part and unquote_plus(part.partition("=")[0]) not in names]
    return f"{route}?{'&'.join(kept)}" if kept else route


def _form(exchange: Exchange) -> list[FormPart] | None:
    """Return the parts of a form; None for any other body."""
    media_type = essence(exchange.headers.get("content-type", ""))
    if media_type not in (FORM, MULTIPART) or not is_object(exchange.body):
        return None
    return [
        _part(name, value, media_type)
        for name, values in exchange.body.items()
        for value in (values if is_array(values) else [values])
    ]


def _part(name: str, value: Any, media_type: str) -> FormPart:
    picture = RecordedPicture.read(value)
    if picture is not None and media_type == MULTIPART and not picture.is_data_uri:
        kind, data = _small_picture(picture)
        return FormPart(name, data, kind)
    restored = _restored(value)
    text = restored if isinstance(restored, str) else json.dumps(restored)
    return FormPart(name, text, None if media_type == MULTIPART else FORM)


def _comments(exchange: Exchange) -> list[str]:
    comments = [f"# request {visible(exchange.id)} of {visible(exchange.time)}, answered {exchange.status}"]
    pictures: list[RecordedPicture] = []

    def note(picture: RecordedPicture) -> str:
        pictures.append(picture)
        return ""

    restore_pictures(exchange.body, note)
    if pictures:
        comments.append(
            f"# {len(pictures)} picture{'' if len(pictures) == 1 else 's'} of the request replaced by small ones of the same type: a journal keeps only hashes"
        )
    if exchange.raw is not None:
        comments.append(
            f"# its body of {visible(str(exchange.raw.get('bytes')))} bytes was not recorded as JSON and is left out"
        )
    return comments


def _headers(exchange: Exchange) -> dict[str, str]:
    return {name: header_text(exchange.headers[name]) for name in _SENT_HEADERS if name in exchange.headers}


def _restored(body: Any) -> Any:
    return restore_pictures(body, _placeholder)


def _placeholder(picture: RecordedPicture) -> str:
    media_type, data = _small_picture(picture)
    return picture.encode(data, media_type)


def _small_picture(picture: RecordedPicture) -> tuple[str, bytes]:
    """Return a small grey picture with the type and aspect ratio of the recorded one."""
    from PIL import Image  # here, since it takes long to import

    media_type = picture.media_type if picture.media_type in _WRITABLE else "image/png"
    width, height = picture.pixels or (1, 1)
    scale = _LONGEST_SIDE / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    file = BytesIO()
    Image.new("RGB", size, "grey").save(file, _WRITABLE[media_type])
    return media_type, file.getvalue()

"""A recorded request as code that sends it again, to the mock unless AIMLAPI_BASE_URL names another server.

A journal has no keys and no pictures: the key comes from ``$AIMLAPI_KEY``, and a small picture of the same type replaces each picture.
"""

import json
import pprint
from collections.abc import Mapping
from typing import Any

from bodydouble_spec import Exchange, RecordedPicture, restore_pictures
from bodydouble_spec.curl import curl_command, header_text, request_path

from bodydouble._text import printable

__all__ = ["as_curl", "as_python"]

_BASE_URL = "http://127.0.0.1:8000"
# The others are set by the sender, or belong to the app's own HTTP library.
_SENT_HEADERS = ("content-type", "accept", "prefer", "x-client-request-id")
_LONGEST_SIDE = 32
_WRITABLE = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP", "image/bmp": "BMP"}


def as_curl(exchange: Exchange) -> str:
    """Return a curl command for a POSIX shell; every text of the journal is quoted."""
    # In ASCII, which every terminal and shell supports.
    body = None if exchange.body is None else json.dumps(_body(exchange))
    command = curl_command(
        exchange.method, exchange.path, headers=_headers(exchange), body=body, with_key=exchange.key is not None
    )
    return "\n".join((*_comments(exchange), command))


def as_python(exchange: Exchange) -> str:
    """Return a Python script with httpx; every text of the journal is a literal."""
    lines = [*_comments(exchange), "import os", "", "import httpx", ""]
    headers = [f"    {name!a}: {value!a}," for name, value in _headers(exchange).items()]
    if exchange.key is not None:
        headers.insert(0, '    "Authorization": f"Bearer {os.environ[\'AIMLAPI_KEY\']}",')
    lines += ["headers = {", *headers, "}"]
    content = ""
    if exchange.body is not None:
        literal = pprint.pformat(_body(exchange), width=100, sort_dicts=False)
        lines.append(f"body = {literal}")
        content = ", json=body"
    lines += [
        f'base_url = os.environ.get("AIMLAPI_BASE_URL", "{_BASE_URL}").removesuffix("/v1")',
        "response = httpx.request(",
        f"    {header_text(exchange.method)!a}, base_url + {request_path(exchange.path)!a}, headers=headers{content}, timeout=180",
        ")",
        "print(response.status_code, response.text)",
    ]
    return "\n".join(lines) + "\n"


def _comments(exchange: Exchange) -> list[str]:
    comments = [f"# request {printable(exchange.id)} of {printable(exchange.time)}, answered {exchange.status}"]
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
            f"# its body of {printable(str(exchange.raw.get('bytes')))} bytes was not recorded as JSON and is left out"
        )
    return comments


def _headers(exchange: Exchange) -> Mapping[str, str]:
    return {name: header_text(exchange.headers[name]) for name in _SENT_HEADERS if name in exchange.headers}


def _body(exchange: Exchange) -> Any:
    return restore_pictures(exchange.body, _placeholder)


def _placeholder(picture: RecordedPicture) -> str:
    """Return a small grey picture with the type and aspect ratio of the recorded one."""
    from io import BytesIO

    from PIL import Image

    media_type = picture.media_type if picture.media_type in _WRITABLE else "image/png"
    width, height = picture.pixels or (1, 1)
    scale = _LONGEST_SIDE / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    file = BytesIO()
    Image.new("RGB", size, "grey").save(file, _WRITABLE[media_type])
    return picture.encode(file.getvalue(), media_type)

"""Small real files of media types that are no JSON, no sound and no drawn picture: whatever the standard library and Pillow can write."""

import io
import re
from collections.abc import Iterator
from html import escape
from typing import Any

from bodydouble_spec import is_array, is_object

from bodydouble_mockserver.asgi import write_json

__all__ = ["file_of", "is_made"]

_LINES = {"application/jsonl", "application/jsonlines", "application/ndjson", "application/x-ndjson"}
_YAML = {"application/yaml", "application/x-yaml", "text/yaml"}
_PICTURES = {"application/pdf": "PDF", "image/bmp": "BMP", "image/gif": "GIF", "image/jpeg": "JPEG", "image/jpg": "JPEG", "image/webp": "WEBP"}  # fmt: skip
_BYTES = {"application/octet-stream", "application/binary"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64" fill="#7ec0ee"/></svg>'
# A frame of MPEG-1 layer III at 128 kbit/s and 44.1 kHz, 417 bytes, whose zeros decode to silence; 38 of them last a second.
_MP3_FRAME = b"\xff\xfb\x90\xc4" + bytes(413)


def is_made(name: str) -> bool:
    """Return whether a file of a media type (lower case, without parameters) can be made."""
    others = _BYTES | {"application/zip", "audio/mpeg", "audio/mp3", "image/svg+xml", "message/http"}
    return name in _LINES | _YAML | _PICTURES.keys() | others or _is_xml(name)


def file_of(name: str, value: Any) -> bytes | None:
    """Return a file of a media type, with the value in it where it can hold one; None where no file of that type is made."""
    if name in _LINES or name in _YAML:
        # JSON is YAML too (YAML 1.2, section 1.3).
        return write_json(value) + b"\n"
    if name == "image/svg+xml":
        return _SVG
    if _is_xml(name):
        return b"".join((b'<?xml version="1.0" encoding="UTF-8"?>\n', *_elements("root", value), b"\n"))
    if name in {"audio/mpeg", "audio/mp3"}:
        return _MP3_FRAME * 38
    if name in _PICTURES:
        return _picture(_PICTURES[name])
    if name == "application/zip":
        return _archive()
    if name == "message/http":
        return b"TRACE / HTTP/1.1\r\n\r\n"
    if name in _BYTES:
        return (value if isinstance(value, str) and value else "bodydouble").encode(errors="replace")
    return None


def _is_xml(name: str) -> bool:
    return name.endswith(("/xml", "+xml"))


def _elements(name: str, value: Any) -> Iterator[bytes]:
    """Yield a value as an element: properties and items are elements within it."""
    tag = (name if _NAME.fullmatch(name) else "item").encode()
    yield b"<" + tag + b">"
    if is_object(value):
        for key, item in value.items():
            yield from _elements(key, item)
    elif is_array(value):
        for item in value:
            yield from _elements("item", item)
    else:
        text = value if isinstance(value, str) else write_json(value).decode()
        yield escape("".join(one for one in text if one.isprintable() or one in "\t\n")).encode(errors="replace")
    yield b"</" + tag + b">"


def _picture(kind: str) -> bytes:
    # Imported here, so that a server starts sooner.
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (64, 64), (126, 192, 238)).save(file, kind)
    return file.getvalue()


def _archive() -> bytes:
    import zipfile

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("bodydouble.txt"), "made by bodydouble")
    return file.getvalue()

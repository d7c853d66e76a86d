"""Encoder of input images: any form that a caller may have becomes the text that the service accepts."""

import base64
import inspect
import re
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

import httpx

from bodydouble_client._errors import ArgumentError
from bodydouble_client._values import Readable, describe, describe_error, file_error_reason, is_buffer, is_path, shorten

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage


ImageInput: TypeAlias = "str | PathLike[str] | bytes | bytearray | memoryview | Readable | PillowImage"

_DATA_URI = re.compile(r"data:image/[A-Za-z0-9.+-]+(?:;[A-Za-z0-9.=+-]+)*;base64,[A-Za-z0-9+/]+={0,2}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_URL = re.compile(
    r"https?://(?:[\w\-.~!$&'()*+,;=%:]*@)?"
    r"(?:[\w\-.~!$&'()*+,;=%]+|\[[0-9a-f:.]+\])(?::[0-9]{0,5})?"
    r"(?:[/?#][\w\-.~:/?#\[\]@!$&'()*+,;=%]*)?",
    re.IGNORECASE | re.ASCII,
)
_MAX_PATH_LENGTH = 4096
_PNG_MODES = {"1", "L", "LA", "I;16", "P", "RGB", "RGBA"}
_NEAREST_MODES = {"I": "I;16", "La": "LA", "PA": "RGBA", "RGBa": "RGBA"}
_SUPPORTED_FORMATS = "JPEG, PNG, GIF, WebP or BMP"
_SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
)
# the same in Base64, where the last letter of a signature also encodes bits of the next byte
_BASE64_SIGNATURES = re.compile(r"/9j/|iVBORw0KGg[o-r]|R0lGOD[dl]h|UklGR[g-v][A-Za-z0-9+/]{5}XRUJQ|Qk[0-3]")


def encode_image(name: str, image: object) -> str:
    """Return the image as an http(s) URL, a data URI or raw Base64; a local one becomes a data URI.

    A string is read as a URL, a data URI, an existing file or raw Base64, in this order. A file object is read from
    its current position to its end and is not rewound. A Pillow image is sent as PNG, turned upright by its EXIF data.
    Raises ArgumentError, naming the argument ``name``, for anything that is not a readable picture.
    """
    if isinstance(image, str):
        return _from_text(name, image)
    if is_path(image):
        return _from_file(name, image)
    if is_buffer(image):
        return _data_uri(name, bytes(image), "it")
    if _is_pillow(image):
        return _data_uri(name, _png(name, image), "it")
    if isinstance(image, Readable):
        return _data_uri(name, _read(name, image), "the file object, from its current position,")
    raise ArgumentError(
        f"{name} must be a URL, a path, bytes, a file object or a Pillow image, not {type(image).__name__}",
        argument=name,
    )


def _from_text(name: str, value: str) -> str:
    scheme = value[:8].lower()
    if scheme.startswith(("http://", "https://")):
        return _url(name, value)
    if scheme.startswith("data:"):
        if _DATA_URI.fullmatch(value):
            return value
        raise ArgumentError(
            f"{name} is not a data URI of the form data:image/…;base64,… with plain Base64: {describe(value)}",
            argument=name,
        )
    if len(value) <= _MAX_PATH_LENGTH and _exists(value):
        return _from_file(name, value)
    if _looks_like_base64_image(value):
        match = _BASE64.match(value)
        if match is not None and match.end() == len(value):
            return value
        raise ArgumentError(
            f"{name} looks like Base64 of a picture, but is not valid at position {match.end() if match else 0}: "
            "use the standard alphabet without line breaks",
            argument=name,
        )
    raise ArgumentError(
        f"{name} is neither an http(s) URL, a data URI, an existing file nor Base64 of a {_SUPPORTED_FORMATS}: "
        f"{describe(value)}; a relative path starts at the current folder",
        argument=name,
    )


def _url(name: str, value: str) -> str:
    if _URL.fullmatch(value):
        return value
    try:
        # percent-encode spaces and letters outside ASCII, as a browser does
        encoded, reason = str(httpx.URL(value)), "it has no host"
    except (httpx.InvalidURL, ValueError) as error:
        encoded, reason = "", shorten(str(error))
    if not _URL.fullmatch(encoded):
        raise ArgumentError(f"{name} is not a usable URL ({reason}): {describe(value)}", argument=name)
    return encoded


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # a name that is too long or contains NUL
        return False


def _from_file(name: str, path: "str | PathLike[str]") -> str:
    try:
        data, reason = Path(path).read_bytes(), ""
    except (OSError, ValueError, TypeError) as error:
        data, reason = b"", file_error_reason(error)
    if reason:
        raise ArgumentError(f"{name}: cannot read {describe(str(path), 200)} ({reason})", argument=name)
    return _data_uri(name, data, describe(str(path), 200))


def _read(name: str, file: Readable) -> bytes:
    data: Any
    try:
        data, reason = file.read(), ""
    except Exception as error:  # noqa: BLE001 - a caller's read() may raise anything
        data, reason = None, describe_error(error)
    if reason:
        raise ArgumentError(f"{name}: reading the file object failed ({reason})", argument=name)
    if inspect.iscoroutine(data):
        data.close()
        raise ArgumentError(f"{name} has an asynchronous read(); pass `await file.read()` instead", argument=name)
    if isinstance(data, str):
        raise ArgumentError(f"{name} is a file opened in text mode; open it with mode 'rb'", argument=name)
    if not isinstance(data, bytes):
        raise ArgumentError(f"{name}: read() returned {type(data).__name__}, not bytes", argument=name)
    return data


def _is_pillow(image: object) -> TypeGuard["PillowImage"]:
    # by name: Pillow is not imported unless the caller did
    return any(base.__module__ == "PIL.Image" and base.__name__ == "Image" for base in type(image).__mro__)


def _png(name: str, image: "PillowImage") -> bytes:
    try:
        data, reason = _encode_png(image), ""
    except Exception as error:  # noqa: BLE001 - Pillow raises many types for damaged or closed images
        data, reason = b"", describe_error(error)
    if reason:
        raise ArgumentError(f"{name}: the Pillow image cannot be written as PNG ({reason})", argument=name)
    return data


def _encode_png(image: "PillowImage") -> bytes:
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(image)
    options: dict[str, Any] = {}
    if upright.mode not in _PNG_MODES:
        upright = upright.convert(_NEAREST_MODES.get(upright.mode, "RGB"))
        options["icc_profile"] = None  # it describes the colours before the conversion
    buffer = BytesIO()
    upright.save(buffer, "PNG", **options)
    return buffer.getvalue()


def _data_uri(name: str, data: bytes, source: str) -> str:
    media_type = media_type_of(data)
    if media_type is None:
        content = f"begins with {data[:12]!r}" if data else "is empty"
        raise ArgumentError(f"{name} is not a {_SUPPORTED_FORMATS}: {source} {content}", argument=name)
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def media_type_of(data: bytes) -> str | None:
    """Return the media type of a JPEG, PNG, GIF, WebP or BMP, else None."""
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return next((media_type for signature, media_type in _SIGNATURES if data.startswith(signature)), None)


def _looks_like_base64_image(base64_text: str) -> bool:
    """Return whether a Base64 text begins with the signature of a JPEG, PNG, GIF, WebP or BMP."""
    return _BASE64_SIGNATURES.match(base64_text) is not None

"""Words for an input picture that breaks the contract: the mistake that was made, and what to send instead."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bodydouble_spec import RecordedPicture, is_array, is_object
from bodydouble_spec.defects import show

__all__ = ["explain_input"]

_PICTURE = "the picture as data:image/png;base64,…"
_URL_OR_PICTURE = f"an http(s) URL, or {_PICTURE}"
_UNSET = {
    "",
    "undefined",
    "null",
    "none",
    "nan",
    "false",
    "true",
    "[object object]",
    "[object file]",
    "[object blob]",
    "[object promise]",
}
_PATH = re.compile(r"(?:[A-Za-z]:[\\/]|\\\\|~?/(?!/)|\.{1,2}[\\/])[^\x00-\x1f]{0,400}")
_FILE_NAME = re.compile(r"[^\x00-\x1f:?#]{1,200}\.(?:jpe?g|png|gif|webp|bmp|heic|avif|tiff?|svg)", re.IGNORECASE)
_HOST = re.compile(r"(?://)?(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}(?::\d{1,5})?(?:[/?#]\S*)?")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,20}):")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_BLANK = re.compile(r"[\x00-\x20\x7f]")
_FILE_ID = re.compile(r"file[-_][A-Za-z0-9]{8,60}")
_PYTHON_BYTES = re.compile(r"""b(['"]).*\1""", re.DOTALL)
_SHORT_CHARACTERS = 2_000
_SHORTEST_BASE64 = 30
_LOCAL_SCHEMES = {"file", "blob", "filesystem", "content"}
# What is wrong, and what to send.
Mistake = tuple[str, str]


def explain_input(value: Any, pictures: Mapping[str, RecordedPicture]) -> str | None:
    """Return one sentence about a bad input picture; None where it is like no known mistake.

    ``pictures`` describes those that stand in the body as references.
    """
    if not isinstance(value, str):
        return _not_text(value)
    picture = pictures.get(value)
    found = _of_picture(value, picture) if picture is not None else _of_text(value)
    return None if found is None else f"{show(value) if picture is None else picture.words} {found[0]}; send {found[1]}"


def _not_text(value: Any) -> str | None:
    if is_object(value):
        url: Any = value.get("url") or value.get("image_url")
        if is_object(url):
            url = url.get("url")
        if isinstance(url, str):
            return "an object with the picture in it, as in chat messages; send only the URL or data URI, as a string"
        if value.get("type") == "Buffer":
            return 'a Node.js Buffer as JSON; send "data:image/png;base64," + buffer.toString("base64")'
        if not value:
            return f"an empty object, which is what a File or Blob becomes in JSON; send {_PICTURE}"
        return f"an object; send a string: {_URL_OR_PICTURE}"
    if is_array(value):
        return f"a list inside the list; send strings: {_URL_OR_PICTURE}"
    return f"{show(value)} is not a picture; leave it out, or send {_URL_OR_PICTURE}"


def _of_picture(reference: str, picture: RecordedPicture) -> Mistake | None:
    payload = reference.partition(",")[2] if picture.is_data_uri else reference
    if _BLANK.search(payload):
        return "has line breaks or spaces in its Base64", "it without them (base64 -w0; b64encode, not encodebytes)"
    if "-" in payload or "_" in payload:
        return "uses the URL-safe alphabet (- and _)", "standard Base64 (+ and /)"
    if picture.is_data_uri and not (picture.media_type or "").startswith("image/"):
        named = f"has the media type {picture.media_type}" if picture.media_type else "names no media type"
        return named, "data:image/png;base64,… with the media type of the picture"
    if not picture.is_data_uri and picture.media_type is None:
        return "does not begin like a picture", _PICTURE
    return None


def _of_text(text: str) -> Mistake:
    """Return the likeliest mistake: what is wrong, and what to send."""
    short = text[:_SHORT_CHARACTERS]
    bare = short.strip()
    written = next((mistake for is_it, mistake in _WRITTEN if is_it(bare)), None)
    if written is not None:
        return written
    if bare != short and len(text) <= _SHORT_CHARACTERS:
        return "has a space or a line break around it", "it without (strip() or trim())"
    scheme = _SCHEME.match(bare)
    name = scheme[1].lower() if scheme else ""
    if name == "data":
        return _of_data_uri(text)
    if name in ("http", "https"):
        return _of_web_url(bare)
    if name in _LOCAL_SCHEMES:
        return f"is a {name}: URL, which only this computer or browser can open", _URL_OR_PICTURE
    found = next((mistake for is_it, mistake in _WITHOUT_SCHEME if is_it(bare)), None)
    if found is not None:
        return found
    if _HOST.fullmatch(bare):
        return "is a URL without its scheme", f"https://{bare.lstrip('/')[:200]}"
    if name:
        return f"has the scheme {name}:, which is not http, https or data", _URL_OR_PICTURE
    return "is neither a URL nor a picture", _URL_OR_PICTURE


def _of_web_url(text: str) -> Mistake:
    if _BLANK.search(text):
        return "contains a space or a control character", "the URL percent-encoded (%20)"
    rest = text.partition(":")[2]
    if not rest.startswith("//") or not rest[2:].partition("/")[0]:
        return "has no host", "a complete URL, such as https://example.com/picture.png"
    return "is not a valid URL", "a complete URL, such as https://example.com/picture.png"


def _is_quoted(text: str) -> bool:
    return len(text) > 1 and text[0] in "'\"`" and text[-1] == text[0]


def _is_path(text: str) -> bool:
    # Base64 of a JPEG begins with a slash, too.
    return _PATH.fullmatch(text) is not None and _BASE64.fullmatch(text.removeprefix("/")) is None


def _is_file_name(text: str) -> bool:
    return _FILE_NAME.fullmatch(text) is not None and ("/" not in text or _HOST.fullmatch(text) is None)


def _is_url_safe(text: str) -> bool:
    return _is_base64(text) and ("-" in text or "_" in text)


def _is_base64(text: str) -> bool:
    return len(text) >= _SHORTEST_BASE64 and _BASE64.fullmatch(text) is not None


_WRITTEN: Sequence[tuple[Callable[[str], Any], Mistake]] = (
    (lambda text: not text, ("is empty", _URL_OR_PICTURE)),
    (lambda text: text.lower() in _UNSET, ("is what an unset variable turns into", _URL_OR_PICTURE)),
    (_is_quoted, ("has quotation marks around it", "it without them")),
    (_PYTHON_BYTES.fullmatch, ("is Python bytes written as a string", "b64encode(data).decode()")),
    (lambda text: text.startswith("["), ("is a list written as a string", "the list itself as JSON")),
)
_WITHOUT_SCHEME: Sequence[tuple[Callable[[str], Any], Mistake]] = (
    (_FILE_ID.fullmatch, ("is the id of an uploaded file, which this service does not have", _URL_OR_PICTURE)),
    (_is_path, ("is the path of a file, which the service cannot open", _URL_OR_PICTURE)),
    (_is_file_name, ("is the name of a file, which the service cannot open", _URL_OR_PICTURE)),
    (_is_url_safe, ("uses the URL-safe alphabet (- and _)", "standard Base64 (+ and /)")),
    (_is_base64, ("is Base64, but does not begin like a picture, or is cut off", _PICTURE)),
)


def _of_data_uri(text: str) -> Mistake:
    head, comma, payload = text.partition(",")
    if not comma:
        return "is a data URI without a comma", _PICTURE
    kind = head.lower()
    checks = (
        (";base64" not in kind, "without ;base64", _PICTURE),
        (not payload, "without data", _PICTURE),
        (not kind.startswith("data:image/"), "without the media type of a picture", _PICTURE),
        (_BLANK.search(payload), "with spaces or line breaks in it", "it without them"),
        ("%" in payload, "with percent signs in its Base64", "the Base64 without percent-encoding"),
        ("-" in payload or "_" in payload, "with the URL-safe alphabet (- and _)", "standard Base64 (+ and /)"),
        (True, "whose Base64 is cut off or damaged", _PICTURE),
    )
    return next((f"is a data URI {what}", remedy) for is_it, what, remedy in checks if is_it)

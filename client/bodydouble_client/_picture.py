"""Pictures of an answer: inline decoding, redirect targets, checks of downloads, and files."""

import base64
import binascii
from os import PathLike
from pathlib import Path
from typing import Protocol

import httpx

from bodydouble_client._errors import DownloadError, SaveError
from bodydouble_client._media_type import media_type_of
from bodydouble_client._outcome import AttemptResult
from bodydouble_client._text import describe, shorten

__all__ = ["MAX_REDIRECTS", "ImageLike", "locate_picture", "read_picture", "redirect_target", "write_picture"]

MAX_REDIRECTS = 5

_REDIRECTS = {301, 302, 303, 307, 308}


class ImageLike(Protocol):
    """An image of an answer."""

    @property
    def url(self) -> str | None:
        """The URL of the picture, if it has one."""
        ...

    @property
    def b64(self) -> str | None:
        """The picture in Base64, if the answer contained it."""
        ...


def locate_picture(image: ImageLike) -> bytes | httpx.URL | DownloadError:
    """Return the picture when the image contains it (Base64, also as a data URI), else its http(s) URL."""
    inline = image.b64 or (image.url if image.url and image.url[:5].lower() == "data:" else None)
    if inline:
        return _decode(inline)
    return _check_url(image.url or "")


def _decode(text: str) -> bytes | DownloadError:
    head, comma, payload = text.partition(",") if text[:5].lower() == "data:" else ("", "", text)
    if comma and not head.lower().endswith(";base64"):
        return DownloadError(f"the picture's data URI is not Base64: {describe(text)}")
    try:
        data = base64.b64decode("".join(payload.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        return DownloadError(f"the picture's Base64 cannot be decoded ({shorten(str(error))}): {describe(payload)}")
    return data or DownloadError("the picture's Base64 is empty")


def _check_url(text: str) -> httpx.URL | DownloadError:
    try:
        url = httpx.URL(text)
        usable = url.scheme in {"http", "https"} and bool(url.host)
    except (httpx.InvalidURL, ValueError):
        return DownloadError(f"the picture's URL cannot be used: {describe(text)}")
    return url if usable else DownloadError(f"only http and https pictures are fetched, not {describe(text)}")


def redirect_target(url: httpx.URL, attempt: AttemptResult) -> httpx.URL | DownloadError | None:
    """Return the URL that an answer redirects to, None when it is not a redirect."""
    location = attempt.headers.get("location")
    if attempt.status_code not in _REDIRECTS or not location:
        return None
    try:
        target = str(url.join(location))
    except (httpx.InvalidURL, ValueError):
        target = location
    return _check_url(target)


def read_picture(url: httpx.URL, attempt: AttemptResult) -> bytes | DownloadError:
    """Return the picture file in the answer to a download, or the error without one."""
    label = f"the picture at {_without_query(url)}"
    if attempt.status_code is None or attempt.failure is not None:
        detail = attempt.failure.detail if attempt.failure else "no answer"
        return DownloadError(f"{label} could not be fetched ({detail})", status_code=attempt.status_code)
    if attempt.refused:
        return DownloadError(
            f"{label} could not be fetched: status {attempt.status_code}", status_code=attempt.status_code
        )
    media_type = attempt.headers.get("content-type", "").split(";")[0].strip().lower()
    is_picture = media_type_of(attempt.body) or media_type.startswith("image/") or not _is_text(media_type)
    if not attempt.body or not is_picture:
        content = f"{len(attempt.body)} bytes of {shorten(media_type, 40) or 'unknown type'}"
        return DownloadError(f"{label} is not a picture but {content}", status_code=attempt.status_code)
    return attempt.body


def _is_text(media_type: str) -> bool:
    return media_type.startswith("text/") or media_type.endswith(("json", "xml"))


def _without_query(url: httpx.URL) -> str:
    # the query may contain a signature that gives access to the picture
    return shorten(str(url.copy_with(query=None, fragment=None, username=None, password=None)))


def write_picture(data: bytes, path: str | PathLike[str]) -> Path:
    """Write the bytes to a file and return its path; raises SaveError."""
    try:
        target, reason = Path(path), ""
        target.write_bytes(data)
    except (OSError, ValueError, TypeError) as error:
        target, reason = Path(), shorten(getattr(error, "strerror", None) or str(error))
    if reason:
        raise SaveError(f"cannot write the picture to {describe(path)} ({reason}); its folder must exist")
    return target

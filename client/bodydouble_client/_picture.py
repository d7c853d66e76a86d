"""From an image of an answer to the bytes of a picture file: which way, which hop next, is it a picture at all."""

import base64
import binascii
from os import PathLike
from pathlib import Path
from typing import Protocol

import httpx

from bodydouble_client._errors import DownloadError, SaveError
from bodydouble_client._media_type import media_type_of
from bodydouble_client._outcome import Outcome
from bodydouble_client._text import describe, shorten

__all__ = ["MOST_HOPS", "ImageLike", "locate_picture", "read_picture", "redirect_target", "write_picture"]

MOST_HOPS = 5

_REDIRECTS = {301, 302, 303, 307, 308}


class ImageLike(Protocol):
    """What a picture is found by."""

    @property
    def url(self) -> str | None:
        """Where the picture is, if anywhere."""
        ...

    @property
    def b64(self) -> str | None:
        """The picture in Base64, if the answer carried it."""
        ...


def locate_picture(image: ImageLike) -> bytes | httpx.URL | DownloadError:
    """The picture itself when it is in the image (Base64, also as a data URI), else its http(s) URL."""
    inline = image.b64 or (image.url if image.url and image.url[:5].lower() == "data:" else None)
    if inline:
        return _decoded(inline)
    return _fetchable(image.url or "")


def _decoded(text: str) -> bytes | DownloadError:
    head, comma, payload = text.partition(",") if text[:5].lower() == "data:" else ("", "", text)
    if comma and not head.lower().endswith(";base64"):
        return DownloadError(f"the picture's data URI is not Base64: {describe(text)}")
    try:
        data = base64.b64decode("".join(payload.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        return DownloadError(f"the picture's Base64 cannot be decoded ({shorten(str(error))}): {describe(payload)}")
    return data or DownloadError("the picture's Base64 is empty")


def _fetchable(text: str) -> httpx.URL | DownloadError:
    try:
        url = httpx.URL(text)
        usable = url.scheme in {"http", "https"} and bool(url.host)
    except (httpx.InvalidURL, ValueError):
        return DownloadError(f"the picture's URL cannot be used: {describe(text)}")
    return url if usable else DownloadError(f"only http and https pictures are fetched, not {describe(text)}")


def redirect_target(url: httpx.URL, outcome: Outcome) -> httpx.URL | DownloadError | None:
    """Where an answer sends the download on to, or None when it does not."""
    location = outcome.headers.get("location")
    if outcome.status_code not in _REDIRECTS or not location:
        return None
    try:
        target = str(url.join(location))
    except (httpx.InvalidURL, ValueError):
        target = location
    return _fetchable(target)


def read_picture(url: httpx.URL, outcome: Outcome) -> bytes | DownloadError:
    """The picture file that an answer to a download carries, or why there is none."""
    place = f"the picture at {_without_query(url)}"
    if outcome.status_code is None or outcome.fault is not None:
        detail = outcome.fault.detail if outcome.fault else "no answer"
        return DownloadError(f"{place} could not be fetched ({detail})", status_code=outcome.status_code)
    if outcome.refused:
        return DownloadError(
            f"{place} could not be fetched: status {outcome.status_code}", status_code=outcome.status_code
        )
    media_type = outcome.headers.get("content-type", "").split(";")[0].strip().lower()
    a_picture = media_type_of(outcome.body) or media_type.startswith("image/") or not _says_text(media_type)
    if not outcome.body or not a_picture:
        what = f"{len(outcome.body)} bytes of {shorten(media_type, 40) or 'no stated type'}"
        return DownloadError(f"{place} is no picture, but {what}", status_code=outcome.status_code)
    return outcome.body


def _says_text(media_type: str) -> bool:
    return media_type.startswith("text/") or media_type.endswith(("json", "xml"))


def _without_query(url: httpx.URL) -> str:
    # the query may hold a signature that opens the picture to others
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

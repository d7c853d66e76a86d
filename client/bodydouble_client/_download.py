"""Downloads of pictures, blocking and asynchronous, over HTTP clients that never have the key."""

import base64
import binascii
import ssl
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

import httpx

from bodydouble_client._attempt import AttemptResult, Request
from bodydouble_client._errors import ArgumentError, DownloadError, SaveError
from bodydouble_client._http import make_http_client
from bodydouble_client._image_input import media_type_of
from bodydouble_client._retry import Clock, Deadline, Retrying, RetryPolicy, deadline_of
from bodydouble_client._transport import send_with_retries, send_with_retries_async
from bodydouble_client._values import describe, file_error_reason, shorten
from bodydouble_client._version import USER_AGENT

_MAX_REDIRECTS = 5
_REDIRECTS = {301, 302, 303, 307, 308}


@dataclass(frozen=True, slots=True)
class DownloadPlan:
    """The limits of one download: seconds for each attempt, seconds in all, bytes and retries."""

    timeout_s: float = 180.0
    deadline_s: float | None = None
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    limit_bytes: int = 64 * 2**20
    clock: Clock = field(default_factory=Clock, repr=False, compare=False)

    def start(self, deadline: Deadline | None) -> Retrying:
        """Start a download within the deadline of its call.

        A download is free, so it is also retried after a lost answer.
        """
        policy = replace(self.policy, retry_after_send=True)
        return Retrying(policy, self.clock, self.timeout_s, deadline or Deadline(self.deadline_s))

    def request(self, url: httpx.URL) -> Request:
        """Return the request for a picture."""
        headers = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": USER_AGENT}
        return Request("GET", str(url), headers)


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


def _redirect_target(url: httpx.URL, attempt: AttemptResult) -> httpx.URL | DownloadError | None:
    """Return the URL that an answer redirects to, None when it is not a redirect."""
    location = attempt.headers.get("location")
    if attempt.status_code not in _REDIRECTS or not location:
        return None
    try:
        target = str(url.join(location))
    except (httpx.InvalidURL, ValueError):
        target = location
    return _check_url(target)


def _read_picture(url: httpx.URL, attempt: AttemptResult) -> bytes | DownloadError:
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
    if _is_cut_off(attempt.body):
        return DownloadError(
            f"{label} is cut off: its {len(attempt.body)} bytes have no end", status_code=attempt.status_code
        )
    return attempt.body


# Other data may follow the end of a file.
_TAIL_BYTES = 4096
_LEAST_JPEG_BYTES = 1000


def _is_cut_off(data: bytes) -> bool:
    """Return whether the file of a picture lacks its end, by the structure of PNG, JPEG and WebP; no pixels are decoded."""
    tail = data[-_TAIL_BYTES:]
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data[12:16] == b"IHDR" and b"IEND" not in tail
    if data.startswith(b"\xff\xd8\xff"):
        return len(data) >= _LEAST_JPEG_BYTES and b"\xff\xd9" not in tail
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return len(data) < int.from_bytes(data[4:8], "little") + 8
    return False


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
        target, reason = Path(), file_error_reason(error)
    if reason:
        raise SaveError(f"cannot write the picture to {describe(path)} ({reason}); its folder must exist")
    return target


@dataclass(frozen=True, slots=True)
class Downloader:
    """A downloader of pictures over ``http_client``, or over a new client for each picture.

    Pickling keeps the limits only.
    """

    plan: DownloadPlan = field(default_factory=DownloadPlan)
    http_client: httpx.Client | None = field(default=None, repr=False, compare=False)
    context: ssl.SSLContext | None = field(default=None, repr=False, compare=False)

    def __reduce__(self) -> tuple[Any, ...]:
        plan = self.plan
        return (_restore, (plan.timeout_s, plan.deadline_s, plan.policy, plan.limit_bytes))

    def fetch(self, image: ImageLike) -> bytes:
        """Return the picture file. Raises DownloadError."""
        picture = locate_picture(image)
        if isinstance(picture, httpx.URL):
            picture = self._download(picture, self.plan.start(deadline_of(image)))
        if isinstance(picture, DownloadError):
            raise picture
        return picture

    def _download(self, url: httpx.URL, retrying: Retrying) -> bytes | DownloadError:
        if self.http_client is not None:
            return self._follow_redirects(self.http_client, url, retrying)
        try:
            http_client = make_http_client(httpx.Client, self.context)
        except ArgumentError as error:
            return DownloadError(str(error))
        with http_client:
            return self._follow_redirects(http_client, url, retrying)

    def _follow_redirects(self, http_client: httpx.Client, url: httpx.URL, retrying: Retrying) -> bytes | DownloadError:
        plan = self.plan
        for _ in range(_MAX_REDIRECTS + 1):
            attempt = send_with_retries(http_client, plan.request(url), retrying, plan.limit_bytes)
            target = _redirect_target(url, attempt)
            if target is None:
                return _read_picture(url, attempt)
            if isinstance(target, DownloadError):
                return target
            url = target
        return DownloadError(f"the picture is behind more than {_MAX_REDIRECTS} redirects")


def _restore(*limits: Any) -> Downloader:
    return Downloader(DownloadPlan(*limits))


@dataclass(frozen=True, slots=True)
class AsyncDownloader:
    """A downloader of pictures over ``http_client``, or over a new client for each picture."""

    plan: DownloadPlan = field(default_factory=DownloadPlan)
    http_client: httpx.AsyncClient | None = field(default=None, repr=False, compare=False)
    context: ssl.SSLContext | None = field(default=None, repr=False, compare=False)

    async def fetch(self, image: ImageLike) -> bytes:
        """Return the picture file. Raises DownloadError."""
        picture = locate_picture(image)
        if isinstance(picture, httpx.URL):
            picture = await self._download(picture, self.plan.start(deadline_of(image)))
        if isinstance(picture, DownloadError):
            raise picture
        return picture

    async def _download(self, url: httpx.URL, retrying: Retrying) -> bytes | DownloadError:
        if self.http_client is not None:
            return await self._follow_redirects(self.http_client, url, retrying)
        try:
            http_client = make_http_client(httpx.AsyncClient, self.context)
        except ArgumentError as error:
            return DownloadError(str(error))
        async with http_client:
            return await self._follow_redirects(http_client, url, retrying)

    async def _follow_redirects(
        self, http_client: httpx.AsyncClient, url: httpx.URL, retrying: Retrying
    ) -> bytes | DownloadError:
        plan = self.plan
        for _ in range(_MAX_REDIRECTS + 1):
            attempt = await send_with_retries_async(http_client, plan.request(url), retrying, plan.limit_bytes)
            target = _redirect_target(url, attempt)
            if target is None:
                return _read_picture(url, attempt)
            if isinstance(target, DownloadError):
                return target
            url = target
        return DownloadError(f"the picture is behind more than {_MAX_REDIRECTS} redirects")

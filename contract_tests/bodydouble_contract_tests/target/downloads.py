"""Download the pictures of an answer as a browser would: without the API key, from any host, within limits."""

import base64
import binascii
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
from bodydouble_spec import essence, is_success

from bodydouble_contract_tests.checks import inspect_picture, picture_damage
from bodydouble_contract_tests.model import ORIGIN, AnswerPicture, FetchedPicture, OperationProfile
from bodydouble_contract_tests.target.http import Target
from bodydouble_contract_tests.target.limits import RunLimits
from bodydouble_contract_tests.target.watchdog import Watchdog

__all__ = ["Downloads"]

_LARGEST_PICTURE = 32 * 1024 * 1024
# No contract of this service allows more in one answer.
_MOST_PICTURES = 20
_MOST_REDIRECTS = 5
_LONGEST_S = 60.0
# The time without a byte that ends a download; a download can outlive its run by as much.
_LONGEST_SILENCE_S = 15.0


class Downloads:
    """Download pictures for one run; safe to use from several threads. Each URL is fetched once.

    ``redact`` removes secrets from the descriptions of pictures, ``limits`` are those of the run.
    """

    def __init__(self, target: Target, redact: Callable[[str], str], limits: RunLimits) -> None:
        self._limits = limits
        self._client = target.new_client()
        self._client.follow_redirects = True
        self._client.headers["origin"] = ORIGIN
        self._client.max_redirects = _MOST_REDIRECTS
        self._client.event_hooks = {"request": [_stay_in_http]}
        self._timeout_s = min(target.timeout_s, _LONGEST_S)
        self._client.timeout = httpx.Timeout(min(self._timeout_s, _LONGEST_SILENCE_S))
        self._redact = redact
        self._seen: dict[str, Future[FetchedPicture]] = {}
        self._lock = threading.Lock()

    def of_answer(self, profile: OperationProfile, answer: Any, turn: int | None = None) -> tuple[FetchedPicture, ...]:
        """Return the pictures of the first twenty items of a parsed success body: one for each URL and each Base64 text, with the pointer of its item.

        With ``turn``, return those of one item only: of the first, the second … and the first again, as ``turn`` grows.
        """
        items = profile.pictures(answer)[:_MOST_PICTURES]
        if turn is not None and items:
            items = [items[turn % len(items)]]
        return tuple(picture for item in items for picture in self._of_item(item))

    def fetch(self, url: str) -> FetchedPicture:
        """Return the picture of a URL, without a pointer."""
        return self._at(url)

    def forget(self, url: str) -> None:
        """Forget a picture, whose bytes are kept elsewhere."""
        with self._lock:
            self._seen.pop(url, None)

    def close(self) -> None:
        """Close connections; downloads under way end with a problem."""
        self._client.close()

    def _of_item(self, item: AnswerPicture) -> list[FetchedPicture]:
        pictures: list[FetchedPicture] = []
        if item.url is not None:
            pictures.append(replace(self._at(item.url), pointer=item.pointer))
        if item.base64 is not None:
            pictures.append(_of_base64(item.base64, item.pointer))
        return pictures

    def _at(self, url: str) -> FetchedPicture:
        mine = Future[FetchedPicture]()
        with self._lock:
            known = self._seen.setdefault(url, mine)
        if known is not mine:
            return known.result()
        picture = FetchedPicture("", self._redact(url), problem="the download was interrupted")
        try:
            picture = self._fetch(url)
        finally:
            # Nobody looks at the bytes of all pictures of a run.
            mine.set_result(replace(picture, content=b""))
        return picture

    def _fetch(self, url: str) -> FetchedPicture:
        source = self._redact(url)
        problem = _unusable(url) or self._limits.reason_to_skip()
        if problem is not None:
            return FetchedPicture("", source, problem=problem)
        content = bytearray()
        status: int | None = None
        media_type = ""
        headers: dict[str, str] = {}
        started = time.monotonic()
        try:
            with (
                Watchdog(self._timeout_s) as watchdog,
                self._client.stream("GET", url, extensions=watchdog.extensions) as response,
            ):
                status = response.status_code
                headers = {name.lower(): value for name, value in response.headers.items()}
                media_type = essence(response.headers.get("content-type", ""))
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > _LARGEST_PICTURE:
                        problem = f"it is longer than {_LARGEST_PICTURE // 1024**2} MB"
                        break
                    if time.monotonic() - started > self._timeout_s:
                        status, problem = None, f"it took longer than {self._timeout_s:g} s"
                        break
        except Exception as error:  # noqa: BLE001 - any error of URL, server or connection concerns one picture only
            status, problem = None, f"the download failed: {type(error).__name__}: {error}"
        self._limits.note_download(len(content), is_late=time.monotonic() - started >= self._timeout_s)
        media_type = self._redact(media_type)
        if problem is None and status is not None and not is_success(status):
            problem = f"the download was answered with {status}"
        if problem is not None:
            return FetchedPicture("", source, status, media_type, problem=self._redact(problem)[:300], headers=headers)
        data = bytes(content)
        kind, pixels, problem = inspect_picture(data)
        return FetchedPicture(
            "", source, status, media_type, kind, pixels, data, problem, picture_damage(data, kind), headers
        )


def _stay_in_http(request: httpx.Request) -> None:
    """Refuse a request that is not http(s), a redirected one too.

    The network is limited to http(s) anyway; a transport in this process may not be.
    """
    problem = _unusable(str(request.url))
    if problem is not None:
        raise httpx.UnsupportedProtocol(problem, request=request)


def _unusable(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        is_good = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_good = False
    return None if is_good else "the URL is not an absolute http(s) URL"


def _of_base64(text: str, pointer: str) -> FetchedPicture:
    encoded = text.partition(",")[2] if text[:5].lower() == "data:" else text
    media_type = text[5:].partition(",")[0].partition(";")[0].lower() if text[:5].lower() == "data:" else ""
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        return FetchedPicture(pointer, "base64", None, media_type, problem=f"it is not Base64: {error}")
    kind, pixels, problem = inspect_picture(data)
    return FetchedPicture(pointer, "base64", None, media_type, kind, pixels, data, problem, picture_damage(data, kind))

"""Blocking downloads of pictures, over an HTTP client that never has the key."""

import ssl
from dataclasses import dataclass, field
from typing import Any

import httpx

from bodydouble_client._allowance import deadline_of
from bodydouble_client._download_plan import DownloadPlan
from bodydouble_client._errors import ArgumentError, DownloadError
from bodydouble_client._exchange import send_with_retries
from bodydouble_client._http import make_http_client
from bodydouble_client._picture import MAX_REDIRECTS, ImageLike, locate_picture, read_picture, redirect_target
from bodydouble_client._retry import Retrying

__all__ = ["Downloader"]


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
        for _ in range(MAX_REDIRECTS + 1):
            attempt = send_with_retries(http_client, plan.request(url), retrying, plan.limit_bytes)
            target = redirect_target(url, attempt)
            if target is None:
                return read_picture(url, attempt)
            if isinstance(target, DownloadError):
                return target
            url = target
        return DownloadError(f"the picture is behind more than {MAX_REDIRECTS} redirects")


def _restore(*limits: Any) -> Downloader:
    return Downloader(DownloadPlan(*limits))

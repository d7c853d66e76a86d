"""Fetching a picture with a blocking client that never had the key."""

import ssl
from dataclasses import dataclass, field
from typing import Any

import httpx

from bodydouble_client._allowance import allowance_of
from bodydouble_client._download_plan import DownloadPlan
from bodydouble_client._errors import ArgumentError, DownloadError
from bodydouble_client._exchange import exchange_with_retries
from bodydouble_client._http import make_http_client
from bodydouble_client._picture import MOST_HOPS, ImageLike, locate_picture, read_picture, redirect_target
from bodydouble_client._retry import Retrying

__all__ = ["Downloader"]


@dataclass(frozen=True, slots=True)
class Downloader:
    """Fetches pictures over ``http_client``, or over one made for the occasion; a pickled one keeps its limits only."""

    plan: DownloadPlan = field(default_factory=DownloadPlan)
    http_client: httpx.Client | None = field(default=None, repr=False, compare=False)
    context: ssl.SSLContext | None = field(default=None, repr=False, compare=False)

    def __reduce__(self) -> tuple[Any, ...]:
        plan = self.plan
        return (_restored, (plan.timeout_s, plan.deadline_s, plan.policy, plan.limit_bytes))

    def fetch(self, image: ImageLike) -> bytes:
        """The picture file. Raises DownloadError."""
        picture = locate_picture(image)
        if isinstance(picture, httpx.URL):
            picture = self._fetched(picture, self.plan.start(allowance_of(image)))
        if isinstance(picture, DownloadError):
            raise picture
        return picture

    def _fetched(self, url: httpx.URL, retrying: Retrying) -> bytes | DownloadError:
        if self.http_client is not None:
            return self._followed(self.http_client, url, retrying)
        try:
            own = make_http_client(httpx.Client, self.context)
        except ArgumentError as error:
            return DownloadError(str(error))
        with own:
            return self._followed(own, url, retrying)

    def _followed(self, http_client: httpx.Client, url: httpx.URL, retrying: Retrying) -> bytes | DownloadError:
        plan = self.plan
        for _ in range(MOST_HOPS + 1):
            outcome = exchange_with_retries(http_client, plan.request(url), retrying, plan.limit_bytes, plan.hooks)
            target = redirect_target(url, outcome)
            if target is None:
                return read_picture(url, outcome)
            if isinstance(target, DownloadError):
                return target
            url = target
        return DownloadError(f"the picture is behind more than {MOST_HOPS} redirects")


def _restored(*limits: Any) -> Downloader:
    return Downloader(DownloadPlan(*limits))

"""Fetching a picture with an asynchronous client that never had the key; the twin of ``_downloader``."""

import ssl
from dataclasses import dataclass, field

import httpx

from bodydouble_client._allowance import allowance_of
from bodydouble_client._async_exchange import exchange_with_retries_async
from bodydouble_client._download_plan import DownloadPlan
from bodydouble_client._errors import ArgumentError, DownloadError
from bodydouble_client._http import make_http_client
from bodydouble_client._picture import MOST_HOPS, ImageLike, locate_picture, read_picture, redirect_target
from bodydouble_client._retry import Retrying

__all__ = ["AsyncDownloader"]


@dataclass(frozen=True, slots=True)
class AsyncDownloader:
    """Fetches pictures over ``http_client``, or over one made for the occasion."""

    plan: DownloadPlan = field(default_factory=DownloadPlan)
    http_client: httpx.AsyncClient | None = field(default=None, repr=False, compare=False)
    context: ssl.SSLContext | None = field(default=None, repr=False, compare=False)

    async def fetch(self, image: ImageLike) -> bytes:
        """The picture file. Raises DownloadError."""
        picture = locate_picture(image)
        if isinstance(picture, httpx.URL):
            picture = await self._fetched(picture, self.plan.start(allowance_of(image)))
        if isinstance(picture, DownloadError):
            raise picture
        return picture

    async def _fetched(self, url: httpx.URL, retrying: Retrying) -> bytes | DownloadError:
        if self.http_client is not None:
            return await self._followed(self.http_client, url, retrying)
        try:
            own = make_http_client(httpx.AsyncClient, self.context)
        except ArgumentError as error:
            return DownloadError(str(error))
        async with own:
            return await self._followed(own, url, retrying)

    async def _followed(
        self, http_client: httpx.AsyncClient, url: httpx.URL, retrying: Retrying
    ) -> bytes | DownloadError:
        plan = self.plan
        for _ in range(MOST_HOPS + 1):
            outcome = await exchange_with_retries_async(
                http_client, plan.request(url), retrying, plan.limit_bytes, plan.hooks
            )
            target = redirect_target(url, outcome)
            if target is None:
                return read_picture(url, outcome)
            if isinstance(target, DownloadError):
                return target
            url = target
        return DownloadError(f"the picture is behind more than {MOST_HOPS} redirects")

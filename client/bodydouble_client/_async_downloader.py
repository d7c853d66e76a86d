"""Asynchronous downloads of pictures, the counterpart of ``_downloader``."""

import ssl
from dataclasses import dataclass, field

import httpx

from bodydouble_client._allowance import deadline_of
from bodydouble_client._async_exchange import send_with_retries_async
from bodydouble_client._download_plan import DownloadPlan
from bodydouble_client._errors import ArgumentError, DownloadError
from bodydouble_client._http import make_http_client
from bodydouble_client._picture import MAX_REDIRECTS, ImageLike, locate_picture, read_picture, redirect_target
from bodydouble_client._retry import Retrying

__all__ = ["AsyncDownloader"]


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
        for _ in range(MAX_REDIRECTS + 1):
            attempt = await send_with_retries_async(http_client, plan.request(url), retrying, plan.limit_bytes)
            target = redirect_target(url, attempt)
            if target is None:
                return read_picture(url, attempt)
            if isinstance(target, DownloadError):
                return target
            url = target
        return DownloadError(f"the picture is behind more than {MAX_REDIRECTS} redirects")

"""The asynchronous client, the counterpart of ``_client``; both share ``_setup``."""

import asyncio
import os
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from bodydouble_client._download import AsyncDownloader, write_picture
from bodydouble_client._errors import BodydoubleError, ClientClosed
from bodydouble_client._http import make_http_client, make_ssl_context
from bodydouble_client._image_input import ImageInput
from bodydouble_client._request import AspectRatio, Job
from bodydouble_client._result import EditResult, Image
from bodydouble_client._retry import Clock, RetryPolicy
from bodydouble_client._settings import check_count, find_key
from bodydouble_client._setup import (
    ANSWER_LIMIT_BYTES,
    Setup,
    check_http_client,
    check_image,
    check_jobs,
    prepare,
)
from bodydouble_client._transport import send_with_retries_async


class AsyncClient:
    """An asyncio client that edits images with ``google/gemini-2.5-flash-image-edit``.

    Arguments, defaults and errors are those of ``Client``; ``http_client`` and ``download_client`` are
    ``httpx.AsyncClient``. Files are read and written, and pictures encoded, on a worker thread.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout_s: float = 180.0,
        deadline_s: float | None = None,
        retries: int = 2,
        retry_after_send: bool = False,
        max_retry_wait_s: float = 60.0,
        http_client: httpx.AsyncClient | None = None,
        download_client: httpx.AsyncClient | None = None,
        _clock: Clock | None = None,
    ) -> None:
        key = find_key(api_key, os.environ)
        del api_key  # a traceback may show the variables of this frame
        check_http_client("http_client", http_client, httpx.AsyncClient)
        check_http_client("download_client", download_client, httpx.AsyncClient)
        self._setup = prepare(
            key,
            base_url,
            timeout_s=timeout_s,
            deadline_s=deadline_s,
            policy=RetryPolicy(retries, retry_after_send, max_retry_wait_s),
            clock=_clock,
        )
        context = make_ssl_context() if http_client is None else None
        self._http = http_client or make_http_client(httpx.AsyncClient, context)
        self._owns_http = http_client is None
        self._closed = False
        self._downloader = AsyncDownloader(self._setup.download_plan(), download_client, context)

    def __repr__(self) -> str:
        setup: Setup | None = getattr(self, "_setup", None)  # a traceback may show a client whose __init__ failed
        return f"AsyncClient({setup.endpoint if setup else None!r})"

    async def __aenter__(self) -> "AsyncClient":
        self._check_open()
        return self

    async def __aexit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections. HTTP clients passed by the caller stay open, and results stay usable."""
        self._closed = True
        if self._owns_http:
            await self._http.aclose()

    async def edit(
        self,
        prompt: str,
        images: Iterable[ImageInput],
        *,
        aspect_ratio: AspectRatio | None = None,
        num_images: int | None = None,
        provider: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> EditResult:
        """Edit or combine the images as the prompt describes.

        An image is an http(s) URL, a data URI, raw Base64, a path, bytes, a file object opened for bytes (read from
        its current position) or a Pillow image. ``aspect_ratio`` is one of ``ASPECT_RATIOS``, ``num_images`` 1 to 4,
        ``provider`` the routing that the service offers (``auto``, ``google``, ``fal``); None is not sent.
        ``extra`` holds further properties of the request body.

        Raises ArgumentError before anything is sent, or another BodydoubleError when the call fails.
        """
        return await self._edit(Job(prompt, images, aspect_ratio, num_images, provider, extra))

    async def edit_many(self, jobs: Iterable[Job], *, concurrency: int = 4) -> list[EditResult | BodydoubleError]:
        """Run many edits, ``concurrency`` at a time, and return a result or an error for each job, in order.

        Raises ArgumentError for wrong arguments of this method only. Each job has its own ``deadline_s``.
        """
        self._check_open()
        checked_jobs = check_jobs(jobs)
        semaphore = asyncio.Semaphore(check_count("concurrency", concurrency, 1))

        async def run(job: Job) -> EditResult | BodydoubleError:
            async with semaphore:
                return await self._try_edit(job)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run(job)) for job in checked_jobs]
        return [task.result() for task in tasks]

    async def download(self, image: Image) -> bytes:
        """Return the picture file of an image of a result. Raises DownloadError."""
        self._check_open()
        return await self._downloader.fetch(check_image(image))

    async def save(self, image: Image, path: str | PathLike[str]) -> Path:
        """Write the picture file to ``path`` and return the path. Raises DownloadError or SaveError."""
        return await asyncio.to_thread(write_picture, await self.download(image), path)

    async def _try_edit(self, job: Job) -> EditResult | BodydoubleError:
        try:
            return await self._edit(job)
        except BodydoubleError as error:
            return error

    async def _edit(self, job: Job) -> EditResult:
        self._check_open()
        setup, retrying = self._setup, self._setup.start_call()
        call = await asyncio.to_thread(setup.prepare_call, job)
        attempt = await send_with_retries_async(self._http, call.request, retrying, ANSWER_LIMIT_BYTES)
        answer = setup.read_answer(attempt, call, retrying)
        if isinstance(answer, BodydoubleError):
            raise answer
        return answer

    def _check_open(self) -> None:
        if self._closed:
            raise ClientClosed("this client is closed; create a new one")

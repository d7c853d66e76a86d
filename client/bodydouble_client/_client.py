"""The blocking client: a thin loop over the shared decisions."""

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from bodydouble_client._downloader import Downloader
from bodydouble_client._errors import BodydoubleError, ClientClosed
from bodydouble_client._exchange import exchange_with_retries
from bodydouble_client._hooks import Hooks
from bodydouble_client._http import make_http_client, make_ssl_context
from bodydouble_client._image_input import ImageInput
from bodydouble_client._picture import write_picture
from bodydouble_client._request import AspectRatio, Job
from bodydouble_client._result import Image, SyncEditResult
from bodydouble_client._settings import checked_count, find_key
from bodydouble_client._setup import (
    ANSWER_LIMIT_BYTES,
    Setup,
    checked_http_client,
    checked_image,
    checked_jobs,
    prepare,
)

__all__ = ["Client"]


class Client:
    """Edits images with ``google/gemini-2.5-flash-image-edit``; blocking, usable from several threads.

    ``api_key`` and ``base_url`` default to the environment (``KEY_VARIABLES``, ``BASE_URL_VARIABLES``: the first that
    is set and not empty); the base URL may end in ``/v1`` or not. ``timeout_s`` bounds each attempt as a whole (making
    the connection at most 30 s of it), ``deadline_s`` an edit with all its attempts and waits and the later downloads
    of its pictures together; the time in between is the caller's.

    ``retries`` is how often a call is repeated after a failure that cost nothing: 408, 429, 502, 503, 504, or no
    connection. ``retry_after_send`` also repeats it when the connection or the time was lost after the request had
    left, which may be charged twice. ``max_retry_wait_s`` is the longest Retry-After that is waited for; a longer one
    raises at once.

    ``http_client`` replaces the HTTP client for the API, for proxies, certificates or tests; its time-outs, redirects
    and authentication are overridden, and it is never closed here. ``download_client`` does the same for pictures; it
    is never given the key.

    Raises ArgumentError for a wrong setting. Every failure of a method is a BodydoubleError.
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
        http_client: httpx.Client | None = None,
        download_client: httpx.Client | None = None,
        _hooks: Hooks | None = None,
    ) -> None:
        key = find_key(api_key, os.environ)
        del api_key  # a traceback may show this frame's variables
        checked_http_client("http_client", http_client, httpx.Client)
        checked_http_client("download_client", download_client, httpx.Client)
        self._setup = prepare(
            key,
            base_url,
            timeout_s=timeout_s,
            deadline_s=deadline_s,
            retries=retries,
            retry_after_send=retry_after_send,
            max_retry_wait_s=max_retry_wait_s,
            hooks=_hooks,
        )
        context = make_ssl_context() if http_client is None else None
        self._http = http_client or make_http_client(httpx.Client, context)
        self._owns_http = http_client is None
        self._closed = False
        self._downloader = Downloader(self._setup.download_plan(), download_client, context)

    def __repr__(self) -> str:
        setup: Setup | None = getattr(self, "_setup", None)  # a traceback may show it half made
        return f"Client({setup.endpoint if setup else None!r})"

    def __enter__(self) -> "Client":
        self._check_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the connections; a caller's own HTTP clients stay open. Results stay usable."""
        self._closed = True
        if self._owns_http:
            self._http.close()

    def edit(
        self,
        prompt: str,
        images: Iterable[ImageInput],
        *,
        aspect_ratio: AspectRatio | None = None,
        num_images: int | None = None,
        provider: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> SyncEditResult:
        """Edit or combine the images as the prompt says.

        An image is an http(s) URL, a data URI, raw Base64, a path, bytes, a file object opened for bytes (read from
        its current position) or a Pillow image. ``aspect_ratio`` is one of ``ASPECT_RATIOS``, ``num_images`` 1 to 4,
        ``provider`` the routing that the service offers (``auto``, ``google``, ``fal``); what is None is not sent.
        ``extra`` holds further properties for the request body.

        Raises ArgumentError before anything is sent, otherwise the BodydoubleError that says what went wrong.
        """
        return self._edit(Job(prompt, images, aspect_ratio, num_images, provider, extra))

    def edit_many(self, jobs: Iterable[Job], *, concurrency: int = 4) -> list[SyncEditResult | BodydoubleError]:
        """Run many edits, ``concurrency`` at a time: for each job, in order, its result or its error.

        Only wrong arguments of this method itself raise ArgumentError. Each job has its own ``deadline_s``.
        """
        self._check_open()
        todo = checked_jobs(jobs)
        pool = ThreadPoolExecutor(min(checked_count("concurrency", concurrency, 1), len(todo) or 1))
        try:
            return list(pool.map(self._try_edit, todo))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def download(self, image: Image) -> bytes:
        """The picture file of one of a result's images. Raises DownloadError."""
        self._check_open()
        return self._downloader.fetch(checked_image(image))

    def save(self, image: Image, path: str | PathLike[str]) -> Path:
        """Write the picture file to ``path`` and return that. Raises DownloadError or SaveError."""
        return write_picture(self.download(image), path)

    def _try_edit(self, job: Job) -> SyncEditResult | BodydoubleError:
        try:
            return self._edit(job)
        except BodydoubleError as error:
            return error

    def _edit(self, job: Job) -> SyncEditResult:
        self._check_open()
        setup, retrying = self._setup, self._setup.start()
        call = setup.call(job)
        outcome = exchange_with_retries(self._http, call.outgoing, retrying, ANSWER_LIMIT_BYTES, setup.hooks)
        answer = setup.read(outcome, call, retrying)
        if isinstance(answer, BodydoubleError):
            raise answer
        return SyncEditResult.of(answer, self._downloader)

    def _check_open(self) -> None:
        if self._closed:
            raise ClientClosed("this client is closed; make another one")

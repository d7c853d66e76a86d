"""The blocking client, the counterpart of ``_async_client``; both share ``_setup``."""

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from bodydouble_client._download import Downloader, write_picture
from bodydouble_client._errors import BodydoubleError, ClientClosed
from bodydouble_client._http import make_http_client, make_ssl_context
from bodydouble_client._image_input import ImageInput
from bodydouble_client._request import AspectRatio, Job
from bodydouble_client._result import Image, SyncEditResult
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
from bodydouble_client._transport import send_with_retries


class Client:
    """A blocking client that edits images with ``google/gemini-2.5-flash-image-edit``; safe to share between threads.

    ``api_key`` and ``base_url`` default to the environment (``KEY_VARIABLES``, ``BASE_URL_VARIABLES``: the first that
    is set and not empty); the base URL may end in ``/v1`` or not. ``timeout_s`` limits each attempt as a whole (connecting
    to at most 30 s of it). ``deadline_s`` limits an edit with all its attempts and waits together with the later
    downloads of its pictures; time spent outside the client does not count.

    ``retries`` is the number of retries after a failure that is not charged: 408, 429, 502, 503, 504, or no
    connection. ``retry_after_send`` also retries when the connection was lost or the time ran out after the request
    was sent; that call may be charged twice. ``max_retry_wait_s`` is the longest Retry-After to wait for; a longer
    one raises at once.

    ``http_client`` replaces the HTTP client for the API, for proxies, certificates or tests. Its time-outs, redirects
    and authentication are overridden, and the caller closes it. ``download_client`` does the same for pictures and
    never receives the key.

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
        _clock: Clock | None = None,
    ) -> None:
        key = find_key(api_key, os.environ)
        del api_key  # a traceback may show the variables of this frame
        check_http_client("http_client", http_client, httpx.Client)
        check_http_client("download_client", download_client, httpx.Client)
        self._setup = prepare(
            key,
            base_url,
            timeout_s=timeout_s,
            deadline_s=deadline_s,
            policy=RetryPolicy(retries, retry_after_send, max_retry_wait_s),
            clock=_clock,
        )
        context = make_ssl_context() if http_client is None else None
        self._http = http_client or make_http_client(httpx.Client, context)
        self._owns_http = http_client is None
        self._closed = False
        self._downloader = Downloader(self._setup.download_plan(), download_client, context)

    def __repr__(self) -> str:
        setup: Setup | None = getattr(self, "_setup", None)  # a traceback may show a client whose __init__ failed
        return f"Client({setup.endpoint if setup else None!r})"

    def __enter__(self) -> "Client":
        self._check_open()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. HTTP clients passed by the caller stay open, and results stay usable."""
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
        """Edit or combine the images as the prompt describes.

        An image is an http(s) URL, a data URI, raw Base64, a path, bytes, a file object opened for bytes (read from
        its current position) or a Pillow image. ``aspect_ratio`` is one of ``ASPECT_RATIOS``, ``num_images`` 1 to 4,
        ``provider`` the routing that the service offers (``auto``, ``google``, ``fal``); None is not sent.
        ``extra`` holds further properties of the request body.

        Raises ArgumentError before anything is sent, or another BodydoubleError when the call fails.
        """
        return self._edit(Job(prompt, images, aspect_ratio, num_images, provider, extra))

    def edit_many(self, jobs: Iterable[Job], *, concurrency: int = 4) -> list[SyncEditResult | BodydoubleError]:
        """Run many edits, ``concurrency`` at a time, and return a result or an error for each job, in order.

        Raises ArgumentError for wrong arguments of this method only. Each job has its own ``deadline_s``.
        """
        self._check_open()
        checked_jobs = check_jobs(jobs)
        pool = ThreadPoolExecutor(min(check_count("concurrency", concurrency, 1), len(checked_jobs) or 1))
        try:
            return list(pool.map(self._try_edit, checked_jobs))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def download(self, image: Image) -> bytes:
        """Return the picture file of an image of a result. Raises DownloadError."""
        self._check_open()
        return self._downloader.fetch(check_image(image))

    def save(self, image: Image, path: str | PathLike[str]) -> Path:
        """Write the picture file to ``path`` and return the path. Raises DownloadError or SaveError."""
        return write_picture(self.download(image), path)

    def _try_edit(self, job: Job) -> SyncEditResult | BodydoubleError:
        try:
            return self._edit(job)
        except BodydoubleError as error:
            return error

    def _edit(self, job: Job) -> SyncEditResult:
        self._check_open()
        setup, retrying = self._setup, self._setup.start_call()
        call = setup.prepare_call(job)
        attempt = send_with_retries(self._http, call.request, retrying, ANSWER_LIMIT_BYTES)
        answer = setup.read_answer(attempt, call, retrying)
        if isinstance(answer, BodydoubleError):
            raise answer
        return SyncEditResult.of(answer, self._downloader)

    def _check_open(self) -> None:
        if self._closed:
            raise ClientClosed("this client is closed; create a new one")

"""Fetching of a published document or page, from a URL or a file, with a clear reason when it fails."""

import asyncio
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import orjson
from bodydouble_spec import Redactor, UnreadableDocument, is_object
from bodydouble_spec.document import Downloaded, download_size, parse_document

__all__ = ["FetchLimits", "Fetched", "fetch", "is_html", "is_url", "read_published"]

# Statuses that may pass; a clear refusal is not retried.
_RETRYABLE = {408, 425, 429, 500, 502, 503, 504}
_MOST_REDIRECTS = 5
_ACCEPT = "application/json, text/markdown;q=0.9, text/plain;q=0.9, */*;q=0.5"


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """The deadline of each attempt in seconds, the number of attempts, and the largest answer in bytes."""

    deadline_s: float = 30.0
    attempts: int = 2
    max_bytes: int = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """The content of an address.

    ``address`` has no secrets. ``etag`` and ``last_modified`` are the server's, for the next conditional request. ``is_unchanged`` means
    that the server answered 304 and ``content`` is the cached one.
    """

    address: str
    content: bytes
    etag: str | None = None
    last_modified: str | None = None
    is_unchanged: bool = False


class _TransientFailure(Exception):
    """An attempt failed in a way that may pass; the text is the reason."""


def is_url(address: str) -> bool:
    """Tell whether an address is an http(s) URL rather than a path."""
    return address.lower().startswith(("http://", "https://"))


def fetch(
    address: str,
    cached: Mapping[str, Fetched] | None = None,
    limits: FetchLimits | None = None,
    on_download: Downloaded | None = None,
) -> Fetched:
    """Fetch the content of an http(s) URL or a path.

    ``cached`` has earlier contents by address, for conditional requests. Failed connections, time-outs and statuses such as 503 are retried
    once. ``on_download`` hears of the progress of a download. Raises UnreadableDocument with the reason and what to do.
    """
    if not address.strip():
        raise UnreadableDocument("the address is empty; name a readable file or an http(s) URL")
    limits = limits or FetchLimits()
    redacted = Redactor().text(address)
    if not is_url(address):
        return Fetched(redacted, _read_file(address, limits))
    for attempt in range(1, limits.attempts + 1):
        try:
            return asyncio.run(_attempt(address, redacted, (cached or {}).get(redacted), limits, on_download))
        except _TransientFailure as error:
            if attempt == limits.attempts:
                attempts_text = f" ({attempt} attempts)" if attempt > 1 else ""
                raise UnreadableDocument(f"{redacted}: {error}{attempts_text}") from None
    raise ValueError("limits.attempts must be at least 1")


def read_published(fetched: Fetched) -> dict[str, Any]:
    """Parse a published document, JSON or YAML. Raises UnreadableDocument when it is something else, and says what."""
    content = fetched.content.removeprefix(b"\xef\xbb\xbf")
    if not content.strip():
        raise UnreadableDocument(f"{fetched.address}: the document is empty; is this the address of the file itself?")
    if is_html(content):
        reason = "an HTML page was returned instead of JSON; name the address of the raw file"
        raise UnreadableDocument(f"{fetched.address}: {reason}")
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        if not content.lstrip().startswith((b"{", b"[")):
            found, _ = parse_document(content)
            if is_object(found) and "paths" in found:
                return found
        place = f"line {error.lineno}, column {error.colno}"
        if _is_cut_off(content, error):
            reason = f"the JSON is cut off after {len(content)} bytes; try again later, or check the file"
        else:
            reason = f"it is not JSON ({place}: {error.msg}); check the file"
        raise UnreadableDocument(f"{fetched.address}: {reason}") from None
    if not is_object(document):
        kind = type(document).__name__
        raise UnreadableDocument(f"{fetched.address}: it is JSON, but not an object ({kind}); name an OpenAPI document")
    return document


def is_html(content: bytes) -> bool:
    """Tell whether a content is a web page rather than Markdown or JSON."""
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:200].lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<?xml"))


def _read_file(address: str, limits: FetchLimits) -> bytes:
    try:
        with Path(address).open("rb") as file:
            content = file.read(limits.max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableDocument(f"{address}: {reason}; name a readable file or an http(s) URL") from None
    _refuse_large(len(content), address, limits)
    return content


async def _attempt(
    url: str, redacted: str, cached: Fetched | None, limits: FetchLimits, on_download: Downloaded | None
) -> Fetched:
    try:
        async with asyncio.timeout(limits.deadline_s):
            return await _get(url, redacted, cached, limits, on_download)
    except (TimeoutError, httpx.TimeoutException):
        raise _TransientFailure(f"no complete answer within {limits.deadline_s:g} s; try again later") from None
    except httpx.TooManyRedirects:
        reason = f"more than {_MOST_REDIRECTS} redirects; check the address"
        raise UnreadableDocument(f"{redacted}: {reason}") from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise UnreadableDocument(f"{redacted}: not a usable address ({Redactor().text(str(error))})") from None
    except httpx.HTTPError as error:
        raise _TransientFailure(_reason(error)) from None


async def _get(
    url: str, redacted: str, cached: Fetched | None, limits: FetchLimits, on_download: Downloaded | None
) -> Fetched:
    headers = {"Accept": _ACCEPT, **_conditions(cached)}
    async with (
        httpx.AsyncClient(
            timeout=limits.deadline_s, follow_redirects=True, max_redirects=_MOST_REDIRECTS, headers=headers
        ) as client,
        client.stream("GET", url) as response,
    ):
        status = response.status_code
        if status == HTTPStatus.NOT_MODIFIED and cached is not None:
            return replace(cached, is_unchanged=True)
        if status in _RETRYABLE:
            raise _TransientFailure(f"the server answered {_status_text(status)}; try again later")
        if status != HTTPStatus.OK:
            advice = (
                "the file is gone or has moved; find its new address" if status in {404, 410} else "check the address"
            )
            raise UnreadableDocument(f"{redacted}: the server answered {_status_text(status)}; {advice}")
        content = bytearray()
        async for chunk in response.aiter_bytes():
            content += chunk
            _refuse_large(len(content), redacted, limits)
            if on_download is not None:
                on_download(len(content), download_size(response.headers))
        return Fetched(redacted, bytes(content), response.headers.get("etag"), response.headers.get("last-modified"))


def _conditions(cached: Fetched | None) -> Mapping[str, str]:
    if cached is None:
        return {}
    conditions = {"If-None-Match": cached.etag, "If-Modified-Since": cached.last_modified}
    return {name: value for name, value in conditions.items() if value is not None}


def _is_cut_off(content: bytes, error: orjson.JSONDecodeError) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError as broken:
        return broken.reason == "unexpected end of data"
    return error.pos >= len(error.doc.rstrip())


def _refuse_large(size_bytes: int, redacted: str, limits: FetchLimits) -> None:
    if size_bytes > limits.max_bytes:
        reason = f"larger than {limits.max_bytes / 2**20:g} MB, too large for a contract or a page; check the address"
        raise UnreadableDocument(f"{redacted}: {reason}")


def _status_text(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _reason(error: httpx.HTTPError) -> str:
    """Describe a failed request. The reason of a connection error is often deep in its chain of causes."""
    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "the host name cannot be resolved (DNS); check the address and the network"
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            message = getattr(cause, "verify_message", "") or cause.reason or str(cause)
            return f"no secure connection (TLS: {message}); check the certificate, the clock and any proxy"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "the connection was refused; check the address and the port"
    if isinstance(error, httpx.ConnectError):
        return f"no connection ({str(error) or 'network unreachable'}); check the network"
    if isinstance(error, httpx.DecodingError):
        return "the answer's compression is broken; try again later"
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
        return f"the connection broke before the answer was complete ({str(error) or 'closed'}); try again later"
    return f"{str(error) or type(error).__name__}; check the address and the network"


def _causes(error: BaseException) -> Iterator[BaseException]:
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        cause = pending.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        grouped: tuple[BaseException, ...] = getattr(cause, "exceptions", ())
        pending += [cause.__cause__, cause.__context__, *grouped]

"""Fetching what a service publishes: a document or a page, from a URL or a file, with a clear reason when it cannot be had."""

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

__all__ = ["FetchLimits", "Fetched", "fetch", "is_html", "is_url", "read_published"]

# A server that stumbles may be asked again; one that says no will say it twice.
_WORTH_A_RETRY = {408, 425, 429, 500, 502, 503, 504}
_MOST_REDIRECTS = 5
_ACCEPT = "application/json, text/markdown;q=0.9, text/plain;q=0.9, */*;q=0.5"


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """How long each attempt may take altogether, how many attempts there are, and how large the answer may be."""

    deadline_s: float = 30.0
    attempts: int = 2
    max_bytes: int = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was behind a place.

    ``source`` is the place without secrets, ``etag`` and ``last_modified`` what a server said for the next conditional request.
    ``is_unchanged`` tells that it answered 304: ``content`` is what was kept of the time before.
    """

    source: str
    content: bytes
    etag: str | None = None
    last_modified: str | None = None
    is_unchanged: bool = False


class _WorthRetrying(Exception):
    """An attempt failed in a way that may pass; the text says how."""


def is_url(source: str) -> bool:
    """Whether a source is an http(s) URL rather than a path."""
    return source.lower().startswith(("http://", "https://"))


def fetch(source: str, kept: Mapping[str, Fetched] | None = None, limits: FetchLimits | None = None) -> Fetched:
    """What is behind an http(s) URL or a path.

    ``kept`` is what was fetched before, by its source: the server is then asked to answer only if it has something else. A connection that fails, a
    time-out and a status such as 503 are tried once more. Raises UnreadableDocument with the reason and what to do.
    """
    if not source.strip():
        raise UnreadableDocument("the address is empty; name a readable file or an http(s) URL")
    limits = limits or FetchLimits()
    shown = Redactor().text(source)
    if not is_url(source):
        return Fetched(shown, _read_file(source, limits))
    for attempt in range(1, limits.attempts + 1):
        try:
            return asyncio.run(_attempt(source, shown, (kept or {}).get(shown), limits))
        except _WorthRetrying as error:
            if attempt == limits.attempts:
                tried = f" ({attempt} attempts)" if attempt > 1 else ""
                raise UnreadableDocument(f"{shown}: {error}{tried}") from None
    raise ValueError("limits.attempts must be at least 1")


def read_published(fetched: Fetched) -> dict[str, Any]:
    """The JSON object of a published document. Raises UnreadableDocument when the content is none, and says what it is instead."""
    content = fetched.content.removeprefix(b"\xef\xbb\xbf")
    if not content.strip():
        raise UnreadableDocument(f"{fetched.source}: the document is empty; is this the address of the file itself?")
    if is_html(content):
        reason = "an HTML page came instead of JSON; name the address of the raw file"
        raise UnreadableDocument(f"{fetched.source}: {reason}")
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        if _is_cut_off(content, error):
            reason = f"the JSON is cut off after {len(content)} bytes; try again later, or look at what is there"
        else:
            reason = f"it is not JSON ({place}: {error.msg}); look at what is there"
        raise UnreadableDocument(f"{fetched.source}: {reason}") from None
    if not is_object(document):
        kind = type(document).__name__
        raise UnreadableDocument(f"{fetched.source}: it is JSON, but no object ({kind}); name an OpenAPI document")
    return document


def is_html(content: bytes) -> bool:
    """Whether a content is a web page rather than Markdown or JSON."""
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:200].lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<?xml"))


def _read_file(source: str, limits: FetchLimits) -> bytes:
    try:
        with Path(source).open("rb") as file:
            content = file.read(limits.max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableDocument(f"{source}: {reason}; name a readable file or an http(s) URL") from None
    _refuse_large(len(content), source, limits)
    return content


async def _attempt(url: str, shown: str, kept: Fetched | None, limits: FetchLimits) -> Fetched:
    try:
        async with asyncio.timeout(limits.deadline_s):
            return await _get(url, shown, kept, limits)
    except (TimeoutError, httpx.TimeoutException):
        raise _WorthRetrying(f"no complete answer within {limits.deadline_s:g} s; try again later") from None
    except httpx.TooManyRedirects:
        reason = f"more than {_MOST_REDIRECTS} redirects, one to the next; check the address"
        raise UnreadableDocument(f"{shown}: {reason}") from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise UnreadableDocument(f"{shown}: this is no usable address ({Redactor().text(str(error))})") from None
    except httpx.HTTPError as error:
        raise _WorthRetrying(_reason(error)) from None


async def _get(url: str, shown: str, kept: Fetched | None, limits: FetchLimits) -> Fetched:
    headers = {"Accept": _ACCEPT, **_conditions(kept)}
    async with (
        httpx.AsyncClient(
            timeout=limits.deadline_s, follow_redirects=True, max_redirects=_MOST_REDIRECTS, headers=headers
        ) as client,
        client.stream("GET", url) as response,
    ):
        status = response.status_code
        if status == HTTPStatus.NOT_MODIFIED and kept is not None:
            return replace(kept, is_unchanged=True)
        if status in _WORTH_A_RETRY:
            raise _WorthRetrying(f"the server answered {_named(status)}; try again later")
        if status != HTTPStatus.OK:
            advice = (
                "the file is gone or has moved; find its new address" if status in {404, 410} else "check the address"
            )
            raise UnreadableDocument(f"{shown}: the server answered {_named(status)}; {advice}")
        content = bytearray()
        async for chunk in response.aiter_bytes():
            content += chunk
            _refuse_large(len(content), shown, limits)
        return Fetched(shown, bytes(content), response.headers.get("etag"), response.headers.get("last-modified"))


def _conditions(kept: Fetched | None) -> Mapping[str, str]:
    if kept is None:
        return {}
    conditions = {"If-None-Match": kept.etag, "If-Modified-Since": kept.last_modified}
    return {name: value for name, value in conditions.items() if value is not None}


def _is_cut_off(content: bytes, error: orjson.JSONDecodeError) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError as broken:
        return broken.reason == "unexpected end of data"
    return error.pos >= len(error.doc.rstrip())


def _refuse_large(size_bytes: int, shown: str, limits: FetchLimits) -> None:
    if size_bytes > limits.max_bytes:
        reason = f"larger than {limits.max_bytes / 2**20:g} MB, which is no contract and no page; check the address"
        raise UnreadableDocument(f"{shown}: {reason}")


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _reason(error: httpx.HTTPError) -> str:
    """What failed, in words: a connection's error says it deep down in its chain of causes, if at all."""
    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "the host is not known (DNS); check the address and the network"
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            said = getattr(cause, "verify_message", "") or cause.reason or str(cause)
            return f"no secure connection (TLS: {said}); check the certificate, the clock and any proxy"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "the connection was refused; check the address and the port"
    if isinstance(error, httpx.ConnectError):
        return f"no connection ({str(error) or 'network unreachable'}); check the network"
    if isinstance(error, httpx.DecodingError):
        return "the answer's compression is broken; try again later"
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
        return f"the connection broke before the answer was whole ({str(error) or 'closed'}); try again later"
    return f"{str(error) or type(error).__name__}; check the address and the network"


def _causes(error: BaseException) -> Iterator[BaseException]:
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        grouped: tuple[BaseException, ...] = getattr(cause, "exceptions", ())
        waiting += [cause.__cause__, cause.__context__, *grouped]

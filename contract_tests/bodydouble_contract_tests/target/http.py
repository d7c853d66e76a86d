"""The server under verification: send one call at a time, and keep the bytes and the failure of each."""

import ssl
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from bodydouble_spec import BEARER, Security

from bodydouble_contract_tests.errors import CannotVerify
from bodydouble_contract_tests.model import ORIGIN, Credential, Trouble
from bodydouble_contract_tests.target.credentials import authorized, changed_key
from bodydouble_contract_tests.target.urls import base_of, host_of, is_loopback
from bodydouble_contract_tests.target.watchdog import Watchdog

__all__ = ["Received", "Target", "Undecodable", "decoded"]

_STEP = 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class Undecodable(ValueError):
    """The bytes do not match their encoding; the message gives the fault."""


def decoded(data: bytes, encoding: str, most_bytes: int) -> bytes:
    """Decode a body with a Content-Encoding of ``gzip`` or ``identity``, or without one.

    Raises Undecodable, also for a body longer than ``most_bytes``.
    """
    for name in reversed([item.strip().lower() for item in encoding.split(",")]):
        if name in {"", "identity"}:
            continue
        if name not in {"gzip", "x-gzip"}:
            raise Undecodable(f"Content-Encoding is {name[:40]!r}, which was not requested")
        data = _unzipped(data, most_bytes)
    return data


def _unzipped(data: bytes, most_bytes: int) -> bytes:
    content = bytearray()
    rest = data
    while rest or not content:
        member = zlib.decompressobj(_GZIP)
        try:
            # In steps: what is too long is noticed before all of it is in memory twice.
            while not member.eof and len(content) <= most_bytes:
                part = member.decompress(rest, _STEP)
                rest = member.unconsumed_tail
                content += part
                if not part and not rest:
                    break
        except zlib.error as error:
            raise Undecodable(f"the header says gzip, but the body is not: {error}") from None
        if len(content) > most_bytes:
            raise Undecodable(f"the decoded body is longer than {most_bytes:,} bytes")
        if not member.eof:
            raise Undecodable("the gzip body is incomplete")
        if not member.unused_data:
            break
        rest = member.unused_data
    return bytes(content)


LARGEST_ANSWER = 64 * 1024 * 1024
# A new connection for each call: a leftover of one answer must not count against the next.
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=0)
_WITHOUT_BODY = {204, 304}


@dataclass(frozen=True, slots=True)
class Received:
    """The answer to one call; see `Observation`. ``was_sent`` is False when the request cannot have arrived."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    content: bytes = b""
    elapsed_s: float = 0.0
    trouble: Trouble | None = None
    detail: str = ""
    was_sent: bool = True


class Target:
    """A server: its base URL (with ``/v1`` or without), and the key, which is sent to no other server.

    ``timeout_s`` is the time limit for a complete answer. ``transport`` replaces the network, for a server in this process, and
    stays open. ``verify`` is the TLS context, a file of trusted authorities, or True for the usual ones. No redirect is followed. Without
    ``trust_env`` the variables for HTTP proxies do not apply.
    Raises CannotVerify when URL, key or certificates cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout_s: float = 180.0,
        transport: httpx.BaseTransport | None = None,
        verify: ssl.SSLContext | str | Path | bool = True,
        trust_env: bool = True,
    ) -> None:
        self.base = base_of(base_url)
        if not api_key.isascii() or not api_key.isprintable() or " " in api_key or not api_key:
            raise CannotVerify("the API key is empty or has characters that a header cannot carry; copy it again")
        if not timeout_s > 0:
            raise CannotVerify(f"timeout_s is {timeout_s}; it takes a number of seconds above 0")
        self.api_key = api_key
        self.timeout_s = timeout_s
        self._transport = transport
        self._trust_env = trust_env
        self._tls = verify if isinstance(verify, ssl.SSLContext | bool) else _context(verify)
        self._client = self.new_client()

    @property
    def host(self) -> str:
        """The host of the base URL in lower case, without a port."""
        return host_of(self.base)

    def new_client(self) -> httpx.Client:
        """Return a client for the same network that has no key, sends no cookie and follows no redirect."""
        transport = None if self._transport is None else SharedTransport(self._transport)
        headers = {"user-agent": f"bodydouble/{version('bodydouble')}", "accept-encoding": "gzip"}
        try:
            return httpx.Client(
                transport=transport,
                verify=self._tls,
                timeout=httpx.Timeout(self.timeout_s),
                limits=_LIMITS,
                headers=headers,
                # Proxy variables are not for a server on this machine.
                trust_env=self._trust_env and transport is None and not is_loopback(self.host),
            )
        except (OSError, ValueError, ImportError) as error:
            raise CannotVerify(f"the HTTP client cannot be set up: {error}; check the proxy variables") from None

    def send(
        self,
        method: str,
        path: str,
        body: bytes | Iterator[bytes],
        credential: Credential = Credential.KEY,
        security: Security = BEARER,
        headers: Mapping[str, str] | None = None,
    ) -> Received:
        """Make one call, and return its answer or its failure.

        ``path`` is the operation's with its parameters, ``body`` is JSON, or empty for none, in parts where it is to be sent without a stated length.
        ``security`` says where the key belongs. Of the ``headers``, those that are empty are not sent.
        """
        usual = {"origin": ORIGIN, **({"content-type": "application/json"} if body else {})}
        headers = {name: value for name, value in {**usual, **(headers or {})}.items() if value}
        path, headers = authorized(credential, self.api_key, security, path, headers)
        reading = _AnswerReader(time.monotonic(), self.timeout_s)
        try:
            with (
                Watchdog(self.timeout_s) as watchdog,
                self._client.stream(
                    method, self.base + path, content=body, headers=headers, extensions=watchdog.extensions
                ) as response,
            ):
                reading.read(response)
        except Exception as error:  # noqa: BLE001 - a server in this process may raise anything; on a socket that is a broken answer
            # No call sends the cookies of an earlier one.
            self._client.cookies.clear()
            return reading.failed(error)
        self._client.cookies.clear()
        return reading.ended()

    def secrets(self, credential: Credential) -> tuple[str, ...]:
        """Return the texts of a call that must not come back: the key, and the one that was sent in its place."""
        return tuple(dict.fromkeys((self.api_key, changed_key(credential, self.api_key))))

    def spellings(self) -> tuple[str, ...]:
        """Return the key and the wrong keys that are made from it, none of which may be kept."""
        made = (Credential.KEY, Credential.SHORTER, Credential.OTHER_CASE)
        return tuple(changed_key(credential, self.api_key) for credential in made)

    def close(self) -> None:
        """Close connections; a transport from the caller stays open."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class SharedTransport(httpx.BaseTransport):
    """A transport of the caller, which our client does not close."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx.BaseTransport."""
        return self._transport.handle_request(request)


class _TooLate(Exception):
    """The answer takes longer than its time limit."""


class _TooLong(Exception):
    """The answer is longer than its size limit."""


class _AnswerReader:
    """Read an answer as it arrives."""

    def __init__(self, started: float, timeout_s: float) -> None:
        self._started = started
        self._timeout_s = timeout_s
        self._status: int | None = None
        self._headers: dict[str, str] = {}
        self._raw = bytearray()
        self._has_body = True

    def read(self, response: httpx.Response) -> None:
        """Read status, headers and the bytes as they arrive."""
        self._status = response.status_code
        # The length is that of the body that GET would have (RFC 9110, 8.6).
        self._has_body = self._status not in _WITHOUT_BODY and response.request.method != "HEAD"
        self._headers = {name.lower(): value for name, value in response.headers.items()}
        for chunk in response.iter_raw():
            self._raw += chunk
            if time.monotonic() - self._started > self._timeout_s:
                raise _TooLate
            if len(self._raw) > LARGEST_ANSWER:
                raise _TooLong
        if time.monotonic() - self._started > self._timeout_s:
            raise _TooLate

    def ended(self) -> Received:
        """Return the answer, after the connection delivered all of it."""
        stated = self._stated_length()
        if stated is not None and stated != len(self._raw) and self._has_body:
            detail = f"Content-Length is {stated}, and {len(self._raw)} bytes arrived"
            return self._received(Trouble.WRONG_LENGTH, detail)
        try:
            encoding = self._headers.get("content-encoding", "") if self._has_body else ""
            content = decoded(bytes(self._raw), encoding, LARGEST_ANSWER)
        except Undecodable as error:
            return self._received(Trouble.UNDECODABLE, str(error))
        return Received(self._status, self._headers, content, self._elapsed_s())

    def failed(self, error: Exception) -> Received:
        """Return the part of the answer that arrived, and the reason for the rest."""
        detail = str(error) or type(error).__name__
        stated = self._stated_length()
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError | httpx.UnsupportedProtocol):
            return self._received(Trouble.UNREACHABLE, detail, was_sent=False)
        # The watchdog ends a connection in a way that looks like a failure.
        if isinstance(error, httpx.TimeoutException | _TooLate) or self._elapsed_s() >= self._timeout_s:
            began = "no answer" if self._status is None else "no complete answer"
            return self._received(Trouble.TIMEOUT, f"{began} within {self._timeout_s:g} s")
        if isinstance(error, _TooLong):
            return self._received(Trouble.BROKEN, f"the answer is longer than {LARGEST_ANSWER:,} bytes")
        is_cut = isinstance(error, httpx.RemoteProtocolError) and (
            (stated is not None and len(self._raw) < stated)
            or ("without sending complete message body" in detail and self._status is None)
        )
        if is_cut:
            return self._received(Trouble.WRONG_LENGTH, detail)
        return self._received(Trouble.BROKEN, f"{type(error).__name__}: {detail}")

    def _stated_length(self) -> int | None:
        text = self._headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started

    def _received(self, trouble: Trouble, detail: str, *, was_sent: bool = True) -> Received:
        return Received(self._status, self._headers, bytes(self._raw), self._elapsed_s(), trouble, detail, was_sent)


def _context(authorities: str | Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(authorities))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CannotVerify(f"{authorities}: {reason}; name a PEM file of trusted authorities") from None

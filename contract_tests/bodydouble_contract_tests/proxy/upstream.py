"""The server behind the proxy: one request sent as it is, once, and words for what can go wrong."""

import asyncio
import re
import ssl
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from bodydouble_contract_tests.errors import CannotVerify
from bodydouble_contract_tests.model import Trouble
from bodydouble_contract_tests.target import base_of

__all__ = ["STOPPED", "CallFailure", "RawHeaders", "Upstream", "failure_of", "passed_headers", "tls_context"]

_CONNECT_S = 20.0
_IDLE_S = 5.0
# Of one connection each (RFC 9110, 7.6.1), and what only concerns this proxy.
_HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"upgrade",
    )
)
_FRAMING = frozenset((b"content-length", b"transfer-encoding"))
_NOT_SENT = _HOP_BY_HOP | {b"host", b"expect", b"x-bodydouble-findings"}

STOPPED = "proxy-stopped"
"""The rule of a finding about a call that was under way when the proxy was stopped."""

_SSL_NOISE = re.compile(r"\[SSL[^]]*\] | \(_ssl\.c:\d+\)")

RawHeaders = list[tuple[bytes, bytes]]


class CallFailure(NamedTuple):
    """A call without a whole answer: the rule of its finding, the kind of trouble, a sentence, and whether the request may have arrived."""

    rule: str
    trouble: Trouble
    message: str
    was_sent: bool


def tls_context(authorities: Path | None) -> ssl.SSLContext:
    """Return the TLS settings of a client, with these authorities (a PEM file) in addition to the usual ones. Raises CannotVerify."""
    context = httpx.create_ssl_context()
    if authorities is not None:
        try:
            context.load_verify_locations(str(authorities))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise CannotVerify(f"--ca {authorities}: {reason}; name a PEM file of trusted authorities") from None
    return context


class Upstream:
    """A server by its base URL, with ``/v1`` or without. Redirects are passed on, and nothing is sent twice.

    Raises CannotVerify for a URL that cannot be used.
    """

    def __init__(self, base_url: str, *, timeout_s: float, tls: ssl.SSLContext, trust_env: bool = True) -> None:
        self.base = base_of(base_url)
        parts = urlsplit(self.base)
        self._host = parts.netloc.encode("idna" if not parts.netloc.isascii() else "ascii")
        self._path = parts.path.encode()
        self._extensions = {"timeout": {"connect": _CONNECT_S, "read": timeout_s, "write": timeout_s, "pool": None}}
        try:
            self._transport = httpx.AsyncHTTPTransport(
                verify=tls,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=50, keepalive_expiry=_IDLE_S),
                proxy=_environment_proxy(parts.scheme, parts.hostname or "") if trust_env else None,
            )
        except (OSError, ValueError, ImportError) as error:
            raise CannotVerify(f"the HTTP client cannot be set up: {error}; check the proxy variables") from None

    async def send(self, method: str, target: bytes, headers: RawHeaders, body: bytes) -> httpx.Response:
        """Send a request and return its answer when its head has come; ``target`` is path and query as received.

        Raises an exception of httpx; `failure_of` explains it.
        """
        sent = [(b"host", self._host), *_end_to_end(headers, _NOT_SENT)]
        request = httpx.Request(
            method,
            self.base,
            headers=sent,
            stream=httpx.ByteStream(body),
            extensions={**self._extensions, "target": self._path + target},
        )
        return await self._transport.handle_async_request(request)

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.aclose()


def passed_headers(response: httpx.Response) -> RawHeaders:
    """Return the headers of an answer to pass on, as they came."""
    return _end_to_end(response.headers.raw, _HOP_BY_HOP)


def _end_to_end(headers: RawHeaders, left_out: frozenset[bytes]) -> RawHeaders:
    """Return the headers without some, and without those that ``Connection`` names: they are for the next server only."""
    named = b",".join(value for name, value in headers if name.lower() == b"connection").lower().split(b",")
    hidden = left_out.union(map(bytes.strip, named)) - _FRAMING
    return [(name, value) for name, value in headers if name.lower() not in hidden]


def failure_of(error: BaseException, base: str, status: int | None) -> CallFailure:
    """Explain an exception of a call, or its cancellation; ``status`` is that of the answer, None when none had come."""
    if isinstance(error, asyncio.CancelledError):
        text = f"the proxy was stopped before the answer of {base} had ended; the call may have been carried out"
        return CallFailure(STOPPED, Trouble.BROKEN, text, was_sent=True)
    reason = " ".join(str(error).split())[:300].rstrip(".")
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
        if "SSL" in reason or "certificate" in reason.lower():
            text = (
                f"the TLS connection to {base} failed: {_SSL_NOISE.sub('', reason).rstrip('.')}; {_tls_advice(reason)}"
            )
            return CallFailure("upstream-tls", Trouble.UNREACHABLE, text, was_sent=False)
        text = f"{base} cannot be reached: {reason or type(error).__name__}; check --upstream, the network, and that the server runs"
        return CallFailure("upstream-unreachable", Trouble.UNREACHABLE, text, was_sent=False)
    if isinstance(error, httpx.TimeoutException):
        began = "no answer" if status is None else "no complete answer"
        text = f"{base} gave {began} in time; the call may have been carried out; allow more (--timeout SECONDS)"
        return CallFailure("upstream-timeout", Trouble.TIMEOUT, text, was_sent=True)
    if status is None:
        why = f": {reason}" if reason else ""
        text = f"{base} ended the connection without an answer, or did not answer in HTTP{why}; the call may have been carried out"
        return CallFailure("upstream-broken", Trouble.BROKEN, text, was_sent=True)
    text = f"the answer of {base} (status {status}) broke off: {reason or type(error).__name__}; what had arrived was passed on"
    return CallFailure("upstream-broken", Trouble.BROKEN, text, was_sent=True)


def _tls_advice(reason: str) -> str:
    """Return what to do about a TLS connection that failed for this reason of OpenSSL."""
    if "WRONG_VERSION_NUMBER" in reason:
        return "no TLS is spoken there: correct the port, or write --upstream with http://"
    if "mismatch" in reason:
        return "name the host that its certificate is for (--upstream)"
    if "expired" in reason:
        return "its owner must renew the certificate; --upstream names another server"
    return "name its authority (--ca FILE), or correct --upstream"


def _environment_proxy(scheme: str, host: str) -> str | None:
    """Return the HTTP proxy that the environment names for a host."""
    found = getproxies().get(scheme)
    return None if not found or proxy_bypass(host) or host in ("localhost", "127.0.0.1", "::1") else found

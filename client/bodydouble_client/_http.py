"""The HTTP clients that this package makes for itself."""

import ssl
from typing import TypeVar

import httpx

from bodydouble_client._errors import ArgumentError
from bodydouble_client._text import shorten

__all__ = ["make_http_client", "make_ssl_context"]

_HttpClient = TypeVar("_HttpClient", httpx.Client, httpx.AsyncClient)

# A connection that the server closes while idle fails the next request after it was sent, and that one must not be
# repeated; beside a generation of half a minute a new connection costs nothing.
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=0)


def make_ssl_context() -> ssl.SSLContext:
    """The trusted certificates, which take longer to load than all the rest. Raises ArgumentError."""
    try:
        return httpx.create_ssl_context()
    except Exception as error:  # noqa: BLE001 - unreadable or malformed certificates
        refusal = _refusal(error)
    raise refusal


def make_http_client(kind: type[_HttpClient], context: ssl.SSLContext | None) -> _HttpClient:
    """A client of this kind that follows the environment's proxies. Raises ArgumentError."""
    try:
        return kind(verify=True if context is None else context, limits=_LIMITS)
    except Exception as error:  # noqa: BLE001 - malformed proxies, a missing SOCKS package
        refusal = _refusal(error)
    raise refusal


def _refusal(error: Exception) -> ArgumentError:
    return ArgumentError(
        f"cannot set up HTTP from this environment ({type(error).__name__}: {shorten(str(error))}): check "
        "SSL_CERT_FILE, SSL_CERT_DIR, HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, or pass http_client",
        argument="http_client",
    )

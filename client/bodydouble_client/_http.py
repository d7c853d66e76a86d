"""The HTTP clients that this package makes for itself."""

from typing import TypeVar

import httpx

from bodydouble_client._errors import ArgumentError
from bodydouble_client._text import shorten

__all__ = ["make_http_client"]

_HttpClient = TypeVar("_HttpClient", httpx.Client, httpx.AsyncClient)

# A connection that the server closes while idle fails the next request after it was sent, and that one must not be
# repeated; beside a generation of half a minute a new connection costs nothing.
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=0)


def make_http_client(kind: type[_HttpClient]) -> _HttpClient | ArgumentError:
    """A client of this kind that follows the environment (proxies, SSL_CERT_FILE), or why it cannot be made."""
    try:
        return kind(limits=_LIMITS)
    except Exception as error:  # noqa: BLE001 - unreadable certificates, malformed proxies, a missing SOCKS package
        reason = f"{type(error).__name__}: {shorten(str(error))}"
    return ArgumentError(
        f"cannot set up HTTP from this environment ({reason}): check SSL_CERT_FILE, SSL_CERT_DIR, HTTP_PROXY, "
        "HTTPS_PROXY, ALL_PROXY and NO_PROXY, or pass http_client",
        argument="http_client",
    )

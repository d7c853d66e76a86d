"""Constructors of the HTTP clients that this package uses by default."""

import ssl
from typing import TypeVar

import httpx

from bodydouble_client._errors import ArgumentError
from bodydouble_client._values import describe_error

_HttpClient = TypeVar("_HttpClient", httpx.Client, httpx.AsyncClient)

# The server may close an idle connection just as the next request is sent on it, and such a request must not be
# retried. A new connection takes little time compared with a generation of half a minute.
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=0)


def make_ssl_context() -> ssl.SSLContext:
    """Load the trusted certificates, which is slow enough to do it once. Raises ArgumentError."""
    try:
        return httpx.create_ssl_context()
    except Exception as error:  # noqa: BLE001 - unreadable or malformed certificates
        argument_error = _http_setup_error(error)
    raise argument_error


def make_http_client(client_class: type[_HttpClient], context: ssl.SSLContext | None) -> _HttpClient:
    """Make a client that uses the proxies of the environment. Raises ArgumentError."""
    try:
        return client_class(verify=True if context is None else context, limits=_LIMITS)
    except Exception as error:  # noqa: BLE001 - malformed proxies, a missing SOCKS package
        argument_error = _http_setup_error(error)
    raise argument_error


def _http_setup_error(error: Exception) -> ArgumentError:
    return ArgumentError(
        f"cannot set up HTTP from this environment ({describe_error(error)}): check "
        "SSL_CERT_FILE, SSL_CERT_DIR, HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, or pass http_client",
        argument="http_client",
    )

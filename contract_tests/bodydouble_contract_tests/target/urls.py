"""Read base URLs in the spellings that people use."""

import ipaddress
import re
from urllib.parse import urlsplit

from bodydouble_contract_tests.errors import CannotVerify

__all__ = ["base_of", "host_of", "is_loopback"]

_VERSION = re.compile(r"/v[0-9]+$")


def base_of(base_url: str) -> str:
    """Return a base URL without its version: both spellings are in use, with ``/v1`` and without.

    Raises CannotVerify for anything but an http(s) URL with a host, and for a URL with credentials, a query or a fragment.
    """
    text = base_url.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise CannotVerify(f"the base URL cannot be read: {error}; write it like https://host:8443") from None
    if parts.scheme.lower() not in {"http", "https"} or not parts.hostname or port == 0:
        raise CannotVerify(f"{_shown(text)!r} is not a base URL; write it like https://host:8443")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise CannotVerify("a base URL takes no credentials, no query and no fragment; give the key separately")
    return _VERSION.sub("", f"{parts.scheme.lower()}://{parts.netloc}{parts.path.rstrip('/')}")


def host_of(url: str) -> str:
    """Return the host of a URL in lower case, without port and final dot; empty when the URL has no host."""
    try:
        return (urlsplit(url).hostname or "").lower().rstrip(".")
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _shown(text: str) -> str:
    return re.sub(r"//[^/@]*@", "//***@", text)[:200]

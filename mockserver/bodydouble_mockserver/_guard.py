"""Access control for the routes below ``/_bodydouble/``: the Host must name this machine, and the control key must match where one is set."""

import hmac
import re
from collections.abc import Mapping

from bodydouble_mockserver._keys import bearer_key
from bodydouble_mockserver._settings import Settings

__all__ = ["CONTROL_PREFIX", "refuse_control"]

CONTROL_PREFIX = "/_bodydouble/"
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:/@]+)(?::[0-9]*)?")


def refuse_control(settings: Settings, headers: Mapping[bytes, bytes]) -> tuple[int, str] | None:
    """Return the status and text of the refusal, or None when the request is allowed.

    A web page can point its own name at 127.0.0.1 (DNS rebinding) and read the journal; its requests carry that name as Host. A page of
    another origin can send requests although it cannot read the answers; they carry its origin.
    """
    if not settings.control:
        return 404, "The routes below /_bodydouble/ are closed (--no-control)"
    host = headers.get(b"host", b"").decode("latin-1")
    if not _is_allowed(settings, host):
        return (
            403,
            f"The Host {host[:80]!r} may not use /_bodydouble/; use 127.0.0.1, or start with --control-host NAME",
        )
    origin = headers.get(b"origin", b"").decode("latin-1")
    if origin and not _is_allowed(settings, origin.partition("://")[2]):
        return 403, f"Pages of {origin[:80]!r} may not use /_bodydouble/; start with --control-host NAME to allow them"
    if settings.control_key is not None:
        key = bearer_key(headers.get(b"authorization", b""))
        # An empty control key is usually an unset variable: it must not open the routes.
        if not key or not hmac.compare_digest(key, settings.control_key.encode()):
            return 401, "/_bodydouble/ needs the control key: Authorization: Bearer <the key given as --control-key>"
    return None


def _is_allowed(settings: Settings, authority: str) -> bool:
    """Return whether a host name, with or without a port, is a loopback name or a configured one."""
    match = _AUTHORITY.fullmatch(authority.lower())
    return match is not None and match[1] in (*_LOOPBACK, *map(str.lower, settings.control_hosts))

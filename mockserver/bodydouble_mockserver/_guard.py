"""Who may use the routes below ``/_bodydouble/``: callers that name this machine, with the control key where one is set."""

import hmac
from collections.abc import Mapping

from bodydouble_mockserver._keys import bearer_key
from bodydouble_mockserver._settings import Settings

__all__ = ["CONTROL", "refuse_control"]

CONTROL = "/_bodydouble/"
_LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}


def refuse_control(settings: Settings, headers: Mapping[bytes, bytes]) -> tuple[int, str] | None:
    """Status and text of the refusal, or None.

    A web page that the user visits can point a name of its own at 127.0.0.1 (DNS rebinding) and read what an app sent; its requests carry
    that name as Host.
    """
    if not settings.control:
        return 404, "The routes below /_bodydouble/ are closed (--no-control)"
    host = _host_name(headers.get(b"host", b"").decode("latin-1").lower())
    if host not in _LOOPBACK and host not in settings.control_hosts:
        return (
            403,
            f"The Host {host[:80]!r} may not use /_bodydouble/; use 127.0.0.1, or start with --control-host {host[:80]}",
        )
    if settings.control_key is not None:
        key = bearer_key(headers.get(b"authorization", b""))
        if not hmac.compare_digest(key, settings.control_key.encode()):
            return 401, "/_bodydouble/ needs the control key: Authorization: Bearer <the key given as --control-key>"
    return None


def _host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]

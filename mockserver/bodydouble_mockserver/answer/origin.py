"""The origin of picture URLs: scheme and host under which the client reaches this server."""

import re
from collections.abc import Mapping

from bodydouble_mockserver.asgi import Scope
from bodydouble_mockserver.faults import OWN_ADDRESS
from bodydouble_mockserver.settings import Settings

__all__ = ["picture_origin"]

# The allowed characters of a Host header; any other value is not copied into URLs.
_LOOPBACK = re.compile(rb"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?\Z", re.IGNORECASE)
_PORT = re.compile(r":\d+$")
_HOST = re.compile(rb"[A-Za-z0-9.:_\[\]-]{1,255}")


def picture_origin(settings: Settings, scope: Scope, headers: Mapping[bytes, bytes]) -> str:
    """Return the origin of picture URLs: that of the settings, or scheme and host as sent by the client, so that URLs work through a port mapping.

    ``picture_host`` of the settings replaces the host, and the port as well if it has one; a name of this machine is only for requests to this machine.
    """
    if settings.public_url:
        return settings.public_url
    picture_host = settings.picture_host
    own = scope.get("extensions", {}).get(OWN_ADDRESS)
    if own is not None:
        # Under the name of the real host, only programs that are led here could fetch a picture.
        scope, headers = {**scope, "scheme": "http"}, {b"host": own}
    host = headers.get(b"host", b"")
    if picture_host is not None and (not _LOOPBACK.match(picture_host.encode()) or _LOOPBACK.match(host) or not host):
        has_port = _PORT.search(picture_host) is not None
        sent = host[host.rfind(b"]") + 1 :].partition(b":")[2].decode("latin-1")
        port = sent if host else str((scope.get("server") or ("", 0))[1])
        return f"{scope['scheme']}://{picture_host}{f':{port}' if port.isdigit() and not has_port else ''}"
    if not _HOST.fullmatch(host):
        name, number = scope.get("server") or ("127.0.0.1", 80)
        return f"{scope['scheme']}://{f'[{name}]' if ':' in name else name}:{number}"
    return f"{scope['scheme']}://{host.decode()}"

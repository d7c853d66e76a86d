"""A request that is ready to be sent, without the key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

__all__ = ["Request"]

_CONNECT_S = 30.0  # a host that accepts no connection in this time is down


@dataclass(frozen=True, slots=True)
class Request:
    """Method, URL, headers and body; without ``auth`` the settings of the HTTP client apply."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None = field(default=None, repr=False)
    auth: httpx.Auth | None = None

    def build_options(self, time_s: float, trace: Any) -> dict[str, Any]:
        """Return the arguments of ``build_request`` for an attempt of ``time_s`` seconds."""
        return {
            "method": self.method,
            "url": self.url,
            "headers": self.headers,
            "content": self.content,
            "timeout": httpx.Timeout(time_s, connect=min(time_s, _CONNECT_S)),
            "extensions": {"trace": trace},
        }

    def send_options(self) -> dict[str, Any]:
        """Return the arguments of ``send``; redirects are not followed, so that the key goes to no other host."""
        auth = httpx.USE_CLIENT_DEFAULT if self.auth is None else self.auth
        return {"auth": auth, "follow_redirects": False, "stream": True}

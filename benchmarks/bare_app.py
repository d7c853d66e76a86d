"""The yardstick: an ASGI application that reads the body and answers 200 with as many bytes as the mock would."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

__all__ = ["app"]

_BODY = b'{"data":[{"url":"' + b"x" * 120 + b'","b64_json":null}],"meta":{"usage":{"credits_used":84000}}}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_BODY))]


async def app(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    """Answer every request alike."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body", False):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})

"""The yardsticks: an ASGI application that reads the body and answers 200 with as many bytes as the mock would, and a route of Starlette.

The route parses the body as JSON and answers with a constant, which is the least that a server of this API in Python does: no check, no
picture, no journal.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

__all__ = ["app", "route"]

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


async def _answer(request: Request) -> JSONResponse:
    await request.json()
    return JSONResponse({"data": [{"url": "x" * 120, "b64_json": None}], "meta": {"usage": {"credits_used": 84000}}})


route = Starlette(routes=[Route("/v1/images/generations", _answer, methods=["POST"])])

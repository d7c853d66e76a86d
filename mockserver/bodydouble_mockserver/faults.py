"""Faults below the contract: broken HTTP answers and broken connections.

A broken connection needs access to the transport, which ASGI hides. `bodydouble_mockserver.protocol` adds it to the scope; the in-process
transport of `bodydouble_mockserver.transport` adds a substitute that raises the matching httpx exceptions.
"""

import asyncio
import socket
import struct
from dataclasses import replace
from typing import Protocol

from bodydouble_mockserver.asgi import Answer, Receive, Scope, Send, response_head, send_answer

__all__ = [
    "ABSOLUTE_FORM",
    "EXTENSION",
    "FAULTS",
    "OWN_ADDRESS",
    "RawConnection",
    "SocketConnection",
    "impossible_reason",
    "perform_fault",
]

# The key in the scope's extensions for the server's raw connection.
EXTENSION = "bodydouble.connection"
# The host of a request whose request line has a whole URL, as for a proxy.
ABSOLUTE_FORM = "bodydouble.absolute-form"
# The mock's own host and port as bytes, where a request was sent to a host that it answers for.
OWN_ADDRESS = "bodydouble.own-address"

FAULTS = {
    "reset-before-headers": "the connection is reset instead of an answer",
    "reset-mid-body": "the connection is reset after half of the body",
    "truncated-json": "the body ends in the middle of the JSON, with a matching Content-Length",
    "wrong-length": "Content-Length promises more than is sent before the connection ends",
    "empty": "the usual status and an empty body",
    "garbage": "bytes that are not HTTP",
    "slow-drip": "the body comes in pieces, ten a second: single bytes, or larger ones where that would take more than a minute",
    "broken-gzip": "Content-Encoding: gzip on a body that is not gzip",
    "hang": "no answer until the client gives up",
}
# Those that need access to the raw connection.
_BELOW_HTTP = frozenset({"garbage", "hang", "reset-before-headers", "reset-mid-body", "wrong-length"})
_DRIP_S = 0.1
_MAX_DRIPS = 600
# Time for the written bytes to reach the client: an immediate reset could overtake them.
_RESET_DELAY_S = 0.05
_GARBAGE = b"\x16\x03\x01\x00 this is not HTTP \xff\xfe\r\n\r\n"


class RawConnection(Protocol):
    """The connection below HTTP."""

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        ...

    def close(self) -> None:
        """Close the connection after all bytes are sent."""
        ...

    def reset(self) -> None:
        """Reset the connection immediately."""
        ...

    def hang(self) -> None:
        """Send nothing more."""
        ...


class SocketConnection:
    """A raw connection over an asyncio transport."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        """See `RawConnection`; nothing is written where the client disconnected first."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """See `RawConnection`."""
        self._transport.close()

    def reset(self) -> None:
        """See `RawConnection`: with a linger time of zero, closing sends RST instead of FIN."""
        connection = self._transport.get_extra_info("socket")
        # The socket is gone when the client disconnected first.
        if connection is not None and not self._transport.is_closing():
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def hang(self) -> None:
        """See `RawConnection`: nothing to do, since the client waits."""


async def perform_fault(fault: str, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Send ``answer`` with a fault, a key of `FAULTS`; the answer itself is not changed."""
    match fault:
        case "truncated-json":
            await send_answer(send, replace(answer, body=answer.body[: len(answer.body) // 2]))
        case "empty":
            await send_answer(send, replace(answer, body=b""))
        case "broken-gzip":
            await send_answer(send, replace(answer, headers=[*answer.headers, (b"content-encoding", b"gzip")]))
        case "slow-drip":
            await _drip(answer, receive, send)
        case _:
            await _break_connection(fault, answer, scope["extensions"][EXTENSION])
            await _wait_for_disconnect(receive)


def impossible_reason(fault: str | None, scope: Scope) -> str | None:
    """Return why a fault cannot be performed on a connection; None where it can, and without a fault."""
    if fault not in _BELOW_HTTP or EXTENSION in scope.get("extensions", {}):
        return None
    return f"fault={fault} needs access to the connection: use bodydouble serve, or bodydouble's transport"


async def _break_connection(fault: str, answer: Answer, connection: RawConnection) -> None:
    match fault:
        case "hang":
            connection.hang()
        case "reset-before-headers":
            connection.reset()
        case "reset-mid-body":
            connection.write(response_head(answer, len(answer.body)) + answer.body[: len(answer.body) // 2])
            await asyncio.sleep(_RESET_DELAY_S)
            connection.reset()
        case "wrong-length":
            connection.write(response_head(answer, len(answer.body) + 1000) + answer.body)
            connection.close()
        case _:
            connection.write(_GARBAGE)
            connection.close()


async def _drip(answer: Answer, receive: Receive, send: Send) -> None:
    disconnected = asyncio.ensure_future(_wait_for_disconnect(receive))
    try:
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.all_headers()})
        size = -(-len(answer.body) // _MAX_DRIPS)
        for position in range(0, len(answer.body), size or 1):
            piece = answer.body[position : position + size]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.wait({disconnected}, timeout=_DRIP_S)
            if disconnected.done():
                return
        await send({"type": "http.response.body", "body": b""})
    finally:
        disconnected.cancel()


async def _wait_for_disconnect(receive: Receive) -> None:
    """Wait until the client disconnects; returning earlier would make the server send its own answer."""
    while (await receive())["type"] != "http.disconnect":
        pass

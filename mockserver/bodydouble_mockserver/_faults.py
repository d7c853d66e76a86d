"""Faults below the contract: answers that are broken as HTTP, or as a connection.

Those below HTTP need the transport, which ASGI hides: `FaultProtocol` puts it into the scope, and the in-process transport of
`bodydouble_mockserver.transport` puts something there that turns the same faults into httpx exceptions.
"""

import asyncio
import socket
import struct
import time
from dataclasses import replace
from typing import Any, Protocol

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bodydouble_mockserver._problem import problem
from bodydouble_mockserver._wire import Answer, Receive, Scope, Send, response_head, send_answer

__all__ = ["EXTENSION", "FAULTS", "FaultProtocol", "RawConnection", "perform_fault"]

# The key of the scope's extensions under which a server offers its wire.
EXTENSION = "bodydouble.connection"

FAULTS = {
    "reset-before-headers": "the connection is reset instead of an answer",
    "reset-mid-body": "the connection is reset after half of the body",
    "truncated-json": "the body ends in the middle of the JSON, its length agreeing",
    "wrong-length": "Content-Length promises more than is sent before the connection ends",
    "empty": "the right status, and no body",
    "garbage": "bytes that are not HTTP",
    "slow-drip": "the body comes one byte at a time, ten a second",
    "broken-gzip": "Content-Encoding: gzip over bytes that are not",
    "hang": "no answer at all, until the client gives up",
}
_DRIP_S = 0.1
# Time for what was written to reach the client, which a reset right behind it could overtake.
_RESET_DELAY_S = 0.05
_GARBAGE = b"\x16\x03\x01\x00 this is not HTTP \xff\xfe\r\n\r\n"


class RawConnection(Protocol):
    """The connection below HTTP."""

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        ...

    def close(self) -> None:
        """End the connection in order, once all is sent."""
        ...

    def reset(self) -> None:
        """End the connection at once, so that the client sees a reset."""
        ...

    def hang(self) -> None:
        """Say nothing more."""
        ...


class SocketConnection:
    """A wire over an asyncio transport."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        """See `RawConnection`."""
        self._transport.write(data)

    def close(self) -> None:
        """See `RawConnection`."""
        self._transport.close()

    def reset(self) -> None:
        """See `RawConnection`: with a linger time of zero, closing sends RST instead of FIN."""
        connection = self._transport.get_extra_info("socket")
        # A client that left first has taken the socket with it.
        if connection is not None and not self._transport.is_closing():
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def hang(self) -> None:
        """See `RawConnection`: nothing to do, the client waits by itself."""


class FaultProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which also offers its connection to the application."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._extensions: dict[str, Any] = {EXTENSION: SocketConnection(transport)}

    def on_message_begin(self) -> None:
        """See httptools: a new request begins."""
        super().on_message_begin()
        self.scope["extensions"] = self._extensions

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP in the vendor's envelope too, and end the connection."""
        answer = problem(400, "", "", time.time(), message=f"This is not HTTP: {msg}")
        answer.headers.append((b"connection", b"close"))
        self.transport.write(response_head(answer, len(answer.body)) + answer.body)
        self.transport.close()


async def perform_fault(fault: str, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
    """Send ``answer`` broken in the way that ``fault`` names (a key of `FAULTS`); the answer itself stays as it is."""
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


def needs_connection(fault: str) -> bool:
    """Whether a fault is below HTTP, so that the server must offer its connection."""
    return fault in {"garbage", "hang", "reset-before-headers", "reset-mid-body", "wrong-length"}


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
        for position in range(len(answer.body)):
            await send({"type": "http.response.body", "body": answer.body[position : position + 1], "more_body": True})
            await asyncio.wait({disconnected}, timeout=_DRIP_S)
            if disconnected.done():
                return
        await send({"type": "http.response.body", "body": b""})
    finally:
        disconnected.cancel()


async def _wait_for_disconnect(receive: Receive) -> None:
    """Wait until the client is gone; returning earlier would make the server send an answer of its own."""
    while (await receive())["type"] != "http.disconnect":
        pass

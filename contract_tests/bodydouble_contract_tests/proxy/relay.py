"""An answer passed on while it comes, and kept as far as a recording may hold it."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from typing import Any, NamedTuple, cast

import httpx
from bodydouble_mockserver.asgi import Receive, Scope, Send
from bodydouble_mockserver.faults import EXTENSION

from bodydouble_contract_tests.proxy.upstream import CallFailure, RawHeaders, failure_of, passed_headers

__all__ = ["ClientSide", "Relayed", "relay"]

# An answer that nobody reads any more is read on for the recording, for so long.
_AFTER_CLIENT_S = 900.0


class Relayed(NamedTuple):
    """The outcome of passing an answer on: its status and headers, the bytes (of a long one the beginning), and its failure.

    ``is_whole`` is False when more bytes came than were kept. ``rest`` is the end of the body, which the client has not got yet (b"" for the end
    alone); None where it has all that came, or nothing was sent to it.
    """

    status: int | None = None
    headers: RawHeaders = []  # noqa: RUF012 - a NamedTuple's default is never changed
    body: bytes = b""
    failure: CallFailure | None = None
    is_whole: bool = True
    rest: bytes | None = None


class ClientSide:
    """The client's side of one call: what was sent to it, and whether it is still there."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._watch: asyncio.Task[None] | None = None
        self._left: float | None = None
        self.has_begun = False

    def watch(self) -> None:
        """Notice from now on when the client goes away; its request was read."""
        self._watch = asyncio.get_running_loop().create_task(self._wait())

    @property
    def left_s(self) -> float | None:
        """The seconds since the client went away; None while it is there."""
        return None if self._left is None else time.monotonic() - self._left

    async def begin(self, status: int, headers: RawHeaders) -> None:
        """Send status and headers."""
        self.has_begun = True
        await self._deliver({"type": "http.response.start", "status": status, "headers": headers})

    async def give(self, data: bytes, *, is_last: bool = False) -> None:
        """Send a part of the body."""
        await self._deliver({"type": "http.response.body", "body": data, "more_body": not is_last})

    async def cut(self) -> None:
        """Break the connection, as the upstream did, within an answer."""
        connection = self._scope.get("extensions", {}).get(EXTENSION)
        if connection is None:
            raise ConnectionError("the answer broke off")
        connection.close()
        if self._watch is not None:
            await self._watch

    def end(self) -> None:
        """Watch no longer."""
        if self._watch is not None:
            self._watch.cancel()

    async def _deliver(self, message: Any) -> None:
        try:
            await self._send(message)
        except RuntimeError:
            # The server has answered in our place, as it does when it ends.
            self._leave()

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._leave()

    def _leave(self) -> None:
        if self._left is None:
            self._left = time.monotonic()


async def relay(
    response: httpx.Response, client: ClientSide, base: str, max_bytes: int, *, is_held: bool = False
) -> Relayed:
    """Pass an answer on part by part, all but its end, and return it. With ``is_held``, nothing is sent before all has come.

    The end is left to the caller: when a client has a whole answer, its call is recorded. An answer that ends early ends early for the client too, by
    `ClientSide.cut`.
    """
    headers, kept, is_whole, rest = passed_headers(response), bytearray(), True, b""
    left = _stated_length(response)
    # As they came: `aiter_raw` would count them as well.
    parts = cast(AsyncIterator[bytes], response.stream)
    is_passed = not is_held
    failure = None
    try:
        if is_passed:
            await client.begin(response.status_code, headers)
        async for part in parts:
            if is_whole and len(kept) + len(part) <= max_bytes:
                kept += part
            else:
                is_whole = False
                if not is_passed:
                    await client.begin(response.status_code, headers)
                    await client.give(bytes(kept))
                    is_passed = True
                if client.left_s is not None:
                    break
            left -= len(part)
            if left <= 0:
                rest += part
            elif is_passed:
                await client.give(part)
            if client.left_s is not None and client.left_s > _AFTER_CLIENT_S:
                is_whole = False
                break
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever ends an answer early is reported, and the same for the client
        failure = failure_of(error, base, response.status_code)
    finally:
        await response.aclose()
    ended = rest if failure is None and is_passed else None
    return Relayed(response.status_code, headers, bytes(kept), failure, is_whole, ended)


def _stated_length(response: httpx.Response) -> float:
    """Return the length of the body that the headers state; infinity where they do not, and the end comes by itself."""
    text = response.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else math.inf

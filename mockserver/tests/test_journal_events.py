"""Server-sent events: each exchange once, resumption after a disconnect, a count of lost entries, and an end at shutdown."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx
import orjson
import uvicorn
from bodydouble_mockserver.asgi import Answer
from bodydouble_mockserver.endpoints.handled import HandledRequest
from bodydouble_mockserver.journal.events import Events
from bodydouble_mockserver.journal.journal import Journal
from bodydouble_mockserver.journal.routes import journal_routes
from bodydouble_mockserver.request import CheckedRequest
from starlette.applications import Starlette

from mockserver.tests.bodies import json_intake
from spec.tests.servers import serve_asgi


def add(journal: Journal, body: bytes = b"{}") -> None:
    answer = Answer(200, b"application/json", b"{}")
    scope = {"method": "POST", "path": "/v1", "query_string": b"", "headers": list[tuple[bytes, bytes]]()}
    journal.append(
        HandledRequest(scope, answer, CheckedRequest(None, b""), json_intake(body), started=1.7e9, duration_s=0.1)
    )


class Reader:
    """One connection to the endpoint without a socket; it records the events, and can block the sender."""

    def __init__(self, events: Events, last: str | None = None) -> None:
        self.chunks: asyncio.Queue[bytes] = asyncio.Queue(maxsize=1)
        self._leave = asyncio.Event()
        headers = [] if last is None else [(b"last-event-id", last.encode())]
        scope: dict[str, Any] = {"type": "http", "method": "GET", "headers": headers}
        self.task = asyncio.create_task(events(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self._leave.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            await self.chunks.put(message["body"])

    async def events(self, count: int) -> list[tuple[str, str | None, Any]]:
        """Wait for the next events: type, id, data."""
        found: list[tuple[str, str | None, Any]] = []
        while len(found) < count:
            for block in (await self.chunks.get()).decode().split("\n\n"):
                parts = [line.partition(": ") for line in block.split("\n") if line]
                fields = {name: value for name, _, value in parts}
                if "event" in fields:
                    found.append((fields["event"], fields.get("id"), orjson.loads(fields["data"])))
        return found

    def leave(self) -> None:
        self._leave.set()


@contextlib.asynccontextmanager
async def reading(events: Events, last: str | None = None) -> AsyncGenerator[Reader]:
    reader = Reader(events, last)
    assert (await reader.chunks.get()).startswith(b"retry: ")
    try:
        yield reader
    finally:
        reader.leave()
        reader.task.cancel()


def test_each_new_exchange_is_an_event_with_its_id() -> None:
    async def scenario() -> list[Any]:
        journal = Journal(lambda key: "", run="run")
        add(journal)
        async with reading(Events(journal)) as reader:
            add(journal, b'{"prompt": "a\\nb"}')
            add(journal)
            return await reader.events(2)

    found = asyncio.run(scenario())
    assert [(kind, identifier, data["id"]) for kind, identifier, data in found] == [
        ("exchange", "run-2", "run-2"),
        ("exchange", "run-3", "run-3"),
    ]
    assert found[0][2]["body"] == {"prompt": "a\nb"}


def test_a_reader_that_reconnects_gets_the_missed_events() -> None:
    async def scenario() -> list[str | None]:
        journal = Journal(lambda key: "", run="run")
        for _ in range(4):
            add(journal)
        async with reading(Events(journal), last="run-2") as reader:
            return [identifier for _, identifier, _ in await reader.events(2)]

    assert asyncio.run(scenario()) == ["run-3", "run-4"]


def test_a_reader_of_another_run_starts_with_the_oldest() -> None:
    async def scenario() -> list[str | None]:
        journal = Journal(lambda key: "", run="run")
        add(journal)
        async with reading(Events(journal), last="other-9") as reader:
            return [identifier for _, identifier, _ in await reader.events(1)]

    assert asyncio.run(scenario()) == ["run-1"]


def test_a_reader_that_reconnects_late_gets_the_number_of_lost_events() -> None:
    async def scenario() -> list[Any]:
        journal = Journal(lambda key: "", entries=2, run="run")
        for _ in range(6):
            add(journal)
        async with reading(Events(journal), last="run-1") as reader:
            return await reader.events(3)

    assert [(kind, data.get("lost") or data["id"]) for kind, _, data in asyncio.run(scenario())] == [
        ("lost", 3),
        ("exchange", "run-5"),
        ("exchange", "run-6"),
    ]


def test_a_slow_reader_gets_the_number_of_lost_events_and_has_no_queue() -> None:
    async def scenario() -> tuple[int, int]:
        journal = Journal(lambda key: "", entries=10, run="run")
        async with reading(Events(journal)) as reader:
            for _ in range(500):
                add(journal)
                await asyncio.sleep(0)
            got = lost = 0
            while got + lost < 500:
                for kind, _, data in await reader.events(1):
                    got, lost = got + (kind == "exchange"), lost + (data["lost"] if kind == "lost" else 0)
            return got, lost

    got, lost = asyncio.run(scenario())
    assert got + lost == 500
    assert lost > 400


def test_an_idle_stream_sends_a_comment() -> None:
    async def scenario() -> bytes:
        journal = Journal(lambda key: "")
        async with reading(Events(journal, heartbeat_s=0.01)) as reader:
            add(journal)
            await reader.events(1)
            return await asyncio.wait_for(reader.chunks.get(), 5)

    assert asyncio.run(scenario()).startswith(b":")


def test_the_stream_ends_when_the_reader_leaves() -> None:
    async def scenario() -> None:
        journal = Journal(lambda key: "")
        reader = Reader(Events(journal))
        await reader.chunks.get()
        reader.leave()
        await asyncio.wait_for(reader.task, 5)
        assert journal._listeners == []  # pyright: ignore[reportPrivateUsage] - leftovers are visible nowhere else

    asyncio.run(scenario())


def test_an_exchange_that_another_thread_appends_arrives() -> None:
    async def scenario() -> list[Any]:
        journal = Journal(lambda key: "", run="run")
        async with reading(Events(journal)) as reader:
            await asyncio.to_thread(add, journal)
            return await asyncio.wait_for(reader.events(1), 5)

    assert asyncio.run(scenario())[0][1] == "run-1"


class EndingServer(uvicorn.Server):
    """A server that ends its streams before it waits for its connections."""

    def __init__(self, config: uvicorn.Config, end: Callable[[], None]) -> None:
        super().__init__(config)
        self._end_waiting = end

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_waiting()
        await super().shutdown(sockets)


def test_a_server_with_an_open_stream_shuts_down_gracefully() -> None:
    journal = Journal(lambda key: "")
    events = Events(journal)
    # Without a limit, uvicorn waits for its connections for ever.
    config = uvicorn.Config(Starlette(routes=journal_routes(journal, events)), log_config=None, log_level="critical")
    server = EndingServer(config, events.close)
    # `serve_asgi` asserts that the server ends.
    with (
        serve_asgi(server) as origin,
        httpx.Client(timeout=20) as client,
        client.stream("GET", f"{origin}/_bodydouble/events") as response,
    ):
        chunks = response.iter_bytes()
        assert next(chunks).startswith(b"retry: ")
        add(journal)
        assert b"event: exchange" in next(chunks)
        server.should_exit = True
        assert list(chunks) == []

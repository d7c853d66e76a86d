"""The journal over HTTP, below ``/_bodydouble/requests``. Access is checked before these routes are reached."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from functools import wraps

import orjson
from bodydouble_spec import BadFilter, Exchange, ExchangeFilter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from bodydouble_mockserver.asgi import Receive, Scope, Send, header
from bodydouble_mockserver.journal.journal import Journal
from bodydouble_mockserver.journal.verify import CallExpectation
from bodydouble_mockserver.scripting import BadMatch

__all__ = ["Events", "journal_routes"]

_HEARTBEAT_S = 15.0
# The size of one batch. After each batch the stream waits for a slow reader, then continues with the entries that the journal still holds.
_MAX_BATCH_ENTRIES = 50
_MAX_BATCH_BYTES = 256 * 1024
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class Events:
    """An ASGI endpoint that sends each new exchange as an event ``exchange`` with the exchange's id.

    A reader that reconnects with ``Last-Event-ID`` continues after that entry; the id of another run starts with the oldest entry. Entries that
    the journal dropped before the reader reached them are reported as an event ``lost`` with ``{"lost": n}``. Nothing is queued for a reader: it
    reads the journal at its own pace. A comment is sent after every ``heartbeat_s`` seconds without an exchange.
    """

    def __init__(self, journal: Journal, heartbeat_s: float = _HEARTBEAT_S) -> None:
        self._journal = journal
        self._heartbeat_s = heartbeat_s
        self._is_closed = False
        self._streams: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the reader disconnects or `close` is called."""
        next_number = self._first_number_after(_last_event_id(scope))
        with self._journal.listening() as entry_added:
            stream = (asyncio.get_running_loop(), entry_added)
            self._streams.add(stream)
            disconnected = asyncio.create_task(_wait_for_disconnect(receive))
            try:
                await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
                async for chunk in self._chunks(next_number, entry_added, disconnected):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                if not disconnected.done():
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
            finally:
                self._streams.discard(stream)
                disconnected.cancel()

    def close(self) -> None:
        """End all streams, also those opened later, since a server that shuts down waits for its connections. Thread-safe."""
        self._is_closed = True
        for loop, entry_added in tuple(self._streams):
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(entry_added.set)

    async def _chunks(
        self, next_number: int, entry_added: asyncio.Event, disconnected: asyncio.Task[None]
    ) -> AsyncGenerator[bytes]:
        yield b"retry: 1000\n\n"
        while not self._is_closed and not disconnected.done():
            entry_added.clear()
            chunk, next_number = self._next_events(next_number)
            if chunk:
                yield chunk
            elif not await _wait_for_entry(entry_added, disconnected, self._heartbeat_s):
                yield b": keep-alive\n\n"

    def _next_events(self, next_number: int) -> tuple[bytes, int]:
        """Return the next events from a number on, and the number after them."""
        parts: list[bytes] = []
        numbers = self._journal.numbers()
        if next_number < numbers.start:
            parts.append(b'event: lost\ndata: {"lost":%d}\n\n' % (numbers.start - next_number))
            next_number = numbers.start
        size = 0
        while next_number < numbers.stop and len(parts) < _MAX_BATCH_ENTRIES and size < _MAX_BATCH_BYTES:
            line = self._journal.line(next_number)
            if line is None:  # dropped meanwhile: the next call reports it
                break
            identifier = self._journal.identifier(next_number).encode()
            parts.append(b"id: %b\nevent: exchange\ndata: %b\n" % (identifier, line))
            size += len(line)
            next_number += 1
        return b"".join(parts), next_number

    def _first_number_after(self, last: str | None) -> int:
        numbers = self._journal.numbers()
        if last is None:
            return numbers.stop
        number = self._journal.number(last)
        return numbers.start if number is None or number >= numbers.stop else number + 1


def _last_event_id(scope: Scope) -> str | None:
    sent = header(scope, b"last-event-id")
    return sent.decode("latin-1") if sent else None


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _wait_for_entry(entry_added: asyncio.Event, disconnected: asyncio.Task[None], timeout_s: float) -> bool:
    """Return whether an entry was added or the reader disconnected before the timeout."""
    waiting = asyncio.create_task(entry_added.wait())
    try:
        done, _ = await asyncio.wait((waiting, disconnected), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    return bool(done)


_REQUESTS = "/_bodydouble/requests"
_PAGE = 100
_MAX_PAGE = 1000
_MAX_BODY_BYTES = 64 * 1024
# The loop answers other calls after this many entries: formatting a full journal takes a while.
_ENTRIES_PER_TURN = 50

_Endpoint = Callable[[Request], Awaitable[Response]]


class _BadRequest(Exception):
    """A request to a journal route that cannot be answered; ``details`` are added to the error body."""

    def __init__(self, message: str, status: int = 400, **details: str) -> None:
        super().__init__(message)
        self.status = status
        self.details = details


def journal_routes(journal: Journal, events: Events) -> list[Route]:
    """Return the routes of a journal.

    ``GET /_bodydouble/requests``: ``{"requests": […], "total": n, "next": id or null}``, the oldest first. Filters: ``status`` (429 or 4xx), ``path``
    (``/v1/*``), ``method``, ``key``, ``since``, ``with_findings`` (true or false). Pages: ``limit`` and ``after`` (an id), or ``last`` for the newest n.
    ``GET …/{id}``, ``DELETE``, ``GET …/count`` (with the same filters), ``POST …/verify``, and ``GET /_bodydouble/events``.
    """
    return [
        Route(_REQUESTS, _answering(_list(journal)), methods=["GET"]),
        Route(_REQUESTS, _answering(_clear(journal)), methods=["DELETE"]),
        Route(f"{_REQUESTS}/count", _answering(_count(journal)), methods=["GET"]),
        Route(f"{_REQUESTS}/verify", _answering(_verify(journal)), methods=["POST"]),
        Route(f"{_REQUESTS}/{{id}}", _answering(_show(journal)), methods=["GET"]),
        Route("/_bodydouble/events", events, methods=["GET"]),
    ]


def _list(journal: Journal) -> _Endpoint:
    async def endpoint(request: Request) -> Response:
        parameters = _parameters(request)
        limit = _whole(parameters, "limit", _PAGE)
        last = _whole(parameters, "last", None)
        after = parameters.pop("after", None)
        if last is not None and after is not None:
            raise _BadRequest("last and after cannot be combined: last selects the newest entries", parameter="last")
        start = None if after is None else journal.number(after)
        if after is not None and start is None:
            good = f"give an id of this run, like {journal.identifier(1)}"
            raise _BadRequest(f"after: {after[:80]!r} is not an id of this run; {good}", parameter="after", good=good)
        matching = [item async for item in _matching(journal, _filter(parameters))]
        ahead = [item for item in matching if start is None or item[0] > start]
        page = ahead[-last:] if last else ahead[:limit] if limit else []
        is_rest = last is None and len(page) < len(ahead)
        return _json(
            {
                "requests": [exchange.to_dict() for _, exchange in page],
                "total": len(matching),
                "next": page[-1][1].id if is_rest and page else None,
            }
        )

    return endpoint


def _count(journal: Journal) -> _Endpoint:
    async def endpoint(request: Request) -> Response:
        chosen = _filter(_parameters(request))
        return _json({"count": len([number async for number, _ in _matching(journal, chosen)])})

    return endpoint


def _show(journal: Journal) -> _Endpoint:
    async def endpoint(request: Request) -> Response:
        identifier: str = request.path_params["id"]
        number = journal.number(identifier)
        line = None if number is None else journal.line(number)
        if line is None:
            raise _BadRequest(
                f"request {identifier[:80]!r} was not found: it was dropped, deleted, or belongs to another run", 404
            )
        return Response(line, media_type="application/json")

    return endpoint


def _clear(journal: Journal) -> _Endpoint:
    async def endpoint(_request: Request) -> Response:
        return _json({"deleted": journal.clear()})

    return endpoint


def _verify(journal: Journal) -> _Endpoint:
    async def endpoint(request: Request) -> Response:
        try:
            expectation = CallExpectation.parse(orjson.loads(await _body(request)))
        except orjson.JSONDecodeError as error:
            where = f"line {error.lineno}, column {error.colno}"
            raise _BadRequest(f"the body is not JSON at {where}: {error.msg}", pointer="") from None
        except BadMatch as error:
            raise _BadRequest(str(error), pointer=error.pointer) from None
        calls = [item async for item in _matching(journal, ExchangeFilter())]
        verdict = expectation.check(calls)
        return _json(verdict.to_dict(), 200 if verdict.holds else 409)

    return endpoint


async def _matching(journal: Journal, chosen: ExchangeFilter) -> AsyncGenerator[tuple[int, Exchange]]:
    """Yield the number and exchange of each matching entry; entries dropped meanwhile are skipped."""
    for number in journal.numbers():
        exchange = journal.exchange(number)
        if exchange is not None and chosen.matches(exchange):
            yield number, exchange
        if number % _ENTRIES_PER_TURN == 0:
            await asyncio.sleep(0)


def _parameters(request: Request) -> dict[str, str]:
    pairs = request.query_params.multi_items()
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise _BadRequest("a parameter was given twice; give each one once")
    return parameters


def _filter(parameters: Mapping[str, str]) -> ExchangeFilter:
    named = {("findings" if name == "with_findings" else name): value for name, value in parameters.items()}
    try:
        return ExchangeFilter.parse(named)
    except BadFilter as error:
        parameter = "with_findings" if error.name == "findings" else error.name
        raise _BadRequest(
            f"{parameter}{str(error).removeprefix(error.name)}", parameter=parameter, good=error.good
        ) from None


def _whole(parameters: dict[str, str], name: str, default: int | None) -> int | None:
    text = parameters.pop(name, None)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= _MAX_PAGE):
        good = f"write a whole number from 1 to {_MAX_PAGE}"
        raise _BadRequest(f"{name}: {text[:40]!r} is not valid; {good}", parameter=name, good=good)
    return int(text)


async def _body(request: Request) -> bytes:
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > _MAX_BODY_BYTES:
            raise _BadRequest(f"the body is larger than {_MAX_BODY_BYTES} bytes", 413)
    return data


def _answering(endpoint: _Endpoint) -> _Endpoint:
    """Wrap an endpoint so that its errors are answered as JSON."""

    @wraps(endpoint)
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except _BadRequest as error:
            return _json({"error": str(error), **error.details}, error.status)
        except ClientDisconnect:
            return Response(status_code=400)

    return answer


def _json(value: object, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")

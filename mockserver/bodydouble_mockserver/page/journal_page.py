"""The journal on the page: its calls, the newest first, new ones as they come, and one call in full."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
from bodydouble_spec import BadFilter, Exchange, ExchangeFilter, parse_exchange
from bodydouble_spec.image_fields import prompt_of
from bodydouble_spec.snippets import as_curl, as_python
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bodydouble_mockserver.asgi import Receive, Scope, Send
from bodydouble_mockserver.journal import matching_entries
from bodydouble_mockserver.page.entries import findings_of, message_of, row_of
from bodydouble_mockserver.page.parts import PageParts
from bodydouble_mockserver.page.rendering import fragment, render

__all__ = ["journal_page_routes"]

# As many as the script of the page puts into one list.
_ROWS = 20
# Seconds between two batches of rows: a reader must not take a busy server's time.
_PACE_S = 0.1
_FILTERS = ("status", "path", "method", "key", "since", "findings", "kind")


@dataclass(frozen=True, slots=True)
class _Query:
    """The filters of a page: as typed, parsed, and why they cannot be used (empty when they can)."""

    given: Mapping[str, str]
    filter: ExchangeFilter
    problem: str = ""

    @classmethod
    def of(cls, request: Request) -> "_Query":
        given = {name: text for name in _FILTERS if (text := request.query_params.get(name, "").strip())}
        try:
            return cls(given, ExchangeFilter.parse(given))
        except BadFilter as error:
            return cls(given, ExchangeFilter(), str(error))

    def path(self, path: str, **more: str) -> str:
        """Return a path with these filters."""
        query = urlencode({**self.given, **more})
        return f"{path}?{query}" if query else path


def journal_page_routes(parts: PageParts) -> list[Route]:
    """Return the routes of the list, of one call, of new rows as events, and of the button that clears the journal."""
    journal, links = parts.app.journal, parts.links

    async def select(query: _Query, before: int) -> tuple[list[Exchange], bool]:
        """Return the newest matching entries before a number, and whether there may be more."""
        found: list[Exchange] = []
        async for _, exchange in matching_entries(journal, query.filter, range(journal.numbers().start, before)[::-1]):
            if len(found) == _ROWS:
                return found, True
            found.append(exchange)
        return found, False

    async def show_list(request: Request) -> Response:
        query, stop = _Query.of(request), journal.numbers().stop
        number = journal.number(request.query_params.get("before", ""))
        found, is_rest = ([], False) if query.problem else await select(query, min(number or stop, stop))
        values: dict[str, Any] = {
            "rows": [row_of(exchange, links) for exchange in found],
            "is_rest": is_rest,
            "older": query.path("/_bodydouble/", before=found[-1].id if found else ""),
            "query": query,
            "is_first": number is None,
            "events": parts.access.link(query.path("/_bodydouble/rows", after=journal.identifier(stop - 1))),
            "export": parts.access.link(query.path("/_bodydouble/requests.jsonl")),
            "address": str(request.base_url).rstrip("/"),
        }
        return render("journal", 400 if query.problem else 200, page="journal", **values)

    async def show_call(request: Request) -> Response:
        identifier: str = request.path_params["id"]
        number = journal.number(identifier)
        exchange = None if number is None else journal.exchange(number)
        if exchange is None:
            return render("missing", 404, page="journal", identifier=identifier[:80])
        answer, origin = exchange.answer, str(request.base_url).rstrip("/")
        numbers = journal.numbers()
        return render(
            "call",
            page="journal",
            exchange=exchange,
            row=row_of(exchange, links),
            prompt=prompt_of(exchange.body) or "",
            findings=findings_of(exchange),
            sent=message_of(exchange.headers, exchange.body, exchange.raw),
            answered=None if answer is None else message_of(answer.headers, answer.body, answer.raw),
            codes={"curl": as_curl(exchange, origin), "Python": as_python(exchange, origin)},
            newer=journal.identifier(number + 1) if number is not None and number + 1 in numbers else None,
            older=journal.identifier(number - 1) if number is not None and number - 1 in numbers else None,
        )

    async def clear(_request: Request) -> Response:
        journal.clear()
        return RedirectResponse("/_bodydouble/", 303)

    return [
        Route("/_bodydouble/", show_list, methods=["GET"]),
        Route("/_bodydouble/rows", _Rows(parts), methods=["GET"]),
        Route("/_bodydouble/clear", clear, methods=["POST"]),
        Route("/_bodydouble/calls/{id}", show_call, methods=["GET"]),
    ]


class _Rows:
    """An ASGI endpoint that sends each new call as a row of HTML, by the filters of the list."""

    def __init__(self, parts: PageParts) -> None:
        self._events = parts.events
        self._links = parts.links

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the reader disconnects."""
        query = _Query.of(Request(scope))

        def row_event(identifier: str, line: bytes) -> bytes:
            exchange = parse_exchange(orjson.loads(line))
            if query.problem or not query.filter.matches(exchange):
                # An id alone is no event, and a reader that comes back continues after it.
                return f"id: {identifier}\n\n".encode()
            flat = " ".join(fragment("row", row=row_of(exchange, self._links)).split("\n"))
            return f"id: {identifier}\nevent: row\ndata: {flat}\n\n".encode()

        await self._events.stream(scope, receive, send, row_event, pace_s=_PACE_S)

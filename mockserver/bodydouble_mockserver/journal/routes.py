"""The journal over HTTP, below ``/_bodydouble/requests``. Access is checked before these routes are reached."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from functools import wraps

import orjson
from bodydouble_spec import BadFilter, ExchangeFilter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from bodydouble_mockserver.journal.events import Events
from bodydouble_mockserver.journal.journal import Journal, matching_entries
from bodydouble_mockserver.scripting import BadMatch

__all__ = ["journal_routes"]

_REQUESTS = "/_bodydouble/requests"
_PAGE = 100
_MAX_PAGE = 1000
_MAX_BODY_BYTES = 64 * 1024

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
    ``GET …/{id}``, ``GET /_bodydouble/requests.jsonl`` (the file of a journal, with the same filters), ``DELETE``, ``GET …/count`` (with the same filters; ``dropped`` are older ones that made room), ``POST …/verify``, and ``GET /_bodydouble/events``.
    """
    return [
        Route(_REQUESTS, _answering(_list(journal)), methods=["GET"]),
        Route(_REQUESTS, _answering(_clear(journal)), methods=["DELETE"]),
        Route(f"{_REQUESTS}/count", _answering(_count(journal)), methods=["GET"]),
        Route(f"{_REQUESTS}/verify", _answering(_verify(journal)), methods=["POST"]),
        Route(f"{_REQUESTS}.jsonl", _answering(_export(journal)), methods=["GET"]),
        Route(f"{_REQUESTS}/{{id}}", _answering(_show(journal)), methods=["GET"]),
        Route("/_bodydouble/events", events, methods=["GET"]),
    ]


def _list(journal: Journal) -> _Endpoint:
    async def endpoint(request: Request) -> Response:
        """List calls.
        ---
        operationId: listRequests
        summary: The calls of the journal, the oldest first
        parameters:
          - $ref: "#/components/parameters/status"
          - $ref: "#/components/parameters/path"
          - $ref: "#/components/parameters/method"
          - $ref: "#/components/parameters/with_findings"
          - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 1000}}
          - {name: last, in: query, schema: {type: integer, minimum: 1, maximum: 1000}, description: the newest so many}
        responses:
          "200":
            description: One page.
            content:
              application/json:
                schema:
                  type: object
                  required: [requests, total, next]
                  properties:
                    requests: {type: array, items: {$ref: "#/components/schemas/Exchange"}}
                    total: {type: integer, minimum: 0}
                    next: {type: string, nullable: true}
        """
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
        matching = [item async for item in matching_entries(journal, _filter(parameters))]
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
        """Count calls.
        ---
        operationId: countRequests
        summary: The number of calls in the journal
        parameters:
          - $ref: "#/components/parameters/status"
          - $ref: "#/components/parameters/path"
          - $ref: "#/components/parameters/method"
          - $ref: "#/components/parameters/with_findings"
        responses:
          "200":
            description: The number, and that of older ones that made room.
            content:
              application/json:
                schema: {type: object, required: [count], properties: {count: {type: integer, minimum: 0}, dropped: {type: integer, minimum: 1}}}
        """
        chosen = _filter(_parameters(request))
        count = len([number async for number, _ in matching_entries(journal, chosen)])
        return _json({"count": count, **({"dropped": journal.dropped} if journal.dropped else {})})

    return endpoint


def _export(journal: Journal) -> _Endpoint:
    async def endpoint(request: Request) -> Response:
        """Export calls.
        ---
        operationId: exportRequests
        summary: The calls as JSON lines, the format of a journal's file
        parameters:
          - $ref: "#/components/parameters/status"
          - $ref: "#/components/parameters/path"
          - $ref: "#/components/parameters/method"
          - $ref: "#/components/parameters/with_findings"
        responses:
          "200":
            description: One exchange a line.
            content: {application/jsonl: {schema: {type: string}}}
        """
        parameters = _parameters(request)
        parameters.pop("proof", None)  # of the page's link, in the place of a key
        chosen = _filter(parameters)

        async def lines() -> AsyncGenerator[bytes]:
            async for _, exchange in matching_entries(journal, chosen):
                yield exchange.to_line()

        headers = {"content-disposition": 'attachment; filename="journal.jsonl"'}
        return StreamingResponse(lines(), 200, headers, "application/jsonl")

    return endpoint


def _show(journal: Journal) -> _Endpoint:
    async def endpoint(request: Request) -> Response:
        """Show one call.
        ---
        operationId: showRequest
        summary: One call
        responses:
          "200":
            description: The call.
            content: {application/json: {schema: {$ref: "#/components/schemas/Exchange"}}}
        """
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
        """Clear the journal.
        ---
        operationId: clearRequests
        summary: The journal is emptied
        responses:
          "200":
            description: The number of calls that were in it.
            content:
              application/json:
                schema: {type: object, required: [deleted], properties: {deleted: {type: integer, minimum: 0}}}
        """
        return _json({"deleted": journal.clear()})

    return endpoint


def _verify(journal: Journal) -> _Endpoint:
    async def endpoint(request: Request) -> Response:
        """Verify the calls.
        ---
        operationId: verifyRequests
        summary: The number of matching calls, against the expected number
        requestBody:
          required: true
          content:
            application/json:
              schema:
                type: object
                properties: {match: {type: object}, count: {type: integer, minimum: 0}, at_least: {type: integer, minimum: 0}, at_most: {type: integer, minimum: 0}}
        responses:
          "200":
            description: So many calls match.
            content: {application/json: {schema: {$ref: "#/components/schemas/Verdict"}}}
          "409":
            description: More or fewer calls match.
            content: {application/json: {schema: {$ref: "#/components/schemas/Verdict"}}}
        """
        # Imported here, so that a server starts sooner.
        from bodydouble_mockserver.journal.verify import CallExpectation

        try:
            expectation = CallExpectation.parse(orjson.loads(await _body(request)))
        except orjson.JSONDecodeError as error:
            where = f"line {error.lineno}, column {error.colno}"
            raise _BadRequest(f"the body is not JSON at {where}: {error.msg}", pointer="") from None
        except BadMatch as error:
            raise _BadRequest(str(error), pointer=error.pointer) from None
        calls = [item async for item in matching_entries(journal, ExchangeFilter())]
        verdict = expectation.check(calls, journal.dropped)
        return _json(verdict.to_dict(), 200 if verdict.holds else 409)

    return endpoint


def _parameters(request: Request) -> dict[str, str]:
    pairs = request.query_params.multi_items()
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise _BadRequest("a parameter was given twice; give each parameter once")
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

    return answer


def _json(value: object, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")

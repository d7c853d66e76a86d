"""The mock server as an ASGI application."""

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Any

from bodydouble_spec import REDACTED, Contract, Operation, Redactor, vendored
from bodydouble_spec.text import visible
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bodydouble_mockserver.account import account_routes
from bodydouble_mockserver.answer import Gallery, RefusalWriter, SuccessWriter, is_of_the_vendor
from bodydouble_mockserver.asgi import (
    CORS,
    TEXT_CORS,
    Answer,
    Headers,
    Receive,
    Scope,
    Send,
    header,
    send_answer,
    to_response,
)
from bodydouble_mockserver.control import CONTROL_PREFIX, control_routes, refuse_control
from bodydouble_mockserver.endpoint import HandledRequest, OperationEndpoint
from bodydouble_mockserver.faults import perform_fault
from bodydouble_mockserver.journal import Events, Journal, JournalFile, journal_routes
from bodydouble_mockserver.pictures import ContentStore
from bodydouble_mockserver.request import (
    CheckedRequest,
    Disconnected,
    MalformedRequest,
    Refusal,
    bearer_key,
    contract_limits,
    operation_limits,
)
from bodydouble_mockserver.scripting import BadScenario, ServerState, parse_scenario
from bodydouble_mockserver.settings import Settings

__all__ = ["MockServer", "create_app"]

LOG = logging.getLogger("bodydouble.mockserver")


def log_request(handled: HandledRequest) -> None:
    """Log method, path, status, the directives that took effect, and the first finding."""
    findings = handled.answer.findings
    first = next(iter(findings), None)
    note = "" if first is None else f" {first.id} {first.pointer or '/'}: {first.message}"
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    directives = f" [{', '.join(handled.effects.applied)}]" if handled.effects.applied else ""
    line = f"{handled.method} {handled.path} {handled.answer.status}{directives}{note}{more}"
    for secret in handled.checked.secrets:
        # The name of a parameter or header may be a key that is in the wrong place.
        if len(secret) >= Redactor.shortest_key:
            line = line.replace(secret.decode("latin-1"), REDACTED)
    # Control characters from a request must not reach the terminal.
    LOG.info("%s", visible(line))


# The bodies of the first operation and of at most so many more, whose schemas have so many bytes together, are prepared at start-up.
_MAX_PREPARED, _MAX_PREPARED_BYTES = 100, 1_000_000
_PARAMETER = re.compile(r"\{([^{}]*)\}")
_PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
    (b"access-control-max-age", b"86400"),
)


def create_app(contract: Contract | None = None, settings: Settings | None = None) -> "MockServer":
    """Create a mock server for a contract (default: the vendored one), to serve with uvicorn or to call in process::

        transport = httpx.ASGITransport(create_app())
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client: ...

    Raises ValueError for a dialect that the contract lacks, or a pictures folder without image files.
    """
    return MockServer(contract or Contract.load(), settings or Settings())


class MockServer(Starlette):
    """A Starlette application whose operations are answered ahead of its router.

    ``notices`` are the limits of the answers that an app should know before it relies on them, one sentence each.
    """

    def __init__(self, contract: Contract, settings: Settings) -> None:
        self.contract = contract
        self.settings = settings
        self._store = ContentStore()
        self._gallery = Gallery(self._store, settings.pictures)
        self._state = ServerState(settings)
        self.journal = Journal(
            self._state.hash_key,
            entries=settings.journal_entries,
            max_bytes=settings.journal_bytes,
            redactor=_redactor(contract, settings),
            file=None if settings.journal_file is None else JournalFile(settings.journal_file),
            run=None if settings.seed is None else f"{settings.seed & 0xFFFFFFFF:08x}",
        )
        self._events = Events(self.journal)
        self._new_id = settings.new_ids()
        self._endpoints: dict[str, dict[str, OperationEndpoint]] = {}
        templated: list[Route] = []
        self._writers: list[tuple[Operation, SuccessWriter]] = []
        is_vendor = is_of_the_vendor(contract)
        self._refusals = RefusalWriter(None, is_vendor=is_vendor)
        for operation in contract.operations:
            writer = SuccessWriter(operation, settings, self._gallery, is_vendor=is_vendor)
            self._writers.append((operation, writer))
            refusals = RefusalWriter(operation, is_vendor=is_vendor)
            endpoint = OperationEndpoint(
                operation, writer, refusals, settings, self._state, self._new_id, self._store.put
            )
            for path in _spellings(operation.path):
                if "{" in path:
                    template, names = _template(path)
                    templated.append(
                        Route(template, _TemplatedEndpoint(endpoint, self, names), methods=[operation.method])
                    )
                else:
                    self._endpoints.setdefault(path, {})[operation.method] = endpoint
        self.notices = [*self._prepare()]
        super().__init__(
            routes=[
                *templated,
                Route("/generations/{name}/{file}", self._picture, methods=["GET", "HEAD"]),
                *(account_routes(contract, settings, self._state, self._new_id) if is_vendor else ()),
                *control_routes(contract, self._writers, self._state, self.play, self.reset),
                *journal_routes(self.journal, self._events),
            ],
            exception_handlers={HTTPException: self._http_error},
            lifespan=self._lifespan,
        )
        # The API serves both spellings itself; with a redirect, some clients lose the body of a POST.
        self.router.redirect_slashes = False

    def play(self, scenario: Any) -> None:
        """Add a scenario (parsed JSON or YAML) to the script. Raises BadScenario with the pointer of the mistake."""
        if not self._writers:
            raise BadScenario("", "this contract has no operation that could be scripted")
        operation, writer = self._writers[0]
        self._state.add(parse_scenario(scenario, operation, writer.choices))

    def _prepare(self) -> Iterator[str]:
        """Prepare the bodies of operations, as many as take little time, and yield the limits of their answers, one sentence each."""
        yield from contract_limits(self.contract)
        # The README says which dialects the vendored contract does not allow.
        names_dialects = self.contract.source != vendored.NAME
        size = 0
        for index, (operation, writer) in enumerate(self._writers):
            yield from operation_limits(operation)
            size += writer.size
            if index and (index >= _MAX_PREPARED or size > _MAX_PREPARED_BYTES):
                rest = len(self._writers) - index
                yield f"{rest} more operation{'s are' if rest > 1 else ' is'} prepared when first called; the limits of the answers are logged then"
                return
            yield from writer.prepare(names_dialects=names_dialects)

    def reset(self) -> None:
        """Clear scripts, limits, balances and the journal."""
        self._state.clear()
        self.journal.clear()

    def end_streams(self) -> None:
        """End the event streams, since a server that shuts down waits for them."""
        self._events.close()

    def close(self) -> None:
        """End event streams, flush the journal's file and remove temporary files; runs at shutdown, and is safe to call again."""
        self.end_streams()
        self.journal.close()
        self._store.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        method = scope["method"]
        endpoint = self._endpoints.get(scope["path"], {}).get(method)
        if endpoint is not None:
            await self.respond(endpoint, scope, receive, send)
        elif scope["path"].startswith(CONTROL_PREFIX):
            await self._control(scope, receive, send)
        elif method == "OPTIONS":
            await _preflight(scope, send)
        else:
            await super().__call__(scope, receive, send)

    async def _control(self, scope: Scope, receive: Receive, send: Send) -> None:
        # No CORS here: pages of another origin must not read an app's requests.
        refusal = refuse_control(self.settings, dict(scope["headers"]))
        if refusal is None:
            await super().__call__(scope, receive, send)
        else:
            await JSONResponse({"error": refusal[1]}, refusal[0])(scope, receive, send)

    async def respond(self, endpoint: OperationEndpoint, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request to an operation, and log it."""
        start = time.perf_counter()
        try:
            handled = await endpoint.answer(scope, receive)
        except Disconnected:
            return
        except Exception:
            LOG.exception("the mock failed on %s %s; this is a bug in bodydouble", scope["method"], scope["path"])
            await send_answer(send, self._refuse(500, scope))
            return
        duration_s = time.perf_counter() - start
        handled.started = self.settings.clock() - duration_s
        handled.duration_s = duration_s + handled.effects.delay_s
        # Recorded before the delay, so that a request is recorded even when the client gives up during the delay.
        self._record(handled)
        if handled.effects.delay_s:
            await asyncio.sleep(handled.effects.delay_s)
        if handled.effects.fault is None:
            await send_answer(send, handled.answer)
        else:
            await perform_fault(handled.effects.fault, handled.answer, scope, receive, send)

    def _record(self, handled: HandledRequest) -> None:
        self.journal.append(handled)
        if self.settings.log:
            log_request(handled)

    async def _picture(self, request: Request) -> Response:
        image = await self._gallery.picture(request.scope["path"])
        if image is None:
            raise HTTPException(404)
        headers = {"etag": image.etag, "cache-control": "public, max-age=31536000", **TEXT_CORS}
        known = request.headers.get("if-none-match", "")
        if image.etag in known or known.strip() == "*":
            return Response(status_code=304, headers=headers)
        # For HEAD, Starlette sets Content-Length from this body and then omits it.
        return Response(image.data, headers=headers, media_type=image.media_type)

    async def _http_error(self, request: Request, error: Exception) -> Response:
        # This vendor treats an unknown method as an unknown route.
        status = error.status_code if isinstance(error, HTTPException) else 500
        if request.scope["path"].startswith(CONTROL_PREFIX):
            return JSONResponse({"error": f"no such route: {request.method} {request.scope['path'][:200]}"}, status)
        answer = self._refuse(404 if status == 405 else status, request.scope)
        # The request body was never read.
        key = bearer_key(header(request.scope, b"authorization"))
        self._record(HandledRequest(request.scope, answer, CheckedRequest(None, key), started=self.settings.clock()))
        return to_response(answer)

    def refuse_malformed(self, malformed: MalformedRequest, headers: Headers) -> Answer:
        """Record a request that the HTTP parser refused, and return its answer; ``headers`` are those that were read."""
        scope = {"method": malformed.method, "path": malformed.path, "query_string": b"", "headers": headers}
        refusal = Refusal(malformed.status, malformed.message)
        now = self.settings.clock()
        answer = self._refusals.write(malformed.status, refusal, malformed.path, self._new_id(), now)
        answer.findings = [malformed.finding()]
        key = bearer_key(header(scope, b"authorization"))
        self._record(HandledRequest(scope, answer, CheckedRequest(None, key, refusal=refusal), started=now))
        return answer

    def _refuse(self, status: int, scope: Scope) -> Answer:
        return self._refusals.write(status, Refusal(status), scope["path"], self._new_id(), self.settings.clock())

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncGenerator[None]:
        yield
        self.close()


class _TemplatedEndpoint:
    """An endpoint with a path template, which only the router can match."""

    def __init__(self, endpoint: OperationEndpoint, server: MockServer, names: Sequence[str]) -> None:
        self._endpoint = endpoint
        self._server = server
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["path_params"] = dict(zip(self._names, scope["path_params"].values(), strict=True))
        await self._server.respond(self._endpoint, scope, receive, send)


def _redactor(contract: Contract, settings: Settings) -> Redactor:
    """Return a redactor of the configured keys, and of the query parameters that are keys by the contract."""
    keys = (*settings.api_keys, *([] if settings.control_key is None else [settings.control_key]))
    return Redactor(keys, [name for item in contract.operations for name in item.security.names("query")])


def _template(path: str) -> tuple[str, list[str]]:
    """Return a path template for the router, which allows fewer names than OpenAPI does, and the names in the contract."""
    parts = _PARAMETER.split(path)
    names = parts[1::2]
    # A brace outside of a parameter is not a template's.
    texts = [part.replace("{", "%7B").replace("}", "%7D") for part in parts[::2]]
    template = texts[0] + "".join(f"{{p{index}}}{text}" for index, text in enumerate(texts[1:]))
    return template, names


async def _preflight(scope: Scope, send: Send) -> None:
    asked = header(scope, b"access-control-request-headers") or b"authorization, content-type"
    headers = [*CORS, *_PREFLIGHT, (b"access-control-allow-headers", asked)]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _spellings(path: str) -> list[str]:
    """Return the paths of an operation: under both official base URLs, with and without a trailing slash."""
    bare = path.rstrip("/") or "/"
    both = [bare, bare.removeprefix("/v1")] if bare.startswith("/v1/") else [bare]
    return [spelling for item in both for spelling in (item, f"{item}/")]

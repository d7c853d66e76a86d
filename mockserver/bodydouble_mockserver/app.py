"""The mock server as an ASGI application."""

import asyncio
import contextlib
import time
import traceback
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bodydouble_spec import Contract, Redactor
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bodydouble_mockserver.account import AccountRoutes
from bodydouble_mockserver.answer import Gallery, RefusalWriter
from bodydouble_mockserver.asgi import (
    Answer,
    BodyTooLarge,
    Headers,
    Receive,
    Scope,
    Send,
    again,
    header,
    limited,
    send_answer,
    send_preflight,
    to_response,
)
from bodydouble_mockserver.control import CONTROL_PREFIX, control_routes, refuse_large, state_away
from bodydouble_mockserver.control_document import document_route
from bodydouble_mockserver.endpoints import (
    PICTURES,
    Effects,
    HandledRequest,
    PictureEndpoint,
    Service,
    SharedParts,
)
from bodydouble_mockserver.errors import StateUnavailable
from bodydouble_mockserver.faults import perform_fault
from bodydouble_mockserver.journal import Events, journal_routes
from bodydouble_mockserver.logs import log_failure, log_request
from bodydouble_mockserver.page import AnswerPictures, PageAccess, PageParts, PageRoutes, PictureLinks
from bodydouble_mockserver.pauses import Pauses
from bodydouble_mockserver.request import (
    CheckedRequest,
    Disconnected,
    Intake,
    MalformedRequest,
    Refusal,
    RequestReader,
    bearer_key,
)
from bodydouble_mockserver.scripting import MatchedRequest, Scenario, ScriptedAnswer, bind_answer, parse_scenario
from bodydouble_mockserver.settings import Settings
from bodydouble_mockserver.shared import new_memory

if TYPE_CHECKING:
    from bodydouble_mockserver.keeping import KeepSettings
    from bodydouble_mockserver.replay import Replay, ReplaySettings

__all__ = ["MockServer", "create_app"]

_Answering = Callable[[Scope, Receive], Coroutine[Any, Any, HandledRequest]]


def create_app(
    contract: Contract | Sequence[Contract] | None = None,
    settings: Settings | None = None,
    replay: "ReplaySettings | None" = None,
    keep: "KeepSettings | None" = None,
    state: str | None = None,
) -> "MockServer":
    """Create a mock server for a contract or several (default: the vendored one), to serve with uvicorn or to call in process::

        transport = httpx.ASGITransport(create_app())
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client: ...

    Operations of several contracts with the same method and path are distinguished by the property of the body whose ``enum`` or ``const`` differs.
    Calls that ``replay`` has are answered as they were recorded, and ``keep`` names a folder with the inputs of pictures, so that their URLs work after a restart.
    ``state`` is the URL of a Redis in which several processes share their state.
    Raises ValueError for a dialect that a contract lacks, a pictures folder without image files, operations that cannot be distinguished, or a folder or Redis that cannot be used.
    """
    return MockServer(Contract.load() if contract is None else contract, settings or Settings(), replay, keep, state)


class MockServer(Starlette):
    """A Starlette application whose operations are answered ahead of its router.

    ``background`` are functions whose coroutines run while the server does.
    """

    def __init__(
        self,
        contract: Contract | Sequence[Contract],
        settings: Settings,
        replay: "ReplaySettings | None" = None,
        keep: "KeepSettings | None" = None,
        state: str | None = None,
    ) -> None:
        contracts = [contract] if isinstance(contract, Contract) else [*contract]
        self.settings = settings
        self.background: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._script: Any = None
        self.redactor = _redactor(contracts, settings)
        self._memory = new_memory(
            settings, self.redactor, keep, state, lambda source: bind_answer(source, "", self._service.targets)
        )
        self._is_shared = state is not None
        self._state, self._store, self.journal = self._memory.state, self._memory.inputs, self._memory.journal
        self._events = Events(self.journal)
        self._access = PageAccess(settings)
        self._pauses = Pauses()
        gallery = Gallery(self._store, settings.pictures, self._memory.recipes, settings.render)
        new_id = settings.new_ids(self._memory.number)
        self._parts = SharedParts(settings, gallery, self._state, new_id, RequestReader(settings, self._store.put))
        self._service = Service(contracts, self._parts)
        self._replay = None if replay is None else self.new_replay(replay)
        recorded = {} if self._replay is None else {"recorded": self._replay.picture}
        self._pictures = PictureEndpoint(self._parts, self._refusals, **recorded)
        super().__init__(
            routes=self._routes(self._service),
            exception_handlers={
                HTTPException: self._http_error,
                BodyTooLarge: refuse_large,
                StateUnavailable: lambda _request, error: state_away(error),
            },
            lifespan=self._lifespan,
        )
        # The API serves both spellings itself; with a redirect, some clients lose the body of a POST.
        self.router.redirect_slashes = False

    @property
    def contract(self) -> Contract:
        """The contract that is served, the first of several."""
        return self._service.contracts[0]

    @property
    def contracts(self) -> tuple[Contract, ...]:
        """The contracts that are served."""
        return self._service.contracts

    @property
    def replay(self) -> "Replay | None":
        """The replay of recordings, None without one."""
        return self._replay

    def _refusals(self) -> RefusalWriter:
        return self._service.refusals

    def _routes(self, service: Service) -> list[BaseRoute]:
        recorded = {"/generations/{name}/{file}": self._pictures.answer}
        if service.is_vendor:
            recorded |= AccountRoutes(service.contracts, self._parts).by_path()
        controls = [
            *control_routes(self, service.contracts, service.targets, self._state),
            *journal_routes(self.journal, self._events),
        ]
        return [
            *(Route(path, _EndpointRoute(self, answer), methods=["GET", "HEAD"]) for path, answer in recorded.items()),
            *controls,
            document_route(controls, has_key=self.settings.control_key is not None),
            PageRoutes(self._page_parts(service)),
        ]

    def _page_parts(self, service: Service) -> PageParts:
        pictures = AnswerPictures(self._parts.gallery, self._replay)
        links = PictureLinks(self._access, self._store, pictures)
        return PageParts(self, service, self._state, self._events, self._access, links)

    def play(self, scenario: Any) -> Sequence[str]:
        """Add a scenario (parsed JSON or YAML) to the script, and return the ids of its answers. Raises BadScenario with the pointer of the mistake."""
        return self._state.add(parse_scenario(scenario, self._service.targets))

    def play_function(self, scenario: Any, reply: Callable[[MatchedRequest], Mapping[str, Any]]) -> str:
        """Add the one answer of a scenario, made by a function when it is used, and return its id.

        The function runs in the server's thread; what it returns has the keys of an answer. Raises BadScenario.
        """
        parsed = parse_scenario(scenario, self._service.targets)
        (answer,) = parsed.answers
        kept = {name: answer.source[name] for name in ("path",) if name in answer.source}
        answer.compute = lambda request: bind_answer({**kept, **reply(request)}, "", self._service.targets)
        self._state.add(parsed)
        return answer.id

    def play_file(self, scenario: Any) -> None:
        """Add the scenario of the run's file, which `prepare` can replace. Raises BadScenario."""
        self._state.add(_of_file(parse_scenario(scenario, self._service.targets)))
        self._script = scenario

    def prepare(self, contracts: Sequence[Contract], script: Any = None) -> Callable[[], None]:
        """Prepare the replacement of the contracts, and of the scenario of the run's file; the function that is returned makes it.

        Journal, balances, pictures and the uses of scripted answers stay. This takes a while and may run in another thread; the function
        does not, and runs on the server's loop. Raises ValueError when the contracts cannot be served, or a scripted answer does not fit
        them; both raise StateUnavailable.
        """
        service = Service(contracts, self._parts)
        scenario = None if script is None else parse_scenario(script, service.targets)
        is_same_script = script == self._script

        def rebound(answer: ScriptedAnswer) -> ScriptedAnswer:
            if not answer.has_uses_left:
                return answer
            bound = bind_answer(answer.source, f"/{answer.id}", service.targets)
            return replace(bound, id=answer.id, used=answer.used, is_of_file=answer.is_of_file)

        for answer in self._state.answers:
            if is_same_script or not answer.is_of_file:
                rebound(answer)

        def take_over() -> None:
            self.router.routes[:] = self._routes(service)
            self._service = service
            self._state.rebind(rebound, None if is_same_script else _of_file(scenario or Scenario(())))
            self._script = script

        return take_over

    @property
    def notices(self) -> list[str]:
        """The limits of the answers that an app should know before it relies on them, one sentence each."""
        return [*self._parts.gallery.notices, *self._service.notices]

    @property
    def memory_notices(self) -> list[str]:
        """The state that was there when the server started, one sentence each."""
        return self._memory.notices

    @property
    def is_used(self) -> bool:
        """True when there is a request in the journal, a script or a limit."""
        return bool(self.journal.numbers()) or self._state.is_scripted or self._state.has_limits

    def reset(self) -> None:
        """Clear scripts, limits, balances and the journal, and begin a replay again."""
        self._state.clear()
        if self._replay is not None:
            self._replay.library.rewind()
        self.journal.clear()

    def end_waiting(self) -> None:
        """End event streams and send delayed answers now, since a server that shuts down waits for them."""
        self._events.close()
        self._pauses.end()

    def problems(self) -> list[str]:
        """Return what was lost or is away, one sentence each."""
        return self._memory.problems

    def close(self) -> None:
        """End what waits, flush the journal's file and remove temporary files; runs at shutdown, and is safe to call again."""
        self.end_waiting()
        self._memory.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        method = scope["method"]
        if self._is_shared:
            self._memory.refresh()
        endpoint = self._service.literal.get(scope["path"], {}).get(method)
        if endpoint is not None:
            await self.respond(endpoint.answer, scope, receive, send)
        elif scope["path"].startswith(CONTROL_PREFIX):
            await self._control(scope, receive, send)
        elif method == "OPTIONS":
            await send_preflight(scope, send)
        elif self._state.is_foreign(scope["path"]):
            await self.respond(self._service.foreign.answer, scope, receive, send)
        elif (templated := self._service.find(scope)) is not None:
            await self.respond(templated.answer, scope, receive, send)
        elif (page := self._access.way_from_root(scope)) is not None:
            await page(scope, receive, send)
        elif self._replay is not None and not scope["path"].startswith(PICTURES):
            await self._replay_other_route(self._replay, scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def _control(self, scope: Scope, receive: Receive, send: Send) -> None:
        # No CORS here: pages of another origin must not read an app's requests.
        refusal, receive_limited = self._access.refuse(scope), limited(receive, self.settings.max_body_bytes)
        refusal = refusal or self._access.refuse_without_state(scope, self._memory)
        with contextlib.suppress(ClientDisconnect):  # while it sent a body
            await (super().__call__ if refusal is None else refusal)(scope, receive_limited, send)

    def _may_replay(self, handled: HandledRequest) -> bool:
        """Return whether nothing but the contract decided an answer: what was asked for, scripted or limited comes before a recording."""
        effects, status = handled.effects, handled.answer.status
        return not (
            handled.kind is not None
            or effects.matched is not None
            or effects.applied
            or b"prefer" in dict(handled.headers)
            or (self._state.has_limits and status in (403, 429))
            or (self.settings.fail_rate and status >= 500)
        )

    async def _replay_other_route(self, replay: "Replay", scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a route of no contract as it was recorded, and one that no recording has as without a replay."""
        start = time.perf_counter()
        try:
            handled, body = await self._service.foreign.take(scope, receive)
        except Disconnected:
            return
        if replay.take_over(handled):
            await self._send(self._recorded(handled, start), handled.effects, scope, receive, send)
        else:
            await super().__call__(scope, again(body, receive), send)

    async def respond(self, answer: _Answering, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request by the method of an endpoint, or by a recording where a replay has it, and log it."""
        start = time.perf_counter()
        try:
            handled = await answer(scope, receive)
            if self._replay is not None and self._may_replay(handled):
                self._replay.take_over(handled)
        except Disconnected:
            return
        except Exception:  # noqa: BLE001 - a bug here must not take the server away
            handled = self._failed(scope, traceback.format_exc())
        answered, effects = self._recorded(handled, start), handled.effects
        del handled  # the megabytes of a body are not kept for the time of a delay
        await self._send(answered, effects, scope, receive, send)

    def _recorded(self, handled: HandledRequest, start: float) -> Answer:
        """Record a request that was handled since ``start``, and return its answer with the headers of all answers.

        It is recorded before its delay, so also when the client gives up meanwhile.
        """
        duration_s = time.perf_counter() - start
        handled.started = self.settings.clock() - duration_s
        handled.duration_s = duration_s + handled.effects.delay_s
        self.record(handled)
        handled.answer.headers += self._service.exposed
        return handled.answer

    async def _send(self, answer: Answer, effects: Effects, scope: Scope, receive: Receive, send: Send) -> None:
        """Send an answer as its effects have it."""
        if self._is_shared:
            await self._memory.written()
        if effects.delay_s:
            await self._pauses.wait(effects.delay_s)
        if effects.fault is None:
            await send_answer(send, answer, with_body=scope["method"] != "HEAD")
        else:
            await perform_fault(effects.fault, answer, scope, receive, send)

    def _failed(self, scope: Scope, trace: str) -> HandledRequest:
        """Log an error of the mock's own, and return the request with a 500."""
        log_failure(scope, trace, self.redactor)
        answer = self._parts.refuse(self._service.refusals, Refusal(500), scope["path"])
        return HandledRequest(scope, answer, CheckedRequest(None, bearer_key(header(scope, b"authorization"))))

    def new_replay(self, options: "ReplaySettings") -> "Replay":
        """Return a replay in the envelope and with the ids of this server."""
        # Imported here: most servers replay nothing, and start sooner.
        from bodydouble_mockserver.replay import Replay

        return Replay(options, self.settings, self.redactor, self._refusals, self._parts.new_id, self._memory.uses)

    async def examine(self, scope: Scope, receive: Receive) -> tuple[HandledRequest, bytes]:
        """Read and check a request that another server answers: its answer is empty, of status 0. Return its body as sent, too.

        Raises Disconnected.
        """
        headers, parts = dict(scope["headers"]), list[bytes]()
        endpoint = self._service.find(scope) or self._service.foreign

        async def receive_part() -> Any:
            message = await receive()
            parts.append(message.get("body", b""))
            return message

        def use(intake: Intake) -> HandledRequest:
            return endpoint.examine(scope, headers, intake)

        _, handled, _ = await self._parts.reader.read(headers, receive_part, use)
        return handled, b"".join(parts)

    def refuse(self, refusal: Refusal, scope: Scope) -> Answer:
        """Return an error answer in the envelope of the service."""
        return self._parts.refuse(self._service.refusals, refusal, scope["path"])

    def input(self, sha256: str) -> bytes | None:
        """Return an input picture by the hash of its bytes; None when it is not stored any more."""
        return self._store.get(sha256)

    def record(self, handled: HandledRequest) -> None:
        """Add a request with its answer to journal and log."""
        self.journal.append(handled)
        if self.settings.log:
            log_request(handled, self.redactor, with_contract=len(self.contracts) > 1)

    async def _http_error(self, request: Request, error: Exception) -> Response:
        if request.scope["path"].startswith(CONTROL_PREFIX):
            status = error.status_code if isinstance(error, HTTPException) else 500
            return JSONResponse({"error": f"no such route: {request.method} {request.scope['path'][:200]}"}, status)
        # This vendor treats an unknown method as an unknown route.
        try:
            handled, _ = await self._service.foreign.take(request.scope, request.receive)
        except Disconnected:
            return Response(status_code=404)
        self.record(handled)
        handled.answer.headers += self._service.exposed
        return to_response(handled.answer)

    def refuse_malformed(self, malformed: MalformedRequest, headers: Headers) -> Answer:
        """Record a request that the HTTP parser refused, and return its answer; ``headers`` are those that were read."""
        scope = {"method": malformed.method, "path": malformed.path, "query_string": b"", "headers": headers}
        refusal = Refusal(malformed.status, malformed.message)
        now = self.settings.clock()
        answer = self._parts.refuse(self._service.refusals, refusal, malformed.path)
        answer.findings = [malformed.finding()]
        key = bearer_key(header(scope, b"authorization"))
        self.record(HandledRequest(scope, answer, CheckedRequest(None, key, refusal=refusal), started=now))
        answer.headers += self._service.exposed
        return answer

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncGenerator[None]:
        running = [asyncio.create_task(start()) for start in self.background]
        yield
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self.close()


class _EndpointRoute:
    """The method of an endpoint as an ASGI application, for the router."""

    def __init__(self, server: MockServer, answer: _Answering) -> None:
        self._server = server
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._server.respond(self._answer, scope, receive, send)


def _of_file(scenario: Scenario) -> Scenario:
    for answer in scenario.answers:
        answer.is_of_file = True
    return replace(scenario, is_of_file=True)


def _redactor(contracts: Sequence[Contract], settings: Settings) -> Redactor:
    """Return a redactor of the configured keys, and of the query parameters that are keys by the contracts."""
    keys = (*settings.api_keys, *([] if settings.control_key is None else [settings.control_key]))
    return Redactor(
        keys, [name for contract in contracts for item in contract.operations for name in item.security.names("query")]
    )

"""Endpoints of the contract's operations: the request is checked, then answered by the contract and the directives of the call.

An endpoint works on raw ASGI ahead of the router: Starlette's Request and Response would take most of the time of an answer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bodydouble_spec import Operation
from bodydouble_spec.values import path_names

from bodydouble_mockserver.answer import RefusalWriter, SuccessWriter, Unanswerable
from bodydouble_mockserver.asgi import BODILESS, Answer, Headers, Receive, Scope
from bodydouble_mockserver.directives import Directives, parse_prefer, prefer_finding, unread_preferences
from bodydouble_mockserver.endpoints.dispatch import Choice
from bodydouble_mockserver.faults import impossible_reason
from bodydouble_mockserver.request import CheckedRequest, Intake, Refusal, check, read_body, take_in
from bodydouble_mockserver.scripting import OUT_OF_CREDITS, ScriptedAnswer, ServerState
from bodydouble_mockserver.settings import Settings

__all__ = [
    "ChoosingEndpoint",
    "Effects",
    "HandledRequest",
    "OperationEndpoint",
    "UnknownValueEndpoint",
    "apply_script",
    "put_header",
    "receive_body",
]


@dataclass(frozen=True, slots=True)
class Effects:
    """Everything that a Prefer header, a script or a setting of the run changed about one answer.

    The answer waits for ``delay_s`` seconds and is broken by ``fault``. ``matched`` is the id of the scripted answer that was used, ``applied``
    the directives that took effect ("code=429", "fault=hang").
    """

    delay_s: float = 0.0
    fault: str | None = None
    matched: str | None = None
    applied: Sequence[str] = ()


_NO_EFFECTS = Effects()
_NO_BODY = Intake()


@dataclass(slots=True)
class HandledRequest:
    """A request and its answer, neither redacted nor formatted: the journal and the log decide what to keep.

    ``scope`` is that of the ASGI connection, ``intake`` the body (empty where the request was refused unread), ``operation`` the key of the
    operation or None, ``kind`` what was asked for where it is no operation. ``started`` is seconds since the epoch, and ``duration_s`` includes the delay.
    """

    scope: Scope
    answer: Answer
    checked: CheckedRequest
    intake: Intake = _NO_BODY
    operation: str | None = None
    contract: str | None = None
    kind: str | None = None
    effects: Effects = _NO_EFFECTS
    started: float = 0.0
    duration_s: float = 0.0

    @property
    def method(self) -> str:
        """The request method."""
        method: str = self.scope["method"]
        return method

    @property
    def path(self) -> str:
        """The path, percent-decoded by the ASGI server."""
        path: str = self.scope["path"]
        return path

    @property
    def query(self) -> bytes:
        """The query string as sent, without the question mark."""
        query: bytes = self.scope["query_string"]
        return query

    @property
    def headers(self) -> Headers:
        """The request's headers as received, by lower-case name."""
        headers: Headers = self.scope["headers"]
        return headers


_NO_DIRECTIVES = Directives()
# Directives that have no effect on a refusal, and those that have none on a success.
_SUCCESS_ONLY = frozenset({"dialect", "images", "violation"})
_ERROR_ONLY = frozenset({"envelope"})


async def receive_body(
    scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, settings: Settings, put: Callable[[bytes], str]
) -> tuple[Intake, bool]:
    """Read the body of a request, and return whether it was read to its end. Raises Disconnected."""
    message = await receive()
    sent: bytes = message.get("body", b"")
    limit = settings.max_body_bytes
    is_whole = message.get("more_body") is False and len(sent) <= limit
    body = sent if is_whole else await read_body(scope, receive, limit, message)
    intake = take_in(body, headers, settings, put)
    return intake, body is not intake.problem


class OperationEndpoint:
    """Answers one operation; `answer` builds the answer and reads the body, but sends nothing.

    ``put`` stores an input picture and returns its hash. ``contract`` names the contract in the journal, None where there is only the vendored
    one.
    """

    contract: str | None = None

    def __init__(
        self,
        operation: Operation,
        writer: SuccessWriter,
        refusals: RefusalWriter,
        settings: Settings,
        state: ServerState,
        new_id: Callable[[], str],
        put: Callable[[bytes], str],
    ) -> None:
        self.operation = operation
        self.writer = writer
        self._put = put
        self.refusals = refusals
        self._settings = settings
        self._state = state
        self._new_id = new_id
        self._parameters = path_names(operation.path)
        self._echoes = [(echo, echo.name.encode(), echo.source.encode()) for echo in operation.echoes]

    async def answer(self, scope: Scope, receive: Receive) -> HandledRequest:
        """Read and answer one request. Raises Disconnected when the client disconnects while sending."""
        headers = dict(scope["headers"])
        return await self.answer_intake(scope, headers, await self.take_in(scope, headers, receive))

    async def take_in(self, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive) -> tuple[Intake, bool]:
        """Read the body of a request, whatever its operation, and return whether it was read to its end."""
        return await receive_body(scope, headers, receive, self._settings, self._put)

    async def answer_intake(
        self, scope: Scope, headers: Mapping[bytes, bytes], taken: tuple[Intake, bool]
    ) -> HandledRequest:
        """Answer one request whose body was read by `take_in`."""
        intake, is_whole = taken
        request_id = self._new_id()
        if self._parameters:
            # The router knows them by number, since contracts may give them different names.
            scope["path_params"] = dict(zip(self._parameters, scope["path_params"].values(), strict=True))
        checked = self._check(headers, intake, scope)
        try:
            handled = self._usual(scope, headers, checked, request_id) or await self._decide(
                scope, headers, checked, request_id
            )
        except Unanswerable as error:
            handled = HandledRequest(scope, self._refuse(scope, request_id, Refusal(400, str(error)), checked), checked)
        handled.operation = self.operation.key
        handled.contract = self.contract
        handled.intake = intake
        if not is_whole:
            handled.answer.headers.append((b"connection", b"close"))
        for echo, name, source in self._echoes:
            value = headers.get(source)
            if value is not None and echo.allows(value.decode("latin-1")):
                handled.answer.headers.append((name, value))
        return handled

    def _check(self, headers: Mapping[bytes, bytes], intake: Intake, scope: Scope) -> CheckedRequest:
        return check(self.operation, self._settings, headers, intake, scope)

    def _usual(
        self, scope: Scope, headers: Mapping[bytes, bytes], checked: CheckedRequest, request_id: str
    ) -> HandledRequest | None:
        """Answer a usual call, a success without directives, by a short path; return None for any other call."""
        if checked.refusal is not None or b"prefer" in headers or not self._state.is_usual:
            return None
        answer = self.writer.write_usual(checked.parsed, scope, headers, request_id)
        if answer is None:
            return None
        answer.findings = checked.findings
        return HandledRequest(scope, answer, checked)

    async def _decide(
        self, scope: Scope, headers: Mapping[bytes, bytes], checked: CheckedRequest, request_id: str
    ) -> HandledRequest:
        preferred = _NO_DIRECTIVES
        if b"prefer" in headers:
            values = [value for name, value in scope["headers"] if name == b"prefer"]
            preferred = parse_prefer(values, self.writer.choices)
            unread = unread_preferences(values, self.writer.choices, self.operation.key)
            impossible = impossible_reason(preferred.fault, scope)
            if impossible is not None:
                unread.append(prefer_finding("prefer-not-applied", impossible, self.operation.key))
                preferred = replace(preferred, fault=None)
            if unread:
                checked.findings = [*checked.findings, *unread]
        scripted = (
            self._state.next_scripted(scope, headers, checked, self.operation) if self._state.is_scripted else None
        )
        requested = preferred if scripted is None else preferred.with_defaults(scripted.directives)
        directives = self._state.with_run_settings(requested, may_fail=scripted is None)
        impossible = impossible_reason(directives.fault, scope)
        if impossible is not None:
            return HandledRequest(scope, self._refuse(scope, request_id, Refusal(400, impossible), checked), checked)
        answer, ignored = await self._build(scope, headers, checked, request_id, directives, scripted)
        applied = [text for name, text in preferred.as_preferences().items() if name not in ignored]
        if applied:
            answer.headers.append((b"preference-applied", ", ".join(applied).encode("latin-1")))
        effects = Effects(
            delay_s=0.0 if directives.delay is None else self._state.pick_delay(directives.delay),
            fault=directives.fault,
            matched=None if scripted is None else scripted.id,
            applied=tuple(text for name, text in requested.as_preferences().items() if name not in ignored),
        )
        return HandledRequest(scope, answer, checked, effects=effects)

    async def _build(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        checked: CheckedRequest,
        request_id: str,
        directives: Directives,
        scripted: ScriptedAnswer | None,
    ) -> tuple[Answer, frozenset[str]]:
        """Return the answer, and the names of directives that had no effect on it."""
        code, ignored = directives.code, _SUCCESS_ONLY
        if code is not None and code >= 300:
            answer = self._refuse(scope, request_id, _requested_error(code, checked), checked, directives)
        elif checked.refusal is not None and code is None:
            answer = self._refuse(scope, request_id, checked.refusal, checked, directives)
        else:
            answer, ignored = await self._succeed(scope, headers, checked, request_id, directives)
        if directives.retry_after is not None:
            put_header(answer, b"retry-after", b"%d" % directives.retry_after)
        if scripted is not None:
            apply_script(answer, scripted)
        if answer.status in BODILESS:
            answer.body = answer.content_type = b""
        if not answer.body or (scripted is not None and scripted.body is not None):
            ignored = _SUCCESS_ONLY | _ERROR_ONLY
        return answer, ignored

    async def _succeed(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        checked: CheckedRequest,
        request_id: str,
        directives: Directives,
    ) -> tuple[Answer, frozenset[str]]:
        # A caller may ask for a success although its request could not be read.
        priced = self.writer.read(checked.parsed if checked.refusal is None else {})
        if self._state.has_limits:
            exceeded = self._state.charge(checked.key, priced.cost)
            if exceeded is not None:
                refused = self._refuse(scope, request_id, exceeded.refusal, checked, directives)
                if exceeded.retry_after_s is not None:
                    put_header(refused, b"retry-after", b"%d" % exceeded.retry_after_s)
                return refused, _SUCCESS_ONLY
        answer, ignored = await self.writer.write(priced, scope, headers, request_id, directives)
        answer.findings = checked.findings
        return answer, ignored | _ERROR_ONLY

    def _refuse(
        self,
        scope: Scope,
        request_id: str,
        refusal: Refusal,
        checked: CheckedRequest,
        directives: Directives = _NO_DIRECTIVES,
    ) -> Answer:
        # A status that was asked for is sent as it is.
        status = refusal.status if directives.code is not None else self.refusals.status(refusal)
        legacy = directives.envelope == "legacy"
        answer = self.refusals.write(status, refusal, scope["path"], request_id, self._settings.clock(), legacy=legacy)
        answer.findings = checked.findings
        return answer


class UnknownValueEndpoint(OperationEndpoint):
    """Refuses requests that are for no operation of any contract, with all known values of the property that decides."""

    def _check(self, headers: Mapping[bytes, bytes], intake: Intake, scope: Scope) -> CheckedRequest:
        checked = super()._check(headers, intake, scope)
        refusal = checked.refusal
        if refusal is not None and refusal.data and refusal.detail is None and checked.findings:
            # The vendor lists the known values in its envelope; that of another service may have no place for more than a text.
            checked.refusal = replace(refusal, detail=f"Invalid request: {checked.findings[0].message}")
        return checked


class ChoosingEndpoint:
    """Answers the operations of several contracts with one method and path; the parsed body decides."""

    def __init__(self, choice: Choice, endpoints: Sequence[OperationEndpoint], unknown: OperationEndpoint) -> None:
        self._choice = choice
        self._endpoints = endpoints
        self._unknown = unknown

    async def answer(self, scope: Scope, receive: Receive) -> HandledRequest:
        """Read and answer one request. Raises Disconnected when the client disconnects while sending."""
        headers = dict(scope["headers"])
        taken = await self._unknown.take_in(scope, headers, receive)
        intake = taken[0]
        chosen = self._choice.choose(intake.parsed, is_form=intake.fields is not None)
        endpoint = self._unknown if chosen is None else self._endpoints[chosen]
        return await endpoint.answer_intake(scope, headers, taken)


def _requested_error(code: int, checked: CheckedRequest) -> Refusal:
    """Return the refusal for a requested status: that of the request itself where the status is the same."""
    if checked.refusal is not None and checked.refusal.status == code:
        return checked.refusal
    if code == OUT_OF_CREDITS.status:
        return OUT_OF_CREDITS
    message = "This error was requested by a Prefer header or a script"
    issue: dict[str, Any] = {"code": "custom", "path": [], "message": message}
    return Refusal(code, data=[issue] if code == 400 else None)


def apply_script(answer: Answer, scripted: ScriptedAnswer) -> None:
    """Replace body and headers by those of a scripted answer."""
    if scripted.body is not None:
        answer.body = scripted.body
    answer.content_type = scripted.content_type or answer.content_type
    for name, value in scripted.headers:
        put_header(answer, name, value)


def put_header(answer: Answer, name: bytes, value: bytes) -> None:
    """Set a header of an answer, in the place of one with the same name."""
    answer.headers = [(known, old) for known, old in answer.headers if known != name]
    answer.headers.append((name, value))

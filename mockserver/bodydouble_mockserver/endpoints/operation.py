"""Endpoints of the contract's operations: the request is checked, then answered by the contract and the directives of the call.

An endpoint works on raw ASGI ahead of the router: Starlette's Request and Response would take most of the time of an answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bodydouble_spec import Operation
from bodydouble_spec.values import path_names

from bodydouble_mockserver.answer import RefusalWriter, SuccessWriter, Unanswerable
from bodydouble_mockserver.asgi import BODILESS, Answer, Receive, Scope
from bodydouble_mockserver.directives import Directives
from bodydouble_mockserver.endpoints.dispatch import Choice
from bodydouble_mockserver.endpoints.handled import HandledRequest, apply_script, put_header
from bodydouble_mockserver.endpoints.parts import SharedParts
from bodydouble_mockserver.faults import impossible_reason
from bodydouble_mockserver.request import CheckedRequest, Intake, Refusal, RequestChecks
from bodydouble_mockserver.scripting import OUT_OF_CREDITS

__all__ = ["ChoosingEndpoint", "OperationEndpoint", "UnknownValueEndpoint"]

_NO_DIRECTIVES = Directives()
# Directives that have no effect on a refusal, and those that have none on a success.
_SUCCESS_ONLY = frozenset({"dialect", "images", "violation"})
_ERROR_ONLY = frozenset({"envelope"})


class OperationEndpoint:
    """Answers one operation; `answer` builds the answer and reads the body, but sends nothing.

    ``contract`` names the contract in the journal, None where there is only the vendored one.
    """

    def __init__(
        self,
        operation: Operation,
        writer: SuccessWriter,
        refusals: RefusalWriter,
        parts: SharedParts,
        contract: str | None = None,
    ) -> None:
        self.operation = operation
        self.writer = writer
        self.refusals = refusals
        self._contract = contract
        self._parts = parts
        self._state = parts.state
        self._checks = RequestChecks(operation, parts.settings)
        self._parameters = path_names(operation.path)
        self._echoes = [(echo, echo.name.encode(), echo.source.encode()) for echo in operation.echoes]

    async def answer(self, scope: Scope, receive: Receive) -> HandledRequest:
        """Read and answer one request. Raises Disconnected when the client disconnects while sending."""
        headers = dict(scope["headers"])
        intake, checked, is_whole = await self._parts.reader.read(
            headers, receive, lambda intake: self.check(headers, intake, scope)
        )
        return await self.answer_checked(scope, headers, intake, checked, is_whole=is_whole)

    def check(self, headers: Mapping[bytes, bytes], intake: Intake, scope: Scope) -> CheckedRequest:
        """Check one request whose body was read."""
        if self._parameters:
            # The router knows them by number, since contracts may give them different names.
            scope["path_params"] = dict(zip(self._parameters, scope["path_params"].values(), strict=True))
        return self._checks.check(headers, intake, scope)

    async def answer_checked(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        intake: Intake,
        checked: CheckedRequest,
        *,
        is_whole: bool,
    ) -> HandledRequest:
        """Answer one request that was checked; one whose body was not read to its end is the last of its connection."""
        request_id = self._parts.new_id()
        try:
            handled = await self._decide(scope, headers, checked, request_id)
        except Unanswerable as error:
            handled = HandledRequest(scope, self._refuse(scope, request_id, Refusal(400, str(error)), checked), checked)
        handled.operation = self.operation.key
        handled.contract = self._contract
        handled.intake = intake
        if not is_whole:
            handled.answer.headers.append((b"connection", b"close"))
        for echo, name, source in self._echoes:
            value = headers.get(source)
            if value is not None and echo.allows(value.decode("latin-1")):
                handled.answer.headers.append((name, value))
        return handled

    def examine(self, scope: Scope, headers: Mapping[bytes, bytes], intake: Intake) -> HandledRequest:
        """Check one request without answering it: the answer is empty, of status 0."""
        checked = self.check(headers, intake, scope)
        return HandledRequest(scope, Answer(0, b"", b""), checked, intake, self.operation.key, self._contract)

    async def _decide(
        self, scope: Scope, headers: Mapping[bytes, bytes], checked: CheckedRequest, request_id: str
    ) -> HandledRequest:
        preferred = _NO_DIRECTIVES
        if b"prefer" in headers:
            preferred, unread = self._parts.preferred(scope, self.writer.choices, self.operation.key)
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
        answer, ignored = await self._decided(scope, headers, checked, request_id, directives)
        if directives.retry_after is not None:
            put_header(answer, b"retry-after", b"%d" % directives.retry_after)
        if scripted is not None:
            apply_script(answer, scripted)
        if answer.status in BODILESS:
            answer.body = answer.content_type = b""
        if directives is _NO_DIRECTIVES:
            return HandledRequest(scope, answer, checked)
        if not answer.body or (scripted is not None and scripted.body is not None):
            ignored = _SUCCESS_ONLY | _ERROR_ONLY
        applied = [text for name, text in preferred.as_preferences().items() if name not in ignored]
        if applied:
            answer.headers.append((b"preference-applied", ", ".join(applied).encode("latin-1")))
        named = [text for name, text in requested.as_preferences().items() if name not in ignored]
        is_random = directives.code != requested.code
        effects = self._parts.effects(directives, scripted, named, is_random=is_random)
        return HandledRequest(scope, answer, checked, effects=effects)

    async def _decided(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        checked: CheckedRequest,
        request_id: str,
        directives: Directives,
    ) -> tuple[Answer, frozenset[str]]:
        """Return the answer before any script, and the names of directives that have no effect on it."""
        code, refusal = directives.code, checked.refusal
        if code is not None and code >= 300:
            refusal = _requested_error(code, checked)
        elif refusal is None or code is not None:
            # A caller may ask for a success although its request could not be read.
            priced = self.writer.read(checked.parsed if refusal is None else {})
            exceeded = self._state.charge(checked.key, priced.cost) if self._state.has_limits else None
            if exceeded is None:
                answer, ignored = await self.writer.write(priced, scope, headers, request_id, directives)
                answer.findings = checked.findings
                return answer, ignored | _ERROR_ONLY
            refused = self._refuse(scope, request_id, exceeded.refusal, checked, directives)
            if exceeded.retry_after_s is not None:
                put_header(refused, b"retry-after", b"%d" % exceeded.retry_after_s)
            return refused, _SUCCESS_ONLY
        return self._refuse(scope, request_id, refusal, checked, directives), _SUCCESS_ONLY

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
        answer = self.refusals.write(
            status, refusal, scope["path"], request_id, self._parts.settings.clock(), legacy=legacy
        )
        answer.findings = checked.findings
        return answer


class UnknownValueEndpoint(OperationEndpoint):
    """Refuses requests that are for no operation of any contract, with all known values of the property that decides."""

    def check(self, headers: Mapping[bytes, bytes], intake: Intake, scope: Scope) -> CheckedRequest:
        """See `OperationEndpoint.check`."""
        checked = super().check(headers, intake, scope)
        refusal = checked.refusal
        if refusal is not None and refusal.data and refusal.detail is None and checked.findings:
            # The vendor lists the known values in its envelope; that of another service may have no place for more than a text.
            checked.refusal = replace(refusal, detail=f"Invalid request: {checked.findings[0].message}")
        return checked


class ChoosingEndpoint:
    """Answers the operations of several contracts with one method and path; the parsed body decides."""

    def __init__(
        self, choice: Choice, endpoints: Sequence[OperationEndpoint], unknown: OperationEndpoint, parts: SharedParts
    ) -> None:
        self._parts = parts
        self._choice = choice
        self._endpoints = endpoints
        self._unknown = unknown

    async def answer(self, scope: Scope, receive: Receive) -> HandledRequest:
        """Read and answer one request. Raises Disconnected when the client disconnects while sending."""
        headers = dict(scope["headers"])

        def check_chosen(intake: Intake) -> tuple[OperationEndpoint, CheckedRequest]:
            endpoint = self._chosen(intake)
            return endpoint, endpoint.check(headers, intake, scope)

        intake, (endpoint, checked), is_whole = await self._parts.reader.read(headers, receive, check_chosen)
        return await endpoint.answer_checked(scope, headers, intake, checked, is_whole=is_whole)

    def examine(self, scope: Scope, headers: Mapping[bytes, bytes], intake: Intake) -> HandledRequest:
        """Check one request without answering it; see `OperationEndpoint.examine`."""
        return self._chosen(intake).examine(scope, headers, intake)

    def _chosen(self, intake: Intake) -> OperationEndpoint:
        chosen = self._choice.choose(intake.parsed, is_form=intake.fields is not None)
        return self._unknown if chosen is None else self._endpoints[chosen]


def _requested_error(code: int, checked: CheckedRequest) -> Refusal:
    """Return the refusal for a requested status: that of the request itself where the status is the same."""
    if checked.refusal is not None and checked.refusal.status == code:
        return checked.refusal
    if code == OUT_OF_CREDITS.status:
        return OUT_OF_CREDITS
    message = "This error was requested by a Prefer header or a script"
    issue: dict[str, Any] = {"code": "custom", "path": [], "message": message}
    return Refusal(code, data=[issue] if code == 400 else None)

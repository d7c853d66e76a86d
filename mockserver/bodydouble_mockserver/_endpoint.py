"""One operation of the contract, answered: checked, then as its contract says, or as somebody asked for this once.

A raw ASGI callable, dispatched ahead of the router: at this speed Starlette's Request and Response would be most of the time.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from bodydouble_spec import Operation

from bodydouble_mockserver._body import BodyProblem, read_body
from bodydouble_mockserver._checks import Checked, Refusal, check
from bodydouble_mockserver._directives import BadDirective, Directives, parse_prefer
from bodydouble_mockserver._faults import EXTENSION, needs_wire
from bodydouble_mockserver._limits import OUT_OF_CREDITS
from bodydouble_mockserver._problem import problem
from bodydouble_mockserver._served import Served
from bodydouble_mockserver._settings import Settings
from bodydouble_mockserver._state import ScriptedAnswer, State
from bodydouble_mockserver._success import SuccessWriter
from bodydouble_mockserver._wire import Answer, Receive, Scope

__all__ = ["OperationEndpoint"]

_CLIENT_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_USUAL = Directives()
_BODILESS = {204, 205, 304}
# Which directives have no effect on an answer: on a refusal, on a success, on a body that is given or must not be.
_OF_A_SUCCESS = frozenset({"dialect", "images", "violation"})
_OF_A_REFUSAL = frozenset({"envelope"})


class OperationEndpoint:
    """Answers one operation; `answer` decides, and touches no socket but for reading the body."""

    def __init__(
        self, operation: Operation, writer: SuccessWriter, settings: Settings, state: State, new_id: Callable[[], str]
    ) -> None:
        self.operation = operation
        self.writer = writer
        self._settings = settings
        self._state = state
        self._new_id = new_id

    async def answer(self, scope: Scope, receive: Receive) -> Served:
        """One request and what is to be answered. Raises Disconnected when the client goes away while sending."""
        headers = dict(scope["headers"])
        request_id = self._new_id()
        message = await receive()
        sent: bytes = message.get("body", b"")
        limit = self._settings.max_body_bytes
        is_whole = message.get("more_body") is False and len(sent) <= limit
        body = sent if is_whole else await read_body(scope, receive, limit, message)
        checked = check(self.operation, self._settings, headers, body)
        served = self._usual(scope, headers, checked, request_id) or await self._decide(
            scope, headers, checked, request_id
        )
        served.operation = self.operation.key
        if isinstance(body, BodyProblem):
            served.answer.headers.append((b"connection", b"close"))
        else:
            served.body = body
        client_id = headers.get(b"x-client-request-id")
        if client_id is not None and _CLIENT_REQUEST_ID.fullmatch(client_id):
            served.answer.headers.append((b"x-client-request-id", client_id))
        return served

    def _usual(self, scope: Scope, headers: Mapping[bytes, bytes], checked: Checked, request_id: str) -> Served | None:
        """Nine of ten calls: a success for which nobody asked for anything else, by a short way; None for all others."""
        if checked.refusal is not None or b"prefer" in headers or not self._state.is_usual:
            return None
        answer = self.writer.write_usual(checked.parsed, scope, headers, request_id)
        if answer is None:
            return None
        answer.findings = checked.findings
        return Served(scope, answer, checked)

    async def _decide(self, scope: Scope, headers: Mapping[bytes, bytes], checked: Checked, request_id: str) -> Served:
        preferred = _USUAL
        if b"prefer" in headers:
            try:
                preferred = parse_prefer(
                    (value for name, value in scope["headers"] if name == b"prefer"), self.writer.choices
                )
            except BadDirective as error:
                return Served(
                    scope, self._refuse(scope, request_id, Refusal(400, f"Prefer: {error}"), checked), checked
                )
        scripted = (
            self._state.next_scripted(scope["method"], scope["path"], headers, checked)
            if self._state.is_scripted
            else None
        )
        asked = preferred if scripted is None else preferred.over(scripted.directives)
        directives = self._state.by_chance(asked, may_fail=scripted is None)
        if (
            directives.fault is not None
            and needs_wire(directives.fault)
            and EXTENSION not in scope.get("extensions", {})
        ):
            text = f"fault={directives.fault} needs a server that offers its connection: bodydouble serve, or bodydouble's transport"
            return Served(scope, self._refuse(scope, request_id, Refusal(400, text), checked), checked)
        answer, ignored = await self._make(scope, headers, checked, request_id, directives, scripted)
        applied = [text for name, text in preferred.texts().items() if name not in ignored]
        if applied:
            answer.headers.append((b"preference-applied", ", ".join(applied).encode("latin-1")))
        delay_s = 0.0 if directives.delay is None else self._state.draw(directives.delay)
        matched = None if scripted is None else scripted.id
        changes = tuple(text for name, text in asked.texts().items() if name not in ignored)
        return Served(scope, answer, checked, delay_s=delay_s, fault=directives.fault, matched=matched, applied=changes)

    async def _make(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        checked: Checked,
        request_id: str,
        directives: Directives,
        scripted: ScriptedAnswer | None,
    ) -> tuple[Answer, frozenset[str]]:
        """The answer, and the names of directives that had no effect on it."""
        code, ignored = directives.code, _OF_A_SUCCESS
        if code is not None and code >= 300:
            answer = self._refuse(scope, request_id, _chosen(code, checked), checked, directives)
        elif checked.refusal is not None and code is None:
            answer = self._refuse(scope, request_id, checked.refusal, checked, directives)
        else:
            answer, ignored = await self._succeed(scope, headers, checked, request_id, directives)
        if directives.retry_after is not None:
            _put_header(answer, b"retry-after", b"%d" % directives.retry_after)
        if scripted is not None:
            _script_over(answer, scripted)
        if answer.status in _BODILESS:
            answer.body = b""
        if not answer.body or (scripted is not None and scripted.body is not None):
            ignored = _OF_A_SUCCESS | _OF_A_REFUSAL
        return answer, ignored

    async def _succeed(
        self, scope: Scope, headers: Mapping[bytes, bytes], checked: Checked, request_id: str, directives: Directives
    ) -> tuple[Answer, frozenset[str]]:
        # A success may be asked for although the request is none that could be read.
        asked = self.writer.read(checked.parsed if checked.refusal is None else {})
        if self._state.has_limits:
            limit = self._state.limit(checked.key, asked.cost)
            if limit is not None:
                refused = self._refuse(scope, request_id, limit.refusal, checked, directives)
                if limit.retry_after_s is not None:
                    _put_header(refused, b"retry-after", b"%d" % limit.retry_after_s)
                return refused, _OF_A_SUCCESS
        answer, ignored = await self.writer.write(asked, scope, headers, request_id, directives)
        answer.findings = checked.findings
        answer.status = directives.code or answer.status
        return answer, ignored | _OF_A_REFUSAL

    def _refuse(
        self, scope: Scope, request_id: str, refusal: Refusal, checked: Checked, directives: Directives = _USUAL
    ) -> Answer:
        return problem(
            refusal.status,
            scope["path"],
            request_id,
            self._settings.clock(),
            message=refusal.message,
            data=refusal.data,
            findings=checked.findings,
            legacy=directives.envelope == "legacy",
        )


def _chosen(code: int, checked: Checked) -> Refusal:
    """What an error that was asked for says: what the request itself deserves, where that is the same."""
    if checked.refusal is not None and checked.refusal.status == code:
        return checked.refusal
    if code == OUT_OF_CREDITS.status:
        return OUT_OF_CREDITS
    message = "Nothing is wrong with the request: this answer was asked for"
    issue: dict[str, Any] = {"code": "custom", "path": [], "message": message}
    return Refusal(code, data=[issue] if code == 400 else None)


def _script_over(answer: Answer, scripted: ScriptedAnswer) -> None:
    """Put a scripted answer's own body and headers over what would have been sent."""
    if scripted.body is not None:
        answer.body = scripted.body
    answer.content_type = scripted.content_type or answer.content_type
    for name, value in scripted.headers:
        _put_header(answer, name, value)


def _put_header(answer: Answer, name: bytes, value: bytes) -> None:
    answer.headers = [(known, old) for known, old in answer.headers if known != name]
    answer.headers.append((name, value))

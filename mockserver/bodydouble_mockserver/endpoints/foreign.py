"""Routes of no contract: answers that a script gives them, and what is said of those that the service has."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bodydouble_spec import Contract, Evidence, Finding, Severity, is_array
from bodydouble_spec.values import template_of

from bodydouble_mockserver.answer import RefusalWriter
from bodydouble_mockserver.asgi import Answer, Receive, Scope
from bodydouble_mockserver.directives import Directives
from bodydouble_mockserver.endpoints.handled import HandledRequest, apply_script, put_header
from bodydouble_mockserver.endpoints.parts import SharedParts
from bodydouble_mockserver.endpoints.unknown_routes import UnknownRoutes
from bodydouble_mockserver.errors import JSON
from bodydouble_mockserver.faults import impossible_reason
from bodydouble_mockserver.request import CheckedRequest, Intake, Refusal, bearer_key
from bodydouble_mockserver.scripting import ScriptedAnswer

__all__ = ["ForeignEndpoint", "OtherRoutes"]

_EXTENSION = "x-other-routes"
_ADVICE = "not mocked here: add its contract"


class OtherRoutes:
    """The routes that the service of some contracts has beside their own, as their ``x-other-routes`` say (``POST /v1/tts``)."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        self._routes: dict[str, tuple[str, re.Pattern[str]]] = {}
        for contract in contracts:
            for operation in contract.operations:
                listed: Any = operation.extensions.get(_EXTENSION)
                for route in listed if is_array(listed) else ():
                    method, _, path = str(route).partition(" ")
                    self._routes[str(route)] = method, re.compile(_pattern(path))

    def finding(self, method: str, path: str) -> Finding | None:
        """Return the finding of a request to one of the routes; None for any other request."""
        for route, (known, pattern) in self._routes.items():
            if method == known and pattern.fullmatch(path):
                text = (
                    f"{method} {path[:200]} is a route of the service, but {_ADVICE} (--contract FILE; in a test, contract=…), "
                    "or script an answer with its path"
                )
                return Finding(
                    "route-not-stood-in", Severity.ERROR, Evidence.DOCUMENTED, "", text, direction="request", operation=route
                )  # fmt: skip
        return None


def _pattern(path: str) -> str:
    """Return the expression for a path template, with or without /v1 and a slash at the end."""
    texts = template_of(path).rstrip("/").removeprefix("/v1").split("{}")
    optional = "(/v1)?" if path.startswith("/v1/") else ""
    return optional + "[^/]+".join(map(re.escape, texts)) + "/?"


class ForeignEndpoint:
    """Answers requests to routes of no contract as a script says, without validation; without a fitting answer they are unknown."""

    def __init__(self, refusals: RefusalWriter, contracts: Sequence[Contract], parts: SharedParts) -> None:
        self._refusals = refusals
        self._other_routes = OtherRoutes(contracts)
        self._unknown_routes = UnknownRoutes(operation for contract in contracts for operation in contract.operations)
        self._parts = parts

    async def answer(self, scope: Scope, receive: Receive) -> HandledRequest:
        """Read and answer one request. Raises Disconnected when the client disconnects while sending."""
        headers = dict(scope["headers"])
        intake, _, is_whole = await self._parts.reader.read(headers, receive, lambda _intake: None)
        checked = CheckedRequest(intake.parsed, bearer_key(headers.get(b"authorization", b"")))
        scripted = self._parts.state.next_scripted(scope, headers, checked, None)
        handled = self._unknown(scope, intake) if scripted is None else self._handled(scope, checked, intake, scripted)
        if not is_whole:
            put_header(handled.answer, b"connection", b"close")
        return handled

    def _handled(
        self, scope: Scope, checked: CheckedRequest, intake: Intake, scripted: ScriptedAnswer
    ) -> HandledRequest:
        directives = scripted.directives
        impossible = impossible_reason(directives.fault, scope)
        if impossible is not None:
            answer = self._parts.refuse(self._refusals, Refusal(400, impossible), scope["path"])
            return HandledRequest(scope, answer, checked, intake)
        answer = self._scripted(scope, directives)
        answer.findings = checked.findings
        apply_script(answer, scripted)
        effects = self._parts.effects(directives, scripted, [*directives.as_preferences().values()])
        return HandledRequest(scope, answer, checked, intake, effects=effects)

    def examine(self, scope: Scope, headers: Mapping[bytes, bytes], intake: Intake) -> HandledRequest:
        """Return a request as one that another server answers: without validation, its answer empty, of status 0."""
        key = bearer_key(headers.get(b"authorization", b""))
        checked = CheckedRequest(intake.parsed, key, secrets=(key,) if key else ())
        return HandledRequest(scope, Answer(0, b"", b""), checked, intake)

    async def take(self, scope: Scope, receive: Receive) -> tuple[HandledRequest, bytes]:
        """Read a request; return it with the refusal of an unknown route, and its body. Raises Disconnected."""
        intake, _, _ = await self._parts.reader.read(dict(scope["headers"]), receive, lambda _intake: None)
        return self._unknown(scope, intake), intake.body

    def _unknown(self, scope: Scope, intake: Intake) -> HandledRequest:
        """Return the refusal of a request to a route that is not served."""
        answer = self._parts.refuse(self._refusals, Refusal(404), scope["path"])
        route = scope["method"], scope["path"]
        finding = self._other_routes.finding(*route)
        if finding is not None:
            put_header(answer, b"x-bodydouble-note", _ADVICE.encode())
        answer.findings = [finding or self._unknown_routes.finding(*route)]
        key = bearer_key(dict(scope["headers"]).get(b"authorization", b""))
        return HandledRequest(
            scope, answer, CheckedRequest(intake.parsed, key), intake, started=self._parts.settings.clock()
        )

    def _scripted(self, scope: Scope, directives: Directives) -> Answer:
        code = directives.code or 200
        if code < 400:
            # Another service is not known to send an id of requests.
            ids = [(b"x-request-id", self._parts.new_id().encode())] if self._refusals.is_vendor else []
            answer = Answer(code, JSON, b"{}", ids)
        else:
            answer = self._parts.refuse(self._refusals, Refusal(code), scope["path"])
        if directives.retry_after is not None:
            put_header(answer, b"retry-after", b"%d" % directives.retry_after)
        return answer

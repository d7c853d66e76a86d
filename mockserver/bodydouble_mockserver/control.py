"""The mock server's own routes, all below ``/_bodydouble/``; every other route imitates the vendor."""

import asyncio
import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import orjson
from bodydouble_spec import Contract, Redactor, credentials, record_body
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bodydouble_mockserver.errors import StateUnavailable
from bodydouble_mockserver.faults import FAULTS
from bodydouble_mockserver.request import bearer_key
from bodydouble_mockserver.scripting import BadScenario, ScriptTarget, ServerState
from bodydouble_mockserver.settings import Settings

__all__ = ["CONTROL_PREFIX", "control_routes", "missing_state", "refuse_control", "refuse_large", "state_away"]


class ControlledServer(Protocol):
    """The part of the server that the control routes use."""

    settings: Settings

    @property
    def redactor(self) -> Redactor:
        """The redactor of everything that is shown."""
        ...

    def play(self, scenario: Any) -> Sequence[str]:
        """Add a scenario, and return the ids of its answers. Raises BadScenario."""
        ...

    def reset(self) -> None:
        """Clear scripts, limits and the journal."""
        ...

    def problems(self) -> list[str]:
        """Return what the server has lost, one sentence each; health is ``degraded`` then."""
        ...


def control_routes(
    server: ControlledServer, contracts: Sequence[Contract], targets: Sequence[ScriptTarget], state: ServerState
) -> list[Route]:
    """Return the routes for health, the lists of faults and violations, scenarios, and ``reset``."""

    scenarios = "/_bodydouble/scenarios"

    async def health(_request: Request) -> Response:
        """Report the health.
        ---
        operationId: health
        summary: The state of the server, its contracts and operations
        responses:
          "200":
            description: The server answers; degraded when something was lost.
            content:
              application/json:
                schema:
                  type: object
                  required: [status, version, operations]
                  properties:
                    status: {type: string, enum: [ok, degraded]}
                    problems: {type: array, items: {type: string}}
                    version: {type: string}
                    contract: {type: string}
                    fingerprint: {type: string}
                    contracts: {type: array, items: {type: object}}
                    operations: {type: array, items: {type: string}}
        """
        return JSONResponse(_health_body(contracts, targets, server.problems()))

    async def faults(_request: Request) -> Response:
        """List the faults.
        ---
        operationId: faults
        summary: The faults that an answer can have, with descriptions
        responses:
          "200":
            description: Descriptions by name.
            content: {application/json: {schema: {type: object, additionalProperties: {type: string}}}}
        """
        return JSONResponse(FAULTS)

    async def violations(_request: Request) -> Response:
        """List the violations.
        ---
        operationId: violations
        summary: The deviations from the contract that an answer can have, by operation
        responses:
          "200":
            description: Lists by operation.
            content:
              application/json:
                schema:
                  type: object
                  additionalProperties:
                    type: array
                    items: {type: object, required: [id, description], properties: {id: {type: string}, description: {type: string}}}
        """
        # Of a large contract, they take a second.
        return JSONResponse(await asyncio.to_thread(_violations_body, targets, is_only=len(contracts) == 1))

    async def add_scenario(request: Request) -> Response:
        """Add scripted answers and limits.
        ---
        operationId: addScenario
        summary: Scripted answers after those that there are; limits replace the current ones
        requestBody:
          required: true
          content:
            application/json:
              schema:
                type: object
                properties:
                  answers:
                    type: array
                    description: At most 1000 are stored. Further keys are those of the scenario file.
                    items:
                      type: object
                      properties: {status: {type: integer, minimum: 200, maximum: 599}, times: {type: integer, minimum: 1, nullable: true}}
                  limits:
                    type: object
                    additionalProperties: false
                    properties:
                      expires_after_s: {type: number, minimum: 0, maximum: 1000000000, nullable: true}
                      requests_per_minute: {type: integer, minimum: 0, nullable: true}
                      retry_after: {type: boolean}
                      credits: {type: integer, minimum: 0, nullable: true}
        responses:
          "201":
            description: The ids of the answers.
            content:
              application/json:
                schema: {type: object, required: [ids], properties: {ids: {type: array, items: {type: string}}}}
        """
        return await _play(request, server)

    async def list_scenarios(request: Request) -> Response:
        """List scripted answers and limits.
        ---
        operationId: listScenarios
        summary: The scripted answers with their uses, and the limits
        responses:
          "200":
            description: All answers, in the order in which they are tried.
            content:
              application/json:
                schema:
                  type: object
                  required: [answers, limits]
                  properties:
                    answers: {type: array, items: {type: object, required: [id, times, used]}}
                    limits: {type: object}
        """
        return JSONResponse(_scenarios_body(state, _redactor_for(request, server)))

    async def clear_scenarios(_request: Request) -> Response:
        """Remove the script and the limits.
        ---
        operationId: clearScenarios
        summary: Scripts, limits and balances are removed
        responses:
          "204": {description: They are removed.}
        """
        state.clear()
        return Response(status_code=204)

    async def remove_answer(request: Request) -> Response:
        """Remove one scripted answer.
        ---
        operationId: removeAnswer
        summary: One scripted answer is removed
        responses:
          "204": {description: It is removed.}
        """
        identifier: str = request.path_params["id"]
        if state.remove([identifier]):
            return Response(status_code=204)
        return JSONResponse(
            {"error": f"there is no scripted answer {identifier[:80]!r}; GET {scenarios} lists them"}, 404
        )

    async def reset_all(_request: Request) -> Response:
        """Reset everything.
        ---
        operationId: reset
        summary: Scripts, limits, balances and the journal are cleared
        responses:
          "204": {description: They are cleared.}
        """
        server.reset()
        return Response(status_code=204)

    return [
        Route("/_bodydouble/health", health, methods=["GET"]),
        Route("/_bodydouble/faults", faults, methods=["GET"]),
        Route("/_bodydouble/violations", violations, methods=["GET"]),
        Route(scenarios, add_scenario, methods=["POST"]),
        Route(scenarios, list_scenarios, methods=["GET"]),
        Route(scenarios, clear_scenarios, methods=["DELETE"]),
        Route(f"{scenarios}/{{id}}", remove_answer, methods=["DELETE"]),
        Route("/_bodydouble/reset", reset_all, methods=["POST"]),
    ]


async def _play(request: Request, server: ControlledServer) -> Response:
    """Play the scenario in a body, and return the ids of its answers, or the refusal of a bad one."""
    body, max_bytes = bytearray(), server.settings.max_control_bytes
    async for part in request.stream():
        body += part
        if len(body) > max_bytes:
            advice = "send the answers in several requests, or start the server with a larger --max-control-kb"
            return JSONResponse({"error": f"the scenario has more than {max_bytes:,} bytes; {advice}"}, 413)
    try:
        return JSONResponse({"ids": [*server.play(orjson.loads(body))]}, 201)
    except orjson.JSONDecodeError as error:
        return JSONResponse({"error": f"not JSON: line {error.lineno}, column {error.colno}: {error.msg}"}, 400)
    except BadScenario as error:
        mistake, redactor = {"error": str(error), "pointer": error.pointer}, _redactor_for(request, server)
        return JSONResponse({name: redactor.text(text) for name, text in mistake.items()}, 400)


def _redactor_for(request: Request, server: ControlledServer) -> Redactor:
    """Return the redactor of an answer: the key that a request has is not shown to it either, whatever keys are accepted."""
    return server.redactor.with_keys(credentials(request.headers.items()))


def _health_body(
    contracts: Sequence[Contract], targets: Sequence[ScriptTarget], problems: Sequence[str]
) -> dict[str, Any]:
    # Imported here, so that a server starts sooner.
    from bodydouble_spec import __version__

    return {
        "status": "degraded" if problems else "ok",
        **({"problems": problems} if problems else {}),
        "version": __version__,
        # Fingerprints are computed at the first request: that of a large document takes a second.
        **(_identity(contracts[0]) if len(contracts) == 1 else {"contracts": [*map(_identity, contracts)]}),
        "operations": list(dict.fromkeys(target.operation.key for target in targets)),
    }


def _violations_body(targets: Sequence[ScriptTarget], *, is_only: bool) -> dict[str, list[dict[str, str]]]:
    return {
        target.operation.key if is_only else target.name: [
            {"id": item.id, "description": item.description} for item in target.writer.violations.values()
        ]
        for target in targets
    }


def _identity(contract: Contract) -> dict[str, str]:
    return {"contract": contract.source, "fingerprint": contract.fingerprint}


def _shown(source: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
    """Return a scripted answer as it was sent, without keys; one that is too large to show has the beginning of its text."""
    value, described = record_body(orjson.dumps(source), redactor)
    return {"text": described} if value is None else value


def _scenarios_body(state: ServerState, redactor: Redactor) -> dict[str, Any]:
    limits = state.limits
    return {
        "answers": [
            {
                **_shown(answer.source, redactor),
                "id": answer.id,
                "times": answer.times,
                "used": answer.used,
                **({} if answer.targets is None else {"for": [target.name for target in answer.targets]}),
            }
            for answer in state.answers
        ],
        "limits": {
            "requests_per_minute": limits.requests_per_minute,
            "retry_after": limits.retry_after,
            "credits": limits.credits,
        },
    }


CONTROL_PREFIX = "/_bodydouble/"
_STATELESS = frozenset(f"{CONTROL_PREFIX}{name}" for name in ("health", "faults", "violations", "openapi.json"))
_STATIC = f"{CONTROL_PREFIX}static/"

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:/@]+)(?::[0-9]*)?")


async def refuse_large(_request: Request, error: Exception) -> Response:
    """Answer a request whose body is too large for any of these routes; a call that is tried has its pictures in it."""
    return JSONResponse({"error": str(error)}, 413)


class RequiredState(Protocol):
    """The state that the control routes need."""

    def require(self) -> None:
        """Raise StateUnavailable unless all of it can be read and changed now."""


def missing_state(state: RequiredState, path: str) -> StateUnavailable | None:
    """Return the reason why a control route cannot be served while the state is away; None for one that does not need it."""
    try:
        if path not in _STATELESS and not path.startswith(_STATIC):
            state.require()
    except StateUnavailable as error:
        return error
    return None


def state_away(error: Exception) -> Response:
    """Return the answer of a control route while the state is away."""
    return JSONResponse({"error": f"{error}; try again later"}, 503, {"retry-after": "1"})


def refuse_control(settings: Settings, headers: Mapping[bytes, bytes]) -> tuple[int, str] | None:
    """Return the status and text of the refusal, or None when the request is allowed.

    A web page can point its own name at 127.0.0.1 (DNS rebinding) and read the journal; its requests carry that name as Host. A page of
    another origin can send requests although it cannot read the answers; they carry its origin.
    """
    if not settings.control:
        return 404, "The routes below /_bodydouble/ are turned off (--no-control)"
    host = headers.get(b"host", b"").decode("latin-1")
    if not _is_allowed(settings, host):
        return (
            403,
            f"The Host {host[:80]!r} is not allowed to use /_bodydouble/; use 127.0.0.1, or start the server with --control-host NAME",
        )
    origin = headers.get(b"origin", b"").decode("latin-1")
    if origin and not _is_allowed(settings, origin.partition("://")[2]):
        return (
            403,
            f"Pages from {origin[:80]!r} are not allowed to use /_bodydouble/; start the server with --control-host NAME to allow them",
        )
    if settings.control_key is not None:
        key = bearer_key(headers.get(b"authorization", b""))
        # An empty control key is usually an unset variable: it must not open the routes.
        if not key or not hmac.compare_digest(key, settings.control_key.encode()):
            return 401, "/_bodydouble/ needs the control key: Authorization: Bearer <the key given as --control-key>"
    return None


def _is_allowed(settings: Settings, authority: str) -> bool:
    """Return whether a host name, with or without a port, is a loopback name or a configured one."""
    match = _AUTHORITY.fullmatch(authority.lower())
    return match is not None and match[1] in (*_LOOPBACK, *map(str.lower, settings.control_hosts))

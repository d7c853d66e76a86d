"""The mock server's own routes, all below ``/_bodydouble/``; every other route imitates the vendor."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import orjson
from bodydouble_spec import Contract, Operation
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bodydouble_mockserver._faults import FAULTS
from bodydouble_mockserver._scenarios import BadScenario
from bodydouble_mockserver._state import ServerState
from bodydouble_mockserver._success import SuccessWriter

__all__ = ["control_routes"]


def control_routes(
    contract: Contract,
    writers: list[tuple[Operation, SuccessWriter]],
    state: ServerState,
    play: Callable[[Any], None],
    reset: Callable[[], None],
) -> list[Route]:
    """Return the routes for health, the lists of faults and violations, scenarios, and ``reset``, which clears scripts, limits and the journal."""
    health_body = {
        "status": "ok",
        "version": version("bodydouble"),
        "contract": contract.source,
        "fingerprint": contract.fingerprint,
        "operations": [operation.key for operation in contract.operations],
    }

    async def health(_request: Request) -> Response:
        return JSONResponse(health_body)

    async def faults(_request: Request) -> Response:
        return JSONResponse(FAULTS)

    async def violations(_request: Request) -> Response:
        return JSONResponse(
            {
                operation.key: [{"id": item.id, "description": item.description} for item in writer.violations.values()]
                for operation, writer in writers
            }
        )

    async def add_scenario(request: Request) -> Response:
        try:
            document = orjson.loads(await request.body())
            before = len(state.answers)
            play(document)
        except orjson.JSONDecodeError as error:
            return JSONResponse({"error": f"not JSON: line {error.lineno}, column {error.colno}: {error.msg}"}, 400)
        except BadScenario as error:
            return JSONResponse({"error": str(error), "pointer": error.pointer}, 400)
        return JSONResponse({"ids": [answer.id for answer in state.answers[before:]]}, 201)

    async def list_scenarios(_request: Request) -> Response:
        return JSONResponse(_scenarios_body(state))

    async def clear_scenarios(_request: Request) -> Response:
        state.clear()
        return Response(status_code=204)

    async def reset_all(_request: Request) -> Response:
        reset()
        return Response(status_code=204)

    scenarios = "/_bodydouble/scenarios"
    return [
        Route("/_bodydouble/health", health, methods=["GET"]),
        Route("/_bodydouble/faults", faults, methods=["GET"]),
        Route("/_bodydouble/violations", violations, methods=["GET"]),
        Route(scenarios, add_scenario, methods=["POST"]),
        Route(scenarios, list_scenarios, methods=["GET"]),
        Route(scenarios, clear_scenarios, methods=["DELETE"]),
        Route("/_bodydouble/reset", reset_all, methods=["POST"]),
    ]


def _scenarios_body(state: ServerState) -> dict[str, Any]:
    limits = state.limits
    return {
        "answers": [
            {**answer.source, "id": answer.id, "times": answer.times, "used": answer.used} for answer in state.answers
        ],
        "limits": {
            "requests_per_minute": limits.requests_per_minute,
            "retry_after": limits.retry_after,
            "credits": limits.credits,
        },
    }

"""The account routes: the list of models, and two billing routes."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import orjson
from bodydouble_spec import BEARER, Contract, Operation
from bodydouble_spec.image_fields import image_price
from bodydouble_spec.selection import limited_values
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bodydouble_mockserver.asgi import Answer, Headers, to_response
from bodydouble_mockserver.errors import JSON, problem, timestamp
from bodydouble_mockserver.request import refuse_keys, sent_keys
from bodydouble_mockserver.scripting import ServerState
from bodydouble_mockserver.settings import Settings

__all__ = ["account_routes"]

_BALANCE_USD = 10.0
_LOW_BALANCE_USD = 1.0


def account_routes(
    contracts: Sequence[Contract],
    settings: Settings,
    state: ServerState,
    new_id: Callable[[], str],
    exposed: Headers,
) -> list[Route]:
    """Return ``GET /v1/models`` (no key needed; observed), ``GET /v2/billing`` (observed) and ``GET /v1/billing/balance`` (documented).

    ``exposed`` is the header that lets pages read the headers of an answer.
    """
    operations = [operation for contract in contracts for operation in contract.operations]
    credits_per_usd = _credits_per_usd(operations)

    def sent(answer: Answer) -> Response:
        answer.headers += exposed
        return to_response(answer)

    def for_key_holders(body: Callable[[float], dict[str, Any]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            headers = dict(request.scope["headers"])
            keys = sent_keys(BEARER, request.scope, headers)
            refusal = refuse_keys(settings, BEARER, keys, headers)
            if refusal is not None:
                # Not request.url, which is built from the Host header.
                path = request.scope["path"]
                return sent(problem(401, path, new_id(), settings.clock(), message=refusal.message))
            left = state.credits_left(keys.key)
            return sent(_json(body(_BALANCE_USD * credits_per_usd if left is None else left)))

        return endpoint

    async def models(_request: Request) -> Response:
        return sent(_json({"object": "list", "data": _models(operations)}))

    def billing(credits_left: float) -> dict[str, Any]:
        return {"current_balance": credits_left / credits_per_usd, "currency": "USD"}

    def balance(credits_left: float) -> dict[str, Any]:
        threshold = _LOW_BALANCE_USD * credits_per_usd
        return {
            "balance": credits_left,
            "lowBalance": credits_left < threshold,
            "lowBalanceThreshold": threshold,
            "lastUpdated": timestamp(settings.clock()),
            "autoDebitStatus": "disabled",
            "status": "current",
            "statusExplanation": "This balance is simulated by the mock server.",
        }

    routes: list[tuple[str, Callable[[Request], Awaitable[Response]]]] = [
        ("/v1/models", models),
        ("/models", models),
        ("/v2/billing", for_key_holders(billing)),
        ("/v1/billing/balance", for_key_holders(balance)),
        ("/billing/balance", for_key_holders(balance)),
    ]
    return [Route(path + slash, endpoint, methods=["GET", "HEAD"]) for path, endpoint in routes for slash in ("", "/")]


def _credits_per_usd(operations: Iterable[Operation]) -> int:
    """Return the credits that a dollar buys by the first contract with a price; 1 where none has."""
    prices = (image_price(operation.extensions).credits_per_usd for operation in operations)
    return next(filter(None, prices), 1)


def _models(operations: Iterable[Operation]) -> list[dict[str, Any]]:
    values = [value for operation in operations for value in limited_values(operation).get("model", {}).values()]
    names = [value for value in values if isinstance(value, str)]
    return [
        {
            "id": name,
            "info": {"name": name.rpartition("/")[2], "developer": name.partition("/")[0]},
            "type": "openai/image-generations",
            "aliases": [],
            "tags": [],
        }
        for name in dict.fromkeys(names)
    ]


def _json(body: dict[str, Any]) -> Answer:
    return Answer(200, JSON, orjson.dumps(body))

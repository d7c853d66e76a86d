"""The account routes beside the operations: the list of models, and the two billing routes."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from bodydouble_spec import Contract
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bodydouble_mockserver._keys import bearer_key, refuse_key
from bodydouble_mockserver._problem import problem, timestamp
from bodydouble_mockserver._settings import Settings
from bodydouble_mockserver._wire import Answer, to_response

__all__ = ["account_routes"]

_JSON = b"application/json; charset=utf-8"
_BALANCE_USD = 10.0
_LOW_BALANCE_CREDITS = 2_000_000


def account_routes(contract: Contract, settings: Settings, new_id: Callable[[], str]) -> list[Route]:
    """``GET /v1/models`` (no key needed; observed), ``GET /v2/billing`` (observed) and ``GET /v1/billing/balance`` (documented)."""

    def for_key_holders(body: Callable[[], dict[str, Any]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            refusal = refuse_key(settings, bearer_key(request.headers.get("authorization", "").encode("latin-1")))
            if refusal is not None:
                return to_response(problem(401, request.url.path, new_id(), settings.clock(), message=refusal))
            return to_response(_json(body()))

        return endpoint

    async def models(_request: Request) -> Response:
        return to_response(_json({"object": "list", "data": _models(contract)}))

    def billing() -> dict[str, Any]:
        return {"current_balance": _BALANCE_USD, "currency": "USD"}

    def balance() -> dict[str, Any]:
        return {
            "balance": int(_BALANCE_USD * 2_000_000),
            "lowBalance": False,
            "lowBalanceThreshold": _LOW_BALANCE_CREDITS,
            "lastUpdated": timestamp(settings.clock()),
            "autoDebitStatus": "disabled",
            "status": "current",
            "statusExplanation": "The balance is what this mock server says it is.",
        }

    routes: list[tuple[str, Callable[[Request], Awaitable[Response]]]] = [
        ("/v1/models", models),
        ("/models", models),
        ("/v2/billing", for_key_holders(billing)),
        ("/v1/billing/balance", for_key_holders(balance)),
        ("/billing/balance", for_key_holders(balance)),
    ]
    return [Route(path + slash, endpoint, methods=["GET", "HEAD"]) for path, endpoint in routes for slash in ("", "/")]


def _models(contract: Contract) -> list[dict[str, Any]]:
    names = [
        name
        for operation in contract.operations
        for name in (operation.request_schema or {}).get("properties", {}).get("model", {}).get("enum", ())
    ]
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
    return Answer(200, _JSON, orjson.dumps(body))

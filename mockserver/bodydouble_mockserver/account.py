"""The account routes: the list of models, and two billing routes."""

from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial
from typing import Any

import orjson
from bodydouble_spec import BEARER, Contract, Operation
from bodydouble_spec.image_fields import image_price
from bodydouble_spec.selection import limited_values

from bodydouble_mockserver.asgi import Answer, Receive, Scope
from bodydouble_mockserver.endpoints import HandledRequest, SharedParts
from bodydouble_mockserver.errors import JSON, problem, timestamp
from bodydouble_mockserver.request import CheckedRequest, SentKeys, refuse_keys, sent_keys

__all__ = ["AccountRoutes"]

ACCOUNT = "account"
"""The kind of a journal entry about a route of the account."""

_BALANCE_USD = 10.0
_LOW_BALANCE_USD = 1.0


class AccountRoutes:
    """Answers ``GET /v1/models`` (no key needed; observed), ``GET /v2/billing`` (observed) and ``GET /v1/billing/balance`` (documented)."""

    def __init__(self, contracts: Sequence[Contract], parts: SharedParts) -> None:
        operations = [operation for contract in contracts for operation in contract.operations]
        self._parts = parts
        self._credits_per_usd = _credits_per_usd(operations)
        self._models = _models(operations)

    def by_path(self) -> dict[str, Callable[[Scope, Receive], Coroutine[Any, Any, HandledRequest]]]:
        """Return the function that answers each path, with and without a slash at its end."""
        answers: dict[str, Callable[[Scope, SentKeys], Answer]] = {
            "/v1/models": self._list_models,
            "/models": self._list_models,
            "/v2/billing": self._of_holder(self._billing),
            "/v1/billing/balance": self._of_holder(self._balance),
            "/billing/balance": self._of_holder(self._balance),
        }
        return {path + slash: partial(_handled, answer) for path, answer in answers.items() for slash in ("", "/")}

    def _list_models(self, _scope: Scope, _keys: SentKeys) -> Answer:
        return _json({"object": "list", "data": self._models})

    def _of_holder(self, body: Callable[[float], dict[str, Any]]) -> Callable[[Scope, SentKeys], Answer]:
        """Return the answer for holders of a key, of the body for the credits that are left."""

        def answer(scope: Scope, keys: SentKeys) -> Answer:
            settings = self._parts.settings
            refusal = refuse_keys(settings, BEARER, keys, dict(scope["headers"]))
            if refusal is not None:
                return problem(401, scope["path"], self._parts.new_id(), settings.clock(), message=refusal.message)
            left = self._parts.state.credits_left(keys.key)
            return _json(body(_BALANCE_USD * self._credits_per_usd if left is None else left))

        return answer

    def _billing(self, credits_left: float) -> dict[str, Any]:
        return {"current_balance": credits_left / self._credits_per_usd, "currency": "USD"}

    def _balance(self, credits_left: float) -> dict[str, Any]:
        threshold = _LOW_BALANCE_USD * self._credits_per_usd
        return {
            "balance": credits_left,
            "lowBalance": credits_left < threshold,
            "lowBalanceThreshold": threshold,
            "lastUpdated": timestamp(self._parts.settings.clock()),
            "autoDebitStatus": "disabled",
            "status": "current",
            "statusExplanation": "This balance is simulated by the mock server.",
        }


async def _handled(answer: Callable[[Scope, SentKeys], Answer], scope: Scope, _receive: Receive) -> HandledRequest:
    keys = sent_keys(BEARER, scope, dict(scope["headers"]))
    checked = CheckedRequest(None, keys.key, secrets=keys.secrets)
    return HandledRequest(scope, answer(scope, keys), checked, kind=ACCOUNT)


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

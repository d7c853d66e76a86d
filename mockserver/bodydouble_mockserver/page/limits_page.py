"""The limits on the page, and what keys have used of them."""

from collections.abc import Mapping
from typing import Any

from bodydouble_spec.image_fields import image_price
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bodydouble_mockserver.page.parts import PageParts, form_texts, number_of
from bodydouble_mockserver.page.rendering import render
from bodydouble_mockserver.scripting import BadScenario

__all__ = ["limits_page_routes"]

_LIMITS = "/_bodydouble/limits"
_NUMBERS = ("requests_per_minute", "credits", "expires_after_s")


def limits_page_routes(parts: PageParts) -> list[Route]:
    """Return the routes of the limits: shown, and set by a form."""
    state = parts.state

    def limits(status: int = 200, problem: str = "", given: Mapping[str, str] | None = None) -> Response:
        current = {name: _number_text(getattr(state.limits, name)) for name in _NUMBERS}
        current["retry_after"] = "true" if state.limits.retry_after else ""
        operations = [target.operation for target in parts.service.targets]
        return render(
            "limits",
            status,
            page="limits",
            problem=problem,
            given=current if given is None else given,
            balances=state.balances(),
            has_limits=state.has_limits,
            credits_per_usd=next(
                filter(None, (image_price(operation.extensions).credits_per_usd for operation in operations)), None
            ),
        )

    async def show_limits(_request: Request) -> Response:
        return limits()

    async def set_limits(request: Request) -> Response:
        given = await form_texts(request)
        wanted: dict[str, Any] = {name: number_of(given[name]) for name in _NUMBERS if given.get(name)}
        try:
            parts.app.play({"limits": {**wanted, "retry_after": given.get("retry_after") == "true"}})
        except BadScenario as error:
            return limits(400, str(error).removeprefix("/limits/"), given)
        return RedirectResponse(_LIMITS, 303)

    return [Route(_LIMITS, show_limits, methods=["GET"]), Route(_LIMITS, set_limits, methods=["POST"])]


def _number_text(value: float | None) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)

"""The script and the limits on the page: the next answers, chosen from the lists that the mock has, and what keys have used."""

from collections.abc import Mapping, Sequence
from typing import Any

from bodydouble_spec import Operation
from bodydouble_spec.image_fields import image_price
from bodydouble_spec.text import cut_line, json_text
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bodydouble_mockserver.faults import FAULTS
from bodydouble_mockserver.page.parts import PageParts, chosen_number
from bodydouble_mockserver.page.rendering import render
from bodydouble_mockserver.scripting import BadScenario, ScriptedAnswer, ScriptTarget

__all__ = ["script_page_routes"]

_SCRIPT, _LIMITS = "/_bodydouble/script", "/_bodydouble/limits"
_PICTURE_FILES = "pictures"
_NUMBERS = ("requests_per_minute", "credits", "expires_after_s")


def script_page_routes(parts: PageParts) -> list[Route]:
    """Return the routes of the script and of the limits: shown, added to and removed from by forms."""
    state = parts.state

    def script(status: int = 200, problem: str = "", given: Mapping[str, str] | None = None) -> Response:
        target = (
            parts.service.targets[chosen_number((given or {}).get("for", ""), len(parts.service.targets))]
            if parts.service.targets
            else None
        )
        return render(
            "script",
            status,
            page="script",
            problem=parts.app.redactor.text(problem),
            given=given or {},
            answers=[_shown(answer, parts) for answer in state.answers],
            targets=[target.name for target in parts.service.targets],
            statuses=[] if target is None else _statuses(target.operation),
            faults=FAULTS,
            violations={} if target is None else target.writer.violations,
            directives_of_pictures=_PICTURE_FILES,
        )

    async def show_script(request: Request) -> Response:
        return script(given=request.query_params)

    async def add(request: Request) -> Response:
        given = await _fields(request)
        try:
            parts.app.play({"answers": [_answer(given, parts.service.targets)]})
        except BadScenario as error:
            return script(400, str(error).removeprefix("/answers/0"), given)
        return RedirectResponse(_SCRIPT, 303)

    async def remove(request: Request) -> Response:
        chosen = (await _fields(request)).get("id")
        state.remove([answer.id for answer in state.answers if chosen in (None, answer.id)])
        return RedirectResponse(_SCRIPT, 303)

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
        given = await _fields(request)
        wanted: dict[str, Any] = {name: _parsed(given[name]) for name in _NUMBERS if given.get(name)}
        try:
            parts.app.play({"limits": {**wanted, "retry_after": given.get("retry_after") == "true"}})
        except BadScenario as error:
            return limits(400, str(error).removeprefix("/limits/"), given)
        return RedirectResponse(_LIMITS, 303)

    return [
        Route(_SCRIPT, show_script, methods=["GET"]),
        Route(_SCRIPT, add, methods=["POST"]),
        Route(f"{_SCRIPT}/remove", remove, methods=["POST"]),
        Route(_LIMITS, show_limits, methods=["GET"]),
        Route(_LIMITS, set_limits, methods=["POST"]),
    ]


async def _fields(request: Request) -> dict[str, str]:
    """Return the texts of a form that are not empty; those of a form that cannot be read are none."""
    try:
        async with request.form(max_files=0, max_fields=50) as form:
            return {name: text for name, value in form.items() if isinstance(value, str) and (text := value.strip())}
    except HTTPException:
        return {}


def _answer(given: Mapping[str, str], targets: Sequence[ScriptTarget]) -> dict[str, Any]:
    """Return an answer of a scenario by the fields of the form."""
    names = ("status", "fault", "violation", "delay", "retry-after", "envelope")
    answer: dict[str, Any] = {name: given[name] for name in names if name in given}
    answer["times"] = None if given.get("times") == "always" else _parsed(given.get("times", "1"))
    if given.get("for") == _PICTURE_FILES:
        answer["match"] = {"path": "/generations/*"}
        return answer
    if len(targets) > 1 and given.get("for", "").isdecimal():
        target = targets[chosen_number(given["for"], len(targets))]
        answer["operation"] = target.operation.key
        if target.contract is not None:
            answer["contract"] = target.contract
    if "prompt" in given:
        answer["match"] = {"prompt": given["prompt"]}
    return answer


def _shown(answer: ScriptedAnswer, parts: PageParts) -> dict[str, Any]:
    """Return a scripted answer in words, with what is left of it."""
    text = parts.app.redactor.text
    directives = [*answer.directives.as_preferences().values()]
    if answer.body is not None:
        directives.append("a body of its own")
    match = answer.source.get("match")
    left = "always" if answer.times is None else f"{answer.times - answer.used} of {answer.times} left"
    return {
        "id": answer.id,
        "what": [text(cut_line(item)) for item in directives] or ["the usual answer"],
        "for": "" if answer.targets is None else ", ".join(cut_line(target.name) for target in answer.targets),
        "condition": "" if match is None else text(cut_line(json_text(match))),
        "left": left,
        "used": answer.used,
        "is_used_up": not answer.has_uses_left,
    }


def _statuses(operation: Operation) -> dict[str, str]:
    """Return the documented statuses of refusals, with their descriptions."""
    refusals = {status: response for status, response in operation.responses.items() if status[:1] in "45"}
    return {status: cut_line(item.description, 80) for status, item in refusals.items() if status.isdecimal()}


def _parsed(text: str) -> Any:
    """Return a number, or the text itself for the scenario's own complaint."""
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _number_text(value: float | None) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)

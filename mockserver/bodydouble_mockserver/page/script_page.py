"""The script on the page: the next answers, chosen from the lists that the mock has, with what is left of them."""

import asyncio
from collections.abc import Mapping
from typing import Any

from bodydouble_spec.text import cut_line, json_text
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bodydouble_mockserver.page.parts import PageParts, chosen_number, form_texts
from bodydouble_mockserver.page.rendering import render
from bodydouble_mockserver.page.script_fields import PICTURE_FILES, ROUTE, answer_of_fields, lists_of_script
from bodydouble_mockserver.scripting import BadScenario, ScriptedAnswer, ScriptTarget

__all__ = ["script_page_routes"]

_SCRIPT = "/_bodydouble/script"
_OTHERS = {PICTURE_FILES: "files of pictures", ROUTE: "a route outside the contract"}


def script_page_routes(parts: PageParts) -> list[Route]:
    """Return the routes of the script: shown, added to and removed from by forms."""
    state = parts.state

    def target_of(given: Mapping[str, str]) -> ScriptTarget | None:
        targets = parts.service.targets
        return targets[chosen_number(given.get("for", ""), len(targets))] if targets else None

    async def script(given: Mapping[str, str], status: int = 200, problem: str = "") -> Response:
        lists = await asyncio.to_thread(lists_of_script, target_of(given))
        return render(
            "script",
            status,
            page="script",
            problem=parts.app.redactor.text(problem),
            given=given,
            answers=[_shown(answer, parts) for answer in state.answers],
            targets=[target.name for target in parts.service.targets],
            others=_OTHERS,
            **lists,
        )

    async def show_script(request: Request) -> Response:
        return await script(request.query_params)

    async def add(request: Request) -> Response:
        given = await form_texts(request)
        try:
            if "violation" in given:
                # The check of the answer needs their list, too.
                await asyncio.to_thread(lists_of_script, target_of(given))
            parts.app.play({"answers": [answer_of_fields(given, parts.service.targets)]})
        except BadScenario as error:
            return await script(given, 400, str(error).removeprefix("/answers/0").removeprefix("/"))
        return RedirectResponse(_SCRIPT, 303)

    async def remove(request: Request) -> Response:
        chosen = (await form_texts(request)).get("id")
        state.remove([answer.id for answer in state.answers if chosen in (None, answer.id)])
        return RedirectResponse(_SCRIPT, 303)

    return [
        Route(_SCRIPT, show_script, methods=["GET"]),
        Route(_SCRIPT, add, methods=["POST"]),
        Route(f"{_SCRIPT}/remove", remove, methods=["POST"]),
    ]


def _shown(answer: ScriptedAnswer, parts: PageParts) -> dict[str, Any]:
    """Return a scripted answer in words, with what is left of it."""
    text = parts.app.redactor.text
    directives = [*answer.directives.as_preferences().values()]
    if answer.body is not None:
        directives.append(f"body {cut_line(answer.body[:200].decode('utf-8', 'replace'), 60)}")
    directives += [f"header {name.decode('latin-1')}" for name, _ in answer.headers]
    match = answer.source.get("match")
    left = "always" if answer.times is None else f"{answer.times - answer.used} of {answer.times} left"
    targets = "" if answer.targets is None else ", ".join(cut_line(target.name) for target in answer.targets)
    return {
        "id": answer.id,
        "what": [text(cut_line(item)) for item in directives] or ["the usual answer"],
        "for": targets or cut_line(answer.path or ""),
        "condition": "" if match is None else text(cut_line(json_text(match))),
        "left": left,
        "used": answer.used,
        "is_used_up": not answer.has_uses_left,
    }

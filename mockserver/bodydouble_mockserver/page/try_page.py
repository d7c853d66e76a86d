"""A form that tries an operation: drop pictures, write a prompt, and see the answer beside it."""

import secrets
from collections.abc import Mapping
from typing import Any

from bodydouble_spec import Exchange, Operation
from bodydouble_spec.text import visible
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bodydouble_mockserver.asgi import BodyTooLarge
from bodydouble_mockserver.page.entries import findings_of, message_of, row_of
from bodydouble_mockserver.page.parts import PageParts, chosen_number
from bodydouble_mockserver.page.rendering import render
from bodydouble_mockserver.page.try_fields import FormRequest, SentFile, fields_of_operation, tried_request

__all__ = ["try_page_routes"]

_TRY = "/_bodydouble/try"
_MAX_FILES = 20
_ANY_KEY = "any-key-you-like"
# A mock that delays its answers on purpose needs patience, and one that hangs an end.
_TIMEOUT_S = 120
_CALL_ID = "x-client-request-id"
# The call is among the last ones, unless others make many at the same time.
_MAX_SEARCHED = 500


def try_page_routes(parts: PageParts) -> list[Route]:
    """Return the routes of the form; ``?operation=`` chooses by number."""
    links = parts.links

    def page(chosen: int, status: int = 200, **values: Any) -> Response:
        operation = parts.service.targets[chosen].operation if parts.service.targets else None
        fields = [] if operation is None else fields_of_operation(operation)
        return render(
            "try",
            status,
            page="try",
            targets=[target.name for target in parts.service.targets],
            chosen=chosen,
            fields=fields,
            given=values.pop("given", {field.key: field.value for field in fields}),
            needs_key=operation is not None and bool(operation.security.places),
            any_key="" if parts.app.settings.api_keys or parts.app.settings.expected_key else _ANY_KEY,
            **{"problem": "", "result": None, **values},
        )

    async def show(request: Request) -> Response:
        return page(chosen_number(request.query_params.get("operation", ""), len(parts.service.targets)))

    async def send(request: Request) -> Response:
        chosen = chosen_number(request.query_params.get("operation", ""), len(parts.service.targets))
        try:
            async with request.form(
                max_files=_MAX_FILES, max_fields=500, max_part_size=parts.app.settings.max_body_bytes
            ) as form:
                given, files = await _read(form)
        except HTTPException as error:
            return page(chosen, 400, problem=f"The form cannot be read: {error.detail}")
        except BodyTooLarge as error:
            return page(chosen, 413, problem=f"The form cannot be read: {error}")
        operation = parts.service.targets[chosen].operation
        tried = tried_request(operation, fields_of_operation(operation), given, files)
        result = await _call(request, parts, operation, tried, given.get("key", ""))
        return page(chosen, given=given, result=result)

    async def _call(
        request: Request, parts: PageParts, operation: Operation, tried: FormRequest, key: str
    ) -> dict[str, Any]:
        """Make a call of an app, and return what the page shows of it."""
        # Imported for the first call, so that a server whose page is not used starts sooner.
        import httpx

        from bodydouble_mockserver.transport import MockTransport

        identifier = f"page-{secrets.token_hex(8)}"
        # In the address itself: httpx would put parameters in the place of a query that has the key already.
        path = f"{tried.path}?{httpx.QueryParams(tried.query)}" if tried.query else tried.path
        target, headers = operation.security.authorize(key or _own_key(parts), path, {})
        headers |= {**tried.headers, _CALL_ID: identifier}
        error = ""
        async with httpx.AsyncClient(
            transport=MockTransport(parts.app), base_url=str(request.base_url), timeout=_TIMEOUT_S
        ) as client:
            try:
                files = [(name, (file.name, file.data, file.media_type)) for name, file in tried.files]
                await client.request(
                    operation.method,
                    target,
                    headers=headers,
                    cookies=None,
                    json=tried.json,
                    data=tried.data,
                    files=files or None,
                )
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as problem:
                error = visible(f"{type(problem).__name__}: {problem}")
        exchange = _find(parts, identifier)
        if exchange is None or exchange.answer is None:
            return {"error": error, "row": None}
        answer = exchange.answer
        return {
            "error": error,
            "row": row_of(exchange, links),
            "findings": findings_of(exchange),
            "answered": message_of(answer.headers, answer.body, answer.raw),
        }

    return [Route(_TRY, show, methods=["GET"]), Route(_TRY, send, methods=["POST"])]


async def _read(form: FormData) -> tuple[dict[str, str], Mapping[str, list[SentFile]]]:
    """Return the texts and the files of a form; a file field that was left empty has none."""
    given: dict[str, str] = {}
    files: dict[str, list[SentFile]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            given[name] = value.replace("\r\n", "\n")
        elif value.filename:
            sent = SentFile(value.filename, value.content_type or "", await value.read())
            files.setdefault(name, []).append(sent)
    return given, files


def _own_key(parts: PageParts) -> str:
    """Return a key that the mock accepts; it is never shown."""
    settings = parts.app.settings
    return settings.expected_key or next(iter(settings.api_keys), _ANY_KEY)


def _find(parts: PageParts, identifier: str) -> Exchange | None:
    """Return the exchange of a call; None where the journal keeps none."""
    numbers = parts.app.journal.numbers()
    for number in reversed(numbers[-_MAX_SEARCHED:]):
        exchange = parts.app.journal.exchange(number)
        if exchange is not None and exchange.headers.get(_CALL_ID) == identifier:
            return exchange
    return None

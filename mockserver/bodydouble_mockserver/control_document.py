"""The OpenAPI document of the control routes: made from the routes, whose functions have their operation as YAML in their docstrings."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

__all__ = ["document_route"]

_TEXT = {"type": "string"}
_COMPONENTS: dict[str, Any] = {
    "schemas": {
        "Error": {
            "type": "object",
            "required": ["error"],
            "properties": {"error": _TEXT, "pointer": _TEXT, "parameter": _TEXT, "good": _TEXT},
        },
        "Exchange": {
            "type": "object",
            "description": "One request with its answer, without keys.",
            "required": ["format", "id", "time", "method", "path", "findings"],
            "properties": {
                "format": {"type": "integer"},
                "id": _TEXT,
                "time": {"type": "string", "format": "date-time"},
                "method": _TEXT,
                "path": _TEXT,
                "findings": {"type": "array", "items": {"type": "object"}},
            },
        },
        "Verdict": {
            "type": "object",
            "required": ["verified", "count"],
            "properties": {"verified": {"type": "boolean"}, "count": {"type": "integer"}},
        },
    },
    # The filters of the journal.
    "parameters": {
        "status": {
            "name": "status",
            "in": "query",
            "description": "429 or 4xx",
            "schema": {"type": "string", "pattern": "^[1-5]([0-9][0-9]|xx)$"},
        },
        "path": {
            "name": "path",
            "in": "query",
            "description": "with * for any characters",
            "schema": {"type": "string", "pattern": "^/"},
        },
        "method": {"name": "method", "in": "query", "schema": _TEXT},
        "with_findings": {"name": "with_findings", "in": "query", "schema": {"type": "boolean"}},
    },
    "responses": {
        "Error": {
            "description": "The request was refused; `error` says why, and what to do.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
    },
}


def document_route(routes: Sequence[Route], *, has_key: bool) -> Route:
    """Return ``GET /_bodydouble/openapi.json`` for these routes and itself; with ``has_key`` they need a bearer key.

    The page and the event stream are not in the document. Every operation has the response for errors, which no docstring repeats.
    """

    @cache
    def document() -> dict[str, Any]:
        return _document([route, *routes], has_key=has_key)

    async def describe(_request: Request) -> Response:
        """Describe the control routes.
        ---
        operationId: describe
        summary: This document
        responses:
          "200":
            description: An OpenAPI document.
            content: {application/json: {schema: {type: object, required: [openapi, info, paths]}}}
        """
        return JSONResponse(document())

    route = Route("/_bodydouble/openapi.json", describe, methods=["GET"])
    return route


def _document(routes: Sequence[Route], *, has_key: bool) -> dict[str, Any]:
    # The version and the YAML reader are for this document only: a server starts without them.
    from bodydouble_spec import __version__
    from starlette.schemas import SchemaGenerator

    about = {
        "title": "Control routes of bodydouble",
        "version": __version__,
        "description": "The page, /_bodydouble/, and the stream of server-sent events, /_bodydouble/events, are not described here.",
    }
    components = _COMPONENTS
    if has_key:
        components = {**components, "securitySchemes": {"controlKey": {"type": "http", "scheme": "bearer"}}}
    base = {"openapi": "3.0.3", "info": about, "components": components, "paths": dict[str, Any]()}
    document: dict[str, Any] = SchemaGenerator(
        base | ({"security": [{"controlKey": []}]} if has_key else {})
    ).get_schema([*routes])
    for path, operations in document["paths"].items():
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        for operation in operations.values():
            given = [{"name": name, "in": "path", "required": True, "schema": _TEXT} for name in names]
            operation["parameters"] = [*given, *operation.get("parameters", ())]
            operation["responses"]["default"] = {"$ref": "#/components/responses/Error"}
    return document

"""Pages as HTML: the templates, the files beside them, and the headers that every page has."""

import functools
import re
from typing import TYPE_CHECKING, Any

from bodydouble_spec import Finding
from bodydouble_spec.text import cut_line, json_text, visible, without_data_uris
from starlette.requests import Request
from starlette.responses import Response

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["fragment", "render", "static_file", "visible_lines"]

# Nothing from elsewhere, and neither scripts nor styles in the page itself: text of a request that became markup could do nothing.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    # A form of a page without any referrer would have the origin "null".
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_STATIC = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}


@functools.cache
def _environment() -> "Environment":
    # Imported for the first page, so that a server without readers starts sooner.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("bodydouble_mockserver.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = lambda text: visible_lines(str(text))
    # Backticks mark names in the messages of findings, for reports that can show them as code.
    environment.filters["sentence"] = _sentence
    environment.filters["place"] = _place
    environment.filters["line"] = lambda text: cut_line(str(text), 400)
    environment.filters["value"] = lambda value: cut_line(without_data_uris(json_text(value)))
    return environment


def _sentence(text: str) -> str:
    return visible_lines(without_data_uris(text).replace("`", ""))


def _place(finding: Finding) -> str:
    # Imported here, as are resources below, so that a server starts sooner.
    from bodydouble_spec.report import place

    return place(finding, with_operation=False)


def visible_lines(text: str) -> str:
    """Return a text of several lines, each safe to show; tabs stay."""
    return "".join(
        part if part in "\n\t" else visible(part) for part in re.split(r"(\n|\t)", text.replace("\r\n", "\n"))
    )


def fragment(template: str, **values: Any) -> str:
    """Return a part of a page as HTML."""
    return _environment().get_template(f"{template}.html.jinja").render(values)


def render(template: str, status: int = 200, **values: Any) -> Response:
    """Return a page."""
    return Response(fragment(template, **values), status, _HEADERS, "text/html")


async def static_file(request: Request) -> Response:
    """Answer a request for a style sheet, script or icon."""
    name = request.path_params["name"]
    if name not in _STATIC:
        return Response("there is no such file", 404, _HEADERS, "text/plain")
    from importlib.resources import files

    data = files("bodydouble_mockserver.page").joinpath("static", name).read_bytes()
    return Response(data, 200, {**_HEADERS, "cache-control": "no-cache"}, _STATIC[name])

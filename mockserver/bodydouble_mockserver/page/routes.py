"""The routes of the page, all below ``/_bodydouble/``; access to them is checked before they are reached."""

from starlette.routing import Route

from bodydouble_mockserver.page.contract_page import contract_page_routes
from bodydouble_mockserver.page.journal_page import journal_page_routes
from bodydouble_mockserver.page.limits_page import limits_page_routes
from bodydouble_mockserver.page.parts import PageParts
from bodydouble_mockserver.page.pictures import picture_routes
from bodydouble_mockserver.page.rendering import static_file
from bodydouble_mockserver.page.script_page import script_page_routes
from bodydouble_mockserver.page.try_page import try_page_routes

__all__ = ["page_routes"]


def page_routes(parts: PageParts) -> list[Route]:
    """Return the routes of the page of a server."""
    return [
        *journal_page_routes(parts),
        *try_page_routes(parts),
        *script_page_routes(parts),
        *limits_page_routes(parts),
        *contract_page_routes(parts),
        *picture_routes(parts.links),
        Route("/_bodydouble/static/{name}", static_file, methods=["GET"]),
    ]

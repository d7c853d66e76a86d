"""The routes of the page, all below ``/_bodydouble/``; access to them is checked before they are reached."""

from functools import cached_property

from starlette.routing import BaseRoute, Match, Route, Router

from bodydouble_mockserver.asgi import Receive, Scope, Send
from bodydouble_mockserver.page.parts import PageParts

__all__ = ["PageRoutes"]

_PAGE = "/_bodydouble/"


class PageRoutes(BaseRoute):
    """The routes of the page of a server, made when one is first asked for: most servers have no reader, and start sooner."""

    def __init__(self, parts: PageParts) -> None:
        self._parts = parts

    @cached_property
    def _router(self) -> Router:
        from bodydouble_mockserver.page.contract_page import contract_page_routes
        from bodydouble_mockserver.page.journal_page import journal_page_routes
        from bodydouble_mockserver.page.limits_page import limits_page_routes
        from bodydouble_mockserver.page.pictures import picture_routes
        from bodydouble_mockserver.page.rendering import static_file
        from bodydouble_mockserver.page.script_page import script_page_routes
        from bodydouble_mockserver.page.try_page import try_page_routes

        parts = self._parts
        routes = [
            *journal_page_routes(parts),
            *try_page_routes(parts),
            *script_page_routes(parts),
            *limits_page_routes(parts),
            *contract_page_routes(parts),
            *picture_routes(parts.links),
            Route("/_bodydouble/static/{name}", static_file, methods=["GET"]),
        ]
        return Router(routes, redirect_slashes=False)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return the best match of a route; it is found again when the request is handled."""
        if scope["type"] != "http" or not scope["path"].startswith(_PAGE):
            return Match.NONE, {}
        found = [route.matches(scope)[0] for route in self._router.routes]
        return max(found, key=lambda match: match.value), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request that matches."""
        await self._router(scope, receive, send)

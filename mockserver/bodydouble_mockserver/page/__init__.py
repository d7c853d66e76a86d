"""The page of the mock server, ``/_bodydouble/``: what was asked and answered, with pictures."""

from bodydouble_mockserver.page.access import PageAccess, is_for_page, page_redirect
from bodydouble_mockserver.page.parts import PageParts
from bodydouble_mockserver.page.routes import page_routes

__all__ = ["PageAccess", "PageParts", "is_for_page", "page_redirect", "page_routes"]

"""Access to the page where a control key is needed, and the way to it from the server's root.

A browser sends no key for a picture, a stream of events or a download. Links to these carry a proof in the place of the key, which is good for one
path of this server until it ends.
"""

import hashlib
import hmac
import secrets
from urllib.parse import parse_qs

from starlette.responses import RedirectResponse, Response

from bodydouble_mockserver.asgi import Scope, header
from bodydouble_mockserver.page.rendering import render
from bodydouble_mockserver.settings import Settings

__all__ = ["PageAccess", "is_for_page", "page_redirect"]

_PAGE = "/_bodydouble/"
_ROOTS = ("/", "/_bodydouble")
_STATIC = "/_bodydouble/static/"
_PROOF = "proof"


class PageAccess:
    """The links of a page that need no key, and the form that asks for it."""

    def __init__(self, settings: Settings) -> None:
        self._needs_key = settings.control_key is not None
        self._secret = secrets.token_bytes(32)

    def link(self, url: str) -> str:
        """Return a URL of a path that a browser can open without the key."""
        if not self._needs_key:
            return url
        path, mark, query = url.partition("?")
        return f"{path}?{query}{'&' if mark else ''}{_PROOF}={self._proof(path)}"

    def allows(self, scope: Scope) -> bool:
        """Return whether a request without the key is allowed: for the style sheet and the script, and with a proof for its path."""
        path: str = scope["path"]
        if scope["method"] != "GET":
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get(_PROOF, [""])[0]
        return path.startswith(_STATIC) or hmac.compare_digest(given.encode(), self._proof(path).encode())

    def ask_for_key(self) -> Response:
        """Return the page with the form for the key."""
        return render("key", 401)

    def _proof(self, path: str) -> str:
        return hmac.new(self._secret, path.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def is_for_page(scope: Scope) -> bool:
    """Return whether a browser opens a page; clients of the API accept JSON, or anything."""
    accepted = header(scope, b"accept")
    return scope["method"] == "GET" and b"text/html" in accepted and b"json" not in accepted


def page_redirect(scope: Scope) -> Response | None:
    """Return the way to the page where a browser opens the server's root; None for every other request."""
    return RedirectResponse(_PAGE) if scope["path"] in _ROOTS and is_for_page(scope) else None

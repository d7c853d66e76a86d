"""Access to the page where a control key is needed, and the way to it from the server's root.

A browser sends no key for a picture, a stream of events or a download. Links to these carry a proof in the place of the key, which is good for one
path of this server until it ends.
"""

import hashlib
import hmac
import secrets
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, RedirectResponse, Response

from bodydouble_mockserver.asgi import Scope, header
from bodydouble_mockserver.control import RequiredState, missing_state, refuse_control, state_away
from bodydouble_mockserver.page.rendering import render
from bodydouble_mockserver.settings import Settings

__all__ = ["PageAccess"]

_PAGE = "/_bodydouble/"
_ROOTS = ("/", "/_bodydouble")
_STATIC = "/_bodydouble/static/"
_PROOF = "proof"


class PageAccess:
    """Access to the control routes, the page among them: refusals, links that need no key, and the form that asks for it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._needs_key = settings.control_key is not None
        self._secret = secrets.token_bytes(32)

    def link(self, url: str) -> str:
        """Return a URL of a path that a browser can open without the key."""
        if not self._needs_key:
            return url
        path, mark, query = url.partition("?")
        return f"{path}?{query}{'&' if mark else ''}{_PROOF}={self._proof(path)}"

    def refuse(self, scope: Scope) -> Response | None:
        """Return the refusal of a request to a control route, or None when it is allowed."""
        refusal = refuse_control(self._settings, dict(scope["headers"]))
        if refusal is None or (refusal[0] == 401 and self._needs_no_key(scope)):
            return None
        if refusal[0] == 401 and _is_of_browser(scope):
            return render("key", 401)
        return JSONResponse({"error": refusal[1]}, refusal[0])

    def refuse_without_state(self, scope: Scope, state: RequiredState) -> Response | None:
        """Return the refusal of a control route that needs the state while it is away, for a browser as a page; None for any other."""
        error = missing_state(state, scope["path"])
        if error is None:
            return None
        return render("away", 503, reason=str(error)) if _is_of_browser(scope) else state_away(error)

    def way_from_root(self, scope: Scope) -> Response | None:
        """Return the way to the page for a browser that opens the server's root; None where the page is closed, and for every other request."""
        if scope["path"] not in _ROOTS or not _is_of_browser(scope):
            return None
        refusal = refuse_control(self._settings, dict(scope["headers"]))
        return RedirectResponse(_PAGE) if refusal is None or refusal[0] == 401 else None

    def _needs_no_key(self, scope: Scope) -> bool:
        """Return whether a request is for the style sheet and the script of the form, or has a proof for its path."""
        path: str = scope["path"]
        if scope["method"] != "GET":
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get(_PROOF, [""])[0]
        return path.startswith(_STATIC) or hmac.compare_digest(given.encode(), self._proof(path).encode())

    def _proof(self, path: str) -> str:
        return hmac.new(self._secret, path.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _is_of_browser(scope: Scope) -> bool:
    """Return whether a browser opens a page; clients of the API accept JSON, or anything."""
    accepted = header(scope, b"accept")
    return scope["method"] == "GET" and b"text/html" in accepted and b"json" not in accepted

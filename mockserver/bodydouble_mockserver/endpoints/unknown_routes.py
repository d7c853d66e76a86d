"""Words for a request to a route that nothing serves: the mistake in its URL, and the route that is meant."""

import difflib
from collections.abc import Iterable, Sequence

from bodydouble_spec import Evidence, Finding, Operation, Severity
from bodydouble_spec.values import template_of

__all__ = ["UnknownRoutes"]

_MAX_CHARACTERS = 200
_MAX_LISTED = 3
_VERSION = "/v1"


class UnknownRoutes:
    """Explains requests to routes that none of some operations has."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._methods: dict[str, list[str]] = {}
        for operation in operations:
            self._methods.setdefault(operation.path.rstrip("/") or "/", []).append(operation.method)
        routes = [f"{method} {path}" for path, methods in self._methods.items() for method in methods]
        more = f" and {len(routes) - _MAX_LISTED} more" if len(routes) > _MAX_LISTED else ""
        self._offered = f"{', '.join(routes[:_MAX_LISTED])}{more}"

    def finding(self, method: str, path: str) -> Finding:
        """Return the finding of a request to an unknown route."""
        route = f"{method} {path[:_MAX_CHARACTERS]}"
        reason = self._reason(method, path.rstrip("/")) or f"it has {self._offered}"
        message = f"the contract has no {route}; {reason}"
        return Finding(
            "request-route-unknown", Severity.ERROR, Evidence.DOCUMENTED, "", message, direction="request", operation=route
        )  # fmt: skip

    def _reason(self, method: str, path: str) -> str | None:
        """Return the mistake that the path shows, without a slash at its end; None where it is like no known one."""
        for known, methods in self._methods.items():
            ways = " or ".join(methods)
            tail = known.removeprefix(_VERSION)
            if path in (known, tail):
                return f"{known} takes {ways}, not {method}"
            if tail and path in (f"{known}{known}", f"{known}{tail}", f"{tail}{tail}"):
                return f"{tail} is there twice: remove it from the base URL"
            if path == f"{_VERSION}{known}":
                return f"{_VERSION} is there twice: remove it from the base URL, or from the path that is added to it"
            if path in ("", _VERSION):
                return f"the URL is only the base URL: send {ways} to {known}"
            if path.endswith(known):
                return f"remove {path[: -len(known)]} in front of {known}"
        close = self._close(path)
        return None if close is None else f"did you mean {close}?"

    def _close(self, path: str) -> str | None:
        literal: Sequence[str] = [known for known in self._methods if template_of(known) == known]
        found = difflib.get_close_matches(path[:_MAX_CHARACTERS], literal, 1, 0.8)
        return f"{self._methods[found[0]][0]} {found[0]}" if found else None

"""The API key, kept out of every repr: it is revealed in one place only, when a request leaves."""

import json
from collections.abc import Generator

import httpx

__all__ = ["BearerAuth", "Secret"]

_SHORTEST_REDACTED = 8  # a shorter dummy key ("test") would blot ordinary words out of a server's message


class Secret:
    """A string that shows as ``***``."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Secret('***')"

    def reveal(self) -> str:
        """The string itself; do not keep it in a local variable."""
        return self._value

    def redact(self, text: str) -> str:
        """The text with the secret, as it is or escaped as JSON and repr do, replaced by ``***``."""
        if len(self._value) < _SHORTEST_REDACTED:
            return text
        for spelling in self._spellings():
            text = text.replace(spelling, "***")
        return text

    def _spellings(self) -> tuple[str, ...]:
        escaped = json.dumps(self._value)[1:-1]
        return (self._value, escaped, escaped.replace("/", "\\/"))


class BearerAuth(httpx.Auth):
    """Puts the key into the Authorization header as late as httpx allows."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the header, whatever the caller's own client would have sent instead."""
        request.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        yield request

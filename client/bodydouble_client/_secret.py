"""The API key, hidden from every repr and revealed only when a request is sent."""

import json
from collections.abc import Generator

import httpx

_MIN_REDACTED_LENGTH = 8  # a shorter dummy key ("test") would remove ordinary words from messages


class Secret:
    """A string that is shown as ``***``."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Secret('***')"

    def reveal(self) -> str:
        """Return the string; do not keep it in a local variable, which a traceback may show."""
        return self._value

    def redact(self, text: str) -> str:
        """Return the text with ``***`` in place of the secret, also where JSON or repr has escaped it."""
        if len(self._value) < _MIN_REDACTED_LENGTH:
            return text
        for spelling in self._spellings():
            text = text.replace(spelling, "***")
        return text

    def _spellings(self) -> tuple[str, ...]:
        escaped = json.dumps(self._value)[1:-1]
        return (self._value, escaped, escaped.replace("/", "\\/"))


class BearerAuth(httpx.Auth):
    """Authentication that adds the key as late as httpx allows."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Set the Authorization header, also when the HTTP client of the caller has set one."""
        request.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        yield request

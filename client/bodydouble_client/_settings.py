"""What a client is set up with: arguments first, then the environment, then defaults, all checked before use."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from bodydouble_client._errors import ArgumentError
from bodydouble_client._secret import Secret
from bodydouble_client._text import describe, shorten

__all__ = [
    "BASE_URL_VARIABLES",
    "DEFAULT_BASE_URL",
    "KEY_VARIABLES",
    "checked_count",
    "checked_seconds",
    "endpoint_of",
    "find_base_url",
    "find_key",
]

KEY_VARIABLES = ("AIMLAPI_KEY", "AIML_API_KEY", "AIMLAPI_API_KEY")
BASE_URL_VARIABLES = ("AIMLAPI_BASE_URL", "AIML_API_BASE", "AIMLAPI_API_BASE")
DEFAULT_BASE_URL = "https://api.aimlapi.com"

_ROUTE = "/images/generations"
_LONGEST_WAIT_S = 1_000_000  # sockets and locks overflow on times that are much longer


def find_key(api_key: object, environ: Mapping[str, str]) -> Secret | ArgumentError:
    """The key from the argument or the first variable that is set and not empty.

    The error is returned, not raised: this frame holds the key and the environment, and a traceback shows frames.
    """
    name, value = "api_key", api_key
    if value is None:
        name, value = next(((name, environ[name]) for name in KEY_VARIABLES if environ.get(name)), ("api_key", None))
    if value is None:
        return ArgumentError(f"no API key: pass api_key or set one of {', '.join(KEY_VARIABLES)}", argument="api_key")
    if not isinstance(value, str):
        return ArgumentError(f"{name} must be a str, not {type(value).__name__}", argument=name)
    if not value:
        return ArgumentError(f"{name} is empty; leave it out to read {', '.join(KEY_VARIABLES)}", argument=name)
    bad = next((place for place, character in enumerate(value) if not "!" <= character <= "~"), None)
    if bad is not None:
        return ArgumentError(
            f"{name} has a character at position {bad} (of {len(value)}) that no API key has: a space, a line break, "
            "a control or a non-ASCII character. Copy the key again, without line breaks",
            argument=name,
        )
    return Secret(value)


def find_base_url(base_url: str | None, environ: Mapping[str, str]) -> tuple[str, str]:
    """The base URL and the name of where it comes from: argument, first variable that is set, or default."""
    if base_url is not None:
        return "base_url", base_url
    found = ((name, environ[name]) for name in BASE_URL_VARIABLES if environ.get(name))
    return next(found, ("base_url", DEFAULT_BASE_URL))


def endpoint_of(name: str, base_url: object) -> str:
    """The URL that edits are posted to, for a base URL with or without ``/v1`` and trailing slashes.

    Raises ArgumentError, naming the setting ``name``, when it is not a plain http(s) URL or would send the key to
    the real service in clear text.
    """
    if not isinstance(base_url, str):
        raise ArgumentError(f"{name} must be a str, not {type(base_url).__name__}", argument=name)
    fault = _fault_of_base_url(base_url)
    if fault is not None:
        raise ArgumentError(f"{name} {fault}; a good one is {DEFAULT_BASE_URL}", argument=name)
    base = base_url.rstrip("/")
    return base + _ROUTE if base.endswith("/v1") else f"{base}/v1{_ROUTE}"


def _fault_of_base_url(base_url: str) -> str | None:
    try:
        parts = urlsplit(base_url)
        host, user = parts.hostname, parts.username or parts.password
        _ = parts.port, httpx.URL(base_url)
    except (ValueError, httpx.InvalidURL) as error:
        return f"is not a URL ({shorten(str(error))})"
    if parts.scheme not in {"http", "https"} or not host or base_url != "".join(base_url.split()):
        return f"must begin with http:// or https:// and a host and hold no spaces, not {describe(base_url)}"
    if user is not None or "@" in parts.netloc:
        return "must not hold a user name or password"
    if "?" in base_url or "#" in base_url:
        return "must have neither a query nor a fragment"
    if parts.path.rstrip("/").endswith(_ROUTE):
        return f"must end before {_ROUTE}, which the client adds itself"
    if parts.scheme == "http" and (host == "aimlapi.com" or host.endswith(".aimlapi.com")):
        return "would send the API key in clear text; use https"
    return None


def checked_seconds(name: str, value: object) -> float:
    """A time in seconds as a float; raises ArgumentError unless it is above 0 and at most a million."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= _LONGEST_WAIT_S:
        return float(value)
    raise ArgumentError(
        f"{name} must be a number of seconds above 0 and at most {_LONGEST_WAIT_S}, not {describe(value)}",
        argument=name,
    )


def checked_count(name: str, value: object, lowest: int) -> int:
    """A whole number that is at least ``lowest``, as an int; raises ArgumentError otherwise."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= lowest:
        return int(value)
    raise ArgumentError(f"{name} must be a whole number, {lowest} or more, not {describe(value)}", argument=name)

"""Settings from arguments, the environment or defaults, in this order, and their checks."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from bodydouble_client._errors import ArgumentError
from bodydouble_client._secret import Secret
from bodydouble_client._values import describe, shorten

KEY_VARIABLES = ("AIMLAPI_KEY", "AIML_API_KEY", "AIMLAPI_API_KEY")
BASE_URL_VARIABLES = ("AIMLAPI_BASE_URL", "AIML_API_BASE", "AIMLAPI_API_BASE")
DEFAULT_BASE_URL = "https://api.aimlapi.com"

_ROUTE = "/images/generations"
_MAX_SECONDS = 1_000_000  # sockets and locks overflow on times that are much longer


def find_key(api_key: object, environ: Mapping[str, str]) -> Secret | ArgumentError:
    """Return the key from the argument or the first variable that is set and not empty.

    The error is returned, not raised: this frame has the key and the environment, and a traceback may show it.
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
    index_of_bad = next((index for index, character in enumerate(value) if not "!" <= character <= "~"), None)
    if index_of_bad is not None:
        return ArgumentError(
            f"{name} has a character at position {index_of_bad} (of {len(value)}) that no API key has: a space, a line break, "
            "a control or a non-ASCII character. Copy the key again, without line breaks",
            argument=name,
        )
    return Secret(value)


def find_base_url(base_url: str | None, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the name of the setting and the base URL: argument, first variable that is set, or default."""
    if base_url is not None:
        return "base_url", base_url
    set_variables = ((name, environ[name]) for name in BASE_URL_VARIABLES if environ.get(name))
    return next(set_variables, ("base_url", DEFAULT_BASE_URL))


def build_endpoint(name: str, base_url: object) -> str:
    """Return the URL of the edit operation, for a base URL with or without ``/v1`` and trailing slashes.

    Raises ArgumentError, naming the setting ``name``, when it is not an http(s) URL without query and credentials, or
    when the key would be sent to the real service unencrypted.
    """
    if not isinstance(base_url, str):
        raise ArgumentError(f"{name} must be a str, not {type(base_url).__name__}", argument=name)
    problem = _base_url_problem(base_url)
    if problem is not None:
        raise ArgumentError(f"{name} {problem}; for example {DEFAULT_BASE_URL}", argument=name)
    base = base_url.rstrip("/")
    return base + _ROUTE if base.endswith("/v1") else f"{base}/v1{_ROUTE}"


def _base_url_problem(base_url: str) -> str | None:
    try:
        parts = urlsplit(base_url)
        host, user = parts.hostname, parts.username or parts.password
        _ = parts.port, httpx.URL(base_url)
    except (ValueError, httpx.InvalidURL) as error:
        return f"is not a URL ({shorten(str(error))})"
    if parts.scheme not in {"http", "https"} or not host or base_url != "".join(base_url.split()):
        return f"must begin with http:// or https:// and a host and contain no spaces, not {describe(base_url)}"
    if user is not None or "@" in parts.netloc:
        return "must not contain a user name or password"
    if "?" in base_url or "#" in base_url:
        return "must have neither a query nor a fragment"
    if parts.path.rstrip("/").endswith(_ROUTE):
        return f"must end before {_ROUTE}, which the client adds itself"
    if parts.scheme == "http" and (host == "aimlapi.com" or host.endswith(".aimlapi.com")):
        return "would send the API key unencrypted; use https"
    return None


def check_seconds(name: str, value: object) -> float:
    """Return a time in seconds as a float; raises ArgumentError unless it is above 0 and at most a million."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= _MAX_SECONDS:
        return float(value)
    raise ArgumentError(
        f"{name} must be a number of seconds above 0 and at most {_MAX_SECONDS}, not {describe(value)}",
        argument=name,
    )


def check_count(name: str, value: object, minimum: int) -> int:
    """Return a whole number as an int; raises ArgumentError unless it is at least ``minimum``."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= minimum:
        return int(value)
    raise ArgumentError(f"{name} must be a whole number, {minimum} or more, not {describe(value)}", argument=name)

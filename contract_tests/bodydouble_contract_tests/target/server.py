"""Resolve the server to verify: its base URL, its key, and whether its calls cost money."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from bodydouble_client import KEY_VARIABLES
from bodydouble_spec import DUMMY_KEY, is_array, is_object

from bodydouble_contract_tests.errors import CannotVerify
from bodydouble_contract_tests.model import OperationProfile
from bodydouble_contract_tests.target.urls import base_of, host_of

__all__ = ["ServerConfig", "default_recording", "is_billed", "resolve_server"]


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """The base URL of a server, the key to send to it, and whether its calls cost money."""

    base_url: str
    is_live: bool
    api_key: str = field(repr=False)


def resolve_server(
    profile: OperationProfile, *, base_url: str | None, api_key: str | None, is_live: bool, environ: Mapping[str, str]
) -> ServerConfig:
    """Return the server to verify. ``is_live`` allows the run to spend money, ``environ`` holds the key of the real API.

    Without ``base_url``, a live run uses the first server that the contract names. The key in the environment is used in a live run only.
    Raises CannotVerify when no usable server is given, when a server would cost money without ``is_live``, and when a live run has no key.
    """
    if base_url is None and not is_live:
        raise CannotVerify("no server is named: give --base-url URL, or --live for the real API")
    url = _first_billed_url(profile) if base_url is None else base_url
    base_of(url)  # raises CannotVerify when it is not a base URL
    is_real = is_billed(profile, url)
    if is_real and not is_live:
        raise CannotVerify(f"{url} is the real API, where calls cost money; add --live to allow that")
    if is_real and urlsplit(url.strip()).scheme.lower() != "https":
        raise CannotVerify(f"{url} would send the API key in clear text; use https")
    return ServerConfig(url, is_live, (api_key if api_key is not None else _key(environ) if is_live else DUMMY_KEY))


def default_recording(now: datetime) -> Path:
    """Return the file, in the working directory, that records a live run when the caller names none."""
    return Path(f"bodydouble-verify-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.jsonl")


def is_billed(profile: OperationProfile, base_url: str) -> bool:
    """Return whether a base URL belongs to a server that the contract names: calls to the real API cost money."""
    return host_of(base_url.strip()) in {*map(host_of, _named_urls(profile))} - {""}


def _first_billed_url(profile: OperationProfile) -> str:
    url = next(filter(host_of, _named_urls(profile)), None)
    if url is None:
        raise CannotVerify(f"{profile.contract.source} names no server; give --base-url URL with --live")
    return url


def _named_urls(profile: OperationProfile) -> list[str]:
    servers = profile.contract.document.get("servers")
    return [str(item.get("url", "")) for item in (servers if is_array(servers) else ()) if is_object(item)]


def _key(environ: Mapping[str, str]) -> str:
    key = next((environ[name] for name in KEY_VARIABLES if environ.get(name)), None)
    if key is None:
        first, *others = KEY_VARIABLES
        raise CannotVerify(f"no API key: set {first} (or {' or '.join(others)}), or give --api-key")
    return key

"""Which server a verification talks to, with which key, and whether that costs money: one answer for the command and for pytest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from bodydouble_client import KEY_VARIABLES
from bodydouble_spec import is_array, is_object

from bodydouble_contract_tests._address import base_of
from bodydouble_contract_tests._errors import CannotVerify
from bodydouble_contract_tests._money import is_billed
from bodydouble_contract_tests._subject import Subject

__all__ = ["Aim", "default_recording", "take_aim"]

# What a server gets that is not the real API: a key that opens nothing must not be risked, and a mock takes any.
_ANY_KEY = "bodydouble-dummy-key"


@dataclass(frozen=True, slots=True)
class Aim:
    """A server by its base URL, the key that goes to it, and whether its calls cost money."""

    base_url: str
    is_live: bool
    api_key: str = field(repr=False)


def take_aim(
    subject: Subject, *, base_url: str | None, api_key: str | None, is_live: bool, environ: Mapping[str, str]
) -> Aim:
    """The server that is meant; ``is_live`` says that money may be spent, ``environ`` holds the key of the real API.

    Without ``base_url`` a live run goes to the first server of the contract. The key in the environment goes nowhere unless the run is live.
    Raises CannotVerify when no server is named, or none that can be, when one would cost money unasked, and when a live run has no key.
    """
    if base_url is None and not is_live:
        raise CannotVerify("no server is named: give --base-url URL, or --live for the real API")
    url = _server(subject) if base_url is None else base_url
    base_of(url)  # refuses what is no base URL
    is_real = is_billed(subject, url)
    if is_real and not is_live:
        raise CannotVerify(f"{url} is the real API, where calls cost money; add --live to say that they may")
    if is_real and urlsplit(url.strip()).scheme.lower() != "https":
        raise CannotVerify(f"{url} would send the API key in clear text; use https")
    return Aim(url, is_live, (api_key if api_key is not None else _key(environ) if is_live else _ANY_KEY))


def default_recording(now: datetime) -> Path:
    """The file, in the working directory, to which a live run writes what it pays for when none is named."""
    return Path(f"bodydouble-verify-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.jsonl")


def _server(subject: Subject) -> str:
    servers = subject.contract.document.get("servers")
    urls = [str(item.get("url", "")) for item in (servers if is_array(servers) else ()) if is_object(item)]
    url = next((url for url in urls if is_billed(subject, url)), None)
    if url is None:
        raise CannotVerify(f"{subject.contract.source} names no server; give --base-url URL with --live")
    return url


def _key(environ: Mapping[str, str]) -> str:
    key = next((environ[name] for name in KEY_VARIABLES if environ.get(name)), None)
    if key is None:
        first, *others = KEY_VARIABLES
        raise CannotVerify(f"no API key: set {first} (or {' or '.join(others)}), or give --api-key")
    return key

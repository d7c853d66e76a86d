"""The hosts that contracts name as their servers, and the paths that their operations lie below."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from bodydouble_spec import Contract, is_array, is_object

__all__ = ["ContractHosts", "first_server"]

_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_VARIABLE = re.compile(r"\{([^{}]*)\}")
_LOCAL = ("localhost", "127.0.0.1", "0.0.0.0")  # noqa: S104 - compared with, not listened on


@dataclass(frozen=True, slots=True)
class ContractHosts:
    """The host names of some contracts, in lower case, the schemes that they are called by, and the paths before those of operations."""

    names: tuple[str, ...]
    schemes: frozenset[str]
    bases: tuple[str, ...]

    @classmethod
    def of(cls, contracts: Iterable[Contract]) -> "ContractHosts":
        """Read the servers of contracts, their variables with the default values; servers of this machine are left out."""
        parts = [urlsplit(url) for contract in contracts for url in _urls(contract)]
        return cls(
            names=tuple(dict.fromkeys(part.hostname for part in parts if part.hostname)),
            schemes=frozenset(part.scheme for part in parts),
            # The longest first, since one may begin with another.
            bases=tuple(sorted({part.path.rstrip("/") for part in parts} - {""}, key=len, reverse=True)),
        )

    def __contains__(self, host: object) -> bool:
        return isinstance(host, str) and host.lower().rstrip(".") in self.names

    def path_of(self, url: bytes) -> bytes:
        """Return the path and query of a request without the path of its server."""
        for base in self.bases:
            text = base.encode()
            if url.startswith(text) and url[len(text) : len(text) + 1] in (b"/", b"?", b""):
                return b"/" + url[len(text) :].removeprefix(b"/")
        return url


def first_server(contracts: Iterable[Contract]) -> str | None:
    """Return the first server that contracts name, its variables with the default values; None where they name none but this machine."""
    return next((url for contract in contracts for url in _urls(contract)), None)


def _urls(contract: Contract) -> Iterator[str]:
    servers = contract.document.get("servers")
    for server in servers if is_array(servers) else ():
        url = server.get("url") if is_object(server) else None
        if isinstance(url, str):
            variables = server.get("variables")
            filled = _VARIABLE.sub(partial(_default, variables), url).lower().strip()
            if _is_of_a_host(filled):
                yield filled


def _default(variables: Any, found: re.Match[str]) -> str:
    variable = variables.get(found[1]) if is_object(variables) else None
    return str(variable.get("default", "")) if is_object(variable) else ""


def _is_of_a_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and host not in _LOCAL and _NAME.fullmatch(host) is not None

"""A guard against accidental paid calls: during a test with the mock, the real host's name cannot be resolved."""

import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest

__all__ = ["REAL_DOMAIN", "RealHostCalled", "guard_real_host"]

REAL_DOMAIN = "aimlapi.com"
_LOOKUPS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex")


class RealHostCalled(RuntimeError):
    """The app tried to call the real service. It is not an OSError, which HTTP libraries would retry."""


@contextmanager
def guard_real_host(url: str, called_hosts: list[str]) -> Generator[None]:
    """Make look-ups of hosts in `REAL_DOMAIN` raise RealHostCalled, and add their names to ``called_hosts``.

    Guarded are the look-ups of this process through the standard library, asyncio and uvloop. Names resolved elsewhere (a child process,
    c-ares) are not seen; such code finds a dummy key in the environment.
    """

    def check(host: object) -> None:
        name = host.decode("latin-1") if isinstance(host, bytes | bytearray) else str(host)
        name = name.lower().rstrip(".")
        if name == REAL_DOMAIN or name.endswith(f".{REAL_DOMAIN}"):
            called_hosts.append(name)
            raise RealHostCalled(
                f"bodydouble: the app called the real {name}; the mock is at {url}, the value of AIMLAPI_BASE_URL while the test runs "
                "(an app that reads it at import time, or has a hard-coded address, does not use it). "
                "If the test means it: @pytest.mark.bodydouble(allow_real_host=True)"
            )

    with pytest.MonkeyPatch.context() as patch:
        for name in _LOOKUPS:
            patch.setattr(socket, name, _guarded(getattr(socket, name), check))
        _guard_uvloop(patch, check)
        yield


def _guarded(lookup: Callable[..., Any], check: Callable[[object], None]) -> Callable[..., Any]:
    def guarded(host: Any, *arguments: Any, **options: Any) -> Any:
        check(host)
        return lookup(host, *arguments, **options)

    return guarded


def _guard_uvloop(patch: pytest.MonkeyPatch, check: Callable[[object], None]) -> None:
    """Guard uvloop, which resolves names itself, in ``create_connection`` without its own ``getaddrinfo``."""
    try:
        import uvloop
    except ImportError:  # it does not exist for Windows and PyPy
        return
    look_up = uvloop.Loop.getaddrinfo
    connect = uvloop.Loop.create_connection

    async def getaddrinfo(loop: Any, host: Any, *arguments: Any, **options: Any) -> Any:
        check(host)
        return await look_up(loop, host, *arguments, **options)

    async def create_connection(loop: Any, factory: Any, host: Any = None, *arguments: Any, **options: Any) -> Any:
        check(host)
        return await connect(loop, factory, host, *arguments, **options)

    patch.setattr(uvloop.Loop, "getaddrinfo", getaddrinfo)
    patch.setattr(uvloop.Loop, "create_connection", create_connection)

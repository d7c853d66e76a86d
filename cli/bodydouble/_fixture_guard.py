"""A guard against paid calls by accident: while a test runs against the mock, the real host's name cannot be looked up."""

import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest

__all__ = ["REAL_DOMAIN", "RealHostCalled", "guard_real_host"]

REAL_DOMAIN = "aimlapi.com"
_LOOKUPS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex")


class RealHostCalled(RuntimeError):
    """The app was about to call the real service; no OSError, which HTTP libraries would take for a failure worth a retry."""


@contextmanager
def guard_real_host(url: str, called: list[str]) -> Generator[None]:
    """While inside, a look-up of a host of `REAL_DOMAIN` in this process raises RealHostCalled and is noted in ``called``.

    The standard library's look-ups are guarded, those of asyncio with them, and uvloop's. What resolves names outside of Python (a
    child process, c-ares) is not seen; it finds a dummy key in the environment.
    """

    def check(host: object) -> None:
        name = host.decode("latin-1") if isinstance(host, bytes | bytearray) else str(host)
        name = name.lower().rstrip(".")
        if name == REAL_DOMAIN or name.endswith(f".{REAL_DOMAIN}"):
            called.append(name)
            raise RealHostCalled(
                f"bodydouble: the app called the real {name}; the mock is at {url}, which AIMLAPI_BASE_URL holds while the test runs "
                "(an app that reads it at import, or has the address written into it, does not see it). "
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
    """uvloop looks names up by itself; what it does in ``create_connection`` never passes its ``getaddrinfo``."""
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

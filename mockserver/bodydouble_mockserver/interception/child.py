"""Lead the intercepted hosts to the mock in programs of Python, whose libraries may know no proxy.

A copy of this file is the first ``sitecustomize`` on their PYTHONPATH, so it imports only the standard library. Hosts and ports are in the
environment.
"""

import contextlib
import os
import socket
import sys
from collections.abc import Callable, Collection
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

__all__ = ["lead"]

_HTTP_PORT = 80


def lead(hosts: Collection[str], http_port: int, tls_port: int) -> None:
    """Let look-ups of some hosts, by this process, lead to the ports of a mock on this machine."""
    # It stands for the hosts in results of look-ups; where it is connected to, the port tells HTTP from TLS.
    place = f"127.66.{http_port >> 8}.{http_port & 255}"

    def resolving(look_up: Callable[..., Any]) -> Callable[..., Any]:
        def resolve(host: Any, *arguments: Any, **options: Any) -> Any:
            name = host.decode("latin-1") if isinstance(host, bytes) else host
            is_led = isinstance(name, str) and name.lower().rstrip(".") in hosts
            return look_up(place if is_led else host, *arguments, **options)

        return resolve

    def connecting(connect: Callable[[socket.socket, Any], Any]) -> Callable[[socket.socket, Any], Any]:
        def connect_to(connection: socket.socket, address: Any) -> Any:
            if isinstance(address, tuple) and address[:1] == (place,):
                address = ("127.0.0.1", http_port if address[1:2] == (_HTTP_PORT,) else tls_port)
            return connect(connection, address)

        return connect_to

    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        setattr(socket, name, resolving(getattr(socket, name)))
    for name in ("connect", "connect_ex"):
        setattr(socket.socket, name, connecting(getattr(socket.socket, name)))


def _begin() -> None:
    """Lead the hosts of the environment, and import the ``sitecustomize`` in whose place this one is."""
    hosts, ports = os.environ.get("BODYDOUBLE_HOSTS", ""), ("BODYDOUBLE_PORT", "BODYDOUBLE_TLS_PORT")
    with contextlib.suppress(KeyError, ValueError):
        lead(hosts.split(","), *(int(os.environ[name]) for name in ports))
    own = Path(__file__).parent
    sys.path[:] = [entry for entry in sys.path if Path(entry) != own]
    following = PathFinder.find_spec(__name__, sys.path)
    if following is not None and following.loader is not None:
        sys.modules[__name__] = module_from_spec(following)
        following.loader.exec_module(sys.modules[__name__])


if __name__ == "sitecustomize":
    _begin()

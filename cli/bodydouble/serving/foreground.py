"""A server in the foreground: bound to its address, then announced and run."""

import socket
import sys
from collections.abc import Callable
from contextlib import nullcontext
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer
import uvicorn
from bodydouble_mockserver.protocol import FaultProtocol
from bodydouble_mockserver.server import ServedApp, bind, run, server_config

from bodydouble.serving.announcing import address_of, follow, intercepting, log_to_stderr, print_variables
from bodydouble.serving.workers import run_workers

if TYPE_CHECKING:
    from bodydouble_mockserver.interception import Interception

__all__ = ["Foreground"]


@dataclass(frozen=True, slots=True)
class Foreground:
    """A server that has its address and does not run yet. ``is_port_free`` says that no port was asked for."""

    config: uvicorn.Config
    listener: socket.socket
    interception: "Interception | None"
    address: str
    is_port_free: bool

    @classmethod
    def bind(
        cls,
        app: ServedApp,
        host: str,
        port: int,
        *,
        intercept: bool,
        certificate: Path | None = None,
        key: Path | None = None,
        is_proxy: bool = False,
    ) -> "Foreground":
        """Bind an application to a host and a port, 0 for a free one. A proxy passes other hosts on. Raises CannotServe and ValueError."""
        listener = bind(host, port)
        own_port = listener.getsockname()[1]
        interception = intercepting(app, own_port, forwards=is_proxy) if intercept else None
        protocol = FaultProtocol if interception is None else interception.protocol
        config = server_config(app, certificate, key, protocol=protocol)
        address = address_of(host, own_port, "http" if certificate is None else "https")
        return cls(config, listener, interception, address, port == 0)

    def run(self, print_banner: Callable[[], None], *, quiet: bool) -> None:
        """Announce the address and serve until a signal ends it. With ``quiet`` there is neither banner nor log, and of the address only a free port."""

        def announce() -> None:
            self._announce(print_banner, quiet=quiet)
            if not quiet:
                log_to_stderr()

        front = self.interception
        with nullcontext() if front is None else front.authority:
            run(self.config, self._listeners, announce)

    @property
    def _listeners(self) -> list[socket.socket]:
        return [self.listener, *([] if self.interception is None else [self.interception.listener])]

    def run_several(
        self, count: int, new_app: Callable[[], ServedApp], print_banner: Callable[[], None], *, quiet: bool
    ) -> None:
        """Do the same in so many processes, each with an application of its own."""

        def serve() -> None:
            if not quiet:
                log_to_stderr()
            config = copy(self.config)
            config.app = app = new_app()
            if front is not None:
                follow(front, app)
            run(config, listeners, lambda: None)

        front, listeners = self.interception, self._listeners
        with nullcontext() if front is None else front.authority:
            self._announce(print_banner, quiet=quiet)
            run_workers(count, serve)

    def _announce(self, print_banner: Callable[[], None], *, quiet: bool) -> None:
        if not quiet:
            print_banner()
        elif self.is_port_free:
            typer.echo(self.address)
        print_variables(self.interception, self.address)
        sys.stdout.flush()

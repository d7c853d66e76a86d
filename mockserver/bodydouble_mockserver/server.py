"""The mock server on a socket: uvicorn, with an address that is known before it serves and an end without noise."""

import contextlib
import logging
import signal
import socket
import ssl
from collections.abc import Callable, Generator
from pathlib import Path
from types import FrameType

import uvicorn

from bodydouble_mockserver._app import MockServer
from bodydouble_mockserver._faults import FaultProtocol

__all__ = ["CannotServe", "Server", "bind", "run", "server_config"]

_SHUTDOWN_GRACE_S = 2


class CannotServe(Exception):
    """The server cannot start; the text says which option is wrong and what to do."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises CannotServe when the address cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError, OverflowError) as error:
        raise CannotServe(f"--host {host} --port {port}: {_reason(error)}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        listener.close()
        advice = "; choose another port, or --port 0 for a free one"
        raise CannotServe(f"cannot listen on {host} port {port}: {_reason(error)}{advice}") from None
    return listener


def server_config(app: MockServer, certificate: Path | None = None, key: Path | None = None) -> uvicorn.Config:
    """How uvicorn serves the mock. Raises CannotServe when certificate and key cannot be used."""
    if certificate is not None:
        try:
            # Without a password of its own, OpenSSL would ask the terminal for one.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
        except OSError as error:
            raise CannotServe(
                f"--tls-cert {certificate}: {_reason(error)}; name a PEM certificate and its key"
            ) from None
    return uvicorn.Config(
        app,
        http=FaultProtocol,
        ws="none",
        # Behind a proxy, --public-url says what the pictures' URLs begin with.
        proxy_headers=False,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        lifespan="on",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_SHUTDOWN_GRACE_S,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )


class Server(uvicorn.Server):
    """uvicorn's server, which first ends what waits on purpose: event streams, hanging calls, long delays."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving; what is still running after the grace is cancelled."""
        app = self.config.app
        if isinstance(app, MockServer):
            app.end_streams()
        # uvicorn reports each cancelled call with a traceback; here that is how a call that hangs on purpose ends.
        logger = logging.getLogger("uvicorn.error")
        level = logger.level
        logger.setLevel(logging.CRITICAL + 1)
        try:
            await super().shutdown(sockets)
        finally:
            logger.setLevel(level)


def run(config: uvicorn.Config, listener: socket.socket, announce: Callable[[], None]) -> None:
    """Call ``announce``, then serve until SIGINT or SIGTERM and end without a trace; a signal from ``announce`` on counts."""
    server = Server(config)
    with _graceful_signals(server):
        announce()
        server.run(sockets=[listener])


@contextlib.contextmanager
def _graceful_signals(server: uvicorn.Server) -> Generator[None]:
    """Handlers for the time before uvicorn has its own, and after: it raises a signal again once it has shut down."""

    def request_exit(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, request_exit) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)

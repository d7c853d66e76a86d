"""The mock server on a socket: uvicorn, with an address that is known before it serves and an end without noise."""

import contextlib
import logging
import signal
import socket
import ssl
from collections.abc import Generator
from pathlib import Path
from types import FrameType

import uvicorn

from bodydouble_mockserver._app import MockServer

__all__ = ["CannotServe", "bind", "run", "server_config"]

_GRACE_S = 3


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
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
        except OSError as error:
            raise CannotServe(
                f"--tls-cert {certificate}: {_reason(error)}; name a PEM certificate and its key"
            ) from None
    return uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        lifespan="on",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_GRACE_S,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )


def run(config: uvicorn.Config, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM, then end without a trace."""
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    with _quiet_end():
        uvicorn.Server(config).run(sockets=[listener])


@contextlib.contextmanager
def _quiet_end() -> Generator[None]:
    """uvicorn raises a signal again once it has shut down, for the handlers that were there before it: these do nothing."""

    def ignore(_number: int, _frame: FrameType | None) -> None:
        return

    before = {number: signal.signal(number, ignore) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)

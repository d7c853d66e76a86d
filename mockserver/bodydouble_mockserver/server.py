"""The mock server on a socket: uvicorn with a known address before it serves, and a quiet shutdown."""

import asyncio
import contextlib
import logging
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Generator, Sequence
from email.utils import formatdate
from pathlib import Path
from types import FrameType
from typing import Any, Protocol, runtime_checkable

import uvicorn
from bodydouble_spec import Contract

from bodydouble_mockserver.asgi import Receive, Scope, Send
from bodydouble_mockserver.protocol import FaultProtocol
from bodydouble_mockserver.settings import Settings

__all__ = ["CannotServe", "PassesCallsOn", "ServedApp", "Server", "bind", "run", "server_config", "with_date"]

# With what follows it, an end takes less than three seconds.
_SHUTDOWN_GRACE_S = 1
_DATE = b"date"
# As many connections again as are served are answered with 503.
_FILES_PER_CONNECTION, _OTHER_FILES = 2, 100


class CannotServe(Exception):
    """The server cannot start; the message names the option and says what to do."""


def bind(host: str, port: int) -> socket.socket:
    """Open a listening socket; port 0 takes a free one. Raises CannotServe when the address is not available."""
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


@runtime_checkable
class ServedApp(Protocol):
    """An application that can be served: a mock, or one that leads to a mock."""

    @property
    def settings(self) -> Settings:
        """The options of the mock."""
        ...

    @property
    def contracts(self) -> Sequence[Contract]:
        """The contracts that are served now."""
        ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        ...

    def end_waiting(self) -> None:
        """End the calls that wait on purpose; called again, all calls."""
        ...


@runtime_checkable
class PassesCallsOn(Protocol):
    """An application that passes calls on: the date of an answer is its own business (see `with_date`), and when it has to end, it ends the
    calls under way itself, in ``last_calls_s`` seconds."""

    last_calls_s: float


def with_date(send: Send) -> Send:
    """Return a function that sends what it gets, and adds the time to the headers of an answer that has none."""

    async def send_dated(message: Any) -> None:
        if message["type"] == "http.response.start" and all(name.lower() != _DATE for name, _ in message["headers"]):
            message = {**message, "headers": [(_DATE, formatdate(usegmt=True).encode()), *message["headers"]]}
        await send(message)

    return send_dated


def server_config(
    app: ServedApp,
    certificate: Path | None = None,
    key: Path | None = None,
    *,
    protocol: type[FaultProtocol] = FaultProtocol,
) -> uvicorn.Config:
    """Return uvicorn's configuration for the mock; ``protocol`` may be that of an interception. Answers get the time, but those of `PassesCallsOn`.

    Raises CannotServe when certificate and key cannot be used.
    """
    if certificate is not None:
        try:
            # Without a password argument, OpenSSL would prompt on the terminal.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
        except OSError as error:
            raise CannotServe(
                f"--tls-cert {certificate}: {_reason(error)}; name a PEM certificate and its key"
            ) from None
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        # Behind a proxy, --public-url sets the origin of picture URLs.
        proxy_headers=False,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=not isinstance(app, PassesCallsOn),
        lifespan="on",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_SHUTDOWN_GRACE_S + (int(app.last_calls_s) if isinstance(app, PassesCallsOn) else 0),
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )


class Server(uvicorn.Server):
    """uvicorn's server, which first ends calls that wait on purpose: event streams, hanging calls, long delays.

    A second Ctrl-C ends all calls, and the application as after the first.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle a signal; called by uvicorn."""
        super().handle_exit(sig, frame)
        if self.force_exit and isinstance(self.config.app, ServedApp):
            asyncio.get_running_loop().call_soon_threadsafe(self.config.app.end_waiting)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving; calls still running after the grace period are cancelled."""
        app = self.config.app
        if isinstance(app, ServedApp):
            app.end_waiting()
        # uvicorn logs a traceback for each cancelled call; here calls that hang on purpose end that way.
        logger = logging.getLogger("uvicorn.error")
        level = logger.level
        logger.setLevel(logging.CRITICAL + 1)
        try:
            await super().shutdown(sockets)
            if self.force_exit:
                await self.lifespan.shutdown()
                await self._cancel_calls()
        finally:
            logger.setLevel(level)

    async def _cancel_calls(self) -> None:
        tasks = tuple(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def run(config: uvicorn.Config, listeners: list[socket.socket], announce: Callable[[], None]) -> None:
    """Call ``announce``, then serve until SIGINT, SIGTERM or SIGHUP and end without a traceback, also when the signal comes during ``announce``."""
    server = Server(config)
    app = config.app
    if isinstance(app, ServedApp):
        _allow_open_files(_FILES_PER_CONNECTION * app.settings.max_connections)
    with _graceful_signals(server):
        announce()
        server.run(sockets=listeners)


def _allow_open_files(count: int) -> None:
    """Raise the limit of open files of this process to that for so many, as far as the system lets it."""
    if sys.platform == "win32":
        return
    import resource

    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + _OTHER_FILES
    if now != resource.RLIM_INFINITY and now < wanted:
        new = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        # Some systems have a lower limit than they say.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (new, most))


@contextlib.contextmanager
def _graceful_signals(server: uvicorn.Server) -> Generator[None]:
    """Handle signals before uvicorn installs its handlers, and after its shutdown, when it raises the signal again."""

    def request_exit(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    # A closed terminal is one too, except under nohup.
    numbers = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if sys.platform != "win32" else [])]
    before = {number: handler for number in numbers if (handler := signal.getsignal(number)) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, request_exit)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)

"""A server in the foreground: its address in words, interception, and its log on the terminal."""

import logging
import os
import shlex
import sys
from typing import TYPE_CHECKING

import typer
from bodydouble_mockserver.server import ServedApp

from bodydouble.serving.pipe import PipeHandler

if TYPE_CHECKING:
    from bodydouble_mockserver.interception import Interception

__all__ = ["address_lines", "address_of", "follow", "intercepting", "log_to_stderr", "print_variables"]

# Addresses that mean all of this machine; not every system connects to them.
_REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - they are replaced here
_BASE_URL_VARIABLES = ("AIMLAPI_BASE_URL", "AIML_API_BASE", "AIMLAPI_API_BASE")


def address_of(host: str, port: int, scheme: str = "http") -> str:
    """Return the address under which programs of this machine reach a server that listens on a host and a port."""
    name = _REACHED_AT.get(host, host)
    return f"{scheme}://{f'[{name}]' if ':' in name else name}:{port}"


def address_lines(address: str) -> list[str]:
    """Return the lines that set the address in a shell, under the names that apps read."""
    lines = [f"  export {name}={address}" for name in _BASE_URL_VARIABLES]
    return [*lines, f"  export OPENAI_BASE_URL={address}/v1"]


def intercepting(app: ServedApp, port: int, *, forwards: bool = False) -> "Interception":
    """Return the interception for the hosts of the contracts of a server on a port; with ``forwards`` it leads to any other host too. Raises ValueError."""
    from bodydouble_mockserver.interception import Authority, CannotIntercept, ContractHosts, Interception

    try:
        authority = Authority()
        try:
            interception = Interception(lambda: ContractHosts.of(app.contracts), authority, forwards=forwards)
        except CannotIntercept:
            authority.close()
            raise
        interception.port = port
    except CannotIntercept as error:
        raise ValueError(f"--intercept: {error}") from None
    return interception


def follow(interception: "Interception", app: ServedApp) -> None:
    """Have an interception lead to the hosts of another server."""
    from bodydouble_mockserver.interception import ContractHosts

    interception.follow(lambda: ContractHosts.of(app.contracts))


def print_variables(interception: "Interception | None", address: str) -> None:
    """Print the variables with which programs are answered at the real hosts, to copy into a shell."""
    if interception is None:
        return
    variables = interception.variables(address, os.environ)
    exports = [f"  export {name}={shlex.quote(value)}" for name, value in variables.items()]
    hosts = ", ".join(interception.hosts.names)
    typer.echo("\n".join([f"  and for {hosts} itself, for programs with this environment:", "", *exports, ""]))


def log_to_stderr() -> None:
    """Show the log of the server on standard error: for people in a terminal, elsewhere one complete line for each call."""
    handler = PipeHandler(sys.stderr.fileno())
    handler.setFormatter(_formatter())
    logger = logging.getLogger("bodydouble.mockserver")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def _formatter() -> logging.Formatter:
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        # Imported here, because a server without a terminal starts sooner without it.
        from bodydouble.serving.terminal import TerminalFormatter

        return TerminalFormatter()
    return logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S")

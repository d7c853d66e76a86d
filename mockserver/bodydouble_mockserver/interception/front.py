"""The TCP front of an intercepting mock: tunnels and TLS end here, and plain HTTP goes to the same server.

A client reaches the hosts of the contracts through the mock's own address as a proxy, or through a second port that begins with TLS. A
connection to any other host is refused and reported; only a server in front of the real service forwards it.
"""

import asyncio
import os
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from bodydouble_spec import Evidence, Severity

from bodydouble_mockserver.faults import OWN_ADDRESS
from bodydouble_mockserver.interception.authority import TRUST_STORE_PASSWORD, Authority, CannotIntercept
from bodydouble_mockserver.interception.hosts import ContractHosts
from bodydouble_mockserver.interception.tunnel import ESTABLISHED, forward
from bodydouble_mockserver.protocol import FaultProtocol, RefusesMalformed
from bodydouble_mockserver.request import MalformedRequest

__all__ = ["Interception"]

_HANDSHAKE_S = 10.0
_AUTHORITY = re.compile(rb"(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?")
_LOCAL = ("127.0.0.1", "localhost", "::1")
_TLS_PORT = 443


class Interception:
    """The interception of one server: the hosts, the certificate authority, and the second port, which begins with TLS.

    ``port`` is the mock's own, to be set before it serves. ``hosts`` is called with each connection, since the contracts of a running server can change. With
    ``forwards``, programs of this machine reach any other host through it, such as that of the real pictures. Raises CannotIntercept when the contracts name no host.
    """

    def __init__(
        self,
        hosts: Callable[[], ContractHosts],
        authority: Authority,
        handshake_s: float = _HANDSHAKE_S,
        *,
        forwards: bool = False,
    ) -> None:
        self._hosts = hosts
        self.forwards = forwards
        # The loop itself keeps no reference to a task.
        self.tunnels: set[asyncio.Task[None]] = set()
        self.authority = authority
        self.handshake_s = handshake_s
        self.port = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.tls_port: int = self.listener.getsockname()[1]
        if not self.hosts.names:
            self.close()
            raise CannotIntercept(
                "the contract names no host to answer for; add servers with a URL such as https://api.example.com to it, or to its overlay"
            )

    def follow(self, hosts: Callable[[], ContractHosts]) -> None:
        """Take the hosts of another server: one that has the place of the first, in a process of its own."""
        self._hosts = hosts

    @property
    def hosts(self) -> ContractHosts:
        """The hosts that are intercepted now."""
        return self._hosts()

    @property
    def protocol(self) -> type[FaultProtocol]:
        """The protocol class for uvicorn, which serves the mock's own port and ``listener``."""
        front = self

        class Bound(_InterceptingProtocol):
            interception = front

        return Bound

    def context(self) -> ssl.SSLContext:
        """Return the settings of the server's side of TLS, with a certificate for the hosts."""
        return self.authority.context(*self.hosts.names)

    def variables(self, url: str, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the variables with which programs call the mock at ``url`` instead of the hosts, to set over ``environ``.

        Entries of ``NO_PROXY`` stay, except those that name the hosts.
        """
        hosts, place = self.hosts, urlsplit(url)
        port = str(place.port)
        no_proxy = _without_hosts(environ.get("no_proxy") or environ.get("NO_PROXY") or "", hosts)
        schemes = [scheme for scheme in ("https", "http") if scheme in hosts.schemes]
        proxies = {name: url for scheme in schemes for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper())}
        bundle = str(self.authority.bundle)
        java = {
            f"{scheme}.proxy{part}": value
            for scheme in schemes
            for part, value in (("Host", place.hostname or ""), ("Port", port))
        } | {
            "http.nonProxyHosts": "|".join(f"*{name}" if name.startswith(".") else name for name in no_proxy),
            "javax.net.ssl.trustStore": str(self.authority.trust_store),
            "javax.net.ssl.trustStorePassword": TRUST_STORE_PASSWORD,
            "javax.net.ssl.trustStoreType": "PKCS12",
        }
        return {
            **proxies,
            **dict.fromkeys(("no_proxy", "NO_PROXY"), ",".join(no_proxy)),
            **dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), bundle),
            "NODE_EXTRA_CA_CERTS": str(self.authority.certificate),
            "NODE_USE_ENV_PROXY": "1",
            "NODE_OPTIONS": f"{environ.get('NODE_OPTIONS', '')} {_quoted(f'--require={self.authority.node}')}".strip(),
            "PYTHONPATH": os.pathsep.join(filter(None, (str(self.authority.python), environ.get("PYTHONPATH")))),
            "BODYDOUBLE_HOSTS": ",".join(hosts.names),
            "BODYDOUBLE_PORT": port,
            "BODYDOUBLE_TLS_PORT": str(self.tls_port),
            "JAVA_TOOL_OPTIONS": " ".join(
                [environ.get("JAVA_TOOL_OPTIONS", ""), *(_quoted(f"-D{name}={value}") for name, value in java.items())]
            ).strip(),
        }

    def close(self) -> None:
        """Close the second port. A second call has no effect."""
        self.listener.close()


def _quoted(option: str) -> str:
    """Return an option as Node.js and Java read it in a variable, with the path of a folder that may have a space."""
    return f'"{option}"' if " " in option else option


def _without_hosts(no_proxy: str, hosts: ContractHosts) -> list[str]:
    """Return the entries of a NO_PROXY that do not cover the hosts, with those of this machine."""

    def covers(entry: str) -> bool:
        suffix = entry.partition(":")[0].lstrip("*.").lower()
        return not suffix or any(name == suffix or name.endswith(f".{suffix}") for name in hosts.names)

    listed = [entry for entry in map(str.strip, no_proxy.split(",")) if entry and not covers(entry)]
    return [*dict.fromkeys([*listed, *_LOCAL])]


class _InterceptingProtocol(FaultProtocol):
    """The mock's protocol, which is a proxy for the hosts of the contracts too."""

    interception: Interception

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin with TLS on the second port; see asyncio.Protocol."""
        self._transport = transport
        own = transport.get_extra_info("sockname")
        if own and own[1] == self.interception.tls_port and not self._is_secure:
            self._start_tls()
        else:
            super().connection_made(transport)
            if self._is_secure:
                self._extensions |= self._own_address

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        if self in self.connections:
            super().connection_lost(exc)

    @property
    def _own_address(self) -> dict[str, Any]:
        return {OWN_ADDRESS: b"127.0.0.1:%d" % self.interception.port}

    @property
    def _is_secure(self) -> bool:
        return self._transport.get_extra_info("sslcontext") is not None

    def on_headers_complete(self) -> None:
        """Leave out the path of the server in a URL; called by httptools."""
        if self._is_secure:
            self.url = self.interception.hosts.path_of(self.url)
        super().on_headers_complete()

    def _read_whole_url(self, host: str, path: bytes) -> bytes:
        if host in self.interception.hosts:
            self.scope["extensions"] = {**self._extensions, **self._own_address}
            return self.interception.hosts.path_of(path)
        if host not in _LOCAL:
            self._stop(_other_host(self.parser.get_method().decode("latin-1"), host))
        return super()._read_whole_url(host, path)

    def _refuse(self, malformed: MalformedRequest) -> None:
        """Open a tunnel for CONNECT to one of the hosts, and refuse all else."""
        if malformed.rule != "request-connect" or self._is_in_head:
            super()._refuse(malformed)
            return
        target = _AUTHORITY.fullmatch(self.url)
        if target is None:
            text = "CONNECT needs a host and a port, such as CONNECT api.example.com:443 HTTP/1.1"
            super()._refuse(MalformedRequest("request-connect", 400, text, "CONNECT"))
        elif (host := target[1].decode().strip("[]")) in self.interception.hosts:
            # What the client sends before it has read the answer is dropped.
            self._malformed = malformed
            self._start_tls(ESTABLISHED)
        elif self.interception.forwards and self._is_local_client:
            self._malformed = malformed
            self._start_tunnel(host, int(target[2] or _TLS_PORT))
        else:
            super()._refuse(_other_host("CONNECT", host))

    @property
    def _is_local_client(self) -> bool:
        peer = self._transport.get_extra_info("peername")
        return bool(peer) and ip_address(peer[0]).is_loopback

    def _start_tls(self, before: bytes = b"") -> None:
        """Send ``before``, and give the connection to a protocol of its own, with TLS in between."""
        connection = self._taken_over()
        connection.send(before)
        task = self.loop.create_task(self._serve_tls(connection))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _start_tunnel(self, host: str, port: int) -> None:
        # Not among the tasks of the server, which waits for them when it ends.
        tunnels = self.interception.tunnels
        task = self.loop.create_task(forward(self._taken_over(), host, port))
        tunnels.add(task)
        task.add_done_callback(tunnels.discard)

    def _taken_over(self) -> socket.socket:
        """Return the connection, which the transport gives up.

        A second descriptor keeps it while the transport ends, which would read what comes next for itself.
        """
        opened = self._transport.get_extra_info("socket")
        connection = socket.socket(fileno=os.dup(opened.fileno()))
        connection.setblocking(False)
        self._transport.abort()
        return connection

    async def _serve_tls(self, connection: socket.socket) -> None:
        """Shake hands and serve; a handshake that fails is recorded."""

        def inner() -> asyncio.Protocol:
            return type(self)(self.config, self.server_state, self.app_state, self.loop)

        try:
            await self.loop.connect_accepted_socket(
                inner, connection, ssl=self.interception.context(), ssl_handshake_timeout=self.interception.handshake_s
            )
        except (OSError, TimeoutError) as error:
            connection.close()
            if isinstance(self.config.app, RefusesMalformed):
                self.config.app.refuse_malformed(_failed_handshake(error), [])


def _other_host(method: str, host: str) -> MalformedRequest:
    text = (
        f"the program called {host}, which is not intercepted; nothing was forwarded. "
        f"If the program needs it, add it to NO_PROXY: NO_PROXY={host}"
    )
    return MalformedRequest("other-host-called", 403, text, method, "/", Severity.WARNING, Evidence.OBSERVED)


def _failed_handshake(error: OSError | TimeoutError) -> MalformedRequest:
    reason = error.reason if isinstance(error, ssl.SSLError) else None
    named = (reason or str(error) or type(error).__name__).replace("_", " ").lower()
    if "alert" in named:
        text = (
            f"a client aborted the TLS handshake ({named}): it does not trust the mock's certificate authority, or used another host name; "
            "set its list of trusted roots, as SSL_CERT_FILE does (docs/address-in-code.md says which variable each client reads)"
        )
        return MalformedRequest("interception-not-trusted", 400, text, "CONNECT", evidence=Evidence.OBSERVED)
    if isinstance(error, TimeoutError) or "taking longer" in named:
        named = "it took too long"
    text = f"a client opened a connection for TLS and did not complete the handshake ({named}); it must speak TLS 1.2 or later"
    return MalformedRequest("interception-no-tls", 400, text, "CONNECT", "/", Severity.WARNING, Evidence.OBSERVED)

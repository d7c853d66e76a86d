"""uvicorn's HTTP protocol with three additions: the raw connection in the scope, ``Upgrade`` answered on HTTP/1.1, and words for bad HTTP.

This is the only module that uses what uvicorn does not promise to keep; pyproject.toml therefore limits its version.
"""

import asyncio
import re
import time
from typing import Any, Protocol, cast, runtime_checkable

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from bodydouble_mockserver.asgi import Answer, Headers, response_head
from bodydouble_mockserver.errors import problem
from bodydouble_mockserver.faults import ABSOLUTE_FORM, EXTENSION, SocketConnection
from bodydouble_mockserver.lingering import LingeringTransport
from bodydouble_mockserver.request import (
    MAX_URL_BYTES,
    MalformedRequest,
    explain_malformed,
    too_late,
    too_long,
    too_many,
    too_slow,
)
from bodydouble_mockserver.settings import Settings

__all__ = ["FaultProtocol", "RefusesMalformed"]

_HTTP_URL = re.compile(rb"https?://", re.IGNORECASE)
# Such a client waits for the answer after one line.
_HTTP_09 = re.compile(rb"[A-Z]{1,20} [^ \r\n]*\r?\n")
_PART_OF_LINE = re.compile(rb"[A-Za-z]{1,40}(?: [^\r\n]{0,4096})?\r?")
# Time for the rest of a request line.
_LINE_S = 1.0
_FRAMING = (b"content-length", b"transfer-encoding")
# As many connections again as the limit allows get an answer that says so; more are closed. They have less time to send a head.
_ANSWERED_FACTOR = 2
_REFUSED_HEAD_S = 1.0


@runtime_checkable
class RefusesMalformed(Protocol):
    """An application that records requests which cannot be served."""

    settings: Settings

    def refuse_malformed(self, malformed: MalformedRequest, headers: Headers) -> Answer:
        """Record a request that cannot be served, and return its answer."""
        ...


class FaultProtocol(HttpToolsProtocol):
    """uvicorn's protocol, extended for the mock; see the module."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio.Protocol."""
        self._lingering = LingeringTransport(transport, self.loop, self._is_receiving)
        super().connection_made(cast(asyncio.Transport, self._lingering))
        app = self.config.app
        self._settings = app.settings if isinstance(app, RefusesMalformed) else Settings()
        # A head of this size is within every limit.
        self._short_head_bytes = min(MAX_URL_BYTES, self._settings.max_head_bytes)
        self._head_timer: asyncio.TimerHandle | None = None
        self._body_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._running_cycle: RequestResponseCycle | None = None
        self._received_at = 0.0
        self._unsent_bytes = 0
        if len(self.connections) > _ANSWERED_FACTOR * self._settings.max_connections:
            transport.abort()
        self._await_head()
        self._extensions: dict[str, Any] = {EXTENSION: SocketConnection(transport)}
        # The bytes since the beginning of the current head, and the reason for refusing it.
        self._head = b""
        self._is_in_head = False
        self._malformed: MalformedRequest | None = None
        # The answer to it, where those to earlier requests come first.
        self._next_answer = b""
        self._error: httptools.HttpParserError | None = None

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._lingering.is_lingering or self._malformed is not None:
            self._lingering.has_received = True
            return  # refused already; the rest is read and dropped
        self._received_at = self.loop.time()
        if self._error is not None:
            self._head += data
            self._refuse_line()
            return
        self._unset_keepalive_if_required()
        self._head = self._head + data if self._is_in_head else data
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            if self._malformed is None and self._is_in_head and _PART_OF_LINE.fullmatch(self._head):
                # The rest of the line tells a wrong method from another protocol.
                self._error = error
                self.loop.call_later(_LINE_S, self._refuse_line, True)
            else:
                self._refuse(self._malformed or self._explain(error))
            return
        if self._is_in_head:
            if self._head is data or self._head_timer is None:
                # Most heads come whole, and need no timer.
                self._await_head()
            if len(self._head) > self._settings.max_head_bytes or len(self.url) > MAX_URL_BYTES:
                self._refuse(self._too_long(self._head))
            elif _HTTP_09.fullmatch(self._head):
                self._refuse(explain_malformed(self._head, "HTTP/0.9"))
            return
        # Part of a body, a quarter of a megabyte of each connection that sends one.
        self._head = b""
        if self.cycle and self.cycle.more_body and self._body_timer is None:
            self._body_timer = self.loop.call_later(self._settings.idle_timeout_s, self._check_body)

    def shutdown(self) -> None:
        """Close the connection once its request is answered; the rest of a body that still comes is not waited for."""
        cycle = self.cycle
        if cycle and cycle.more_body and not cycle.response_started:
            self.transport.abort()
        else:
            super().shutdown()

    def _is_receiving(self) -> bool:
        return bool(self.pipeline or (self.cycle and self.cycle.more_body))

    def _check_body(self) -> None:
        """Refuse a request whose body stopped coming although it is waited for."""
        self._body_timer = None
        cycle, timeout_s = self.cycle, self._settings.idle_timeout_s
        if self.transport.is_closing() or not cycle.more_body or cycle.response_started:
            return
        left_s = timeout_s if self.flow.read_paused else self._received_at + timeout_s - self.loop.time()
        if left_s > 0:
            self._body_timer = self.loop.call_later(left_s, self._check_body)
        else:
            self._refuse(too_slow(cycle.scope["method"], cycle.scope["path"], timeout_s))

    def pause_writing(self) -> None:
        """Give the client time to read; see asyncio.Protocol."""
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()

    def _await_reader(self) -> None:
        self._unsent_bytes = self.transport.get_write_buffer_size()
        self._write_timer = self.loop.call_later(self._settings.idle_timeout_s, self._check_reader)

    def _check_reader(self) -> None:
        """Cut off a client that has read nothing since the last time."""
        if self.transport.get_write_buffer_size() < self._unsent_bytes:
            self._await_reader()
        else:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._end_timer()
        # uvicorn tells only the last of several requests that the client is gone; the one before it would wait without end.
        waiting = [cycle for cycle, _ in self.pipeline]
        self.pipeline.clear()
        for cycle in waiting if self._running_cycle is None else [self._running_cycle, *waiting]:
            cycle.disconnected = cycle.disconnected or not cycle.response_complete
            cycle.message_event.set()
        for timer in (self._body_timer, self._write_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running_cycle = cycle
        super()._start_asgi_task(cycle, app)

    def _await_head(self) -> None:
        """Give the client time to send a whole head."""
        self._end_timer()
        timeout_s = self._settings.head_timeout_s
        if self._is_beyond_limit:
            timeout_s = min(timeout_s, _REFUSED_HEAD_S)
        self._head_timer = self.loop.call_later(timeout_s, self._refuse_late)

    @property
    def _is_beyond_limit(self) -> bool:
        return len(self.connections) > self._settings.max_connections

    def _end_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse_late(self) -> None:
        if self.transport.is_closing() or self._malformed is not None:
            return
        if self._head:
            self._refuse(too_late(self._head, self._settings.head_timeout_s))
        else:
            self.transport.close()

    def _too_long(self, head: bytes) -> MalformedRequest:
        return too_long(head, len(self.url), self._settings.max_head_bytes)

    def eof_received(self) -> None:
        """See asyncio.Protocol."""
        self._refuse_line(True)
        super().eof_received()

    def _refuse_line(self, is_over: bool = False) -> None:
        """Refuse a request line that the parser did not accept, once it is complete or no more of it comes."""
        if self._error is None or self._malformed is not None or self.transport.is_closing():
            return
        if is_over or not _PART_OF_LINE.fullmatch(self._head):
            self._refuse(self._explain(self._error))

    def _feed(self, data: bytes) -> None:
        """Parse bytes; where the client offers another protocol, go on in HTTP/1.1 (RFC 9110, section 7.8).

        The parser stops after such a head and leaves the body out, so the body is given to a second one.
        """
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
                self._head = data
                self._continue()
            else:
                return

    def _continue(self) -> None:
        callbacks = _RestOfRequest(self) if self._has_body else self
        self.parser = httptools.HttpRequestParser(callbacks)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        if isinstance(callbacks, _RestOfRequest):
            lines = [b"%b: %b\r\n" % (name, value) for name, value in self.headers if name in _FRAMING]
            self.parser.feed_data(b"POST / HTTP/1.1\r\n%b\r\n" % b"".join(lines))

    @property
    def _has_body(self) -> bool:
        return any(name in _FRAMING and value.strip(b"0 ") for name, value in self.headers)

    def on_message_begin(self) -> None:
        """Add the connection to the scope of a new request; called by httptools."""
        super().on_message_begin()
        self._is_in_head = True
        self.scope["extensions"] = self._extensions

    def on_headers_complete(self) -> None:
        """Refuse a head that cannot be served, and read a whole URL as its path; called by httptools."""
        self._is_in_head = False
        self._end_timer()
        url, head = self.url, self._head
        if len(head) > self._short_head_bytes:
            line = len(self.parser.get_method()) + len(url) + len("  HTTP/1.1\r\n\r\n")
            length = line + sum(len(name) + len(value) + len(": \r\n") for name, value in self.headers)
            if len(url) > MAX_URL_BYTES or length > self._settings.max_head_bytes:
                self._stop(self._too_long(head))
        if self._is_beyond_limit:
            self._stop(too_many(head, self._settings.max_connections))
        version = self.parser.get_http_version()
        if version != "1.1" and version != "1.0":
            self._stop(explain_malformed(head, "HTTP/0.9" if version == "0.9" else "version"))
        if not url.startswith(b"/") and url != b"*":
            if not _HTTP_URL.match(url) or self.parser.get_method() == b"CONNECT":
                self._stop(explain_malformed(head, "url"))
            parsed = httptools.parse_url(url)
            path = parsed.path or b"/"
            host = (parsed.host or b"").decode("latin-1")
            self.url = self._read_whole_url(host, path + b"?" + parsed.query if parsed.query else path)
        super().on_headers_complete()

    def _read_whole_url(self, host: str, path: bytes) -> bytes:
        """Return the path for a request line with a whole URL."""
        extensions: dict[str, Any] = {**self._extensions, ABSOLUTE_FORM: host}
        self.scope["extensions"] = extensions
        return path

    def on_message_complete(self) -> None:
        """Wait for the body of a request with ``Upgrade``, which this parser leaves out; called by httptools."""
        if not (self.parser.should_upgrade() and self._has_body):
            super().on_message_complete()

    def _stop(self, malformed: MalformedRequest) -> None:
        """Make the parser stop inside of a callback."""
        self._malformed = malformed
        raise ValueError(malformed.rule)

    def _explain(self, error: httptools.HttpParserError) -> MalformedRequest:
        is_body = not self._is_in_head and bool(self.cycle) and self.cycle.more_body
        return explain_malformed(self._head, str(error), is_body=is_body)

    def _refuse(self, malformed: MalformedRequest) -> None:
        """Answer and record a request that cannot be served, and close the connection once the client has read the answer."""
        self._malformed = malformed
        app = self.config.app
        headers: Headers = list(self.headers or ())
        if isinstance(app, RefusesMalformed):
            answer = app.refuse_malformed(malformed, headers)
        else:
            answer = problem(malformed.status, malformed.path, "", time.time(), message=malformed.message)
        answer.headers.append((b"connection", b"close"))
        data = response_head(answer, len(answer.body)) + answer.body
        if self.pipeline and self.cycle.more_body:
            # It is the body of the last request that is malformed; those before it are answered first.
            self.pipeline.popleft()
            self.cycle = self.pipeline[0][0] if self.pipeline else cast(RequestResponseCycle, self._running_cycle)
        cycle = self.cycle
        if cycle and not cycle.response_complete and not cycle.more_body:
            # The request before it is being answered; a client that has read all of that answer waits for this one.
            self._next_answer = data
            return
        if cycle:
            cycle.disconnected = True
            cycle.message_event.set()
        self._send_last(data)

    def on_response_complete(self) -> None:
        """Answer a refused request once those before it are answered; called by uvicorn."""
        super().on_response_complete()
        if self._next_answer and not self.transport.is_closing() and self.cycle.response_complete:
            self._send_last(self._next_answer)

    def _send_last(self, data: bytes) -> None:
        self.transport.write(data)
        self._lingering.linger()


class _RestOfRequest:
    """Callbacks of a parser that gets the body of a request whose head another one has read; then those of the protocol."""

    def __init__(self, protocol: FaultProtocol) -> None:
        self._protocol = protocol
        self._is_head = True

    def on_message_begin(self) -> None:
        if not self._is_head:
            self._protocol.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self._is_head:
            self._protocol.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_head:
            self._protocol.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._is_head:
            self._is_head = False
        else:
            self._protocol.on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._protocol.on_body(body)

    def on_message_complete(self) -> None:
        self._protocol.on_message_complete()

"""Reading of bodies for a server: within its limits, and in a thread where that takes a while, so that other requests are answered meanwhile."""

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, TypeVar

from bodydouble_mockserver.asgi import Receive
from bodydouble_mockserver.pictures import Workers
from bodydouble_mockserver.request.body import Disconnected, UnreadableBody, too_large
from bodydouble_mockserver.request.intake import Intake, take_in
from bodydouble_mockserver.settings import Settings

__all__ = ["RequestReader"]

Result = TypeVar("Result")

# A body up to this size is read and checked in some milliseconds.
_SHORT_BYTES = 128 * 1024
_THREADS = 2
# A client reads the answer only after it has sent its body; beyond this size the connection is cut.
_DRAINED_BYTES = 256 * 1024 * 1024


class RequestReader:
    """Reads the bodies of one server's requests; ``put`` stores an input picture and returns its hash.

    The bodies that arrive and those that wait to be read have the settings' ``max_pending_bytes`` together; a request beyond that is refused with 503.
    """

    def __init__(self, settings: Settings, put: Callable[[bytes], str]) -> None:
        self._settings = settings
        self._put = put
        self._workers = Workers[tuple[Intake, Any]](_THREADS, "bodydouble-body")
        self._pending_bytes = 0

    async def read(
        self, headers: Mapping[bytes, bytes], receive: Receive, use: Callable[[Intake], Result]
    ) -> tuple[Intake, Result, bool]:
        """Read the body of a request; return it, the result of ``use``, and whether all that the client sends was received.

        ``use`` may run in a thread. Raises Disconnected when the client disconnects while it sends.
        """
        if headers.get(b"expect", b"").lower() == b"100-continue" and self._is_too_large(headers):
            # The client asks before it sends.
            return *self._use(too_large(self._settings.max_body_bytes), headers, use), False
        message = await receive()
        body: bytes = message.get("body", b"")
        is_encoded = b"content-encoding" in headers
        most = min(_SHORT_BYTES, self._settings.max_body_bytes)
        if message.get("more_body") is False and len(body) <= most and not is_encoded:
            return *self._use(body, headers, use), True
        arriving = _ArrivingBody(
            self, too_large(self._settings.max_body_bytes) if self._is_too_large(headers) else None
        )
        try:
            while arriving.add(message):
                message = await receive()
            if arriving.is_refused or (arriving.is_short and not is_encoded):
                return *self._use(arriving.received(), headers, use), arriving.is_whole
            # Joined where it is read, two at a time: what many small parts leave free has no place for whole bodies.
            return *await self._workers.run(object(), lambda: self._use(arriving.received(), headers, use)), True
        finally:
            arriving.release()

    def _use(
        self, body: bytes | UnreadableBody, headers: Mapping[bytes, bytes], use: Callable[[Intake], Result]
    ) -> tuple[Intake, Result]:
        intake = take_in(body, headers, self._settings, self._put)
        return intake, use(intake)

    def _is_too_large(self, headers: Mapping[bytes, bytes]) -> bool:
        declared = headers.get(b"content-length", b"")
        return declared.isdigit() and (len(declared) > 18 or int(declared) > self._settings.max_body_bytes)

    def hold(self, size: int, more: int) -> UnreadableBody | None:
        """Hold ``more`` bytes of a body that is ``size`` bytes long with them; return the refusal where that is too much."""
        if size > self._settings.max_body_bytes:
            return too_large(self._settings.max_body_bytes)
        if self._pending_bytes + more > self._settings.max_pending_bytes:
            held = self._settings.max_pending_bytes
            return UnreadableBody(
                503,
                f"The bodies of unanswered requests have more than {held:,} bytes together; send fewer at once, or start the mock with a larger --max-pending-mb",
            )
        self._pending_bytes += more
        return None

    def release(self, size: int) -> None:
        """Hold so many bytes less."""
        self._pending_bytes -= size


class _ArrivingBody:
    """A body that comes in several messages; once it is ``refused``, the rest is dropped."""

    def __init__(self, reader: RequestReader, refused: UnreadableBody | None) -> None:
        self._reader = reader
        self._refused = refused
        self._chunks: list[bytes] = []
        self._size = self._held = 0
        self.is_whole = False

    def add(self, message: MutableMapping[str, Any]) -> bool:
        """Add a message of ASGI, and return whether the next one is wanted. Raises Disconnected."""
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk: bytes = message.get("body", b"")
        self._size += len(chunk)
        self._refused = self._refused or self._reader.hold(self._size, len(chunk))
        if self._refused is None:
            self._held += len(chunk)
            self._chunks.append(chunk)
        else:
            self.release()
        self.is_whole = not message.get("more_body", False)
        return not self.is_whole and (self._refused is None or self._size <= _DRAINED_BYTES)

    @property
    def is_refused(self) -> bool:
        """True for a body that was dropped."""
        return self._refused is not None

    @property
    def is_short(self) -> bool:
        """True for a body that takes no thread."""
        return self._size <= _SHORT_BYTES

    def received(self) -> bytes | UnreadableBody:
        """Return the body, or the reason for its refusal."""
        chunks, self._chunks = self._chunks, []
        return self._refused or b"".join(chunks)

    def release(self) -> None:
        """Give the memory of the body back."""
        self._chunks.clear()
        self._reader.release(self._held)
        self._held = 0

"""The bodydouble client, called as an app of the old contract calls it, on the old contract and on the new one."""

import base64
import json
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
from bodydouble_client import EditResult, StatusError
from bodydouble_mockserver import Images, MockServer, Settings, create_app
from bodydouble_mockserver.transport import MockTransport
from bodydouble_spec import Contract, Finding, Operation, RecordedPicture, is_object, is_success
from bodydouble_spec.selection import only_operation
from starlette.types import Receive, Scope, Send

from bodydouble_contract_tests.claims import CallRecord, ClientCall, Harness, RecordingServer, boundary_calls
from bodydouble_contract_tests.impact.breaks import TriedRequest
from bodydouble_contract_tests.impact.pairing import OperationPair
from bodydouble_contract_tests.impact.terms import OperationTerms, SentParts
from bodydouble_contract_tests.impact.wording import ArgumentMap, observe_arguments

__all__ = ["NO_BODY", "ClientOnBoth", "ContractServer", "PlaceholderPictures", "write_picture"]

# No request is too large here: sizes are not what is tested.
_LARGEST_BODY = 2**31
NO_BODY: Any = object()
"""Marks a request without a body; None is a JSON value."""


def quick_settings(pictures: Path, images: Images = Images.URL) -> Settings:
    """Return settings for a mock server that serves its pictures from a folder instead of drawing them."""
    return Settings(images=images, pictures=pictures, journal_entries=1, max_body_bytes=_LARGEST_BODY, seed=0)


def to_json(body: Any) -> bytes:
    """Return a JSON value as the bytes of a request."""
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")


class ContractServer:
    """A mock server for a contract that gets bodies without a client."""

    def __init__(self, contract: Contract, pictures: Path) -> None:
        self._contract = contract
        self._app = create_app(contract, quick_settings(pictures))
        self._http = httpx.Client(transport=MockTransport(self._app), base_url="http://127.0.0.1", trust_env=False)

    def __enter__(self) -> "ContractServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.close()
        self._app.close()

    def request(self, method: str, path: str, parts: SentParts, body: Any = NO_BODY) -> httpx.Response:
        """Send a JSON body, or none, with these headers and this query string, and return the answer."""
        content = None if body is NO_BODY else to_json(body)
        target = f"{path}?{parts.query}" if parts.query else path
        return self._http.request(method, target, content=content, headers=parts.headers)

    def request_below(self, base_paths: Sequence[str], method: str, path: str, parts: SentParts) -> httpx.Response:
        """Send a request without a body to a server that has the mock server below these paths, and nothing elsewhere."""
        with httpx.Client(
            transport=_MountedTransport(self._app, base_paths), base_url="http://127.0.0.1", trust_env=False
        ) as http:
            target = f"{path}?{parts.query}" if parts.query else path
            return http.request(method, target, headers=parts.headers)

    def send(self, operation: Operation, body: Any = NO_BODY, path: str | None = None) -> int:
        """Send a request as an operation asks for it, to its path or another one, and return the status of the answer."""
        parts = OperationTerms(self._contract, operation).sent
        return self.request(operation.method, path or operation.path, parts, body).status_code

    def faults_of(self, operation: Operation, body: Any, path: str | None = None) -> list[Finding]:
        """Send a body to an operation and return its faults, none when it is served. ``path`` fills in a path template."""
        status = self.send(operation, body, path)
        return request_faults(operation, status, body)


class _MountedTransport(MockTransport):
    """Serves a mock server below some paths; everything else is not found."""

    def __init__(self, app: MockServer, base_paths: Sequence[str]) -> None:
        super().__init__(app)
        self._base_paths = sorted(base_paths, key=len, reverse=True)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx.BaseTransport."""
        target = request.url.raw_path.decode("ascii")
        base = next((base for base in self._base_paths if target.startswith(f"{base}/")), None)
        if base is None:
            return httpx.Response(404)
        request.url = request.url.copy_with(raw_path=target[len(base) :].encode("ascii"))
        return super().handle_request(request)


def request_faults(operation: Operation, status: int, body: Any) -> list[Finding]:
    """Return the contract's faults of a body that got this status, none for a success.

    Refusals for other reasons of the mock server (JSON nested too deeply, for example) are not faults under the contract.
    """
    return [] if body is NO_BODY or is_success(status) else operation.validate_request(body)


class RewritingServer(RecordingServer):
    """A recording server for the new contract that rewrites the calls of an old client, gives them the new credentials and routes them to the new path."""

    def __init__(
        self,
        contract: Contract,
        before: Operation,
        after: Operation,
        rewrite: Callable[[Any], Any],
        settings: Settings,
    ) -> None:
        super().__init__(contract, settings)
        self._before = before
        self._after = after
        self._rewrite = rewrite
        self._sent = OperationTerms(contract, after).sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http" or (scope["method"], scope["path"]) != (self._before.method, self._before.path):
            await super().__call__(scope, receive, send)
            return
        original = b""
        more = True
        while more:
            message = await receive()
            original += message.get("body", b"")
            more = message.get("more_body", False)
        body = json.loads(original)
        content = to_json(self._rewrite(body)) if is_object(body) else original
        parts = {name.lower().encode(): value.encode() for name, value in self._sent.headers.items()}
        headers = [(name, value) for name, value in scope["headers"] if name not in {b"content-length", *parts}]
        headers += parts.items()
        address: dict[str, Any] = {
            "method": self._after.method,
            "path": self._after.path,
            "raw_path": self._after.path.encode(),
        }
        address["query_string"] = self._sent.query.encode()
        length = (b"content-length", b"%d" % len(content))

        async def receive_rewritten() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        await super().__call__({**scope, **address, "headers": [*headers, length]}, receive_rewritten, send)


class ClientOnBoth:
    """The client on both contracts.

    ``argument_map`` is None when the client's calls are not requests of this operation; then there are no ``records`` either. Otherwise
    ``records`` has the calls that the old contract serves: every valid boundary case that the client can express, complete and reduced to
    what is varied, and every form of a picture.
    """

    def __init__(self, pair: OperationPair, pictures: Path) -> None:
        self._pair = pair
        self._pictures = pictures
        self._harnesses = ExitStack()
        # Of one operation each: a server of all would be prepared once for every pair of a large document.
        old, self._new = only_operation(pair.old, pair.before.key), only_operation(pair.new, pair.after.key)
        self._old = self._harness(RecordingServer(old, quick_settings(pictures)))
        self.argument_map: ArgumentMap | None = observe_arguments(self._old, pair.before)
        self.records: tuple[CallRecord, ...] = ()
        if self.argument_map is not None:
            made = [self._old.run(call) for call in _calls(pair, self.argument_map)]
            self.records = tuple(one for one in made if isinstance(one.outcome, EditResult))

    def __enter__(self) -> "ClientOnBoth":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._harnesses.close()

    def on_new(self, rewrite: Callable[[Any], Any], images: Images = Images.URL) -> Harness:
        """Return a harness for the new contract that rewrites each request first. It is closed with this object."""
        pair = self._pair
        settings = quick_settings(self._pictures, images)
        return self._harness(RewritingServer(self._new, pair.before, pair.after, rewrite, settings))

    def tried_requests(self, harness: Harness) -> list[TriedRequest]:
        """Run each call on the harness and return its request with the faults for which it was refused."""
        made = [harness.run(record.call) for record in self.records]
        return [tried_request for record in made if (tried_request := self._tried_request(record)) is not None]

    def sends_and_is_refused(self, harness: Harness, body: Any) -> bool:
        """Tell whether a call of the client sends exactly this body to the harness and is refused."""
        call = None if self.argument_map is None else self.argument_map.call(body)
        tried_request = None if call is None else self._tried_request(harness.run(call))
        return tried_request is not None and bool(tried_request.faults) and tried_request.body == body

    def _tried_request(self, record: CallRecord) -> TriedRequest | None:
        if not record.received or not isinstance(record.outcome, EditResult | StatusError):
            return None
        request = record.received[-1]
        body = json.loads(request.body)
        status = 0 if request.status is None else request.status
        return TriedRequest(body, tuple(request_faults(self._pair.after, status, body)))

    def _harness(self, server: RecordingServer) -> Harness:
        self._harnesses.callback(server.close)
        return self._harnesses.enter_context(Harness(server))


def _calls(pair: OperationPair, argument_map: ArgumentMap) -> list[ClientCall]:
    bodies = [case.body for case in pair.old_cases if case.valid]
    baseline = bodies[0] if bodies and is_object(bodies[0]) else {}
    minimal = [
        {name: baseline[name] for name in baseline if name in argument_map.required or name == one} for one in baseline
    ]
    varied = [
        {
            name: value
            for name, value in body.items()
            if name in argument_map.required or name not in baseline or value != baseline[name]
        }
        for body in bodies
        if is_object(body)
    ]
    from_bodies = [call for body in (*bodies, *minimal, *varied) if (call := argument_map.call(body)) is not None]
    return [*{repr(call): call for call in (*from_bodies, *_with_pictures(pair))}.values()]


def _with_pictures(pair: OperationPair) -> Iterator[ClientCall]:
    """Yield the calls of `boundary_calls` with pictures that are not texts, or none where no calls can be made."""
    try:
        known = boundary_calls(pair.old, pair.before)
    except (TypeError, ValueError, LookupError):
        return
    yield from (call for call in known if any(picture.form != "text" for picture in call.images))


_FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/jpg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/bmp": "BMP",
}
_UNKNOWN_SIZE = (64, 64)
# A recording is untrusted input: its numbers must not decide how much memory is used.
_MOST_PIXELS = 64 * 1024 * 1024
_MOST_BYTES = 64 * 1024 * 1024

_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAhvVqXgAAAABJRU5ErkJggg=="
)


class PlaceholderPictures:
    """Makes placeholders, each kind and size once. A media type that cannot be made (``image/avif``) keeps its name over a PNG."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, tuple[int, int]], bytes] = {}

    def text(self, picture: RecordedPicture) -> str:
        """Return the data URI or the bare Base64 for a recorded picture."""
        return picture.encode(self.data(picture), picture.media_type or "")

    def data(self, picture: RecordedPicture) -> bytes:
        """Return a grey picture file, padded after its end to the recorded size. It is larger where it cannot be that small."""
        width, height = picture.pixels or _UNKNOWN_SIZE
        size = (width, height) if width * height <= _MOST_PIXELS else _UNKNOWN_SIZE
        key = (_FORMATS.get(picture.media_type or "", "PNG"), size)
        if key not in self._made:
            self._made[key] = _draw(*key)
        return self._made[key].ljust(min(picture.size_bytes, _MOST_BYTES), b"\0")


def _draw(kind: str, size: tuple[int, int]) -> bytes:
    from PIL import Image  # slow to import, and most recordings hold URLs

    picture = Image.new("L", size, 128)
    for name in (kind, "PNG"):
        buffer = BytesIO()
        try:
            picture.save(buffer, name, **({"compress_level": 1} if name == "PNG" else {}))
        except (OSError, ValueError):  # wider or higher than the format allows
            continue
        return buffer.getvalue()
    return _PIXEL


def write_picture(folder: Path) -> None:
    """Write the smallest picture into a folder, so that a mock server does not draw pictures that are never looked at."""
    (folder / "picture.png").write_bytes(_PIXEL)

"""Mock servers for the new contract in this process, one of which rewrites the requests of the old contract."""

import json
from collections.abc import Callable, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
from bodydouble_mockserver import Images, Settings, create_app
from bodydouble_mockserver.transport import MockTransport
from bodydouble_spec import Contract, Finding, Operation, is_object
from starlette.types import Receive, Scope, Send

from bodydouble_contract_tests._claims_stage import RecordingServer

__all__ = ["NO_BODY", "ContractServer", "RewritingServer", "quick_settings", "request_faults", "to_json"]

# No request is too large here: sizes are not what is tested.
_LARGEST_BODY = 2**31
NO_BODY: Any = object()
"""Marks a request without a body; None is a JSON value."""
_HEADERS = {"Authorization": "Bearer a-key", "Content-Type": "application/json"}


def quick_settings(pictures: Path, images: Images = Images.URL) -> Settings:
    """Return settings for a mock server that serves its pictures from a folder instead of drawing them."""
    return Settings(images=images, pictures=pictures, journal_entries=1, max_body_bytes=_LARGEST_BODY, seed=0)


def to_json(body: Any) -> bytes:
    """Return a JSON value as the bytes of a request."""
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")


class ContractServer:
    """A mock server for a contract that gets bodies without a client."""

    def __init__(self, contract: Contract, pictures: Path) -> None:
        self._app = create_app(contract, quick_settings(pictures))
        self._http = httpx.Client(transport=MockTransport(self._app), base_url="http://127.0.0.1", trust_env=False)

    def __enter__(self) -> "ContractServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.close()
        self._app.close()

    def send(self, method: str, path: str, body: Any = NO_BODY) -> int:
        """Send a JSON body, or none, and return the status of the answer."""
        content = None if body is NO_BODY else to_json(body)
        return self._http.request(method, path, content=content, headers=_HEADERS).status_code

    def faults_of(self, operation: Operation, body: Any, path: str | None = None) -> list[Finding]:
        """Send a body to an operation and return its faults, none when it is served. ``path`` fills in a path template."""
        status = self.send(operation.method, path or operation.path, body)
        return request_faults(operation, status, body)


def request_faults(operation: Operation, status: int, body: Any) -> list[Finding]:
    """Return the contract's faults of a body that got this status, none for a success.

    Refusals for other reasons of the mock server (JSON nested too deeply, for example) are not faults under the contract.
    """
    return [] if body is NO_BODY or 200 <= status < 300 else operation.validate_request(body)


class RewritingServer(RecordingServer):
    """A recording server for the new contract that rewrites the calls of an old client and routes them to the new path."""

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
        headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        address = {"method": self._after.method, "path": self._after.path, "raw_path": self._after.path.encode()}
        length = (b"content-length", b"%d" % len(content))

        async def receive_rewritten() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        await super().__call__({**scope, **address, "headers": [*headers, length]}, receive_rewritten, send)

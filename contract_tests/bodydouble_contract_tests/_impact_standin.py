"""The new contract, put on a mock server in this process, with what a request of the old contract needs to get there."""

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

from bodydouble_contract_tests._claims_stage import Witness

__all__ = ["NO_BODY", "Adapted", "StandIn", "quick_settings", "refusal", "to_json"]

# Nothing of what is sent here is looked up afterwards, and no request is too large: sizes are not what is in question.
_LARGEST_BODY = 2**31
NO_BODY: Any = object()
"""Stands for a request without a body; None is a JSON value."""
_HEADERS = {"Authorization": "Bearer a-key", "Content-Type": "application/json"}


def quick_settings(pictures: Path, images: Images = Images.URL) -> Settings:
    """Settings of a mock server whose pictures, from that folder, nobody looks at."""
    return Settings(images=images, pictures=pictures, journal_entries=1, max_body_bytes=_LARGEST_BODY, seed=0)


def to_json(body: Any) -> bytes:
    """A JSON value as the bytes of a request."""
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")


class StandIn:
    """A mock server for a contract, to which bodies are sent as they are."""

    def __init__(self, contract: Contract, pictures: Path) -> None:
        self._app = create_app(contract, quick_settings(pictures))
        self._http = httpx.Client(transport=MockTransport(self._app), base_url="http://127.0.0.1", trust_env=False)

    def __enter__(self) -> "StandIn":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.close()
        self._app.close()

    def send(self, method: str, path: str, body: Any = NO_BODY) -> int:
        """Send a JSON body, or none; the status of the answer."""
        content = None if body is NO_BODY else to_json(body)
        return self._http.request(method, path, content=content, headers=_HEADERS).status_code

    def refuses(self, operation: Operation, body: Any, path: str | None = None) -> list[Finding]:
        """Send a body to an operation, by a path of its own where its path is a template: why it is refused, nothing if it is not."""
        status = self.send(operation.method, path or operation.path, body)
        return refusal(operation, status, body)


def refusal(operation: Operation, status: int, body: Any) -> list[Finding]:
    """Why a body got that status, place by place; nothing for a success.

    What a mock server refuses for reasons of its own (JSON nested too deep, say) is no fault under the contract.
    """
    return [] if body is NO_BODY or 200 <= status < 300 else operation.validate_request(body)


class Adapted(Witness):
    """A witness of the new contract that takes the calls of a client of the old one: under the new path, rewritten."""

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
        content = b""
        more = True
        while more:
            message = await receive()
            content += message.get("body", b"")
            more = message.get("more_body", False)
        body = json.loads(content)
        written = to_json(self._rewrite(body)) if is_object(body) else content
        headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        address = {"method": self._after.method, "path": self._after.path, "raw_path": self._after.path.encode()}
        length = (b"content-length", b"%d" % len(written))

        async def receive_written() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": written, "more_body": False}

        await super().__call__({**scope, **address, "headers": [*headers, length]}, receive_written, send)

"""The mock, changed by a mutant."""

import itertools
from collections.abc import MutableMapping
from typing import Any

import orjson
from bodydouble_mockserver import MockServer, Settings
from bodydouble_spec import Contract
from starlette.types import Message, Receive, Scope, Send

from contract_tests.tests.mutants.model import Mutant, MutantReply, MutatedCall

__all__ = ["MutantServer"]


class MutantServer(MockServer):
    """A mock server with a mutant; ``baseline`` is the body of a request that the server accepts."""

    def __init__(self, contract: Contract, settings: Settings, mutant: Mutant, baseline: Any) -> None:
        super().__init__(contract, settings)
        self._mutant = mutant
        self._baseline: bytes = orjson.dumps(baseline)
        self._numbers = itertools.count(1)
        self._succeeded = 0
        self._refused = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
        elif scope["path"] == self.contract.operation().path:
            await self._operate(scope, receive, send)
        elif self._mutant.pictures is None or scope["method"] != "GET":
            await super().__call__(scope, receive, send)
        else:
            recorded = _AnswerRecorder()
            await super().__call__(scope, receive, recorded)
            key = _key([*scope["headers"]])
            call = MutatedCall(None, key, key in self.settings.api_keys, 0)
            await _send(send, self._mutant.pictures(call, recorded.reply()))

    async def _operate(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _whole(receive)
        headers: list[tuple[bytes, bytes]] = [*scope["headers"]]
        key = _key(headers)
        received = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
        is_known = key in self.settings.api_keys
        number, succeeded, refused = next(self._numbers), self._succeeded, self._refused
        call = MutatedCall(_parsed(body), key, is_known, number, scope["method"], received, body, succeeded, refused)
        if self._mutant.accepts(call):
            headers = [item for item in headers if item[0] not in {b"authorization", b"content-length"}]
            body = self._baseline if self.contract.operation().validate_request(call.parsed) else body
            headers = [item for item in headers if item[0] != b"content-type"]
            headers.append((b"content-type", b"application/json"))
            headers.append((b"authorization", f"Bearer {self.settings.api_keys[0]}".encode()))
            scope = {**scope, "method": self.contract.operation().method}
        wanted = self._mutant.prefers(call)
        if wanted is not None:
            headers.append((b"prefer", wanted.encode()))
        left = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> MutableMapping[str, Any]:
            return left.pop() if left else await receive()

        changed = {**scope, "headers": headers}
        if wanted is not None and wanted.startswith("fault="):
            # A fault below HTTP has no answer to change.
            await super().__call__(changed, again, send)
            return
        recorded = _AnswerRecorder()
        await super().__call__(changed, again, recorded)
        reply = self._mutant.answers(call, recorded.reply())
        if 200 <= reply.status < 300 and scope["method"] == self.contract.operation().method:
            self._succeeded += 1
        elif reply.status >= 400:
            self._refused += 1
        await _send(send, reply)


class _AnswerRecorder:
    """An ASGI ``send`` that keeps the answer."""

    def __init__(self) -> None:
        self._status = 500
        self._headers: dict[str, str] = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
        else:
            self._body += message.get("body", b"")

    def reply(self) -> MutantReply:
        return MutantReply(self._status, {k: v for k, v in self._headers.items() if k != "content-length"}, self._body)


async def _send(send: Send, reply: MutantReply) -> None:
    headers = {"content-length": str(len(reply.body)), **reply.headers}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": reply.body})


async def _whole(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _key(headers: list[tuple[bytes, bytes]]) -> str:
    sent = next((value for name, value in headers if name == b"authorization"), b"")
    scheme, _, key = sent.decode("latin-1").strip().partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""

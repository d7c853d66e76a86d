"""The reader of bodies: the limits on what is held, a thread for what takes long, and a client that asks before it sends."""

import asyncio
import json
import threading
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.request import Intake, RequestReader
from bodydouble_spec import Contract

JSON = {b"content-type": b"application/json"}
LONG = b'"' + b"no picture " * 20_000 + b'"'


def put(_data: bytes) -> str:
    return "a" * 64


def messages(*parts: bytes) -> Callable[[], Awaitable[MutableMapping[str, Any]]]:
    left: Iterator[tuple[int, bytes]] = iter(enumerate(parts, 1))

    async def receive() -> MutableMapping[str, Any]:
        number, part = next(left)
        return {"type": "http.request", "body": part, "more_body": number < len(parts)}

    return receive


def test_a_long_body_is_checked_while_others_are_answered() -> None:
    begun, other_is_read = threading.Event(), threading.Event()

    async def read() -> tuple[str, bool]:
        reader = RequestReader(Settings(), put)

        def slow(_intake: Intake) -> bool:
            begun.set()
            return other_is_read.wait(10)

        long = asyncio.create_task(reader.read(JSON, messages(LONG), slow))
        while not begun.is_set():
            await asyncio.sleep(0)
        intake, _, _ = await reader.read(JSON, messages(b'"x"'), lambda _intake: None)
        other_is_read.set()
        return intake.parsed, (await long)[1]

    assert asyncio.run(read()) == ("x", True)


def test_bodies_are_refused_while_others_fill_the_memory_for_them_and_accepted_after_that() -> None:
    async def read() -> list[int | None]:
        reader = RequestReader(Settings(max_pending_bytes=len(LONG) + 10), put)
        is_open = asyncio.Event()
        parts = messages(LONG[:1000], LONG[1000:])

        async def waiting() -> MutableMapping[str, Any]:
            message = await parts()
            if not message["more_body"]:
                await is_open.wait()
            return message

        async def status(receive: Callable[[], Awaitable[MutableMapping[str, Any]]]) -> int | None:
            intake, _, is_whole = await reader.read(JSON, receive, lambda _intake: None)
            assert is_whole
            return None if intake.problem is None else intake.problem.status

        held = asyncio.create_task(status(waiting))
        await asyncio.sleep(0)
        while_held = await status(messages(LONG))
        is_open.set()
        return [while_held, await held, await status(messages(LONG)), await status(messages(LONG, b""))]

    assert asyncio.run(read()) == [503, None, None, None]


def test_a_client_that_asks_first_sends_nothing_of_a_body_that_is_too_large() -> None:
    async def unexpected() -> MutableMapping[str, Any]:
        raise AssertionError

    async def read() -> tuple[Intake, None, bool]:
        headers = {**JSON, b"content-length": b"33554433", b"expect": b"100-Continue"}
        return await RequestReader(Settings(), put).read(headers, unexpected, lambda _intake: None)

    intake, _, is_whole = asyncio.run(read())
    assert (intake.problem is not None and intake.problem.status, is_whole) == (413, False)


def test_a_body_that_was_refused_for_its_size_is_not_parsed_for_the_journal_either(
    contract: Contract, call: Callable[..., httpx.Response]
) -> None:
    app = create_app(contract)
    content = b"[" + b"{}," * 1_000_000 + b"{}]"
    assert call(app, content=b"{}", headers={"content-type": "application/json"}).status_code == 400
    tracemalloc.start()
    try:
        answer = call(app, content=content, headers={"content-type": "application/json"})
        exchange = app.journal.exchanges()[-1]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (answer.status_code, exchange.body, exchange.raw and exchange.raw["bytes"]) == (413, None, len(content))
    # A million objects have 64 bytes each.
    assert peak < 4 * len(content) + 8_000_000


@pytest.mark.parametrize("path", ["/v1/images/generations", "/generations/a/b.png"])
def test_an_error_of_the_mock_itself_is_answered_recorded_and_logged_without_the_key(
    contract: Contract,
    call: Callable[..., httpx.Response],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    app: MockServer = create_app(contract)

    def fail(*_: object) -> None:
        raise RuntimeError("with canary-canary in it")

    monkeypatch.setattr("bodydouble_mockserver.request.RequestChecks.check", fail)
    monkeypatch.setattr("bodydouble_mockserver.endpoints.picture.PictureEndpoint._file", fail)
    method = "GET" if path.endswith("png") else "POST"
    answer = call(app, f"{path}?x=canary-canary", method=method, key="canary-canary", json={"a": 1})
    recorded = [*app.journal.exchanges(), *app.journal.pictures()]
    assert (answer.status_code, [exchange.status for exchange in recorded]) == (500, [500])
    assert "a bug in bodydouble" in caplog.text
    assert "canary" not in caplog.text + json.dumps([exchange.to_dict() for exchange in recorded])

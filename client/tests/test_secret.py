"""The key appears in no repr, error, log or traceback, including the variables of its frames."""

import asyncio
import io
import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from bodydouble_client import ArgumentError, AsyncClient, BodydoubleError, Client
from bodydouble_client._secret import Secret

TESTS = str(Path(__file__).parent)


def _shown(error: BaseException) -> str:
    """Return what a crash reporter would send: the chain of errors with the variables of all frames but those of tests."""
    shown: list[Any] = []
    for each in _chain(error):
        report = traceback.TracebackException.from_exception(each, capture_locals=True)
        frames = [frame for frame in report.stack if not frame.filename.startswith(TESTS)]
        shown += [str(each), repr(each), vars(each), *((frame.filename, frame.locals) for frame in frames)]
    return repr(shown)


def _chain(error: BaseException) -> list[BaseException]:
    found = [error]
    while (below := found[-1].__context__ or found[-1].__cause__) is not None:
        found.append(below)
    return found


def _echo(key: str) -> dict[str, Any]:
    return {"message": f"wrong key {key}", "requestId": key, "error": {"data": [{"message": key}]}}


ANSWERS: dict[str, Callable[[Any, str], Any]] = {
    "refused and echoed": lambda server, key: server.answer(
        401, _echo(key), X_Request_Id=key, Retry_After=key, Location=key
    ),
    "echoed without a picture": lambda server, key: server.answer(200, _echo(key) | {"error": None}, X_Request_Id=key),
    "echoed in html": lambda server, key: server.answer(502, f"<html><title>{key}</title>".encode()),
    "echoed in an error beside data": lambda server, key: server.answer(200, {"data": [{"url": "u"}], "error": key}),
    "echoed in a redirect": lambda server, key: server.answer(302, b"", Location=f"http://a.test/{key}"),
    "no json": lambda server, key: server.answer(200, key.encode(), Content_Type=key),
    "reset": lambda server, _: server.reset(),
    "cut short": lambda server, key: server.raw(server.head() + key.encode()),
    "hang": lambda server, _: server.hang(),
    "drip": lambda server, _: server.drip(server.head()),
    "wrong gzip": lambda server, _: server.answer(200, b"x", Content_Encoding="gzip"),
    "unknown coding": lambda server, key: server.answer(200, b"x", Content_Encoding=key),
    "garbage": lambda server, key: server.raw(f"{key} is not HTTP\r\n\r\n".encode()),
}


def _quote_the_header(request: httpx.Request) -> httpx.Response:
    header = request.headers["authorization"]
    raise httpx.LocalProtocolError(f"Illegal header value {header.encode()!r}")


CALLS: dict[str, dict[str, Any]] = {
    "no connection": {"base_url": "http://127.0.0.1:1"},
    "wrong argument": {"images": [b"no picture"]},
    "images outside a list": {"images": "http://a.test/1.png"},
    "transport that quotes the header": {"handler": _quote_the_header},
}


def _fail(twin: Any, server: Any, key: str, name: str) -> BodydoubleError:
    if name in ANSWERS:
        server.enqueue(ANSWERS[name](server, key))
    setup = {"base_url": server.url, "retries": 0, "timeout_s": 0.3, **CALLS.get(name, {})}
    with pytest.raises(BodydoubleError) as caught:
        twin.edit(**setup)
    return caught.value


@pytest.mark.parametrize("name", [*ANSWERS, *CALLS])
def test_no_failure_shows_the_key(twin: Any, server: Any, key: str, name: str) -> None:
    assert key not in _shown(_fail(twin, server, key, name))


@pytest.mark.parametrize("name", [*ANSWERS, *CALLS])
def test_no_error_has_an_error_of_a_library_as_its_context(twin: Any, server: Any, key: str, name: str) -> None:
    assert all(isinstance(error, BodydoubleError) for error in _chain(_fail(twin, server, key, name)))


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("tail", ["\n", " ", "é", "\x01"])
def test_a_bad_key_is_not_shown(kind: Any, tail: str, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("AIMLAPI_KEY", key + tail)
    with pytest.raises(ArgumentError) as caught:
        kind()
    assert key not in _shown(caught.value)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("wrong", [{"base_url": "nonsense"}, {"timeout_s": 0}, {"retries": -1}, {"http_client": 5}])
def test_a_key_beside_a_wrong_setting_is_not_shown(
    kind: Any, wrong: Any, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("AIMLAPI_KEY", key)
    with pytest.raises(ArgumentError) as caught:
        kind(**wrong)
    assert key not in _shown(caught.value)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_key_given_as_an_argument_is_not_shown_by_the_frames_of_the_client(kind: Any, key: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        kind(key, timeout_s=0)
    assert key not in _shown(caught.value)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_no_repr_of_a_client_or_of_its_parts_shows_the_key(kind: Any, key: str) -> None:
    client = kind(key)
    parts = dict[str, Any](client.__dict__)
    assert key not in f"{client} {client!r} {parts}"


def test_a_secret_shows_stars() -> None:
    assert (repr(Secret("x" * 20)), str(Secret("x" * 20)), f"{Secret('x' * 20)}") == ("Secret('***')",) * 3


def test_no_log_shows_the_key(twin: Any, server: Any, key: str, fake_time: Any) -> None:
    stream = io.StringIO()
    handler, root = logging.StreamHandler(stream), logging.getLogger()
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    try:
        server.enqueue(server.answer(503), server.reset())
        with pytest.raises(BodydoubleError):
            twin.edit(base_url=server.url, _clock=fake_time.clock())
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert stream.getvalue()
    assert key not in stream.getvalue()


def test_a_cancelled_call_does_not_show_the_key(server: Any, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIMLAPI_KEY", key)
    server.enqueue(server.drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"))

    async def use() -> BaseException:
        async with AsyncClient(base_url=server.url) as client:
            task = asyncio.create_task(client.edit("p", []))
            while not server.requests:
                await asyncio.sleep(0.01)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError as error:
                return error
            raise AssertionError

    assert key not in _shown(asyncio.run(use()))


# compiled under another file name, so that its frames do not count as those of a test
FOREIGN_TRANSPORT = """
def interrupt(request):
    headers = dict(request.headers)
    raise KeyboardInterrupt
"""


def test_an_interruption_raised_by_a_transport_does_not_show_the_key(twin: Any, key: str) -> None:
    names: dict[str, Any] = {}
    exec(compile(FOREIGN_TRANSPORT, "transport.py", "exec"), names)
    with pytest.raises(KeyboardInterrupt) as caught:
        twin.edit(handler=names["interrupt"])
    assert key not in _shown(caught.value)

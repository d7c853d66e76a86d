"""The in-process transport for sync and async httpx clients, with the same faults as on a socket."""

import asyncio
import contextlib
import hashlib
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import httpx2
import openai
import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.faults import FAULTS
from bodydouble_mockserver.transport import Httpx2Transport, MockTransport
from bodydouble_spec import Contract

Edit = Callable[..., dict[str, Any]]
PATH = "/v1/images/generations"
KEY = {"authorization": "Bearer a-key"}


@pytest.fixture
def client(app: MockServer) -> Iterator[httpx.Client]:
    with httpx.Client(transport=MockTransport(app), base_url="http://localhost", headers=KEY) as client:
        yield client


def outcome(ask: Callable[[], httpx.Response]) -> Any:
    """Return a client's view: the class of an exception, or status, stable headers, and body."""
    try:
        answer = ask()
        answer.json()
    except (httpx.HTTPError, json.JSONDecodeError) as error:
        return type(error)
    return answer.status_code, answer.headers["content-type"], answer.json()["error"]["name"]


@pytest.mark.parametrize("code", ["", "code=503, "])
@pytest.mark.parametrize("fault", [*FAULTS, None])
def test_in_process_a_client_sees_what_it_sees_over_a_socket(
    app: MockServer, origin: str, loop: asyncio.Runner, fault: str | None, code: str
) -> None:
    asked = {**KEY, "prefer": f"{code}{'x' if fault is None else f'fault={fault}'}"}
    patience = httpx.Timeout(30, read=0.09 if fault in {"slow-drip", "hang"} else 30)

    def over(base_url: str, transport: httpx.BaseTransport | None) -> Any:
        with httpx.Client(transport=transport, base_url=base_url, timeout=patience) as client:
            return outcome(lambda: client.post(PATH, json={}, headers=asked))

    async def ask() -> httpx.Response:
        transport = MockTransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=patience) as client:
            return await client.post(PATH, json={}, headers=asked)

    socket = over(origin, None)
    assert [over("http://localhost", MockTransport(app)), outcome(lambda: loop.run(ask()))] == [socket, socket]


def test_a_delay_longer_than_the_read_timeout_raises_read_timeout(client: httpx.Client, edit: Edit) -> None:
    with pytest.raises(httpx.ReadTimeout):
        client.post(PATH, json=edit(), headers={"prefer": "delay=600"}, timeout=0.05)


def test_the_read_timeout_applies_to_each_read(app: MockServer, client: httpx.Client) -> None:
    # Seven bytes, a tenth of a second each: longer in total than the timeout, as on a socket.
    app.play({"answers": [{"body": "1234567", "fault": "slow-drip", "violation": True}]})
    assert client.post(PATH, json={}, timeout=0.5).text == "1234567"


def test_without_a_timeout_a_hanging_fault_still_raises(client: httpx.Client, edit: Edit) -> None:
    with pytest.raises(httpx.ReadTimeout):
        client.post(PATH, json=edit(), headers={"prefer": "fault=hang"}, timeout=None)


def test_an_exception_of_a_fault_carries_its_request(client: httpx.Client, edit: Edit) -> None:
    with pytest.raises(httpx.ReadError) as error:
        client.post(PATH, json=edit(), headers={"prefer": "fault=reset-before-headers"})
    assert error.value.request.url.path == PATH


def test_pictures_are_passed_through_unchanged(contract: Contract, pictures_folder: Path, edit: Edit) -> None:
    app = create_app(contract, Settings(pictures=pictures_folder))
    with httpx.Client(transport=MockTransport(app), base_url="http://localhost", headers=KEY) as client:
        (item,) = client.post(PATH, json=edit()).raise_for_status().json()["data"]
        picture = client.get(item["url"]).raise_for_status()
    # The tag is made of the bytes that the server has.
    assert picture.headers["etag"] == f'"{hashlib.sha256(picture.content).hexdigest()[:32]}"'


def test_the_control_routes_can_be_used_in_process(client: httpx.Client) -> None:
    assert client.get("/_bodydouble/health").json()["status"] == "ok"


def test_a_body_that_is_streamed_arrives_whole(client: httpx.Client, edit: Edit) -> None:
    whole = json.dumps(edit()).encode()
    parts = (whole[position : position + 10] for position in range(0, len(whole), 10))
    answer = client.post(PATH, content=parts, headers={"content-type": "application/json"})
    assert answer.status_code == 200


def test_an_asynchronous_body_that_is_streamed_arrives_whole(app: MockServer, edit: Edit, loop: asyncio.Runner) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for letter in json.dumps(edit()):
            yield letter.encode()

    async def ask() -> int:
        async with httpx.AsyncClient(transport=MockTransport(app), base_url="http://localhost") as client:
            asked = {**KEY, "content-type": "application/json"}
            return (await client.post(PATH, content=parts(), headers=asked)).status_code

    assert loop.run(ask()) == 200


def test_threads_may_share_a_client(client: httpx.Client, edit: Edit) -> None:
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(client.post, PATH, json=edit()) for _ in range(40)]
        answers = [call.result() for call in calls]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["x-request-id"] for answer in answers}) == 40


def test_closing_the_client_ends_the_thread_of_the_transport(app: MockServer, edit: Edit) -> None:
    before = {*threading.enumerate()}
    with httpx.Client(transport=MockTransport(app), base_url="http://localhost", headers=KEY) as client:
        client.post(PATH, json=edit())
        own = [thread for thread in {*threading.enumerate()} - before if thread.name == "bodydouble-transport"]
    assert len(own) == 1
    own[0].join(30)
    assert not own[0].is_alive()


def test_a_transport_that_was_closed_can_be_used_again(app: MockServer, edit: Edit) -> None:
    transport = MockTransport(app)
    for _ in range(2):
        with contextlib.closing(transport):
            request = httpx.Request("POST", f"http://localhost{PATH}", json=edit(), headers=KEY)
            assert transport.handle_request(request).status_code == 200


@pytest.mark.parametrize("fault", [*FAULTS, None])
def test_a_client_of_httpx2_sees_the_faults_as_one_of_httpx_does(
    app: MockServer, loop: asyncio.Runner, fault: str | None
) -> None:
    asked = {**KEY, "prefer": "x" if fault is None else f"fault={fault}"}
    read_s = 0.09 if fault in {"slow-drip", "hang"} else 30

    def seen(ask: Callable[[], Any]) -> Any:
        try:
            answer = ask()
            return answer.status_code, answer.json()["error"]["name"]
        except (httpx.HTTPError, httpx2.HTTPError, json.JSONDecodeError) as error:
            return type(error).__name__

    def by_httpx() -> Any:
        with httpx.Client(transport=MockTransport(app), timeout=httpx.Timeout(30, read=read_s)) as client:
            return client.post(f"http://localhost{PATH}", json={}, headers=asked)

    def by_httpx2() -> Any:
        with httpx2.Client(transport=Httpx2Transport(app), timeout=httpx2.Timeout(30, read=read_s)) as client:
            return client.post(f"http://localhost{PATH}", json={}, headers=asked)

    async def by_async_httpx2() -> Any:
        transport = Httpx2Transport(app)
        async with httpx2.AsyncClient(transport=transport, timeout=httpx2.Timeout(30, read=read_s)) as client:
            return await client.post(f"http://localhost{PATH}", json={}, headers=asked)

    assert seen(by_httpx2) == seen(lambda: loop.run(by_async_httpx2())) == seen(by_httpx)


def test_openai_3_works_without_a_port(app: MockServer, edit: Edit) -> None:
    body = edit()
    with openai.OpenAI(
        base_url="http://localhost/v1", api_key="a-key", http_client=httpx2.Client(transport=Httpx2Transport(app))
    ) as client:
        images = {"image_urls": body["image_urls"]}
        assert client.images.generate(model=body["model"], prompt="hello", extra_body=images).data

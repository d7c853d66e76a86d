"""Several processes with one state in Redis: exact, without loss, and answering while Redis is away."""

import asyncio
import html
import os
import re
import signal
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from spec.tests.redis_server import RedisServer, run_redis
from spec.tests.servers import PATIENCE_S, ServeProcess, run_serve

ROUTE = "/v1/images/generations"
CONTROL = "/_bodydouble"
CLIENTS = 16
PRICE = 84_000
# One client for all single calls: each new one would read the certificates of the system.
HTTP = httpx.Client(timeout=PATIENCE_S)


@pytest.fixture(scope="module", autouse=True)
def closed_in_the_end() -> Iterator[None]:
    """Close the client after the tests of this file."""
    yield
    HTTP.close()


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """Run one Redis for all tests of this file."""
    with run_redis() as server:
        yield server


@pytest.fixture(scope="module")
def both(redis: RedisServer) -> Iterator[tuple[ServeProcess, ServeProcess]]:
    """Run two servers with one state."""
    with run_serve("--quiet", "--state", redis.url) as one, run_serve("--quiet", "--state", redis.url) as other:
        yield one, other


@pytest.fixture
def pair(both: tuple[ServeProcess, ServeProcess]) -> tuple[str, str]:
    """Return the addresses of both, without script, limits and journal."""
    for server in both:
        HTTP.post(f"{server.address}{CONTROL}/reset").raise_for_status()
    return both[0].address, both[1].address


def body(prompt: str = "hat", picture: str = "https://example.org/a.png") -> dict[str, Any]:
    return {"model": "google/gemini-2.5-flash-image-edit", "prompt": prompt, "image_urls": [picture]}


def ask(address: str, key: str = "k", **changes: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return HTTP.post(address + ROUTE, json=body(**changes), headers=headers)


def script(address: str, **scenario: object) -> None:
    HTTP.post(f"{address}{CONTROL}/scenarios", json=scenario).raise_for_status()


def statuses(addresses: tuple[str, str], calls: int) -> Counter[int]:
    """Return the statuses of so many calls by 16 clients at once, each to both servers in turn."""

    async def client(number: int) -> list[int]:
        async with httpx.AsyncClient(headers={"Authorization": "Bearer k"}, timeout=PATIENCE_S) as http:
            turns = range(number, calls, CLIENTS)
            return [(await http.post(addresses[turn % 2] + ROUTE, json=body())).status_code for turn in turns]

    async def all_of_them() -> list[list[int]]:
        return await asyncio.gather(*(client(number) for number in range(CLIENTS)))

    return Counter(status for found in asyncio.run(all_of_them()) for status in found)


def test_an_answer_with_100_uses_is_given_exactly_100_times(pair: tuple[str, str]) -> None:
    script(pair[0], answers=[{"status": 429, "times": 100}])
    assert statuses(pair, 240) == {429: 100, 200: 140}
    (answer,) = HTTP.get(f"{pair[1]}{CONTROL}/scenarios").json()["answers"]
    assert (answer["times"], answer["used"]) == (100, 100)


def test_a_balance_never_falls_below_zero(pair: tuple[str, str]) -> None:
    script(pair[0], limits={"credits": 10 * PRICE + 1})
    assert statuses(pair, 64) == {200: 10, 403: 54}
    billing = HTTP.get(f"{pair[1]}/v1/billing/balance", headers={"Authorization": "Bearer k"}).json()
    assert billing["balance"] == 1


def test_a_rate_limit_is_that_of_all_processes(pair: tuple[str, str]) -> None:
    script(pair[1], limits={"requests_per_minute": 20, "retry_after": True})
    assert statuses(pair, 64) == {200: 20, 429: 44}
    assert 0 < int(ask(pair[0]).headers["retry-after"]) <= 60


def test_a_picture_that_one_has_named_is_served_by_the_other(pair: tuple[str, str], data_uri: str) -> None:
    for changes in ({"prompt": "a hat for both"}, {"picture": data_uri}):
        url = httpx.URL(ask(pair[0], **changes).json()["data"][0]["url"])
        one, other = (HTTP.get(f"{address}{url.path}") for address in pair)
        assert (one.status_code, other.status_code, one.content == other.content) == (200, 200, True)
        assert one.content.startswith(b"\x89PNG")


@pytest.fixture
def data_uri() -> str:
    """Return a picture of one red pixel."""
    red = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
    return f"data:image/png;base64,{red}"


def test_the_journal_has_the_calls_of_all_and_numbers_them_together(pair: tuple[str, str]) -> None:
    for number in range(6):
        ask(pair[number % 2], prompt=f"hat {number}")
    listed = [HTTP.get(f"{address}{CONTROL}/requests").json()["requests"] for address in pair]
    assert listed[0] == listed[1]
    assert [item["body"]["prompt"] for item in listed[0]] == [f"hat {number}" for number in range(6)]
    numbers = [int(item["id"].rpartition("-")[2]) for item in listed[0]]
    assert numbers == [*range(numbers[0], numbers[0] + 6)]
    assert len({item["key"] for item in listed[0]}) == 1
    (last,) = HTTP.get(f"{pair[0]}{CONTROL}/requests", params={"last": 1}).json()["requests"]
    assert HTTP.get(f"{pair[1]}{CONTROL}/requests/{last['id']}").json() == last


def test_a_removed_answer_is_removed_for_all(pair: tuple[str, str]) -> None:
    script(pair[0], answers=[{"status": 500, "times": None}, {"status": 429, "times": None}])
    first = HTTP.get(f"{pair[1]}{CONTROL}/scenarios").json()["answers"][0]["id"]
    assert HTTP.delete(f"{pair[1]}{CONTROL}/scenarios/{first}").status_code == 204
    assert ask(pair[0]).status_code == 429


def test_events_tell_the_calls_of_the_other(pair: tuple[str, str]) -> None:
    with HTTP.stream("GET", f"{pair[0]}{CONTROL}/events") as events:
        lines = events.iter_lines()
        assert next(lines) == "retry: 1000"
        ask(pair[1], prompt="seen elsewhere")
        assert any("seen elsewhere" in line for line in lines)


def test_a_killed_process_loses_nothing(redis: RedisServer, pair: tuple[str, str]) -> None:
    with run_serve("--quiet", "--state", redis.url) as killed:
        script(killed.address, answers=[{"status": 429, "times": 2}], limits={"credits": 3 * PRICE})
        known = [ask(killed.address).status_code for _ in range(3)]
        url = httpx.URL(ask(killed.address, prompt="kept").json()["data"][0]["url"])
        killed.end(signal.SIGKILL)
    assert known == [429, 429, 200]
    assert HTTP.get(f"{pair[0]}{url.path}").status_code == 200
    assert [ask(pair[1]).status_code for _ in range(2)] == [200, 403]
    assert HTTP.get(f"{pair[1]}{CONTROL}/requests/count").json()["count"] == 7


def _children(pid: int) -> list[int]:
    """Return the ids of the child processes of a process."""
    return [*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split())]


def _is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text(encoding="ascii")


def health(address: str) -> dict[str, Any]:
    found: dict[str, Any] = HTTP.get(f"{address}{CONTROL}/health").json()
    return found


def wait_until_ok(address: str) -> None:
    patience = threading.Event()
    while health(address)["status"] != "ok":
        patience.wait(0.05)


@pytest.mark.parametrize("how", ["paused", "killed"])
def test_without_redis_calls_are_answered_control_says_why_and_the_state_comes_back(
    redis: RedisServer, pair: tuple[str, str], how: str
) -> None:
    script(pair[0], answers=[{"status": 429, "times": None}])
    assert ask(pair[0]).status_code == 429
    if how == "paused":
        redis.pause()
    else:
        redis.kill()
    try:
        assert [ask(pair[0], prompt="alone").status_code for _ in range(3)] == [200, 200, 200]
        found, refused = health(pair[0]), HTTP.get(f"{pair[0]}{CONTROL}/scenarios")
        assert (found["status"], redis.url in found["problems"][0]) == ("degraded", True)
        assert (refused.status_code, redis.url in refused.json()["error"]) == (503, True)
        assert HTTP.get(f"{pair[0]}{CONTROL}/faults").status_code == 200
        page = HTTP.get(f"{pair[0]}{CONTROL}/", headers={"Accept": "text/html"})
        (style,) = re.findall(r'href="([^"]+[.]css[^"]*)"', page.text)
        assert (page.status_code, redis.url in html.unescape(page.text)) == (503, True)
        assert HTTP.get(f"{pair[0]}{style}").status_code == 200
    finally:
        if how == "paused":
            redis.resume()
        else:
            redis.start()
    wait_until_ok(pair[0])
    assert ask(pair[0]).status_code == 429
    counted = HTTP.get(f"{pair[0]}{CONTROL}/requests/count").json()
    # Of the call just before it is not known at once whether Redis has it.
    assert (counted["count"], counted["dropped"] in (3, 4)) == (2, True)


@pytest.mark.usefixtures("pair")
def test_calls_in_flight_end_when_a_process_is_told_to_end(redis: RedisServer) -> None:
    with run_serve("--quiet", "--state", redis.url) as server, ThreadPoolExecutor(1) as pool:
        with HTTP.stream("GET", f"{server.address}{CONTROL}/events") as events:
            lines = events.iter_lines()
            next(lines)
            header = {"Authorization": "Bearer k", "Prefer": "delay=60"}
            waiting = pool.submit(HTTP.post, server.address + ROUTE, json=body("slow"), headers=header)
            assert any("slow" in line for line in lines)  # it is being answered
        code, _, errors = server.end()
        assert (waiting.result().status_code, code, errors) == (200, 0, "")


def test_workers_share_an_address_and_one_that_is_killed_is_replaced(redis: RedisServer, pair: tuple[str, str]) -> None:
    script(pair[0], answers=[{"status": 429, "times": 10}])
    with run_serve("--quiet", "--workers", "2", "--state", redis.url) as served:
        address = (served.address, served.address)
        assert statuses(address, 32) == {429: 10, 200: 22}
        children = _children(served.pid)
        assert len(children) == 2
        os.kill(children[0], signal.SIGKILL)
        patience = threading.Event()
        while len(_children(served.pid)) < 2 or children[0] in _children(served.pid):
            patience.wait(0.02)
        assert statuses(address, 32) == {200: 32}
        assert served.end() == (0, "", "")
        assert not any(map(_is_alive, children))


@pytest.mark.usefixtures("pair")
def test_a_worker_that_is_killed_while_redis_is_away_is_replaced_when_it_is_back(redis: RedisServer) -> None:
    with run_serve("--quiet", "--workers", "2", "--state", redis.url) as served:
        patience = threading.Event()
        while len(children := _children(served.pid)) < 2:
            patience.wait(0.02)
        # One that has served for a second is not taken for one that cannot start.
        patience.wait(1)
        redis.kill()
        try:
            os.kill(children[0], signal.SIGKILL)
            while "start the server there" not in served.errors():
                patience.wait(0.02)
            assert ask(served.address).status_code == 200
        finally:
            redis.start()
        while children[0] in (now := _children(served.pid)) or len(now) < 2:
            patience.wait(0.02)
        wait_until_ok(served.address)
        code, _, errors = served.end()
        assert (code, "Traceback" in errors) == (0, False)


def test_workers_watch_a_scenario_and_intercept(redis: RedisServer, pair: tuple[str, str], tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.json"
    scenario.write_text('{"answers": [{"status": 429, "times": 3}]}', encoding="utf-8")
    watched = ("--watch", "--scenario", str(scenario), "--intercept")
    with run_serve("--quiet", "--workers", "2", "--state", redis.url, *watched) as served:
        address = (served.address, served.address)
        assert statuses(address, 32) == {429: 3, 200: 29}
        scenario.write_text('{"answers": [{"status": 503, "times": 4}]}', encoding="utf-8")
        patience = threading.Event()
        while [item["status"] for item in HTTP.get(f"{pair[0]}{CONTROL}/scenarios").json()["answers"]] != [503]:
            patience.wait(0.02)
        assert statuses(address, 32) == {503: 4, 200: 28}
        (place,) = re.findall(r"SSL_CERT_FILE=(\S+)", served.read_until("SSL_CERT_FILE="))
        trust = ssl.create_default_context(cafile=place)
        with httpx.Client(proxy=served.address, verify=trust, timeout=PATIENCE_S) as http:
            assert http.get("https://api.aimlapi.com/v1/nothing").status_code == 404


def test_workers_end_when_their_parent_was_killed(redis: RedisServer) -> None:
    with run_serve("--quiet", "--workers", "2", "--state", redis.url) as served:
        children = _children(served.pid)
        served.end(signal.SIGKILL)
        patience = threading.Event()
        while any(map(_is_alive, children)):
            patience.wait(0.05)

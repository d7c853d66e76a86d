"""The state that several processes share, in one process: bounds, files of scenarios, ages, and what Redis has lost."""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import BadScenario, MockServer, Settings, create_app
from bodydouble_mockserver.replay import ReplaySettings
from bodydouble_mockserver.shared.batch import Turns
from bodydouble_spec import Contract, Exchange, RecordedAnswer
from bodydouble_spec.recording import RecordingFolder, read_recording_folder
from redis import Redis

from spec.tests.redis_server import RedisServer, run_redis

Call = Callable[..., httpx.Response]
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
SCENARIO = {"answers": [{"status": 429, "times": 3}], "limits": {"credits": 1_000_000}}


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """Run one Redis for all tests of this file."""
    with run_redis() as server:
        yield server


@pytest.fixture
def new_app(redis: RedisServer, contract: Contract) -> Iterator[Callable[..., MockServer]]:
    """Return a function that makes a server like a process of its own, all with one state that is empty at first."""
    redis.empty()
    apps: list[MockServer] = []

    def make(recorded: ReplaySettings | None = None, **options: Any) -> MockServer:
        apps.append(create_app(contract, replace(Settings(), **options), recorded, state=redis.url))
        return apps[-1]

    yield make
    for app in apps:
        app.close()


def commands_of(redis: RedisServer) -> contextlib.closing[Any]:
    """Return a client that is closed in the end; its commands have no types."""
    client: Any = Redis
    return contextlib.closing(client.from_url(redis.url))


def script(app: MockServer, call: Call) -> list[tuple[str, int, int]]:
    """Return id, status and uses of the scripted answers."""
    answers = call(app, "/_bodydouble/scenarios", method="GET").json()["answers"]
    return [(answer["id"], answer["status"], answer["used"]) for answer in answers]


def test_the_journal_keeps_the_last_entries_of_all(new_app: Callable[..., MockServer], call: Call) -> None:
    one, other = new_app(journal_entries=3), new_app(journal_entries=3)
    for number in range(70):
        call(other if number % 2 else one, json={"prompt": str(number)})
    for app in (one, other):
        bodies = [exchange.body for exchange in app.journal.exchanges()]
        assert (bodies, app.journal.dropped) == ([{"prompt": "67"}, {"prompt": "68"}, {"prompt": "69"}], 67)
    assert (one.journal.clear(), other.journal.exchanges(), other.journal.dropped) == (3, [], 0)


def test_an_entry_reads_like_that_of_a_server_of_its_own(
    new_app: Callable[..., MockServer], contract: Contract, call: Call, edit: Callable[..., dict[str, Any]]
) -> None:
    calls: list[dict[str, Any]] = [
        {"json": edit()},
        {"json": edit(), "headers": {"Prefer": "delay=0", "X-Client-Request-Id": "mine"}},
        {"json": {"prompt": "hat"}},
        {"json": {"prompt": "hat", "secret": "sk-aiml-4f7c1e0a9b2d"}, "headers": {"Prefer": "code=429"}},
        {"content": b"\x00\xff"},
    ]
    found: list[list[dict[str, Any]]] = []
    for app in (new_app(seed=1, clock=lambda: 1e9), create_app(contract, Settings(seed=1, clock=lambda: 1e9))):
        for options in calls:
            call(app, **options)
        found.append([{**item.to_dict(), "time": "", "duration_s": 0} for item in app.journal.exchanges()])
    shared, own = found
    # Ids of requests differ from process to process.
    assert [_ID.sub("", str(item)) for item in shared] == [_ID.sub("", str(item)) for item in own]


def test_the_scenario_of_a_file_is_taken_over_once(new_app: Callable[..., MockServer], call: Call) -> None:
    first = new_app()
    first.play_file(SCENARIO)
    call(first, json={})
    later = new_app()
    later.play_file(SCENARIO)
    assert script(later, call) == [("answer-1", 429, 1)]
    later.play_file({"answers": [{"status": 500}]})
    assert script(first, call) == [("answer-2", 500, 0)]


def test_a_changed_file_takes_the_place_of_the_earlier_one_once(
    new_app: Callable[..., MockServer], contract: Contract, call: Call, edit: Callable[..., dict[str, Any]]
) -> None:
    both, limits = (new_app(), new_app()), {"credits": 1_000_000}
    for app in both:
        app.play_file({"answers": [{"status": 429}], "limits": limits})
    both[0].play({"answers": [{"status": 503}]})
    assert [call(app, json=edit()).status_code for app in (*both, both[0])] == [429, 503, 200]
    changed = {"answers": [{"status": 500}, {"status": 502}], "limits": limits}
    for app in both:
        app.prepare([contract], changed)()
        app.prepare([contract], changed)()
        # Those of the file come first.
        assert script(app, call) == [("answer-3", 500, 0), ("answer-4", 502, 0), ("answer-2", 503, 1)]
    assert [call(app, json=edit()).status_code for app in (*both, both[0])] == [500, 502, 200]
    # The limits are the same, so what was spent stays spent.
    assert call(both[1], "/v1/billing/balance", method="GET").json()["balance"] == 1_000_000 - 2 * 84_000


def test_recorded_answers_are_counted_for_all(
    new_app: Callable[..., MockServer], call: Call, edit: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    with RecordingFolder(tmp_path) as folder:
        for number in range(3):
            answer = RecordedAnswer(200, {"content-type": "application/json"}, {"number": number})
            time, path = "2026-11-01T10:00:00.000Z", "/v1/images/generations"
            folder.append(Exchange(f"run-{number}", time, "POST", path, key="k", body=edit(), answer=answer))
    one, other = (new_app(ReplaySettings([read_recording_folder(tmp_path)])) for _ in range(2))
    assert [call(app, json=edit()).json()["number"] for app in (one, other, other, one)] == [0, 1, 2, 2]
    other.reset()
    assert [call(app, json=edit()).json()["number"] for app in (one, other)] == [0, 1]


def test_more_answers_than_are_kept_are_refused_with_the_number_of_those_there(
    new_app: Callable[..., MockServer],
) -> None:
    one, other = new_app(), new_app()
    assert len(one.play({"answers": [{"status": 429}] * 999})) == 999
    with pytest.raises(BadScenario, match="999 are stored already"):
        other.play({"answers": [{"status": 429}] * 2})


def test_a_picture_is_as_old_as_its_last_use_by_any(
    new_app: Callable[..., MockServer], call: Call, edit: Callable[..., dict[str, Any]]
) -> None:
    now = 1e9
    one, other = new_app(clock=lambda: now), new_app(clock=lambda: now)
    one.play({"limits": {"expires_after_s": 60}})
    path = httpx.URL(call(one, json=edit()).json()["data"][0]["url"]).path
    now += 50
    call(other, json=edit())
    now += 50
    assert [call(app, path, method="GET").status_code for app in (one, other)] == [200, 200]
    now += 20
    assert [call(app, path, method="GET").status_code for app in (one, other)] == [404, 404]


def test_calls_that_come_together_are_looked_up_and_written_together(
    new_app: Callable[..., MockServer], redis: RedisServer, edit: Callable[..., dict[str, Any]]
) -> None:
    app = new_app()

    async def sixteen(thing: str) -> list[httpx.Response]:
        transport, key = httpx.ASGITransport(app), {"Authorization": "Bearer k"}
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=key) as client:
            bodies = [edit(prompt=f"{thing} {number}") for number in range(16)]
            return await asyncio.gather(*[client.post("/v1/images/generations", json=body) for body in bodies])

    with commands_of(redis) as watching:
        asyncio.run(sixteen("hat"))  # Redis knows the scripts now
        watching.config_resetstat()
        assert {answer.status_code for answer in asyncio.run(sixteen("coat"))} == {200}
        used: dict[str, Any] = watching.info("commandstats")
    # One question whether the script has changed, and one script for the recipes and the entries of all, which asks that too.
    assert {name: used[f"cmdstat_{name}"]["calls"] for name in ("get", "evalsha")} == {"get": 2, "evalsha": 1}
    assert len({exchange.body["prompt"] for exchange in app.journal.exchanges()}) == 32


def test_an_error_in_what_is_sent_holds_no_call() -> None:
    async def wait() -> list[str]:
        loop, errors = asyncio.get_running_loop(), list[str]()
        loop.set_exception_handler(lambda _loop, context: errors.append(str(context["exception"])))

        def fail() -> None:
            raise ValueError("no JSON")

        turns = Turns(fail)
        assert turns.will_end()
        async with asyncio.timeout(30):
            await turns.ended()
        return errors

    assert asyncio.run(wait()) == ["no JSON"]


def test_a_redis_that_cannot_be_written_to_is_no_state(
    new_app: Callable[..., MockServer], redis: RedisServer, call: Call
) -> None:
    app = new_app()
    assert call(app, json={}).status_code == 400
    with commands_of(redis) as other:
        other.config_set("maxmemory", 1)
        try:
            assert call(app, json={}).status_code == 400
            time.sleep(1.1)  # then it is tried again, and could be read
            found = call(app, "/_bodydouble/health", method="GET").json()
            assert (found["status"], "maxmemory" in found["problems"][0]) == ("degraded", True)
            assert call(app, "/_bodydouble/scenarios", method="GET").status_code == 503
        finally:
            other.config_set("maxmemory", 0)


@pytest.mark.parametrize(
    ("commands", "words"),
    [
        ([("CONFIG", "SET", "maxmemory", 1)], "maxmemory'; raise maxmemory there"),
        ([("REPLICAOF", "127.0.0.1", 9)], "name the server that it is a replica of"),
        ([("CONFIG", "SET", "requirepass", "right")], "set the name and the password of a user"),
        ([("ACL", "SETUSER", "default", "-@scripting")], "set the name and the password of a user"),
        ([("SET", "bodydouble:journal", "x")], "choose another number of a database"),
        ([("SET", "bodydouble:version", "x"), ("SET", "bodydouble:limits", "x")], "what is there is not of bodydouble"),
    ],
    ids=["full", "replica", "password", "rights", "other-data", "no-json"],
)
def test_a_redis_that_cannot_be_used_is_refused_with_what_to_do(
    redis: RedisServer, contract: Contract, commands: list[tuple[Any, ...]], words: str
) -> None:
    redis.empty()
    with commands_of(redis) as own:
        try:
            for command in commands:
                own.execute_command(*command)
            with pytest.raises(ValueError, match=re.escape(words)):
                create_app(contract, state=redis.url)
        finally:
            undone = (
                ("CONFIG", "SET", "maxmemory", 0),
                ("REPLICAOF", "NO", "ONE"),
                ("CONFIG", "SET", "requirepass", ""),
            )
            for command in (*undone, ("ACL", "SETUSER", "default", "+@all"), ("FLUSHALL",)):
                own.execute_command(*command)


def test_two_groups_have_one_database_under_names_of_their_own(
    redis: RedisServer, contract: Contract, new_app: Callable[..., MockServer], call: Call
) -> None:
    ours, theirs = new_app(), create_app(contract, state=f"{redis.url}&prefix=theirs:")
    ours.play(SCENARIO)
    assert [call(app, json={}).status_code for app in (ours, theirs)] == [429, 400]
    theirs.close()
    with commands_of(redis) as own:
        assert {name.partition(b":")[0] for name in own.keys("*")} == {b"bodydouble", b"theirs"}


def test_what_redis_has_lost_is_gone_and_the_servers_go_on(
    new_app: Callable[..., MockServer], redis: RedisServer, call: Call
) -> None:
    app = new_app()
    app.play(SCENARIO)
    assert call(app, json={}).status_code == 429
    redis.empty()
    assert call(app, json={}).status_code == 400
    assert (script(app, call), app.problems()) == ([], [])
    assert len(app.journal.exchanges()) == 1

"""The files of pictures as a second operation: directives, scripts, an end of their life, journal, findings, and another host."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import BadScenario, MockServer, Settings, create_app
from bodydouble_spec import Contract

Call = Callable[..., httpx.Response]
FILES = {"path": "/generations/*"}


class Clock:
    """Seconds that a test moves on."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(contract: Contract, pictures_folder: Any, clock: Clock) -> MockServer:
    return create_app(contract, Settings(pictures=pictures_folder, clock=clock))


@pytest.fixture
def get(app: MockServer, call: Call, edit: Any) -> Call:
    """Return a function that fetches the picture of a fresh answer, without a key unless one is given."""
    url = call(app, json=edit()).json()["data"][0]["url"]

    def fetch(**options: Any) -> httpx.Response:
        return call(app, url, **{"method": "GET", "key": None, **options})

    return fetch


@pytest.mark.parametrize(
    ("asked", "status", "applied"),
    [
        ("code=404", 404, "code=404"),
        ("code=503, retry-after=7", 503, "code=503, retry-after=7"),
        ("code=206", 206, "code=206"),
        ("delay=0.001", 200, "delay=0.001"),
        ("fault=truncated-json", 200, "fault=truncated-json"),
        ("cod=404", 200, None),
        ("images=both", 200, None),
        ("dialect=quick-example", 200, None),
    ],
)
def test_a_directive_for_one_file(get: Call, app: MockServer, asked: str, status: int, applied: str | None) -> None:
    whole = len(get().content)
    answer = get(headers={"prefer": asked})
    assert (answer.status_code, answer.headers.get("preference-applied")) == (status, applied)
    assert len(answer.content) == (whole // 2 if "fault" in asked else whole) or status >= 400
    recorded = app.journal.pictures()[-1]
    assert [*recorded.applied] == ([] if applied is None else applied.split(", "))
    assert bool(recorded.findings) == (applied is None)


def test_a_scripted_answer_for_files_leaves_the_calls_alone(app: MockServer, call: Call, edit: Any, get: Call) -> None:
    page = {"body": "<html>expired</html>", "headers": {"content-type": "text/html"}}
    app.play({"answers": [{"match": FILES, "status": 403}, {"match": FILES, **page}, {"status": 429}]})
    refused, html, picture = get(), get(), get()
    assert (refused.status_code, html.text, html.headers["content-type"]) == (403, page["body"], "text/html")
    assert (html.status_code, picture.status_code, picture.headers["content-type"]) == (200, 200, "image/png")
    assert call(app, json=edit()).status_code == 429
    assert [exchange.matched for exchange in app.journal.pictures()] == ["answer-1", "answer-2", None]


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        ({"match": FILES, "violation": "missing-data"}, "/answers/0/violation"),
        ({"match": FILES, "status": 999}, "/answers/0/status"),
        ({"match": FILES, "code": 404, "status": 404}, "/answers/0/code"),
        ({"match": FILES, "status": 204, "body": "x"}, "/answers/0/body"),
    ],
)
def test_a_bad_script_for_files_is_refused_with_its_place(app: MockServer, answer: Any, pointer: str) -> None:
    with pytest.raises(BadScenario) as refused:
        app.play({"answers": [answer]})
    assert refused.value.pointer == pointer


def test_a_file_expires_and_a_new_answer_with_its_url_renews_it(
    app: MockServer, call: Call, edit: Any, get: Call, clock: Clock
) -> None:
    app.play({"limits": {"expires_after_s": 60}})
    statuses: list[int] = []
    for seconds, is_asked_again in ((59, False), (1, False), (0, True), (59.5, False)):
        clock.now += seconds
        if is_asked_again:
            call(app, json=edit())
        statuses.append(get().status_code)
    assert statuses == [200, 404, 200, 200]
    assert "expired" in app.journal.pictures()[1].to_dict()["answer"]["body"]["message"]


@pytest.mark.parametrize("value", [-1, "60", True, 1e12])
def test_a_bad_lifetime_is_refused(app: MockServer, value: Any) -> None:
    with pytest.raises(BadScenario, match="/limits/expires_after_s"):
        app.play({"limits": {"expires_after_s": value}})


@pytest.mark.parametrize(
    ("options", "pointer"),
    [
        ({"key": "sk-secret-0123"}, "/header/authorization"),
        ({"headers": {"x-api-key": "sk-secret-0123"}}, "/header/x-api-key"),
        ({"params": {"api_key": "sk-secret-0123"}}, "/query"),
        ({}, None),
        ({"params": {"width": "64"}, "headers": {"accept": "image/*"}}, None),
    ],
)
def test_a_key_that_is_sent_with_a_file_is_a_warning_and_not_kept(
    app: MockServer, get: Call, options: Any, pointer: str | None
) -> None:
    assert get(**options).status_code == 200
    recorded = app.journal.pictures()[-1]
    found = [(item["id"], item["severity"], item["pointer"]) for item in recorded.findings]
    assert found == ([] if pointer is None else [("picture-key-sent", "warning", pointer)])
    assert "sk-secret" not in json.dumps(recorded.to_dict())


def test_the_journal_has_files_with_their_kind_and_counts_them_apart(app: MockServer, call: Call, get: Call) -> None:
    size = len(get().content)
    assert get(method="HEAD").status_code == 200
    everything = call(app, "/_bodydouble/requests", method="GET", headers={"host": "localhost"}).json()["requests"]
    assert [item.get("kind") for item in everything] == [None, "picture", "picture"]
    described = everything[1]["answer"]["body"]["$picture"]
    assert (described["bytes"], described["media_type"], described["pixels"]) == (size, "image/png", [1024, 1024])

    def count(**match: Any) -> int:
        body = {"match": match, "at_least": 0}
        verified = call(app, "/_bodydouble/requests/verify", json=body, headers={"host": "localhost"})
        return int(verified.json()["count"])

    assert (count(), count(kind="picture"), count(**FILES), count(kind="call"), count(status=200)) == (1, 2, 2, 1, 1)
    listed = call(app, "/_bodydouble/requests?kind=picture", method="GET", headers={"host": "localhost"}).json()
    assert listed["total"] == 2
    assert len(app.journal.exchanges()) == 1


@pytest.mark.parametrize(
    ("picture_host", "host", "expected"),
    [
        ("localhost", "127.0.0.1:8123", "http://localhost:8123/generations/"),
        ("cdn.test:9000", "127.0.0.1:8123", "http://cdn.test:9000/generations/"),
        ("[::1]", "127.0.0.1:8123", "http://[::1]:8123/generations/"),
        ("cdn.test", "[::1]:8123", "http://cdn.test:8123/generations/"),
        ("cdn.test", "api.test", "http://cdn.test/generations/"),
        ("localhost", "api.aimlapi.com", "http://api.aimlapi.com/generations/"),
        (None, "127.0.0.1:8123", "http://127.0.0.1:8123/generations/"),
    ],
)
def test_pictures_can_live_on_another_host(
    contract: Contract, call: Call, edit: Any, picture_host: str | None, host: str, expected: str
) -> None:
    app = create_app(contract, Settings(picture_host=picture_host))
    url = call(app, json=edit(), headers={"host": host}).json()["data"][0]["url"]
    assert url.startswith(expected)

"""Replay: a recorded request gets its recorded answer, whatever the order of its keys; any other one does not."""

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.replay import Library, ReplaySettings, canonical_of_exchange
from bodydouble_spec import Contract, Exchange, RecordedAnswer, RecordedPicture, Redactor, record_body
from bodydouble_spec.recording import CallFacts, PicturePlace, RecordingFolder, read_recording_folder
from hypothesis import given
from hypothesis import strategies as st

Call = Callable[..., httpx.Response]
Edit = Callable[..., dict[str, Any]]
CDN = "https://cdn.example.com/generations/fox/1.png"
JSON = {"content-type": "application/json", "x-request-id": "recorded-id", "content-length": "9999", "date": "then"}


class Recorder:
    """Writes calls into a folder as the proxy does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0

    def call(self, body: Any, reply: Any, status: int = 200, **more: Any) -> str:
        """Record a call with the answer's JSON, and return its id."""
        self.count += 1
        values: dict[str, Any] = {
            "id": f"run-{self.count}",
            "time": "2026-11-01T10:00:00.000Z",
            "method": "POST",
            "path": "/v1/images/generations",
            "key": "abcd",
            "body": body,
            "answer": RecordedAnswer(status, JSON, reply),
            "duration_s": 31.5,
            "extra": CallFacts("f1", "https://api.example.com").to_extra(),
        } | more
        with RecordingFolder(self.path) as folder:
            folder.append(Exchange(**values))
        return str(values["id"])

    def picture(self, call: str, data: bytes, pointer: str = "/data/0/url") -> str:
        """Record the picture of a call, and return its hash."""
        with RecordingFolder(self.path) as folder:
            sha256 = folder.put(data)
            answer = RecordedAnswer(200, {}, described(data))
            extra = PicturePlace(call, pointer).to_extra()
            folder.append(
                Exchange(
                    f"{call}-p", "2026-11-01T10:00:01.000Z", "GET", "/x.png", answer=answer, kind="picture", extra=extra
                )
            )
        return sha256

    def app(self, contract: Contract, **options: Any) -> MockServer:
        """Return a mock that replays the folder."""
        settings = Settings(**options.pop("settings", {}))
        return create_app(contract, settings, ReplaySettings([read_recording_folder(self.path)], **options))


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path)


def described(data: bytes, *, is_data_uri: bool = False) -> dict[str, Any]:
    return RecordedPicture(hashlib.sha256(data).hexdigest(), "image/png", len(data), None, is_data_uri).to_dict()


def answer(text: str) -> dict[str, Any]:
    return {"data": [{"url": f"https://cdn.example.com/{text}.png", "b64_json": None}]}


def recorded(response: httpx.Response) -> str:
    return str(response.json()["data"][0]["url"]).rpartition("/")[2].partition(".")[0]


def test_a_recorded_request_gets_its_answer_and_headers_in_any_order_of_keys(
    recorder: Recorder, contract: Contract, call: Call, edit: Edit
) -> None:
    body = edit()
    recorder.call(body, answer("kept"), 201)
    response = call(recorder.app(contract), "/images/generations/", json=dict(reversed(body.items())))
    assert (response.status_code, recorded(response), response.headers["x-request-id"]) == (201, "kept", "recorded-id")
    assert int(response.headers["content-length"]) == len(response.content)


def test_a_request_that_was_not_recorded_is_answered_by_the_contract(
    recorder: Recorder, contract: Contract, call: Call, edit: Edit
) -> None:
    recorder.call(edit(), answer("kept"))
    response = call(recorder.app(contract), "/v1/images/generations", json=edit(prompt="another"))
    assert response.status_code == 200
    assert "127.0.0.1" in response.json()["data"][0]["url"] or "localhost" in response.json()["data"][0]["url"]


def test_the_nth_time_gets_the_nth_answer_then_the_last_and_a_reset_begins_again(
    recorder: Recorder, contract: Contract, call: Call, edit: Edit
) -> None:
    for name in ("one", "two"):
        recorder.call(edit(), answer(name))
    app = recorder.app(contract)
    names = [recorded(call(app, "/v1/images/generations", json=edit())) for _ in range(4)]
    app.reset()
    names.append(recorded(call(app, "/v1/images/generations", json=edit())))
    assert names == ["one", "two", "two", "two", "one"]


def test_replay_only_refuses_another_request_and_says_what_differs(
    recorder: Recorder, contract: Contract, call: Call, edit: Edit
) -> None:
    recorder.call(edit(prompt="a cat", num_images=2), answer("kept"))
    recorder.call(edit(prompt="a dog"), answer("far"))
    app = recorder.app(contract, is_only=True)
    response = call(app, "/v1/images/generations", json=edit(prompt="a cow", num_images=2))
    assert response.status_code == 404
    assert "the nearest recorded call is run-1" in response.json()["message"]
    assert "/prompt: recorded 'a cat', sent 'a cow'" in response.json()["message"].replace('"', "'")
    assert response.json()["message"].endswith("ignore what differs (--replay-ignore /prompt)")
    # The query cannot be ignored.
    other = call(app, "/v1/images/generations?trace=1", json=edit(prompt="a dog")).json()["message"]
    assert other.endswith('the query: recorded nothing, sent "trace=1". Record it, or send what was recorded')
    (finding,) = app.journal.exchanges()[0].findings
    got = [finding[name] for name in ("id", "severity", "pointer", "expected", "got", "witness")]
    assert got == ["not-recorded", "error", "/prompt", "a cat", "a cow", "run-1"]


def test_replay_only_refuses_a_route_that_no_recording_has(recorder: Recorder, contract: Contract, call: Call) -> None:
    recorder.call({}, answer("kept"))
    response = call(recorder.app(contract, is_only=True), "/v1/models", method="GET")
    assert (response.status_code, "no recording contains a call to GET /models" in response.json()["message"]) == (
        404,
        True,
    )


def test_a_recorded_route_of_no_contract_is_replayed_and_an_unknown_one_stays_unknown(
    recorder: Recorder, contract: Contract, call: Call
) -> None:
    recorder.call({"messages": []}, {"choices": []}, path="/v1/chat/completions")
    recorder.call(None, {"data": "recorded"}, method="GET", path="/v1/models?page=2")
    app = recorder.app(contract)
    assert call(app, "/v1/chat/completions", json={"messages": []}).json() == {"choices": []}
    assert app.journal.exchanges()[0].findings == ()
    assert call(app, "/v1/chat/completions", json={"messages": [1]}).status_code == 404
    assert call(app, "/v1/models?page=2", method="GET").json() == {"data": "recorded"}
    assert call(app, "/v1/models", method="GET").json()["object"] == "list"


def test_an_ignored_pointer_does_not_count(recorder: Recorder, contract: Contract, call: Call, edit: Edit) -> None:
    recorder.call(edit(seed=1, image_urls=["https://a.example/1.png", "https://a.example/2.png"]), answer("kept"))
    app = recorder.app(contract, ignored=("/seed", "/image_urls/1"), is_only=True)
    same = edit(seed=2, image_urls=["https://a.example/1.png", "https://a.example/3.png"])
    assert call(app, "/v1/images/generations", json=same).status_code == 200
    assert (
        call(app, "/v1/images/generations", json={**same, "image_urls": ["https://a.example/4.png"]}).status_code == 404
    )


def test_a_text_that_is_no_pointer_is_refused() -> None:
    with pytest.raises(ValueError, match="not a JSON pointer; write one like /seed"):
        Library(ignored=["seed"])


def test_an_input_picture_is_known_by_its_bytes(
    recorder: Recorder, contract: Contract, call: Call, edit: Edit, png: bytes
) -> None:
    recorder.call(edit(image_urls=[described(png, is_data_uri=True)]), answer("kept"))
    app = recorder.app(contract, is_only=True)
    text = base64.b64encode(png).decode()
    for url in (f"data:image/png;base64,{text}", f"data:;base64,{text}", text):
        assert call(app, "/v1/images/generations", json=edit(image_urls=[url])).status_code == 200
    other = base64.b64encode(png + b"x").decode()
    assert call(app, "/v1/images/generations", json=edit(image_urls=[other])).status_code == 404


def test_picture_urls_lead_here_and_the_pictures_are_byte_equal(
    recorder: Recorder, contract: Contract, call: Call, edit: Edit, png: bytes
) -> None:
    recorder.picture(recorder.call(edit(), {"data": [{"url": CDN, "b64_json": None}]}), png)
    app = recorder.app(contract)
    url = httpx.URL(call(app, "/v1/images/generations", json=edit()).json()["data"][0]["url"])
    assert "example.com" not in str(url)
    picture = call(app, url.raw_path.decode(), method="GET")
    assert (picture.content, picture.headers["content-type"]) == (png, "image/png")
    assert [exchange.kind for exchange in app.journal.pictures()] == ["picture"]


def test_a_picture_of_an_answer_may_be_the_input_of_the_next_call(
    recorder: Recorder, contract: Contract, call: Call, edit: Edit, png: bytes
) -> None:
    recorder.picture(recorder.call(edit(), {"data": [{"url": CDN}]}), png)
    recorder.call(edit(image_urls=[CDN]), answer("second"))
    app = recorder.app(contract, is_only=True)
    first = call(app, "/v1/images/generations", json=edit()).json()["data"][0]["url"]
    for url in (first, CDN):
        assert recorded(call(app, "/v1/images/generations", json=edit(image_urls=[url]))) == "second"


@pytest.mark.parametrize("pointer", ["/data/0/url", "/data/0/b64_json"])
def test_the_page_shows_recorded_pictures_and_what_was_replayed(
    recorder: Recorder, contract: Contract, call: Call, edit: Edit, png: bytes, pointer: str
) -> None:
    name = pointer.rpartition("/")[2]
    item = {"url": "https://cdn.example/a.png"} if name == "url" else {"b64_json": described(png)}
    identifier = recorder.call(edit(), {"data": [item]})
    recorder.picture(identifier, png, pointer)
    app = recorder.app(contract)
    call(app, json=edit())
    page = call(app, "/_bodydouble/", method="GET").text
    assert f"replay={identifier}" in page
    (small,) = re.findall(r'src="(/_bodydouble/pictures/[^"]+)"', page)
    small = small.replace("&amp;", "&")
    assert call(app, small, method="GET").headers["content-type"] == "image/webp"
    assert call(app, small.partition("?")[0], method="GET").content == png


def test_a_base64_picture_of_an_answer_is_given_back(
    recorder: Recorder, contract: Contract, call: Call, edit: Edit, png: bytes
) -> None:
    recorder.call(edit(), {"data": [{"url": None, "b64_json": described(png)}]})
    with RecordingFolder(recorder.path) as folder:
        folder.put(png)
    text = call(recorder.app(contract), "/v1/images/generations", json=edit()).json()["data"][0]["b64_json"]
    assert base64.b64decode(text) == png


def test_an_answer_that_is_no_json_is_given_back_as_it_was(
    recorder: Recorder, contract: Contract, call: Call, edit: Edit
) -> None:
    page = b"<html>" + b"Bad gateway " * 100
    with RecordingFolder(recorder.path) as folder:
        raw = {"bytes": len(page), "sha256": folder.put(page), "text": "<html>", "is_kept": True}
    recorder.call(edit(), None, answer=RecordedAnswer(502, {"content-type": "text/html"}, None, raw))
    response = call(recorder.app(contract), "/v1/images/generations", json=edit())
    assert (response.status_code, response.content, response.headers["content-type"]) == (502, page, "text/html")


def test_a_script_and_a_prefer_header_come_before_a_recording(
    recorder: Recorder, contract: Contract, call: Call, edit: Edit
) -> None:
    recorder.call(edit(), answer("kept"))
    app = recorder.app(contract)
    app.play({"answers": [{"status": 429}]})
    assert call(app, "/v1/images/generations", json=edit()).status_code == 429
    assert call(app, "/v1/images/generations", json=edit(), headers={"prefer": "code=503"}).status_code == 503
    assert recorded(call(app, "/v1/images/generations", json=edit())) == "kept"


def test_a_replayed_request_that_breaks_the_contract_keeps_its_findings(
    recorder: Recorder, contract: Contract, call: Call, edit: Edit
) -> None:
    recorder.call(edit(num_images=9), {"message": "too many"}, 400)
    app = recorder.app(contract)
    assert call(app, "/v1/images/generations", json=edit(num_images=9)).json() == {"message": "too many"}
    (exchange,) = app.journal.exchanges()
    assert [finding["id"] for finding in exchange.findings] == ["request-maximum"]
    assert exchange.applied == ("replay=run-1",)


def test_a_recorded_delay_is_kept_on_request(recorder: Recorder, contract: Contract, call: Call, edit: Edit) -> None:
    recorder.call(edit(), answer("kept"), duration_s=0.03)
    for has_delays, least in ((True, 0.03), (False, 0.0)):
        app = recorder.app(contract, has_delays=has_delays)
        call(app, "/v1/images/generations", json=edit())
        (exchange,) = app.journal.exchanges()
        assert exchange.duration_s is not None
        assert exchange.duration_s >= least
        assert (exchange.duration_s >= 0.03) is has_delays


def test_a_call_without_a_key_does_not_get_the_answer_to_one_with_a_key(
    recorder: Recorder, contract: Contract, call: Call, edit: Edit
) -> None:
    recorder.call(edit(), answer("kept"))
    recorder.call(edit(), {"message": "no key"}, 401, key=None)
    app = recorder.app(contract)
    assert call(app, "/v1/images/generations", json=edit(), key=None).json() == {"message": "no key"}
    assert recorded(call(app, "/v1/images/generations", json=edit())) == "kept"


@pytest.mark.parametrize("damage", ["trouble", "missing", "cut"])
def test_an_answer_that_is_not_whole_is_not_replayed(
    recorder: Recorder, contract: Contract, call: Call, edit: Edit, damage: str, png: bytes
) -> None:
    if damage == "trouble":
        recorder.call(edit(), answer("half"), extra=CallFacts("f", "u", trouble="broken").to_extra())
    elif damage == "missing":
        recorder.call(edit(), {"data": [{"b64_json": described(png)}]})
    else:
        raw = {"bytes": 5000, "sha256": "0" * 64, "text": "<html>"}
        recorder.call(edit(), None, answer=RecordedAnswer(200, {}, None, raw))
    app = recorder.app(contract, is_only=True)
    assert app.replay is not None
    assert app.replay.library.skipped == ["run-1"]
    assert call(app, "/v1/images/generations", json=edit()).status_code == 404


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, VALUES)
def test_two_requests_have_one_canonical_text_exactly_if_their_recorded_bodies_are_equal(one: Any, other: Any) -> None:
    def text(value: Any) -> str:
        body, raw = record_body(orjson.dumps({"v": value}), Redactor(), whole=True)
        return canonical_of_exchange(Exchange("", "", "POST", "/x", body=body, raw=raw)).text

    same = orjson.dumps(one, option=orjson.OPT_SORT_KEYS) == orjson.dumps(other, option=orjson.OPT_SORT_KEYS)
    assert (text(one) == text(other)) is same

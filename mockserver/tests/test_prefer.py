"""``Prefer`` over HTTP: the directives, their effect, and ``Preference-Applied``."""

import logging
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.directives import DIRECTIVE_NAMES
from bodydouble_mockserver.faults import FAULTS
from bodydouble_mockserver.scripting.state import ServerState
from bodydouble_spec import Contract
from hypothesis import example, given, settings
from hypothesis import strategies as st

Call = Callable[..., httpx.Response]
Edit = Callable[..., dict[str, Any]]


def prefer(*values: str) -> list[tuple[bytes, bytes]]:
    return [(b"prefer", value.encode("latin-1")) for value in values]


_FRAGMENTS = st.sampled_from(
    [name.encode() for name in (*DIRECTIVE_NAMES, *FAULTS) if name != "delay"]
    + [b"=", b",", b";", b'"', b"\\", b" ", b"429", b"204", b"legacy", b"quick-example", b"missing-data", b"both"]
)
_HEADERS = st.lists(_FRAGMENTS, max_size=14).map(b"".join) | st.binary(max_size=60)


@settings(max_examples=150, deadline=None)
@given(st.lists(_HEADERS.filter(lambda value: b"delay" not in value.lower()), min_size=1, max_size=2))
@example([b"code=200", b"violation=error-beside-data, images=both, dialect=quick-example"])
def test_no_prefer_header_makes_the_mock_fail(app: MockServer, call: Call, edit: Edit, values: list[bytes]) -> None:
    answer = call(app, json=edit(), headers=[(b"prefer", value) for value in values])
    assert answer.status_code < 500 or f"code={answer.status_code}" in answer.headers["preference-applied"]


@pytest.mark.parametrize(
    ("asked", "good"),
    [
        ("code=199", "code takes a status from 200 to 599"),
        ("code=600", "code takes a status from 200 to 599"),
        ("code=4 29", "code takes a status from 200 to 599"),
        ("code=", "code takes a status from 200 to 599"),
        ("code", "code takes a status from 200 to 599"),
        ("code=-500", "code takes a status from 200 to 599"),
        ("code=5e2", "code takes a status from 200 to 599"),
        ("delay=-1", "delay takes seconds, or <least>..<most>, up to 3600"),
        ("delay=2..1", "delay takes seconds, or <least>..<most>, up to 3600"),
        ("delay=3601", "delay takes seconds, or <least>..<most>, up to 3600"),
        ("delay=nan", "delay takes seconds, or <least>..<most>, up to 3600"),
        ("delay=1..", "delay takes seconds, or <least>..<most>, up to 3600"),
        ("dialect=modern", "dialect takes one of documented, quick-example"),
        ("envelope=none", "envelope takes one of problem, legacy"),
        ("images=file", "images takes one of url, b64_json, both"),
        ("retry-after=1.5", "retry-after takes whole seconds"),
        ("violation=rude", "violation takes one of"),
        ("fault=earthquake", f"fault takes one of {', '.join(FAULTS)}"),
    ],
)
def test_a_bad_value_has_no_effect_and_the_valid_ones_are_told(
    contract: Contract, call: Call, edit: Edit, asked: str, good: str
) -> None:
    app = create_app(contract)
    answer = call(app, json=edit(), headers=prefer(asked))
    assert (answer.status_code, "preference-applied" in answer.headers) == (200, False)
    (finding,) = app.journal.exchanges()[-1].findings
    assert (finding["id"], finding["severity"]) == ("prefer-not-understood", "warning")
    assert f" is not valid; {good}" in finding["message"]


def test_a_bad_value_is_named_and_shortened(app: MockServer, call: Call, edit: Edit) -> None:
    call(app, json=edit(), headers=prefer("fault=" + "x" * 5000))
    message = app.journal.exchanges()[-1].findings[0]["message"]
    assert message.startswith("Prefer: fault=xxx")
    assert len(message) < 400


@pytest.mark.parametrize(
    ("asked", "body", "applied"),
    [
        ("code=429", {}, "code=429"),
        ("code=500, nonsense=1, code=429", {}, "code=500"),
        ('Code="429"; q=1', {}, "code=429"),
        ("retry-after=007, code=503", {}, "code=503, retry-after=7"),
        ("delay=0.010", {}, "delay=0.01"),
        ("delay=0..0.001", {}, "delay=0..0.001"),
        ("envelope=legacy, code=502", {}, "code=502, envelope=legacy"),
        ("dialect=quick-example", {}, "dialect=quick-example"),
        ("images=both, violation=missing-data", {}, "images=both, violation=missing-data"),
        ("fault=truncated-json", {}, "fault=truncated-json"),
        ("code=201", {}, "code=201"),
        # A directive without effect was not applied.
        ("envelope=legacy", {}, None),
        ("nonsense=1", {}, None),
        ("dialect=quick-example, code=500", {}, "code=500"),
        ("images=both, violation=missing-data", {"num_images": 9}, None),
        ("envelope=legacy, images=both", {"num_images": 9}, "envelope=legacy"),
        ("violation=missing-data, dialect=quick-example", {}, "dialect=quick-example"),
        ("images=b64_json, dialect=quick-example", {}, "dialect=quick-example"),
        ("images=url, dialect=quick-example", {}, "dialect=quick-example, images=url"),
        ("code=204, dialect=quick-example", {}, "code=204"),
        ("code=304, envelope=legacy", {}, "code=304"),
        ("code=999, retry-after=1", {}, "retry-after=1"),
        ("code=999, code=429", {}, "code=429"),
    ],
)
def test_preference_applied_lists_exactly_the_directives_with_an_effect(
    app: MockServer, call: Call, edit: Edit, asked: str, body: dict[str, Any], applied: str | None
) -> None:
    answer = call(app, json=edit(**body), headers=prefer(asked))
    assert answer.headers.get("preference-applied") == applied


def test_without_prefer_there_is_no_preference_applied(app: MockServer, call: Call, edit: Edit) -> None:
    assert "preference-applied" not in call(app, json=edit()).headers


def test_every_status_from_200_to_599_can_be_requested(app: MockServer, call: Call, edit: Edit) -> None:
    wanted = list(range(200, 600))
    assert [call(app, json=edit(), headers=prefer(f"code={code}")).status_code for code in wanted] == wanted


@pytest.mark.parametrize("envelope", ["problem", "legacy"])
def test_the_body_of_a_documented_status_conforms_to_the_contract(
    app: MockServer, call: Call, edit: Edit, contract: Contract, envelope: str
) -> None:
    operation = contract.operation()
    documented = [code for code in range(200, 600) if operation.response(code) is not None]
    assert {200, 400, 401, 403, 404, 429, 500, 503} <= {*documented}
    answers = [call(app, json=edit(), headers=prefer(f"code={code}, envelope={envelope}")) for code in documented]
    assert {
        answer.status_code: operation.validate_response(
            answer.status_code, answer.headers["content-type"], answer.content, strict=False
        )
        for answer in answers
    } == {code: [] for code in documented}


@pytest.mark.parametrize(
    ("code", "message"),
    [(429, "Too Many Requests"), (500, "Internal server error"), (504, "Generation timeout"), (418, "I'm a Teapot")],
)
def test_a_requested_error_has_the_documented_message(
    app: MockServer, call: Call, edit: Edit, code: int, message: str
) -> None:
    assert call(app, json=edit(), headers=prefer(f"code={code}")).json()["error"]["message"] == message


def test_a_requested_403_is_that_of_an_empty_account(app: MockServer, call: Call, edit: Edit) -> None:
    error = call(app, json=edit(), headers=prefer("code=403")).json()["error"]
    assert (error["name"], error["data"]) == ("ForbiddenException", {"kind": "err_insufficent_credits"})
    assert error["message"].startswith("You've run out of credits.")


def test_a_requested_400_has_an_issue_that_names_the_cause(app: MockServer, call: Call, edit: Edit) -> None:
    (issue,) = call(app, json=edit(), headers=prefer("code=400")).json()["error"]["data"]
    assert (issue["code"], issue["path"]) == ("custom", [])
    assert "was requested by a Prefer header" in issue["message"]


def test_a_requested_400_for_a_bad_request_names_its_real_faults(app: MockServer, call: Call, edit: Edit) -> None:
    usual, chosen = (call(app, json=edit(num_images=9), headers=prefer(asked)) for asked in ("", "code=400"))
    assert chosen.json()["error"] == usual.json()["error"]


def test_the_legacy_envelope_is_the_one_of_2024(app: MockServer, call: Call, edit: Edit) -> None:
    answer = call(app, json=edit(num_images=9), headers=prefer("envelope=legacy"))
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.json().keys() == {"requestId", "statusCode", "timestamp", "path", "message"}
    assert answer.json()["statusCode"] == 400


@pytest.mark.parametrize(
    "request_of", [{"key": None}, {"json": {}}, {"content": b"no json"}, {"json": {"image_urls": 5}}], ids=str
)
@pytest.mark.parametrize("code", [200, 201, 429, 500])
def test_a_requested_status_is_sent_for_any_request(
    app: MockServer, call: Call, request_of: dict[str, Any], code: int
) -> None:
    assert call(app, headers=prefer(f"code={code}"), **request_of).status_code == code


@pytest.mark.parametrize("code", [204, 205, 304])
def test_a_status_without_a_body_has_none(app: MockServer, call: Call, edit: Edit, code: int) -> None:
    assert call(app, json=edit(), headers=prefer(f"code={code}")).content == b""


def test_retry_after_is_sent(app: MockServer, call: Call, edit: Edit) -> None:
    answer = call(app, json=edit(), headers=prefer("code=429", "retry-after=7"))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


def test_a_dialect_can_be_chosen_for_one_answer(app: MockServer, call: Call, edit: Edit) -> None:
    answers = [call(app, json=edit(), headers=headers).json() for headers in (prefer("dialect=quick-example"), None)]
    assert [next(iter(answer)) for answer in answers] == ["images", "data"]


@pytest.mark.parametrize(("mode", "has"), [("url", (True, False)), ("b64_json", (False, True)), ("both", (True, True))])
def test_the_form_of_pictures_can_be_chosen_for_one_answer(
    pictures_folder: Any, contract: Contract, call: Call, edit: Edit, mode: str, has: tuple[bool, bool]
) -> None:
    app = create_app(contract, Settings(pictures=pictures_folder))
    (item,) = call(app, json=edit(), headers=prefer(f"images={mode}")).json()["data"]
    assert (bool(item["url"]), bool(item["b64_json"])) == has


def test_a_violation_breaks_the_body_as_named(app: MockServer, call: Call, edit: Edit) -> None:
    answer = call(app, json=edit(), headers=prefer("violation=missing-data"))
    assert (answer.status_code, "data" in answer.json()) == (200, False)


def test_a_fault_without_access_to_the_connection_has_no_effect_and_is_told(
    contract: Contract, call: Call, edit: Edit
) -> None:
    app = create_app(contract)
    answer = call(app, json=edit(), headers=prefer("fault=reset-mid-body, images=both"))
    assert (answer.status_code, answer.headers["preference-applied"]) == (200, "images=both")
    (finding,) = app.journal.exchanges()[-1].findings
    assert finding["id"] == "prefer-not-applied"
    assert "fault=reset-mid-body needs access to the connection" in finding["message"]


def test_a_delay_takes_at_least_its_time(app: MockServer, call: Call, edit: Edit) -> None:
    begun = time.monotonic()
    call(app, json=edit(), headers=prefer("delay=0.05..0.06"))
    assert time.monotonic() - begun >= 0.05


@given(st.integers(0, 2**32), st.floats(0, 1800), st.floats(0, 1800))
def test_a_delay_is_drawn_from_its_range_by_the_seed(seed: int, least: float, width: float) -> None:
    drawn = [ServerState(Settings(seed=seed)).pick_delay((least, least + width)) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert least <= drawn[0] <= least + width


def test_the_delays_of_one_run_differ() -> None:
    state = ServerState(Settings(seed=1))
    assert len({state.pick_delay((0, 10)) for _ in range(20)}) == 20


def test_other_routes_ignore_preferences(app: MockServer, call: Call) -> None:
    assert call(app, "/v1/models", method="GET", headers=prefer("code=500, fault=hang")).status_code == 200


MISSPELT = [
    ("cod=429", 200, "'cod=429' is not understood; did you mean code?"),
    ("fualt=reset", 200, "'fualt=reset' is not understood; did you mean fault?"),
    ("retry_after=3", 200, "did you mean retry-after?"),
    ("status=500", 200, "did you mean code?"),
    ("code 429", 200, "write name=value"),
    ("code: 429", 200, "write name=value"),
    ("x-colour=red", 200, "'x-colour=red' is not understood"),
    ("delay=abc", 200, "delay=abc is not valid; delay takes seconds"),
    ("fault=reset-midbody", 200, "did you mean reset-mid-body?"),
]


@pytest.mark.parametrize(("asked", "status", "words"), MISSPELT)
def test_a_directive_that_is_not_understood_is_told_in_journal_and_log(
    contract: Contract,
    call: Call,
    edit: Edit,
    caplog: pytest.LogCaptureFixture,
    asked: str,
    status: int,
    words: str,
) -> None:
    app = create_app(contract, Settings(log=True))
    with caplog.at_level(logging.INFO, "bodydouble.mockserver"):
        answer = call(app, json=edit(), headers=prefer(asked))
    (finding,) = app.journal.exchanges()[-1].findings
    assert (answer.status_code, "preference-applied" in answer.headers) == (status, False)
    assert (finding["id"], finding["pointer"]) == ("prefer-not-understood", "/header/Prefer")
    assert words in finding["message"]
    assert finding["message"] in caplog.text


def test_what_is_understood_beside_a_misspelt_directive_is_applied(app: MockServer, call: Call, edit: Edit) -> None:
    answer = call(app, json=edit(), headers=prefer("dely=2, code=429"))
    assert (answer.status_code, answer.headers["preference-applied"]) == (429, "code=429")


@pytest.mark.parametrize("asked", ["", ",", "return=minimal", "respond-async, wait=10", "code=429", "images=url"])
def test_a_preference_that_is_understood_or_registered_is_no_finding(
    app: MockServer, call: Call, edit: Edit, asked: str
) -> None:
    call(app, json=edit(), headers=prefer(asked))
    assert not app.journal.exchanges()[-1].findings

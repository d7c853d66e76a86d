"""Several contracts on one port: each request is answered, journalled and scripted by the contract that it is for."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import openai
import pytest
from bodydouble_mockserver import BadScenario, MockServer, Settings, create_app
from bodydouble_spec import Contract, parse_exchange

Serve = Callable[..., contextlib.AbstractContextManager[str]]
Edit = Callable[..., dict[str, Any]]
Call = Callable[..., httpx.Response]
PATH = "/v1/images/generations"
GEMINI, BANANA = "google/gemini-2.5-flash-image-edit", "google/nano-banana-edit"


def named(contract: Contract, name: str) -> Contract:
    return replace(contract, source=name)


def document(
    *paths: str, model: str | None = "m", method: str = "post", responses: dict[str, Any] | None = None
) -> dict[str, Any]:
    schema = {"type": "object", "properties": {} if model is None else {"model": {"enum": [model]}}}
    operation: dict[str, Any] = {
        "requestBody": {"content": {"application/json": {"schema": schema}}},
        "responses": {"200": {"description": "done"}, **(responses or {})},
    }
    return {
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "paths": {path: {method: operation} for path in paths},
    }


def contracts_of(**documents: dict[str, Any]) -> list[Contract]:
    return [named(Contract.load(item), name) for name, item in documents.items()]


@pytest.fixture(scope="module")
def two(contract: Contract, nano_banana: dict[str, Any]) -> MockServer:
    """Create a mock of two models on one path."""
    return create_app([contract, named(Contract.load(nano_banana), "banana")], Settings(seed=1))


@pytest.fixture(scope="module")
def address(two: MockServer, serve: Serve) -> Iterator[str]:
    """Serve it on a port."""
    with serve(two) as origin:
        yield origin


@pytest.fixture
def sdk(address: str) -> Iterator[openai.OpenAI]:
    """Return a client of the openai package."""
    with openai.OpenAI(base_url=f"{address}/v1", api_key="a-key", max_retries=0) as client:
        yield client


@pytest.mark.parametrize(("model", "count", "status"), [(GEMINI, 4, 200), (BANANA, 4, 400), (BANANA, 3, 200)])
def test_the_openai_client_is_answered_by_the_contract_of_its_model(
    sdk: openai.OpenAI, model: str, count: int, status: int
) -> None:
    urls = [f"https://example.org/{number}.png" for number in range(count)]
    outcome = 200
    try:
        answer = sdk.images.generate(model=model, prompt="a hat", extra_body={"image_urls": urls})
        assert [item.url is not None for item in answer.data or ()] == [True]
    except openai.BadRequestError:
        outcome = 400
    assert outcome == status


def test_an_unknown_model_is_refused_with_all_known_ones(sdk: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        sdk.images.generate(model="nobody/nothing", prompt="a hat")
    issue = refused.value.response.json()["error"]["data"][0]
    assert (issue["code"], issue["path"], issue["options"]) == ("invalid_enum_value", ["model"], [GEMINI, BANANA])


def test_the_list_of_models_has_those_of_all_contracts(sdk: openai.OpenAI) -> None:
    assert [model.id for model in sdk.models.list()] == [GEMINI, BANANA]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ({"json": {"prompt": "x"}}, 400),
        ({"json": []}, 400),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400),
        ({"content": b""}, 400),
        ({"json": {"model": GEMINI}, "key": None}, 401),
    ],
)
def test_a_request_for_no_contract_is_refused_like_any_other(
    two: MockServer, call: Call, content: dict[str, Any], status: int
) -> None:
    answer = call(two, **content)
    assert (answer.status_code, answer.json()["error"]["name"]) == (
        status,
        {400: "BadRequestException", 401: "UnauthorizedException"}[status],
    )


def test_journal_and_findings_name_the_contract(two: MockServer, call: Call, edit: Edit) -> None:
    for changes in ({}, {"model": BANANA, "aspect_ratio": "21:9"}, {"model": "other"}):
        call(two, json=edit(**changes))
    last = two.journal.exchanges()[-3:]
    assert [exchange.contract for exchange in last] == ["vendored contract", "banana", None]
    assert [[finding.get("source") for finding in exchange.findings] for exchange in last] == [[], ["banana"], [None]]
    assert [parse_exchange(exchange.to_dict()) for exchange in last] == last


def test_one_contract_that_is_not_named_leaves_no_trace_in_the_journal(app: MockServer, call: Call, edit: Edit) -> None:
    call(app, json=edit())
    assert "contract" not in app.journal.exchanges()[-1].to_dict()


# --- paths ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/draw", "/draw", "/draw/"])
def test_both_spellings_of_a_path_lead_to_the_contract_of_the_model(call: Call, path: str) -> None:
    mock = create_app(contracts_of(one=document("/v1/draw", model="a"), other=document("/draw", "/v1/draw", model="b")))
    codes = [call(mock, path, json={"model": model}).status_code for model in "abc"]
    assert (codes, [item.contract for item in mock.journal.exchanges()]) == ([200, 200, 400], ["one", "other", None])


def test_contracts_with_other_paths_need_no_property(call: Call) -> None:
    mock = create_app(contracts_of(one=document("/a", model=None), other=document("/b", model=None)))
    assert [call(mock, path, json={}).status_code for path in ("/a", "/b", "/c")] == [200, 200, 404]


def test_the_spelling_decides_where_no_property_does(call: Call) -> None:
    mock = create_app(contracts_of(one=document("/v1/a", model=None), other=document("/a", model=None)))
    for path in ("/v1/a", "/a"):
        call(mock, path, json={})
    assert [item.contract for item in mock.journal.exchanges()] == ["one", "other"]


def test_templates_with_other_names_for_a_parameter_are_one_path(call: Call) -> None:
    mock = create_app(contracts_of(one=document("/keys/{id}", model="a"), other=document("/keys/{name}", model="b")))
    codes = [call(mock, "/keys/7", json={"model": model}).status_code for model in "abc"]
    assert codes == [200, 200, 400]


@pytest.mark.parametrize(
    "documents",
    [
        {"one": document("/a"), "other": document("/a")},
        {"one": document("/a", model=None), "other": document("/a")},
        {"one": document("/keys/{id}", model=None), "other": document("/keys/{name}", model=None)},
        {"one": document("/a", method="get"), "third": document("/b"), "other": document("/a", method="get")},
    ],
)
def test_contracts_that_cannot_be_told_apart_are_refused_with_both_names(documents: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^one and other both have"):
        create_app(contracts_of(**documents))


def test_the_refusal_of_a_contract_with_its_own_form_names_the_known_values(call: Call) -> None:
    text = {
        "type": "object",
        "required": ["why"],
        "properties": {"why": {"type": "string"}, "message": {"type": "string"}},
    }
    refusal = {"400": {"description": "bad", "content": {"application/json": {"schema": text}}}}
    mock = create_app(
        contracts_of(
            one=document("/a", model="m1", responses=refusal), other=document("/a", model="m2", responses=refusal)
        )
    )
    answer = call(mock, "/a", json={"model": "m3"})
    assert (answer.status_code, "m1" in answer.json()["message"], "m2" in answer.json()["message"]) == (400, True, True)


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else str(value).lower()


def form_document(media_type: str, **properties: Any) -> dict[str, Any]:
    made = document("/edits")
    post = made["paths"]["/edits"]["post"]
    schema = {"type": "object", "required": [*properties], "properties": {**properties, "image": {"type": "string"}}}
    post["requestBody"] = {"content": {media_type: {"schema": schema}}}
    return made


@pytest.mark.parametrize(
    ("media_type", "content"),
    [("multipart/form-data", {"files": {"image": b"a"}}), ("application/x-www-form-urlencoded", {})],
)
@pytest.mark.parametrize(("name", "first", "second"), [("model", "m1", "m2"), ("steps", 1, 2), ("fast", True, False)])
def test_a_form_is_answered_by_the_contract_of_its_values(
    call: Call, media_type: str, content: dict[str, Any], name: str, first: Any, second: Any
) -> None:
    made = {str(value): form_document(media_type, **{name: {"enum": [value]}}) for value in (first, second)}
    mock = create_app(contracts_of(**made))
    sent = [as_text(value) for value in (first, second, "other")]
    codes = [call(mock, "/edits", data={name: value}, **content).status_code for value in sent]
    assert (codes, [item.contract for item in mock.journal.exchanges()]) == (
        [200, 200, 400],
        [str(first), str(second), None],
    )


# --- scenarios --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ({"answers": [{"status": 429, "times": None}]}, {GEMINI: 429, BANANA: 429, "other": 429}),
        ({"model": BANANA, "answers": [{"status": 429, "times": None}]}, {GEMINI: 200, BANANA: 429, "other": 400}),
        ({"answers": [{"status": 429, "times": None, "contract": "banana"}]}, {GEMINI: 200, BANANA: 429, "other": 400}),
        (
            {"operation": f"POST {PATH}", "answers": [{"status": 429, "times": None}]},
            {GEMINI: 429, BANANA: 429, "other": 429},
        ),
        (
            {"answers": [{"dialect": "quick-example", "status": 203, "times": None}]},
            {GEMINI: 203, BANANA: 200, "other": 400},
        ),
    ],
)
def test_a_scripted_answer_is_for_the_operations_that_it_names_or_fits(
    contract: Contract,
    nano_banana: dict[str, Any],
    call: Call,
    edit: Edit,
    scenario: dict[str, Any],
    expected: dict[str, int],
) -> None:
    mock = create_app([contract, named(Contract.load(nano_banana), "banana")])
    mock.play(scenario)
    assert {model: call(mock, json=edit(model=model)).status_code for model in expected} == expected


@pytest.mark.parametrize(
    ("scenario", "pointer", "words"),
    [
        ({"model": "other", "answers": []}, "/model", GEMINI),
        ({"answers": [{"operation": "GET /x"}]}, "/answers/0/operation", f"POST {PATH}"),
        ({"contract": "nano", "answers": []}, "/contract", "banana"),
        ({"answers": [{"dialect": "nothing"}]}, "/answers/0/dialect", "quick-example"),
    ],
)
def test_a_script_for_nothing_that_is_served_is_refused_with_the_known_names(
    two: MockServer, scenario: dict[str, Any], pointer: str, words: str
) -> None:
    with pytest.raises(BadScenario) as error:
        two.play(scenario)
    assert (error.value.pointer, words in str(error.value)) == (pointer, True)


# --- replacement while running ------------------------------------------------------------------------------------------


def test_a_replacement_keeps_journal_balances_and_uses(
    contract: Contract, nano_banana: dict[str, Any], call: Call, edit: Edit
) -> None:
    mock = create_app(contract)
    script = {"limits": {"credits": 84000 * 3}, "answers": [{"status": 429, "times": 2}]}
    mock.play_file(script)
    codes = [call(mock, json=edit()).status_code for _ in range(2)]
    mock.prepare([contract, named(Contract.load(nano_banana), "banana")], script)()
    codes += [call(mock, json=edit()).status_code for _ in range(4)]
    assert (codes, len(mock.journal.exchanges())) == ([429, 429, 200, 200, 200, 403], 6)
    assert call(mock, json=edit(model=BANANA)).status_code != 400


def test_another_script_replaces_that_of_the_file_and_keeps_those_of_the_run(
    contract: Contract, call: Call, edit: Edit
) -> None:
    mock = create_app(contract)
    mock.play_file({"answers": [{"status": 429, "times": None}]})
    mock.play({"answers": [{"status": 503, "times": None}]})
    mock.prepare([contract], {"answers": [{"status": 500}]})()
    assert [call(mock, json=edit()).status_code for _ in range(2)] == [500, 503]


def test_a_contract_that_a_scripted_answer_does_not_fit_is_not_taken_over(
    contract: Contract, nano_banana: dict[str, Any], call: Call, edit: Edit
) -> None:
    mock = create_app(contract)
    mock.play({"answers": [{"dialect": "quick-example", "times": None}]})
    with pytest.raises(BadScenario, match=r"/answer-1/dialect"):
        mock.prepare([Contract.load(nano_banana)])
    assert "images" in call(mock, json=edit()).json()


def test_requests_that_are_being_answered_end_by_the_old_contract(
    contract: Contract, nano_banana: dict[str, Any], edit: Edit
) -> None:
    mock = create_app(contract)

    async def during() -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(mock), base_url="http://127.0.0.1") as client:
            headers = {"authorization": "Bearer k", "prefer": "delay=0.1"}
            waiting = asyncio.create_task(client.post(PATH, json=edit(), headers=headers))
            await asyncio.sleep(0)
            mock.prepare([Contract.load(nano_banana)])()
            return (await waiting).status_code

    assert asyncio.run(during()) == 200

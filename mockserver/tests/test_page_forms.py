"""The forms of the page, without a browser: trying an operation, scripting answers, limits, and what the contract page lists."""

import html
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.faults import FAULTS
from bodydouble_spec import Contract

Call = Callable[..., httpx.Response]
Edit = Callable[..., dict[str, Any]]
TRY = "/_bodydouble/try"
PROMPT = {"body:prompt": "Put the dress on the woman"}


@pytest.fixture
def mock(contract: Contract) -> MockServer:
    return create_app(contract, Settings(seed=1, expected_key="the-key-of-the-app"))


@pytest.fixture
def page(call: Call) -> Callable[..., str]:
    """Return a function that opens a page, or sends its form, and returns the text of the HTML that comes."""

    def open_page(mock: MockServer, path: str, status: int = 200, **content: Any) -> str:
        answer = call(mock, path, method="POST" if content else "GET", key=None, **content)
        assert answer.status_code == status, answer.text
        return html.unescape(answer.text)

    return open_page


Page = Callable[..., str]


def test_the_form_sends_dropped_pictures_and_typed_values_as_the_contract_has_them(
    mock: MockServer, page: Page, png: bytes
) -> None:
    fields = {**PROMPT, "body:image_urls": "https://example.com/a.png", "body:num_images": "2"}
    fields |= {"body:model": "google/gemini-2.5-flash-image-edit", "body:aspect_ratio": "16:9"}
    text = page(mock, TRY, data=fields, files=[("body:image_urls", ("a.png", png, "text/plain"))])
    (exchange,) = mock.journal.exchanges()
    assert exchange.body["image_urls"][0]["$picture"]["media_type"] == "image/png"
    assert (exchange.body["image_urls"][1], exchange.body["num_images"]) == ("https://example.com/a.png", 2)
    assert (exchange.status, len(exchange.findings)) == (200, 0)
    assert text.count('alt="picture ') == 2


def test_what_is_no_number_is_sent_and_refused_with_the_finding(mock: MockServer, page: Page) -> None:
    text = page(mock, TRY, data={**PROMPT, "body:num_images": "many"})
    (exchange,) = mock.journal.exchanges()
    assert (exchange.body["num_images"], exchange.status) == ("many", 400)
    assert "request-type" in text


def test_a_fault_is_what_a_client_sees(mock: MockServer, page: Page) -> None:
    page(mock, "/_bodydouble/script", 303, data={"fault": "reset-mid-body"})
    assert "Connection reset by peer" in page(mock, TRY, data=PROMPT)


def test_without_a_journal_the_form_says_why_there_is_nothing_to_show(contract: Contract, page: Page) -> None:
    assert "--journal-entries" in page(create_app(contract, Settings(journal_entries=0)), TRY, data=PROMPT)


def test_the_fields_are_those_of_each_contract(any_contract: Contract, page: Page) -> None:
    text = page(create_app(any_contract), TRY)
    schema = any_contract.operation().request_schema or {}
    assert {*re.findall(r'name="body:([^"]+)"', text)} == {*schema["properties"]}


def test_several_contracts_have_a_form_each(contract: Contract, nano_banana: dict[str, Any], page: Page) -> None:
    mock = create_app([contract, Contract.load(nano_banana)])
    assert 'name="body:enhance_prompt"' not in page(mock, TRY)
    text = page(mock, f"{TRY}?operation=1", data={**PROMPT, "body:model": "google/nano-banana-edit"})
    assert 'name="body:enhance_prompt"' in text
    (exchange,) = mock.journal.exchanges()
    assert (exchange.status, exchange.contract is None) == (200, False)
    assert "google/nano-banana-edit" in page(mock, "/_bodydouble/contract?contract=1")


def test_a_form_and_its_files_are_sent_where_the_contract_has_a_form(page: Page, png: bytes) -> None:
    properties = {"prompt": {"type": "string"}, "image": {"type": "string", "format": "binary"}}
    content = {"multipart/form-data": {"schema": {"type": "object", "properties": properties}}}
    answer = {"200": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}}
    paths = {"/v1/things/{id}": {"post": {
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                       {"name": "size", "in": "query", "schema": {"type": "integer"}}],
        "requestBody": {"content": content}, "responses": answer}}}  # fmt: skip
    mock = create_app(Contract.load({"openapi": "3.0.0", "info": {"title": "A", "version": "1"}, "paths": paths}))
    data = {**PROMPT, "path:id": "a b", "query:size": "3"}
    page(mock, TRY, data=data, files=[("body:image", ("a.png", png, "image/png"))])
    (exchange,) = mock.journal.exchanges()
    assert (exchange.path, exchange.status) == ("/v1/things/a b?size=3", 200)
    assert exchange.body["image"]["$picture"]["bytes"] == len(png)


def test_a_key_in_the_query_is_sent_beside_the_parameters(page: Page) -> None:
    answer = {"200": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}}
    size = {"name": "size", "in": "query", "schema": {"type": "integer"}}
    operation: dict[str, Any] = {"parameters": [size], "security": [{"key": []}], "responses": answer}
    schemes = {"key": {"type": "apiKey", "in": "query", "name": "subscription"}}
    document: dict[str, Any] = {
        "openapi": "3.0.0",
        "info": {"title": "A", "version": "1"},
        "paths": {"/v1/things": {"get": operation}},
    }
    mock = create_app(Contract.load({**document, "components": {"securitySchemes": schemes}}))
    page(mock, TRY, data={"query:size": "3"})
    (exchange,) = mock.journal.exchanges()
    assert (exchange.path, exchange.status) == ("/v1/things?size=3&subscription=***", 200)


def test_the_lists_of_the_script_are_those_of_the_mock(mock: MockServer, call: Call, page: Page) -> None:
    text = page(mock, "/_bodydouble/script")
    (violations,) = call(mock, "/_bodydouble/violations", method="GET").json().values()
    offered = {*re.findall(r'<option value="([^"]+)"', text)}
    assert {*FAULTS, *(item["id"] for item in violations), "429", "500"} <= offered


def test_scripted_answers_are_shown_with_what_is_left_and_removed(
    mock: MockServer, call: Call, edit: Edit, page: Page
) -> None:
    script = "/_bodydouble/script"
    page(mock, script, 303, data={"status": "429", "times": "2", "retry-after": "7"})
    page(mock, script, 303, data={"delay": "0.01", "times": "always", "prompt": "woman"})
    assert [call(mock, json=edit()).status_code for _ in range(3)] == [429, 429, 200]
    text = page(mock, script)
    assert ("0 of 2 left" in text, "code=429" in text, "always" in text, "used 1×" in text) == (True,) * 4
    page(mock, f"{script}/remove", 303, data={"id": "answer-1"})
    assert re.findall(r'name="id" value="([^"]+)"', page(mock, script)) == ["answer-2"]
    page(mock, f"{script}/remove", 303, data={"all": "yes"})
    assert "Nothing is scripted" in page(mock, script)


def test_a_bad_answer_is_named_and_the_form_keeps_its_fields(mock: MockServer, page: Page) -> None:
    text = page(mock, "/_bodydouble/script", 400, data={"status": "99", "prompt": '"><script>alert(1)</script>'})
    assert ">status: code=99 is not valid" in text
    assert 'value="99"' in text


def test_answers_for_the_files_of_pictures_are_scripted(mock: MockServer, call: Call, edit: Edit, page: Page) -> None:
    page(mock, "/_bodydouble/script", 303, data={"status": "403", "for": "pictures"})
    url = call(mock, json=edit()).json()["data"][0]["url"]
    assert call(mock, httpx.URL(url).path, method="GET").status_code == 403


def test_whatever_a_script_takes_can_be_chosen(mock: MockServer, call: Call, edit: Edit, page: Page) -> None:
    script = "/_bodydouble/script"
    text = page(mock, script)
    for name, value in (("dialect", "quick-example"), ("envelope", "legacy"), ("images", "b64_json")):
        assert re.search(f'<select name="{name}">.*?<option value="{value}"', text, re.DOTALL)
        page(mock, script, 303, data={name: value, "status": "200" if name != "envelope" else "429"})
    first, second, third = (call(mock, json=edit()) for _ in range(3))
    assert ("images" in first.json(), second.json()["statusCode"], third.json()["data"][0]["url"]) == (True, 429, None)
    page(
        mock, script, 303, data={"body": '{"data": [], "x": 1}', "breaks": "true", "headers": "X-Own: a: b\nx-more: 2"}
    )
    page(mock, script, 303, data={"body": "no JSON", "status": "503", "conditions": '{"/num_images": 2}', "call": "1"})
    page(mock, script, 303, data={"for": "route", "path": "/v1/chat/completions", "status": "418"})
    shown = page(mock, script)
    assert all(item in shown for item in ("header x-own", "for /v1/chat/completions", "/num_images"))
    own = call(mock, json=edit())
    assert (own.json()["x"], own.headers["x-own"], own.headers["x-more"]) == (1, "a: b", "2")
    assert call(mock, "/v1/chat/completions", json={}).status_code == 418


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"body": '{"data": '}, ">body: not JSON: line 1"),
        ({"body": '{"data": 5}'}, "this body breaks the contract"),
        ({"headers": "no colon"}, "write one per line, such as Retry-After: 7"),
        ({"headers": "content-length: 7"}, "this header cannot be set"),
        ({"conditions": "[1]"}, "the conditions are an object like"),
        ({"conditions": '{"nothing": 1}'}, "unknown key"),
        ({"for": "route"}, "this must be the path of a route"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said_above_the_form(
    mock: MockServer, page: Page, fields: dict[str, str], words: str
) -> None:
    assert words in page(mock, "/_bodydouble/script", 400, data=fields)


def test_an_answer_is_removed_by_its_id(mock: MockServer, call: Call) -> None:
    (identifier,) = call(mock, "/_bodydouble/scenarios", json={"answers": [{"status": 429}]}).json()["ids"]
    assert call(mock, f"/_bodydouble/scenarios/{identifier}", method="DELETE").status_code == 204
    gone = call(mock, f"/_bodydouble/scenarios/{identifier}", method="DELETE")
    assert (gone.status_code, identifier in gone.json()["error"]) == (404, True)


def test_limits_are_set_and_each_key_has_its_balance(mock: MockServer, call: Call, edit: Edit, page: Page) -> None:
    limits = "/_bodydouble/limits"
    assert "nothing is counted" in page(mock, limits)
    page(mock, limits, 303, data={"credits": "168000", "requests_per_minute": "60", "retry_after": "true"})
    assert "No key has made a call" in page(mock, limits)
    call(mock, json=edit(), key="the-key-of-the-app")
    text = " ".join(page(mock, limits).split())
    assert "84,000" in text
    assert "(0.042 USD)" in text
    assert "the-key-of-the-app" not in text
    page(mock, limits, 303, data={"credits": "", "requests_per_minute": "1"})
    assert [call(mock, json=edit()).status_code for _ in range(2)] == [200, 429]
    assert "credits: this must be a whole number" in page(mock, limits, 400, data={"credits": "many"})


def test_the_contract_page_has_fields_bounds_sizes_price_evidence_and_defects(
    mock: MockServer, contract: Contract, page: Page
) -> None:
    text = page(mock, "/_bodydouble/contract")
    expected = {"image_urls[]", "1 to 4", "1344 × 768", "84,000 credits = 0.042 USD", contract.fingerprint}
    expected |= {finding.id for finding in contract.findings} | {fact.source for fact in contract.facts}
    assert {item for item in expected if item not in text} == set()


def test_a_form_too_large_is_refused_in_words(contract: Contract, page: Page) -> None:
    mock = create_app(contract, Settings(max_body_bytes=1000))
    assert "The form cannot be read" in page(mock, TRY, 413, files={"body:prompt": (None, "a" * 2000)})


def test_a_prompt_in_the_form_stays_text(mock: MockServer, call: Call) -> None:
    hostile = '</textarea><script>alert(1)</script>"'
    answer = call(mock, TRY, key=None, files={"body:prompt": (None, hostile)})
    assert "<script>alert" not in answer.text

"""Authentication: accepted keys, their spelling, and the order of the check."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_spec import Contract
from hypothesis import given, settings
from hypothesis import strategies as st

Call = Callable[..., httpx.Response]
Edit = Callable[..., dict[str, Any]]
EMPTY = "You provided an empty string instead of valid API key."
WRONG = "This request requires a valid API key."


@settings(max_examples=50, deadline=None)
@given(
    st.text(
        st.characters(min_codepoint=33, max_codepoint=255, exclude_categories=("Cc", "Zs")), min_size=1, max_size=200
    )
)
def test_any_nonempty_key_is_accepted(app: MockServer, call: Call, edit: Edit, key: str) -> None:
    headers = [(b"authorization", f"Bearer {key}".encode("latin-1"))]
    assert call(app, json=edit(), headers=headers).status_code == 200


@pytest.mark.parametrize("authorization", ["bearer k", "BEARER k", "Bearer  k", " Bearer k "])
def test_the_scheme_is_case_insensitive(app: MockServer, call: Call, edit: Edit, authorization: str) -> None:
    assert call(app, json=edit(), headers={"authorization": authorization}).status_code == 200


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "k", "Basic azpr", "Token k", "Bearer:k"])
def test_a_request_without_a_bearer_key_is_401(app: MockServer, call: Call, edit: Edit, authorization: str) -> None:
    answer = call(app, json=edit(), headers={"authorization": authorization})
    assert (answer.status_code, answer.json()["error"]["name"]) == (401, "UnauthorizedException")
    assert answer.json()["message"].startswith(EMPTY)


@pytest.fixture(scope="module")
def locked(contract: Contract) -> MockServer:
    return create_app(contract, Settings(api_keys=("first", "sécond"), max_body_bytes=1000))


@pytest.mark.parametrize("key", ["first", "sécond"])
def test_each_configured_key_is_accepted(locked: MockServer, call: Call, edit: Edit, key: str) -> None:
    headers = [(b"authorization", f"Bearer {key}".encode())]
    assert call(locked, json=edit(), headers=headers).status_code == 200


@pytest.mark.parametrize("key", ["First", "firs", "firstt", "first second", "x"])
def test_a_key_that_is_not_configured_is_401(locked: MockServer, call: Call, edit: Edit, key: str) -> None:
    answer = call(locked, json=edit(), key=key)
    assert answer.status_code == 401
    assert answer.json()["message"].startswith(WRONG)


def test_without_auth_no_key_is_needed(contract: Contract, call: Call, edit: Edit) -> None:
    assert call(create_app(contract, Settings(require_key=False)), json=edit(), key=None).status_code == 200


def test_a_contract_without_security_needs_no_key(nano_banana: dict[str, Any], call: Call) -> None:
    contract = Contract.load(nano_banana, overlay=None)
    answer = call(create_app(contract), json={"model": "google/nano-banana-edit", "prompt": "x"}, key=None)
    assert answer.status_code == 200


def test_the_repr_of_the_settings_has_no_keys() -> None:
    assert "sesame" not in repr(Settings(api_keys=("sesame",)))


def test_checks_come_in_the_order_size_key_content_type_json_contract(
    locked: MockServer, call: Call, edit: Edit
) -> None:
    large = b"x" * 1001
    json_type = {"content-type": "application/json"}
    answers = [
        call(locked, content=large, key=None),
        call(locked, content=b"x", key=None),
        call(locked, content=b"x", key="first"),
        call(locked, content=b"x", key="first", headers=json_type),
        call(locked, content=b"{}", key="first", headers=json_type),
        call(locked, content=json.dumps(edit()), key="first", headers=json_type),
    ]
    reasons = [answer.json().get("error", {}).get("data", [{}])[0].get("message") for answer in answers]
    assert [answer.status_code for answer in answers] == [413, 401, 400, 400, 400, 200]
    assert [str(reason).split(" ", maxsplit=1)[0] for reason in reasons] == [
        "None",
        "None",
        "The",
        "Malformed",
        "Required",
        "None",
    ]

"""The issues of a 400: each kind has the shape of Zod 3, and every list points into the request and stays small."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from bodydouble_mockserver import MockServer, create_app
from bodydouble_mockserver.zod import zod_issues
from bodydouble_spec import Contract, Evidence, Finding, Severity
from bodydouble_spec.oracle import Oracle
from hypothesis import assume, given, settings
from hypothesis import strategies as st

Call = Callable[..., httpx.Response]
Edit = Callable[..., dict[str, Any]]
DATA = Path(__file__).parent / "data"


def cases(name: str, *keys: str) -> list[Any]:
    """Load the cases of a YAML file as parameters, in the order of ``keys``."""
    loaded = yaml.safe_load((DATA / name).read_text("utf-8"))
    return [pytest.param(*(case[key] for key in keys), id=case["id"]) for case in loaded]


REQUEST_CASES = cases("issues_of_requests.yaml", "changes", "issue")
SCHEMA_CASES = cases("issues_of_schemas.yaml", "schema", "sent", "issue")


@pytest.mark.parametrize(("changes", "issue"), REQUEST_CASES)
def test_a_fault_has_the_shape_of_its_zod_issue(
    app: MockServer, call: Call, edit: Edit, changes: dict[str, Any], issue: dict[str, Any]
) -> None:
    answer = call(app, json=edit(**changes))
    assert answer.status_code == 400
    assert answer.json()["error"]["data"] == [issue]


@pytest.mark.parametrize(("schema", "sent", "issue"), SCHEMA_CASES)
def test_faults_of_other_contracts_have_zods_shape_too(
    call: Call, nano_banana: dict[str, Any], edit: Edit, schema: dict[str, Any], sent: Any, issue: dict[str, Any]
) -> None:
    document = json.loads(json.dumps(nano_banana))
    (operation,) = (item["post"] for item in document["paths"].values())
    operation["requestBody"]["content"]["application/json"]["schema"] = {
        "type": "object",
        "properties": {"field": schema},
    }
    answer = call(create_app(Contract.load(document)), json={"field": sent})
    assert answer.status_code == 400
    assert answer.json()["error"]["data"] == [{**issue, "path": ["field"]}]


def test_an_unknown_key_where_none_is_allowed_is_named_at_its_object(call: Call, nano_banana: dict[str, Any]) -> None:
    document = json.loads(json.dumps(nano_banana))
    (operation,) = (item["post"] for item in document["paths"].values())
    operation["requestBody"]["content"]["application/json"]["schema"] = {
        "type": "object",
        "properties": {"a": {}},
        "additionalProperties": False,
    }
    answer = call(create_app(Contract.load(document)), json={"7": 1})
    assert answer.json()["error"]["data"] == [
        {"code": "unrecognized_keys", "keys": ["7"], "path": [], "message": "Unrecognized key(s) in object: '7'"}
    ]


def test_a_property_named_by_digits_is_a_name_in_the_path() -> None:
    schema = {"type": "object", "properties": {"0": {"type": "array", "items": {"type": "string"}}}}
    finding = Finding("request-type", Severity.ERROR, Evidence.DOCUMENTED, "/0/1", "", ["string"], "null")
    assert [issue["path"] for issue in zod_issues([finding], schema)] == [["0", 1]]


def test_an_enum_of_thousands_of_values_does_not_fill_the_answer() -> None:
    options = [f"option number {number}" for number in range(5000)]
    finding = Finding("request-enum", Severity.ERROR, Evidence.DOCUMENTED, "/a", "what is wrong", options, "x")
    assert zod_issues([finding], None) == [{"code": "custom", "message": "what is wrong", "path": ["a"]}]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"image_urls": [7] * 20_000}, id="many faults"),
        pytest.param({"image_urls": ["x " * 2_500_000]}, id="a long text"),
        pytest.param({"aspect_ratio": "x" * 5_000_000}, id="a long enum value"),
        pytest.param({"prompt": {"k" * 100_000: ["x"] * 90_000}}, id="a large value of the wrong type"),
    ],
)
def test_the_answer_to_a_large_faulty_request_is_small(
    app: MockServer, call: Call, edit: Edit, changes: dict[str, Any]
) -> None:
    answer = call(app, json=edit(**changes))
    assert answer.status_code == 400
    assert len(answer.content) < 64_000


def test_faults_beyond_the_limit_are_counted(app: MockServer, call: Call, edit: Edit) -> None:
    listed = call(app, json=edit(image_urls=[7] * 150)).json()["error"]["data"]
    assert (listed[-1]["code"], listed[-1]["path"]) == ("custom", [])
    assert listed[-1]["message"].startswith(f"{150 - (len(listed) - 1)} more ")


def test_so_many_faults_that_only_the_first_are_looked_for_are_said_to_be_more(
    app: MockServer, call: Call, edit: Edit
) -> None:
    listed = call(app, json=edit(image_urls=[7] * 900)).json()["error"]["data"]
    assert (len(listed), listed[-1]["message"]) == (101, "more faults are not listed")


def test_the_answer_to_a_long_path_is_small(app: MockServer, call: Call) -> None:
    answer = call(app, f"/{'x' * 60_000}")
    assert (answer.status_code, len(answer.content) < 10_000) == (404, True)


def leads_into(body: Any, path: list[Any]) -> bool:
    """Return whether the path exists in the body, except perhaps its last step (a missing property)."""
    for step in path[:-1]:
        body = body[step]
    return not path or isinstance(body, dict) or (isinstance(path[-1], int) and path[-1] < len(body))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_faulty_body_is_refused_with_issues_that_lead_into_it(
    app: MockServer,
    contract: Contract,
    call: Call,
    edit: Edit,
    json_values: st.SearchStrategy[Any],
    data: st.DataObject,
) -> None:
    names = ["model", "prompt", "image_urls", "num_images", "aspect_ratio", "provider"]
    values = json_values | st.lists(json_values, max_size=3)
    body = data.draw(values | st.dictionaries(st.sampled_from(names), values).map(lambda changes: edit() | changes))
    assume(contract.operation().validate_request(body))
    answer = call(app, json=body)
    assert answer.status_code == 400
    issues = answer.json()["error"]["data"]
    assert issues
    assert len(answer.content) < 64_000
    assert all(leads_into(body, issue["path"]) for issue in issues)
    assert (
        contract.operation().validate_response(400, answer.headers["content-type"], answer.content, strict=False) == []
    )


def test_the_oracle_accepts_our_error_answers(app: MockServer, contract: Contract, call: Call, edit: Edit) -> None:
    oracle, operation = Oracle(contract), contract.operation()
    answers = [
        call(app, json=edit(aspect_ratio="x", num_images=9, image_urls=None)),
        call(app, json=[]),
        call(app, content=b"{"),
        call(app, json=edit(), key=None),
    ]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 401]
    for answer in answers:
        assert (
            oracle.response_errors(operation, answer.status_code, answer.headers["content-type"], answer.content) == []
        )

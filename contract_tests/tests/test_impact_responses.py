"""The impact of a changed contract on the client that reads its answers, observed by letting it read them."""

from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pytest
from bodydouble_client import MODEL
from bodydouble_contract_tests.impact.impact import impact
from bodydouble_contract_tests.impact.responses import INDISPENSABLE, places_read
from bodydouble_spec import Contract, Finding, Severity

Edit = Callable[[dict[str, Any]], None]
PATH = "/v1/images/generations"


def edited(*edits: Edit, overlay: bool = False) -> Contract:
    """Return the published contract after these changes of the schema of its success body."""
    document = orjson.loads(orjson.dumps(Contract.load().published))
    schema = document["paths"][PATH]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    for edit in edits:
        edit(schema["properties"])
    return Contract.load(document, overlay=overlay)


OLD = edited()


def renames_credits(name: str) -> Edit:
    def edit(properties: dict[str, Any]) -> None:
        usage = properties["meta"]["properties"]["usage"]
        usage["properties"] = {name: usage["properties"]["credits_used"]}
        usage["required"] = [name]

    return edit


def without_url(properties: dict[str, Any]) -> None:
    del properties["data"]["items"]["properties"]["url"]


def without_pictures(properties: dict[str, Any]) -> None:
    properties["pictures"] = properties.pop("data")


def credits_as_text(properties: dict[str, Any]) -> None:
    properties["meta"]["properties"]["usage"]["properties"]["credits_used"] = {"type": "string"}


def about_answers(findings: Sequence[Finding]) -> dict[tuple[str, str], Severity]:
    return {(item.id, item.pointer): item.severity for item in findings if item.direction == "response"}


def test_a_value_that_the_client_still_finds_is_information() -> None:
    findings = impact(OLD, OLD)
    assert [item.message for item in findings] == [
        "the bodydouble client reads data[].url: still there",
        "the bodydouble client reads meta.usage.credits_used: still there",
    ]
    assert {item.severity for item in findings} == {Severity.INFO}


@pytest.mark.parametrize("edit", [renames_credits("units_used"), credits_as_text])
def test_credits_that_the_client_can_no_longer_read_are_an_error(edit: Edit) -> None:
    found = {item.pointer: item for item in impact(OLD, edited(edit)) if item.severity is Severity.ERROR}
    assert [*found] == ["/meta/usage/credits_used"]
    assert (
        found["/meta/usage/credits_used"].message
        == "the bodydouble client reads meta.usage.credits_used: gone; credits_used is now None"
    )


def test_credits_left_only_in_a_header_are_a_warning() -> None:
    with_headers = edited(overlay=True)
    found = about_answers(impact(with_headers, edited(renames_credits("units_used"), overlay=True)))
    assert found["impact-client-reads-header", "/meta/usage/credits_used"] is Severity.WARNING


def test_a_renaming_that_the_client_knows_is_information() -> None:
    found = about_answers(impact(edited(renames_credits("tokens_used")), OLD))
    assert found["impact-client-reads-elsewhere", "/meta/usage/tokens_used"] is Severity.INFO
    assert found["impact-client-reads-more", "/meta/usage/credits_used"] is Severity.INFO
    assert Severity.ERROR not in found.values()


def test_a_url_that_is_gone_is_an_error_though_base64_would_do() -> None:
    found = about_answers(impact(OLD, edited(without_url)))
    assert found["impact-client-reads-base64", "/data/0/url"] is Severity.ERROR


def test_answers_without_a_list_of_pictures_are_unreadable() -> None:
    found = [item for item in impact(OLD, edited(without_pictures)) if item.severity is Severity.ERROR]
    assert [(item.id, item.pointer, item.got) for item in found] == [
        ("impact-answer-unreadable", "/data/0/url", "NoImageError")
    ]


def test_a_number_of_images_that_is_now_ignored_is_an_error() -> None:
    document = orjson.loads(orjson.dumps(OLD.document))
    body = document["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]["schema"]
    body["properties"]["n"] = body["properties"].pop("num_images")
    found = [item for item in impact(OLD, Contract.load(document, overlay=None)) if item.severity is Severity.ERROR]
    assert [item.message for item in found] == [
        "edit(num_images=4) is served, but: asked for 4 images, but the answer holds 1"
    ]


def test_a_newly_required_property_does_not_hide_what_became_of_the_answers() -> None:
    document = orjson.loads(orjson.dumps(edited(renames_credits("units_used")).document))
    body = document["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]["schema"]
    body["properties"]["seed"] = {"type": "integer"}
    body["required"].append("seed")
    found = about_answers(impact(OLD, Contract.load(document, overlay=None)))
    assert ("impact-client-reads-nothing", "/meta/usage/credits_used") in found


def test_a_contract_that_the_client_is_not_for_is_tried_with_requests_alone(
    contract_of: Callable[..., Contract],
) -> None:
    old = contract_of({"type": "object", "properties": {"a": {"type": "integer"}}})
    new = contract_of({"type": "object", "properties": {"a": {"type": "string"}}})
    found = {item.id: item.severity for item in impact(old, new)}
    assert found["impact-request-refused/type"] is Severity.ERROR
    assert found["impact-client-not-tried"] is Severity.INFO
    assert MODEL not in str(found)


def test_what_is_read_is_found_by_leaving_it_out() -> None:
    body = {
        "images": [{"url": "http://127.0.0.1/a.png", "width": 3}, {"url": None, "b64_json": "aGk="}],
        "meta": {"usage": {"tokens_used": 1, "usd_spent": 0.5, "more": 2}},
        "description": "a cat",
    }
    assert places_read(orjson.dumps(body)) == {
        "/images/0/url": (INDISPENSABLE,),
        "/images/1/b64_json": (INDISPENSABLE,),
        "/meta/usage/tokens_used": ("credits_used",),
        "/meta/usage/usd_spent": ("cost_usd",),
        "/description": ("description",),
    }

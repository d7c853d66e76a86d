"""The impact of a changed contract on requests: every break is reported, nothing else, and each finding can be reproduced."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from bodydouble_contract_tests import boundary_cases
from bodydouble_contract_tests.impact.impact import impact
from bodydouble_spec import Contract, Finding, Severity, worst
from bodydouble_spec.oracle import Oracle
from hypothesis import given, settings
from hypothesis import strategies as st

REVISIONS = Path(__file__).parents[2] / "spec" / "tests" / "data"
PATH = "/v1/images/generations"
MODEL = "google/gemini-2.5-flash-image-edit"
Edit = Callable[[dict[str, Any]], None]


def revision(name: str) -> Contract:
    return Contract.load(REVISIONS / f"revision-{name}.json")


def request_of(document: dict[str, Any]) -> Any:
    return document["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]["schema"]


def edited(*edits: Edit) -> Contract:
    """Return the published contract, without the overlay, after these changes of its request schema."""
    document = orjson.loads(orjson.dumps(Contract.load().published))
    for edit in edits:
        edit(request_of(document))
    return Contract.load(document, overlay=None)


OLD = edited()


def messages(findings: Sequence[Finding], severity: Severity) -> dict[tuple[str, str], str]:
    return {(item.id, item.pointer): item.message for item in findings if item.severity is severity}


def errors(findings: Sequence[Finding]) -> dict[tuple[str, str], str]:
    return messages(findings, Severity.ERROR)


def sets(name: str, **changes: Any) -> Edit:
    return lambda schema: schema["properties"].get(name, {}).update(changes)


def drops(name: str) -> Edit:
    def edit(schema: dict[str, Any]) -> None:
        del schema["properties"][name]
        schema["required"] = [other for other in schema["required"] if other != name]

    return edit


def adds(name: str, schema: dict[str, Any], *, required: bool) -> Edit:
    def edit(request: dict[str, Any]) -> None:
        request["properties"][name] = schema
        request["required"] = [*request["required"], *([name] if required else [])]

    return edit


def closes(schema: dict[str, Any]) -> None:
    schema["additionalProperties"] = False


@pytest.fixture(scope="module")
def replaced() -> list[Finding]:
    """Return the findings after the document was overwritten with the contract of another model."""
    return impact(revision("2026-06-12-4cd011cd"), revision("2026-08-14-87ef44bd"))


def test_a_new_model_name_is_reported_first_and_hides_nothing_else(replaced: list[Finding]) -> None:
    found = errors(replaced)
    assert [*found] == [
        ("impact-identity-replaced", "/model"),
        ("impact-request-refused/enum", "/aspect_ratio"),
        ("impact-request-refused/type", "/num_images"),
        ("impact-request-refused/max-items", "/image_urls"),
    ]
    assert (
        "every request is refused: model is now 'google/nano-banana-edit'"
        in found["impact-identity-replaced", "/model"]
    )


def test_a_refused_value_is_shown_as_a_call_with_the_remaining_values(replaced: list[Finding]) -> None:
    assert errors(replaced)["impact-request-refused/enum", "/aspect_ratio"] == (
        "edit(aspect_ratio='21:9') will be refused: allowed are '1:1', '9:16', '16:9', '3:4', '4:3'; "
        "likewise '3:2', '2:3', '5:4', '4:5'"
    )


def test_what_the_client_cannot_express_is_shown_as_a_request(replaced: list[Finding]) -> None:
    message = errors(replaced)["impact-request-refused/type", "/num_images"]
    assert message == "a request with num_images=1.5 will be refused: 1.5 is not a whole number"


def test_what_is_newly_possible_is_information(replaced: list[Finding]) -> None:
    accepted = {item.pointer for item in replaced if item.id.startswith("impact-request-accepted/")}
    assert accepted == {"/image_urls", "/num_images"}
    assert (
        worst([item for item in replaced if item.pointer == "/num_images" and "accepted" in item.id]) is Severity.INFO
    )


def test_an_added_optional_property_breaks_nothing() -> None:
    findings = impact(revision("2025-11-27-8ef28615"), revision("2026-01-16-b8e4f5ad"))
    assert worst(findings) is Severity.INFO


@pytest.mark.parametrize(
    "name",
    ["revision-2026-06-12-4cd011cd", "revision-2026-08-14-87ef44bd", "2d8f352fa6c3", "b1450d1d854b", "8b137891791f"],
)
@pytest.mark.parametrize("overlay", [True, False])
def test_a_contract_against_an_equal_one_has_neither_error_nor_warning(name: str, overlay: bool) -> None:
    contract = Contract.load(REVISIONS / f"{name}.json", overlay=overlay)
    assert worst(impact(contract, contract)) in {None, Severity.INFO}


def test_a_refusal_is_shown_by_a_request_without_anything_that_it_does_not_need(replaced: list[Finding]) -> None:
    (request,) = [item.request for item in replaced if item.id == "impact-request-refused/enum"]
    assert request.keys() == {"model", "prompt", "image_urls", "aspect_ratio"}


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (sets("num_images", maximum=2), {("impact-request-refused/maximum", "/num_images")}),
        (sets("prompt", maxLength=20), {("impact-request-refused/max-length", "/prompt")}),
        (sets("prompt", maxLength=9_000), {("impact-request-refused/max-length", "/prompt")}),
        (sets("provider", enum=["auto"]), {("impact-request-refused/enum", "/provider")}),
        (adds("seed", {"type": "integer"}, required=False), set[tuple[str, str]]()),
        (closes, {("impact-request-refused/additional-properties", "/unknown_key")}),
        (sets("model", enum=["one", "google/gemini-2.5-flash-image-edit"]), set[tuple[str, str]]()),
    ],
)  # fmt: skip
def test_just_what_a_change_refuses_is_an_error(edit: Edit, expected: set[tuple[str, str]]) -> None:
    assert errors(impact(OLD, edited(edit))).keys() == expected


def test_a_property_that_a_closed_contract_lost_is_refused_by_its_argument() -> None:
    found = errors(impact(OLD, edited(drops("provider"), closes)))
    message = found["impact-request-refused/additional-properties", "/provider"]
    assert message.startswith("edit(provider=")


def test_a_property_that_an_open_contract_lost_is_a_warning_that_it_has_no_effect() -> None:
    found = messages(impact(OLD, edited(drops("provider"))), Severity.WARNING)
    assert [*found] == [("impact-request-ignored", "/provider")]


def test_a_newly_required_property_is_reported_once_for_every_call() -> None:
    found = errors(impact(OLD, edited(adds("seed", {"type": "integer"}, required=True))))
    assert [*found.values()] == ['every edit(…) will be refused: required property "seed" is missing']


def moved(document: dict[str, Any]) -> None:
    document["paths"]["/v2/images/edits"] = document["paths"].pop(PATH)


def test_an_operation_that_moved_is_one_error_and_what_else_breaks_is_tried_at_its_new_place() -> None:
    document = orjson.loads(orjson.dumps(edited(sets("num_images", maximum=2)).document))
    moved(document)
    found = errors(impact(OLD, Contract.load(document, overlay=None)))
    assert [*found] == [("impact-operation-moved", ""), ("impact-request-refused/maximum", "/num_images")]
    assert found["impact-request-refused/maximum", "/num_images"].startswith("edit(num_images=4) will be refused")


@pytest.mark.parametrize(
    "document", [{}, {"openapi": "3.0.0", "paths": []}, {"openapi": "3.0.0", "paths": {"/v1/a": {}}}]
)
def test_a_document_without_operations_is_one_error(document: dict[str, Any]) -> None:
    found = errors(impact(OLD, Contract.load(document, overlay=None)))
    assert [*found] == [("impact-contract-gone", "")]


def test_an_operation_without_successor_is_gone(
    with_operations: Contract, contract_of: Callable[..., Contract]
) -> None:
    findings = impact(with_operations, contract_of({"type": "object"}))
    gone = {item.operation for item in findings if item.id == "impact-operation-gone"}
    assert gone == {operation.key for operation in with_operations.operations}


def test_an_operation_of_another_method_is_no_successor() -> None:
    document = orjson.loads(orjson.dumps(OLD.document))
    document["paths"] = {"/v1/models": {"get": {"responses": {"200": {"description": "The models."}}}}}
    found = errors(impact(OLD, Contract.load(document, overlay=None)))
    assert [*found] == [("impact-operation-gone", "")]


def test_a_value_that_the_client_always_sends_is_named() -> None:
    both = edited(sets("model", enum=[MODEL, "another/model"]))
    found = errors(impact(both, edited(sets("model", enum=["another/model"]))))
    assert found["impact-request-refused/enum", "/model"].startswith(
        f"edit(…), which sends model='{MODEL}', will be refused"
    )


def test_an_old_contract_without_operations_is_information() -> None:
    empty = Contract.load({}, overlay=None)
    assert worst(impact(empty, OLD)) is Severity.INFO


EDITS: list[Edit] = [
    sets("num_images", maximum=3, type="integer"),
    sets("num_images", minimum=2),
    sets("aspect_ratio", enum=["1:1", "9:16", "8:1"]),
    sets("prompt", minLength=1, maxLength=100),
    sets("image_urls", maxItems=1),
    sets("image_urls", items={"type": "string", "pattern": "^https://"}),
    sets("provider", type="integer"),
    sets("model", enum=["another/model"]),
    adds("seed", {"type": "integer", "minimum": 0}, required=True),
    drops("image_urls"),
    closes,
]


def oracle_of(contract: Contract) -> Callable[[Any], list[str]]:
    """Return a function that lists openapi-core's errors for a request."""
    oracle, operation = Oracle(contract), contract.operation()
    return lambda body: oracle.request_errors(operation, orjson.dumps(body), "application/json")


@pytest.fixture(scope="module")
def old_errors() -> Callable[[Any], list[str]]:
    return oracle_of(OLD)


@settings(max_examples=4, deadline=None)
@given(edits=st.lists(st.sampled_from(EDITS), min_size=1, max_size=3, unique=True))
def test_the_findings_are_complete_and_confirmed_by_openapi_core(
    old_errors: Callable[[Any], list[str]], edits: list[Edit]
) -> None:
    new = edited(*edits)
    new_errors = oracle_of(new)
    findings = impact(OLD, new)
    for finding in (item for item in findings if item.request is not None):
        rule, _, _ = finding.id.partition("/")
        outcomes = (bool(old_errors({**finding.request, "model": MODEL})), bool(new_errors(finding.request)))
        assert outcomes == VERDICTS.get(rule, outcomes)
    cases = [case.body for case in boundary_cases(OLD) if case.valid]
    refused = {fault.pointer.split("/")[1] for body in cases for fault in new.operation().validate_request(body)}
    assert refused <= {pointer.split("/")[1] for _, pointer in errors(findings) if pointer}


# Per finding: is its request wrong under the old contract, and under the new one?
VERDICTS = {
    "impact-identity-replaced": (False, True),
    "impact-request-refused": (False, True),
    "impact-request-accepted": (True, False),
    "impact-request-ignored": (False, False),
    "impact-client-reads": (False, False),
}

"""The document wins wherever it speaks: what the vendored overlay adds to edited documents, and what it leaves alone."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from bodydouble_spec import (
    Contract,
    Evidence,
    Overlay,
    OverlayError,
    Severity,
    is_array,
    is_object,
    pointer_parts,
    resolve_pointer,
)
from bodydouble_spec import vendored as _vendored
from bodydouble_spec.document import METHODS, repair, strip_prose
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

OPERATION = "/paths/~1v1~1images~1generations/post"
VARIANTS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "overlay_variants.yaml").read_text(encoding="utf-8")
)


def pointer_of(text: str) -> str:
    return text if text.startswith("/") else f"{OPERATION}/{text}"


def value_at(document: Any, text: str) -> Any:
    try:
        return resolve_pointer(document, pointer_parts(pointer_of(text)))
    except LookupError:
        return None


def edited(edits: dict[str, Any]) -> dict[str, Any]:
    document = _vendored.published()
    for text, value in edits.items():
        *above, last = pointer_parts(pointer_of(text))
        parent = resolve_pointer(document, above)
        if value is None:
            parent.pop(last)
        else:
            parent[last] = copy.deepcopy(value)
    return document


def named(*, nothing: bool) -> list[Any]:
    return [pytest.param(item, id=item["name"]) for item in VARIANTS if item.get("nothing", False) is nothing]


@pytest.mark.parametrize("variant", named(nothing=False))
def test_the_overlay_adds_what_the_document_leaves_open(variant: dict[str, Any]) -> None:
    document = Contract.load(edited(variant["edits"])).document
    assert {text: value_at(document, text) for text in variant["merged"]} == variant["merged"]


@pytest.mark.parametrize("variant", named(nothing=False))
def test_what_the_document_says_differently_is_a_finding_with_both(variant: dict[str, Any]) -> None:
    contract = Contract.load(edited(variant["edits"]))
    found = [finding for finding in contract.findings if finding.source == "overlay"]
    assert sorted(finding.pointer for finding in found) == sorted(map(pointer_of, variant["superseded"]))
    assert {(finding.id, finding.severity) for finding in found} <= {("overlay-superseded", Severity.INFO)}
    assert all(finding.expected != finding.got for finding in found)


@pytest.mark.parametrize("variant", named(nothing=True))
def test_a_contract_of_another_service_gets_nothing(variant: dict[str, Any]) -> None:
    document = edited(variant["edits"])
    contract = Contract.load(document)
    assert contract.document == repair(document).document
    assert (contract.facts, [item for item in contract.findings if item.source == "overlay"]) == ((), [])


def test_a_superseded_action_names_what_it_has_and_what_the_document_says() -> None:
    contract = Contract.load(edited({"x-price": {"credits": 5}}))
    (found,) = (item for item in contract.findings if item.id == "overlay-superseded")
    assert (found.expected, found.got) == ({"credits": 84000, "credits-per-usd": 2000000}, {"credits": 5})


def test_an_overlay_that_is_given_says_that_it_is_about_another_service(vendored_overlay: Overlay) -> None:
    document = edited({"/servers": [{"url": "https://api.example.com"}]})
    found = [item.id for item in Contract.load(document, overlay=vendored_overlay).findings if item.source == "overlay"]
    assert found == ["overlay-not-applicable"]


def test_every_action_of_the_vendored_overlay_says_what_it_found(vendored_overlay: Overlay) -> None:
    assert [action.description for action in vendored_overlay.actions if action.expects is None] == []


def overlay_of(*actions: dict[str, Any]) -> Overlay:
    return Overlay.parse({"overlay": "1.0.0", "info": {"title": "Theirs"}, "actions": list(actions)}, "theirs.yaml")


def test_an_overlay_without_evidence_and_source_is_assumed_and_named() -> None:
    contract = Contract.load(overlay=overlay_of({"target": "$.info", "update": {"x-note": "n"}}))
    fact = contract.fact("/info/x-note")
    assert fact is not None
    assert (fact.evidence, fact.source) == (Evidence.ASSUMED, "Theirs")


def test_an_overlay_without_expectations_overwrites() -> None:
    contract = Contract.load(overlay=overlay_of({"target": "$.info", "update": {"title": "Other"}}))
    assert contract.document["info"]["title"] == "Other"


EXPECTATIONS: list[tuple[Any, ...]] = [
    ("absent", {"a": 1}, {"b": 2}, {"a": 1, "b": 2}, []),
    ("absent", {"a": 1}, {"a": 2, "b": 2}, {"a": 1, "b": 2}, ["/t/a"]),
    ("absent", {"a": 1}, {"a": 2}, {"a": 1}, ["/t/a"]),
    ("absent", {"a": 1}, {"a": 1}, {"a": 1}, []),
    ("absent", {"a": {"x": 1, "y": 2}}, {"a": {"x": 1}}, {"a": {"x": 1, "y": 2}}, []),
    ({"a": "absent"}, {"a": False}, {"a": 0}, {"a": False}, ["/t/a"]),
    ({"a": 1}, {"a": 1}, {"a": 2}, {"a": 2}, []),
    ({"a": 1}, {"a": 3}, {"a": 2, "b": 2}, {"a": 3}, ["/t/a"]),
    ({"a": 1}, {}, {"b": 2}, {}, ["/t/a"]),
    ({"a": True}, {"a": 1}, {"b": 2}, {"a": 1}, ["/t/a"]),
    ({"a": {"x": "absent"}}, {"a": {"y": 1}}, {"a": {"x": 2}}, {"a": {"y": 1, "x": 2}}, []),
    ({"a": {"x": "absent"}}, {"a": {"x": 1}}, {"a": {"x": 2, "z": 3}}, {"a": {"x": 1, "z": 3}}, ["/t/a/x"]),
    ({"a": {"x": "absent"}}, {"a": 5}, {"b": 2}, {"a": 5}, ["/t/a"]),
    ({"a": "absent"}, {"a": 1}, {"b": 2}, {"a": 1}, ["/t/a"]),
]


@pytest.mark.parametrize(("expects", "before", "update", "after", "superseded"), EXPECTATIONS)
def test_an_action_is_applied_where_the_document_is_as_expected(
    expects: Any, before: Any, update: Any, after: Any, superseded: list[str]
) -> None:
    overlaid = overlay_of({"target": "$.t", "x-expects": expects, "update": update}).apply({"t": before})
    assert overlaid.document == {"t": after}
    assert [finding.pointer for finding in overlaid.findings] == superseded


@pytest.mark.parametrize(("value", "after"), [("uri", {}), ("byte", {"t": "byte"})])
def test_a_removal_is_applied_where_the_document_is_as_expected(value: str, after: Any) -> None:
    action = {"target": "$.t", "x-expects": "uri", "remove": True}
    assert overlay_of(action).apply({"t": value}).document == after


def test_an_expectation_is_about_the_document_and_not_about_earlier_actions() -> None:
    action = {"target": "$", "x-expects": "absent", "update": {"a": 1}}
    overlaid = overlay_of(action, {**action, "update": {"a": 2}}).apply({})
    assert (overlaid.document, overlaid.findings) == ({"a": 2}, ())


MALFORMED: list[tuple[Any, str]] = [
    ("api.aimlapi.com", "x-applies-to must be an object with hosts, paths, models"),
    ({}, "x-applies-to must be an object"),
    ({"host": ["a"]}, "x-applies-to must be an object"),
    ({"hosts": "a"}, "x-applies-to/hosts must be a list of strings"),
    ({"models": [5]}, "x-applies-to/models must be a list of strings"),
    ({"paths": []}, "x-applies-to/paths must be a list of strings"),
]


@pytest.mark.parametrize(("scope", "message"), MALFORMED)
def test_a_malformed_scope_is_refused_with_its_place(scope: Any, message: str) -> None:
    with pytest.raises(OverlayError, match=rf"theirs\.yaml: /actions/0/{message}"):
        overlay_of({"target": "$", "update": {}, "x-applies-to": scope})


def places(value: Any) -> list[tuple[Any, Any]]:
    items: list[tuple[Any, Any]] = [*value.items()] if is_object(value) else [*enumerate(value)]
    deeper = [place for _, item in items if is_object(item) or is_array(item) for place in places(item)]
    return [(value, key) for key, _ in items] + deeper


A_RESPONSE = {"description": "d", "content": {"application/json": {"schema": {"type": "object"}}}}
VALUES: list[Any] = [
    "string", "integer", "uri", "byte", True, [], {}, {"type": "string"}, {"type": "object"}, 5, None, A_RESPONSE,
    [{"access-token": []}], [{"bearerAuth": []}], ["google/gemini-2.5-flash-image-edit"], ["other/model"],
]  # fmt: skip
ADDED: list[tuple[str, Any]] = [
    ("default", A_RESPONSE), ("4XX", A_RESPONSE), ("5XX", {"description": "d"}), ("401", A_RESPONSE), ("2XX", A_RESPONSE),
    ("security", []), ("security", [{"access-token": []}]), ("bearer", {"type": "http", "scheme": "bearer"}),
    ("own", {"type": "apiKey", "in": "header", "name": "X-Key"}), ("pattern", "^a"), ("allOf", [{"minLength": 1}]),
    ("enum", ["google"]), ("nullable", True), ("headers", {"x-request-id": {"schema": {"type": "integer"}}}),
    ("x-price", {"credits": 1}), ("x-sizes", {}), ("response_format", {"type": "string"}), ("format", "uri"),
    ("schemas", {"Problem": {"type": "string"}}), ("examples", {"documented": {"value": {}}}), ("minimum", 1),
    ("application/problem+json", {"schema": {"type": "object"}}),
]  # fmt: skip


def held(before: Any, after: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the places where ``after`` does not have what ``before`` says, save the two that the overlay may change."""
    if place[-3:] == ("image_urls", "items", "format") and before == "uri":
        return []
    if place[-2:] == ("200", "description") and before == "":
        return []
    if is_object(before) and is_object(after):
        return [fault for key in before for fault in held(before[key], after.get(key), (*place, key))]
    return [] if before == after and type(before) is type(after) else [place]


def operations_of(document: Any) -> list[tuple[str, str, Any]]:
    return [
        (path, method, item[method]) for path, item in document["paths"].items() for method in METHODS if method in item
    ]


def schemas_of(document: Any) -> Any:
    """Return the structure in which the overlay may add nothing at all: the document's own schemas and responses."""
    bodies: dict[Any, Any] = {}
    for path, method, operation in operations_of(document):
        bodies[path, method, "request"] = operation.get("requestBody")
        for status, response in operation["responses"].items():
            bodies[path, method, status] = response
    stripped: dict[Any, Any] = {key: strip_prose(copy.deepcopy(value)) for key, value in bodies.items()}
    for value in stripped.values():
        content: Any = value["content"] if is_object(value) and "content" in value else {}
        for media_type in content.values():
            inputs: dict[str, Any] = media_type.get("schema", {}).get("properties", {}).get("image_urls", {})
            items: dict[str, Any] = inputs.get("items", {})
            if items.keys() >= {"type", "pattern", "allOf"} and "format" not in items:
                inputs["items"] = {key: item for key, item in items.items() if key not in {"pattern", "allOf"}}
                inputs["items"]["format"] = "uri"
    return stripped


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_every_statement_of_an_edited_document_stays_as_it_is(vendored_overlay: Overlay, data: st.DataObject) -> None:
    document = _vendored.published()
    for _ in range(data.draw(st.integers(1, 4))):
        container, key = data.draw(st.sampled_from(places(document)))
        match data.draw(st.sampled_from(["remove", "replace", "add"])):
            case "remove":
                del container[key]
            case "add" if is_object(container[key]):
                name, value = data.draw(st.sampled_from(ADDED))
                container[key][name] = copy.deepcopy(value)
            case _:
                container[key] = copy.deepcopy(data.draw(st.sampled_from(VALUES)))
    contract = Contract.load(document, overlay=vendored_overlay)
    before, after = contract.repaired.document, contract.document
    assert held(before, after) == []
    assert not {item.id for item in contract.findings if item.source == "overlay"} & {"security-scheme-unknown"}
    for key, value in schemas_of(before).items():
        merged = schemas_of(after)[key]
        if is_object(merged) and "headers" not in value:
            merged.pop("headers", None)
        assert merged == value
    for path, method, operation in operations_of(before):
        said = operation["responses"].keys()
        added = after["paths"][path][method]["responses"].keys() - said
        assert {status for status in added if {f"{status[0]}XX", "default"} & said} == set()

"""Overlays: the merge rules of Overlay 1.0, and the requirements on the vendored actions."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest
from bodydouble_spec import Contract, Evidence, Overlay, OverlayError
from bodydouble_spec import vendored as _vendored
from bodydouble_spec.document.repair import repair
from bodydouble_spec.values import is_array, is_object
from hypothesis import given, settings
from hypothesis import strategies as st

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=10,
)
PICTURE_MODEL = "google/gemini-2.5-flash-image-edit"


def overlay(*actions: dict[str, Any]) -> Overlay:
    known = [{"x-evidence": "assumed", "x-source": "a test", **action} for action in actions]
    return Overlay.parse({"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": known}, "test.yaml")


def applied(document: Any, *actions: dict[str, Any]) -> Any:
    return overlay(*actions).apply(document).document


@pytest.mark.parametrize(
    ("before", "target", "update", "after"),
    [
        ({"a": {"x": 1}}, "$.a", {"y": 2}, {"a": {"x": 1, "y": 2}}),
        ({"a": {"x": {"y": 1}}}, "$.a", {"x": {"z": 2}}, {"a": {"x": {"y": 1, "z": 2}}}),
        ({"a": {"x": [1]}}, "$.a", {"x": [2]}, {"a": {"x": [1, 2]}}),
        ({"a": [1]}, "$.a", [2, 3], {"a": [1, 2, 3]}),
        ({"a": [1]}, "$.a", {"x": 2}, {"a": [1, {"x": 2}]}),
        ({"a": 1}, "$", {"a": 2, "b": 3}, {"a": 2, "b": 3}),
        ({"a": {"x": [1]}}, "$.a", {"x": 2}, {"a": {"x": 2}}),
        ({"a": {"x": {"y": 1}}}, "$.a", {"x": None}, {"a": {"x": None}}),
        ({"a": 1}, "$.a", {"x": 2}, {"a": {"x": 2}}),
        ({"a": {"b": {"b": 1}}}, "$..b", 5, {"a": {"b": 5}}),
        ({"a": [{"x": 1}, {"x": 2}]}, "$.a[?@.x == 2]", {"y": 3}, {"a": [{"x": 1}, {"x": 2, "y": 3}]}),
    ],
)
def test_an_update_merges_objects_extends_arrays_and_replaces_the_rest(
    before: Any, target: str, update: Any, after: Any
) -> None:
    assert applied(before, {"target": target, "update": update}) == after


@pytest.mark.parametrize(
    ("before", "target", "after"),
    [
        ({"a": 1, "b": 2}, "$.a", {"b": 2}),
        ({"a": [1, 2, 3, 4]}, "$.a[1, 0, 1]", {"a": [3, 4]}),
        ({"a": [1, 2, 3, 4]}, "$.a[?@ > 1]", {"a": [1]}),
        ({"a": [[1, 2], [3]]}, "$.a[*][0]", {"a": [[2], []]}),
        ({"b": {"b": {"b": 1}}, "c": 2}, "$..b", {"c": 2}),
        ({"a": list(range(12))}, "$.a[?@ > 1]", {"a": [0, 1]}),
    ],
)
def test_a_removal_takes_away_exactly_what_its_target_names(before: Any, target: str, after: Any) -> None:
    assert applied(before, {"target": target, "remove": True}) == after


def test_a_removal_wins_over_an_update_beside_it() -> None:
    assert applied({"a": 1}, {"target": "$.a", "remove": True, "update": 2}) == {}


def test_actions_follow_one_another() -> None:
    actions: list[dict[str, Any]] = [{"target": "$", "update": {"a": {}}}, {"target": "$.a", "update": {"b": 1}}]
    assert applied({}, *actions) == {"a": {"b": 1}}


def test_an_action_that_matches_nothing_is_a_finding_that_names_its_target() -> None:
    overlaid = overlay({"target": "$.a", "update": 1, "description": "the a"}).apply({"b": 1})
    assert overlaid.document == {"b": 1}
    assert [(item.id, item.pointer, item.expected) for item in overlaid.findings] == [
        ("overlay-action-unmatched", "/actions/0", "$.a")
    ]


def test_an_action_without_a_description_is_called_by_its_target() -> None:
    overlaid = overlay({"target": "$.a", "update": 1}).apply({"b": 1})
    assert [item.message for item in overlaid.findings] == ['the overlay action "$.a" matches nothing in this document']


def test_every_written_place_is_a_fact_with_its_evidence() -> None:
    action = {"target": "$.a", "update": {"x": 1, "y": {"z": 2}}, "description": "d", "x-evidence": "observed"}
    facts = overlay(action).apply({"a": {"y": {}}}).facts
    assert [(fact.pointer, fact.description, fact.evidence, fact.source) for fact in facts] == [
        ("/a/x", "d", Evidence.OBSERVED, "a test"),
        ("/a/y/z", "d", Evidence.OBSERVED, "a test"),
    ]


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcd"), JSON_VALUES),
    JSON_VALUES,
    st.sampled_from(["$.*", "$..a", "$.a.b", "$..*", "$.a[0]"]),
)
def test_neither_the_document_nor_the_overlay_is_changed(document: Any, update: Any, target: str) -> None:
    once = overlay({"target": target, "update": update})
    before, update_before = copy.deepcopy(document), copy.deepcopy(update)
    first = once.apply(document)
    assert first.document == once.apply(document).document
    assert (document, update) == (before, update_before)


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcd"), JSON_VALUES),
    JSON_VALUES,
    st.sampled_from(["$.*", "$..a", "$..*", "$.a[0]"]),
)
def test_places_that_were_updated_alike_share_nothing(document: Any, update: Any, target: str) -> None:
    result = applied(document, {"target": target, "update": update})
    containers = [id(value) for value in nested(result) if is_object(value) or is_array(value)]
    assert len(containers) == len(set(containers))


def nested(value: Any) -> list[Any]:
    children = list(value.values()) if is_object(value) else value if is_array(value) else []
    return [value, *(inner for child in children for inner in nested(child))]


GOOD: dict[str, Any] = {"target": "$", "update": {}, "x-evidence": "assumed", "x-source": "a test"}


MALFORMED: list[tuple[Any, ...]] = [
        ([], "this is not an OpenAPI Overlay; it needs `overlay: 1.0.0` at the top"),
        ({"overlay": 2, "actions": [GOOD]}, "this is not an OpenAPI Overlay"),
        ({"overlay": "1.0.0"}, "/actions must be a list with at least one action"),
        ({"overlay": "1.0.0", "actions": []}, "/actions must be a list with at least one action"),
        ({"overlay": "1.0.0", "actions": [5]}, "/actions/0 needs a `target`"),
        ({"overlay": "1.0.0", "actions": [GOOD, {**GOOD, "target": 5}]}, "/actions/1 needs a `target`"),
        ({"overlay": "1.0.0", "actions": [{**GOOD, "target": "$["}]}, "/actions/0/target is not a JSONPath"),
        ({"overlay": "1.0.0", "actions": [{**GOOD, "target": "paths"}]}, "/actions/0/target is not a JSONPath"),
        ({"overlay": "1.0.0", "actions": [{**GOOD, "x-evidence": "guessed"}]}, '/actions/0/x-evidence is "guessed"; it must be one of documented'),
        ({"overlay": "1.0.0", "actions": [{**GOOD, "x-evidence": []}]}, "/actions/0/x-evidence is"),
        ({"overlay": "1.0.0", "actions": [{**GOOD, "x-source": None}]}, "/actions/0/x-source must be a string"),
        ({"overlay": "1.0.0", "actions": [{"target": "$"}]}, "/actions/0 needs `update` or `remove: true`"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "message"),
    MALFORMED,
)  # fmt: skip
def test_a_malformed_overlay_is_refused_with_file_and_place(document: Any, message: str) -> None:
    with pytest.raises(OverlayError, match=re.escape(f"test.yaml: {message}")):
        Overlay.parse(document, "test.yaml")


def with_action(action: Any) -> Any:
    return {"overlay": "1.0.0", "actions": [action]}


@settings(deadline=None)
@given(JSON_VALUES | JSON_VALUES.map(with_action))
def test_any_other_json_is_refused_too(document: Any) -> None:
    with pytest.raises(OverlayError):
        Overlay.parse(document, "test.yaml")


def test_a_file_that_is_neither_json_nor_yaml_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("a: [")
    with pytest.raises(OverlayError, match=r"broken\.yaml: not JSON"):
        Overlay.load(path)


@pytest.mark.parametrize("action", [{"remove": True}, {"update": 5}, {"update": [1]}])
def test_an_action_that_would_leave_nothing_is_refused(action: dict[str, Any]) -> None:
    with pytest.raises(OverlayError, match="/actions/0 would remove the whole document"):
        overlay({"target": "$", **action}).apply({"a": 1})


def test_every_action_of_the_vendored_overlay_has_a_description_and_a_source(
    vendored_overlay: Overlay,
) -> None:
    assert [action for action in vendored_overlay.actions if not (action.description and action.source)] == []


def test_every_action_of_the_vendored_overlay_matches_the_vendored_document() -> None:
    published = repair(_vendored.published()).document
    assert [finding.message for finding in _vendored.overlay().apply(published).findings] == []


def test_the_stored_merged_document_equals_a_fresh_application() -> None:
    kept = (Path(_vendored.__file__).parent / "merged.json").read_bytes()
    fresh = _vendored.merged_document(repair(_vendored.published()).document)
    assert kept == fresh, "the vendored document or its overlay has changed; run: nox -s merge_contract"


def test_the_stored_document_and_a_fresh_one_make_the_same_contract(vendored: Contract) -> None:
    fresh = Contract.load(overlay=_vendored.overlay())
    assert (vendored.document, vendored.facts, vendored.findings) == (fresh.document, fresh.facts, fresh.findings)


def test_a_stored_document_of_other_inputs_is_computed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vendored: Contract
) -> None:
    stale = tmp_path / "merged.json"
    stale.write_text('{"inputs": {}, "document": {}, "facts": []}')
    monkeypatch.setattr(_vendored, "_MERGED", stale)
    assert Contract.load().document == vendored.document


def test_the_overlay_adds_the_missing_parts_of_the_published_document(vendored: Contract) -> None:
    operation = vendored.operation()
    assert operation.is_authenticated
    assert set(operation.responses) == {"200", "400", "401", "403", "404", "413", "429", "500", "502", "503", "504"}
    assert operation.extensions["x-price"] == {"credits": 84000, "credits-per-usd": 2000000}
    assert operation.request_schema is not None
    ratios = operation.request_schema["properties"]["aspect_ratio"]["enum"]
    assert sorted(operation.extensions["x-sizes"]) == sorted(ratios)


def test_the_overlay_never_makes_the_known_providers_a_rule(vendored: Contract) -> None:
    content = vendored.document["paths"]["/v1/images/generations"]["post"]["requestBody"]["content"]
    provider = content["application/json"]["schema"]["properties"]["provider"]
    assert provider["x-known-values"] == ["auto", "google", "fal"]
    assert "enum" not in provider

"""References, recursion and alternatives: compared by content, each once, and in bounded time."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bodydouble_spec import Contract, Finding
from bodydouble_spec.diff.changes import Change
from bodydouble_spec.diff.contracts import diff

BESIDE = Path(__file__).parents[2].parent / "shared" / "data" / "drift"
# An invalid type: loading reports it, and a client cannot notice it.
NOT_A_TYPE = "from `any` to `–`"


def flat(findings: Iterable[Finding]) -> Iterator[Finding]:
    for finding in findings:
        yield finding
        yield from flat(finding.covers)


def document(schema: Any, version: Any = "3.0.0", **schemas: Any) -> Contract:
    content = {"application/json": {"schema": schema}}
    operation = {"requestBody": {"content": content}, "responses": {"200": {"description": "done"}}}
    value = {
        "openapi": version,
        "info": {"title": "t", "version": "1"},
        "paths": {"/pictures": {"post": operation}},
        "components": {"schemas": schemas},
    }
    return Contract.load(value, overlay=None)


def to(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def model(*names: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"model": {"type": "string", "enum": list(names)}, **properties}}


def sentences(changes: list[Change]) -> list[tuple[str, str]]:
    return [(item.id, item.message) for item in changes]


def test_a_reference_equals_its_target_written_out() -> None:
    size = {"type": "array", "items": {"type": "integer"}}
    assert (
        diff(document({"properties": {"size": to("Size")}}, Size=size), document({"properties": {"size": size}})) == []
    )


def test_a_change_behind_a_reference_is_at_its_place_in_the_component() -> None:
    old = document({"properties": {"size": to("Size")}}, Size={"type": "integer", "maximum": 9})
    new = document({"properties": {"size": to("Size")}}, Size={"type": "integer", "maximum": 8})
    assert [item.pointer for item in diff(old, new)] == ["/components/schemas/Size/maximum"]


def test_a_component_used_at_two_places_is_two_changes() -> None:
    body = {"properties": {"width": to("Size"), "height": to("Size")}}
    changes = diff(document(body, Size={"maximum": 9}), document(body, Size={"maximum": 8}))
    assert [item.message.split(" in ")[0] for item in changes] == [
        "the maximum of `width`",
        "the maximum of `height`",
    ]


@pytest.mark.parametrize("version", ["3.0.0", "3.1.0"])
def test_siblings_of_a_reference_count_only_in_openapi_3_1(version: str) -> None:
    changes = diff(document(to("Name"), version, Name={}), document({**to("Name"), "maxLength": 5}, version, Name={}))
    assert [item.id for item in changes] == (["request-body-max-length-set"] if version == "3.1.0" else [])


def test_a_change_in_a_recursive_schema_is_found_once() -> None:
    def tree(limit: int) -> Contract:
        children = {"type": "array", "items": to("Tree")}
        return document(to("Tree"), Tree={"properties": {"children": children, "size": {"maximum": limit}}})

    assert sentences(diff(tree(9), tree(8))) == [
        ("request-property-max-decreased", "the maximum of `size` in the request went down from 9 to 8")
    ]


def test_the_name_of_a_recursive_component_does_not_matter() -> None:
    def tree(name: str) -> Contract:
        components: dict[str, Any] = {name: {"properties": {"child": to(name)}}}
        return document({"oneOf": [to(name), {"type": "string"}]}, **components)

    assert diff(tree("Tree"), tree("Node")) == []


@pytest.mark.parametrize("width", [1, 2, 40])
def test_references_that_expand_without_end_are_compared(width: int) -> None:
    def chain(limit: int) -> Contract:
        links: dict[str, Any] = {
            f"S{n}": {"properties": {f"p{m}": to(f"S{n + 1}") for m in range(width)}}
            for n in range(60 if width < 3 else 4)
        }
        links[f"S{len(links)}"] = {"maximum": limit}
        return document(to("S0"), **links)

    assert {item.id for item in diff(chain(9), chain(8))} == {"request-property-max-decreased"}


def test_a_dangling_reference_does_not_stop_the_comparison() -> None:
    old = document({"properties": {"a": to("Gone"), "b": {"maximum": 9}}})
    new = document({"properties": {"a": to("Gone"), "b": {"maximum": 8}}})
    assert [item.id for item in diff(old, new)] == ["request-property-max-decreased"]


def test_an_alternative_that_moved_is_the_same_one() -> None:
    one, two, three = ({"properties": {name: {"type": "string"}}} for name in "abc")
    assert diff(document({"oneOf": [one, two, three]}), document({"oneOf": [three, one, two]})) == []


def test_an_alternative_whose_component_has_another_name_is_the_same_one() -> None:
    old = document({"oneOf": [to("A"), {"type": "string"}]}, A={"type": "integer"})
    assert diff(old, document({"oneOf": [to("B"), {"type": "string"}]}, B={"type": "integer"})) == []


def test_a_single_unmatched_alternative_is_compared_with_its_counterpart() -> None:
    old = document({"oneOf": [{"const": 1}, {"properties": {"a": {"maximum": 9}}}]}, "3.1.0")
    new = document({"oneOf": [{"properties": {"a": {"maximum": 8}}}, {"const": 1}]}, "3.1.0")
    assert [item.id for item in diff(old, new)] == ["request-property-max-decreased"]


def test_alternatives_of_one_title_are_compared_and_the_others_removed_and_added() -> None:
    def messages(limit: int, *others: str) -> Contract:
        titled = {"title": "user", "properties": {"text": {"maxLength": limit}}}
        return document({"anyOf": [*({"properties": {name: {}}} for name in others), titled]})

    assert [item.id for item in diff(messages(9, "a", "b"), messages(8, "c"))] == [
        "request-property-max-length-decreased",
        "request-body-any-of-added",
        "request-body-any-of-removed",
    ]


def test_a_replaced_model_is_one_change_that_covers_all_others() -> None:
    changes = diff(document(model("a/one", size={})), document(model("b/two")))
    assert [(item.id, len(item.covers)) for item in changes] == [("model-identity-replaced", 3)]


@pytest.mark.parametrize(
    ("old", "new"),
    [(("a", "b"), ("b", "c")), (("a",), ("a", "b")), ((), ("a",))],
    ids=["some stayed", "one came", "none was named"],
)
def test_a_changed_list_of_models_is_no_replaced_model(old: tuple[str, ...], new: tuple[str, ...]) -> None:
    before = document(model(*old)) if old else document({"properties": {"model": {"type": "string"}}})
    assert "model-identity-replaced" not in {item.id for item in diff(before, document(model(*new)))}


def test_a_model_is_found_in_an_alternative_behind_a_reference() -> None:
    old, new = (document({"oneOf": [to("A")]}, A=model(name)) for name in ("a/one", "b/two"))
    assert [item.id for item in diff(old, new)] == ["model-identity-replaced"]


def test_the_pair_with_most_alternatives_breaks_the_rules_that_oasdiff_names(
    documents: dict[str, dict[str, Any]],
) -> None:
    old, new = (Contract.load(documents[f"{name}.json"], overlay=None) for name in ("dd7615baa14f", "3df2135e5eea"))
    bad = Counter(item.id for item in flat(diff(old, new)) if item.severity in ("error", "warning"))
    # The last one is a warning for which oasdiff has no rule.
    assert bad == {
        "api-path-removed-without-deprecation": 1,
        "request-property-one-of-removed": 1,
        "response-property-became-nullable": 9,
        "response-property-became-optional": 4,
        "request-body-additional-properties-forbidden": 1,
    }


def beside(name: str) -> list[dict[str, Any]]:
    path = BESIDE / name
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def changes_of(row: dict[str, Any]) -> list[Change]:
    old, new = (Contract.load(BESIDE / row[version], overlay=None) for version in ("before", "after"))
    return diff(old, new)


def test_errors_and_warnings_of_oasdiff_are_found_with_their_severity_but_for_a_proof() -> None:
    """A value that breaks makes an error of a warning; a proof that none does makes an info of it."""
    for row in beside("pairs.jsonl"):
        told = [item for item in row.get("oasdiff", ()) if item["level"] != "info" and NOT_A_TYPE not in item["text"]]
        found = [*flat(changes_of(row))]
        shown = [item for item in found if item.severity == "error" and item.witness is not None]
        theirs = Counter((item["id"], item["level"]) for item in told)
        for (rule, level), count in (theirs - Counter((item.id, str(item.severity)) for item in found)).items():
            raised = [item for item in shown if item.id == rule and level == "warning"]
            harmless = [
                item
                for item in found
                if item.id == rule and item.severity == "info" and isinstance(item, Change) and item.tried is None
            ]
            names = [item["text"].split("`")[1].partition("/")[0] for item in told if item["id"] == rule]
            # What becomes of one property may be told by a rule that says more.
            otherwise = [name for name in names if any(f"`{name}" in item.message for item in shown)]
            assert count <= len(raised) + len(harmless) + len(otherwise), (row["document"], rule, level)


def test_pairs_that_differ_in_prose_have_no_changes() -> None:
    for row in beside("quiet.jsonl"):
        assert changes_of(row) == [], row["document"]


def test_a_property_removed_while_another_was_added_is_not_a_renaming() -> None:
    for row in beside("not-renames.jsonl"):
        assert not [item for item in flat(changes_of(row)) if item.id.endswith("-renamed")], row["document"]

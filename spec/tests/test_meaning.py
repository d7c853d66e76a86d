"""One meaning under fingerprint and diff: rewrites that keep it change neither, and any edit of it changes both."""

import copy
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from bodydouble_spec import Contract, ContractError
from bodydouble_spec.diff import diff
from bodydouble_spec.meaning import identity
from hypothesis import given, settings
from hypothesis import strategies as st

from spec.tests.random_documents import edit, random_document, random_schema, schemas_of
from spec.tests.random_rewrites import rewritten, shuffled

DONE: dict[str, Any] = {"200": {"description": "done"}}
# A few by default, thousands by `--hypothesis-profile=long`.
FEW = settings(max_examples=settings().max_examples if settings().max_examples >= 1000 else 40)
PAIRS = [
    (item["before"], item["after"])
    for item in yaml.safe_load(Path(__file__).with_name("diff_edits.yaml").read_text(encoding="utf-8"))
]


def load(document: dict[str, Any]) -> Contract:
    return Contract.load(document, overlay=None)


@FEW
@given(st.integers(min_value=0))
def test_a_rewrite_that_keeps_the_meaning_changes_neither_diff_nor_fingerprint(seed: int) -> None:
    rng = random.Random(seed)
    document = random_document(rng)
    old, new = load(document), load(rewritten(document, rng))
    assert [item.message for item in diff(old, new)] == []
    assert old.fingerprint == new.fingerprint


@FEW
@given(st.integers(min_value=0))
def test_neither_depends_on_the_order_of_paths_components_and_properties(seed: int) -> None:
    rng = random.Random(seed)
    document = rewritten(random_document(rng), rng)
    old, new = load(document), load(shuffled(document, rng))
    assert [item.message for item in diff(old, new)] == []
    assert old.fingerprint == new.fingerprint


@FEW
@given(st.integers(min_value=0))
def test_an_edit_of_the_meaning_is_a_change_and_another_fingerprint(seed: int) -> None:
    rng = random.Random(seed)
    old, new = map(load, edit(random_document(rng), rng.choice(PAIRS), rng))
    assert diff(old, new)
    assert old.fingerprint != new.fingerprint


@FEW
@given(st.integers(min_value=0))
def test_diff_and_fingerprint_agree_about_any_two_documents(seed: int) -> None:
    rng = random.Random(seed)
    document = random_document(rng)
    changed = copy.deepcopy(document)
    container, key = rng.choice(schemas_of(changed))
    container[key] = random_schema(rng, 2)
    old, new = load(document), load(changed)
    assert (diff(old, new) == []) == (old.fingerprint == new.fingerprint)


TEXT = {"type": "string", "maxLength": 9}
LOOP = {"$ref": "#/components/schemas/Loop"}


def with_body(schema: dict[str, Any]) -> dict[str, Any]:
    loop = {"type": "object", "properties": {"next": LOOP}, "maxProperties": 3}
    operation = {"requestBody": {"content": {"application/json": {"schema": schema}}}, "responses": DONE}
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/x": {"post": operation}},
        "components": {"schemas": {"Loop": loop}},
    }


@pytest.mark.parametrize(
    ("twice", "once"),
    [
        ({"anyOf": [TEXT, TEXT]}, TEXT),
        ({"anyOf": [TEXT, {**TEXT, "description": "the same"}]}, TEXT),
        ({"anyOf": [{"type": "object", "properties": {"a": {"const": 1}}}, {"type": "object", "properties": {"a": {"enum": [1]}}}]},
         {"type": "object", "properties": {"a": {"const": 1}}}),
        ({"anyOf": [LOOP, {"description": "the same", **LOOP}]}, LOOP),
        ({"anyOf": [{"properties": {"a": LOOP}}, {"properties": {"a": LOOP}, "title": "A"}]}, {"properties": {"a": LOOP}}),
        ({"properties": {"b": TEXT}, "allOf": [{"anyOf": [{"properties": {"a": TEXT}, "maxProperties": 2}, {"allOf": [{"properties": {"a": TEXT}}, {"maxProperties": 2}]}]}]},
         {"properties": {"a": TEXT, "b": TEXT}, "maxProperties": 2}),
        ({"anyOf": [{"anyOf": [TEXT, {**TEXT, "title": "A"}]}, {"type": "null"}]}, {"type": ["string", "null"], "maxLength": 9}),
    ],
)  # fmt: skip
def test_an_alternative_that_is_written_twice_is_one(twice: dict[str, Any], once: dict[str, Any]) -> None:
    old, new = load(with_body(twice)), load(with_body(once))
    assert [item.message for item in diff(old, new)] == []
    assert old.fingerprint == new.fingerprint


def test_alternatives_on_a_cycle_that_are_equal_only_behind_other_names_are_one() -> None:
    def cycle(*names: str) -> dict[str, Any]:
        document = with_body(LOOP)
        for name in {"Loop", *names}:
            following = {
                "anyOf": [*({"$ref": f"#/components/schemas/{other}"} for other in names), {"type": "integer"}]
            }
            document["components"]["schemas"][name] = {"type": "object", "properties": {"next": following}}
        return document

    old, new = load(cycle("Loop")), load(cycle("Loop", "Twin"))
    assert [item.message for item in diff(old, new)] == []
    assert old.fingerprint == new.fingerprint


@pytest.mark.parametrize("names", ["AB", "ABC"])
def test_components_that_differ_only_in_each_other_as_alternatives_are_one(names: str) -> None:
    def following(*others: str) -> dict[str, Any]:
        found = [{"$ref": f"#/components/schemas/{other}"} for other in others]
        return {"type": "object", "properties": {"next": {"anyOf": found} if len(found) > 1 else found[0]}}

    alone, mixed = (with_body({"$ref": "#/components/schemas/A"}) for _ in range(2))
    alone["components"]["schemas"] = {"A": following("A")}
    mixed["components"]["schemas"] = {
        name: following(name, names[(index + 1) % len(names)]) for index, name in enumerate(names)
    }
    old, new = load(alone), load(mixed)
    assert [item.message for item in diff(old, new)] == []
    assert old.fingerprint == new.fingerprint


def test_equal_alternatives_of_which_exactly_one_must_hold_are_not_one() -> None:
    assert diff(load(with_body({"oneOf": [TEXT, TEXT]})), load(with_body(TEXT)))


def mutual(count: int, limit: int = 900) -> dict[str, Any]:
    """Return a document of components that all refer to each other."""
    links = {f"p{number}": {"$ref": f"#/components/schemas/A{number}"} for number in range(count)}
    schemas: dict[str, dict[str, Any]] = {
        f"A{number}": {"maxProperties": number + 1, "properties": links} for number in range(count)
    }
    schemas["A5"] = {"maxProperties": limit, "properties": links}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/A0"}}}
    operation = {"requestBody": {"content": content}, "responses": DONE}
    return {
        "openapi": "3.0.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/x": {"post": operation}},
        "components": {"schemas": schemas},
    }


@pytest.mark.parametrize("count", [23, 60])
def test_a_change_among_mutual_components_is_one_change_by_the_shortest_way(count: int) -> None:
    assert diff(load(mutual(count)), load(mutual(count))) == []
    (change,) = diff(load(mutual(count)), load(mutual(count, 800)))
    assert change.message.startswith("the maximum number of properties of `p5` in the request")


def test_a_graph_that_cannot_be_told_apart_within_the_budget_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "_MAX_STEPS", 5000)
    count = 100
    schemas: dict[str, dict[str, Any]] = {
        f"A{number}": {
            "type": "object",
            "properties": {"next": {"$ref": f"#/components/schemas/A{(number + 1) % count}"}},
        }
        for number in range(count)
    }
    schemas["A0"]["maxProperties"] = 3
    document = mutual(6)
    document["components"]["schemas"] = schemas
    with pytest.raises(ContractError, match="not compared"):
        assert load(document).fingerprint

"""Edits of real documents: an edit of prose or order is no change, any other edit is one."""

import copy
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from bodydouble_spec import Contract, Finding
from bodydouble_spec.diff.contracts import diff
from bodydouble_spec.values import is_array, is_object
from hypothesis import given, settings
from hypothesis import strategies as st

# The keys of these are names, not keywords; of an array, those of each item.
NAME_MAPS = {
    "components", "content", "headers", "paths", "properties", "responses", "schemas", "security", "securitySchemes",
}  # fmt: skip


def flat(findings: Iterable[Finding]) -> Iterator[Finding]:
    for finding in findings:
        yield finding
        yield from flat(finding.covers)


def load(document: Any) -> Contract:
    return Contract.load(document, overlay=None)


def objects(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield every structural object of a document, and whether its keys are names."""
    waiting: list[tuple[Any, bool]] = [(document.get("paths", {}), True), (document.get("components", {}), True)]
    while waiting:
        value, is_map = waiting.pop()
        if is_array(value):
            waiting += [(item, is_map) for item in value]
        elif is_object(value):
            yield value, is_map
            for key, item in value.items():
                if is_map or (
                    key not in {"default", "enum", "required", "example", "examples"} and not key.startswith("x-")
                ):
                    waiting.append((item, not is_map and key in NAME_MAPS))


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_edits_of_prose_and_order_are_no_changes(small_documents: list[dict[str, Any]], data: st.DataObject) -> None:
    document = data.draw(st.sampled_from(small_documents))
    rng = random.Random(data.draw(st.integers()))
    changed = copy.deepcopy(document)
    for value, is_map in list(objects(changed)):
        items = list(value.items())
        rng.shuffle(items)
        value.clear()
        value.update(items)
        if not is_map:
            for key in ("enum", "required", "oneOf", "anyOf", "parameters"):
                if isinstance(value.get(key), list):
                    rng.shuffle(value[key])
            value[rng.choice(["description", "summary", "example", "x-note"])] = "prose"
    assert diff(load(document), load(changed)) == []


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_removed_property_is_always_a_change(small_documents: list[dict[str, Any]], data: st.DataObject) -> None:
    document = data.draw(st.sampled_from([item for item in small_documents if list(_bodies(item))]))
    changed = copy.deepcopy(document)
    properties = data.draw(st.sampled_from(list(_bodies(changed))), label="object")
    del properties[data.draw(st.sampled_from(sorted(properties)), label="property")]
    assert diff(load(document), load(changed))


def _bodies(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the properties of each object in a body, without those behind references."""
    paths = document.get("paths")
    for value, _ in objects({"paths": paths} if is_object(paths) else {}):
        if is_object(value.get("properties")) and value["properties"] and "type" in value:
            yield value["properties"]


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_removals_one_way_are_additions_the_other_way(
    small_documents: list[dict[str, Any]], data: st.DataObject
) -> None:
    old, new = (load(data.draw(st.sampled_from(small_documents))) for _ in range(2))
    there, back = (Counter(item.id for item in flat(diff(*pair))) for pair in ((old, new), (new, old)))
    for gone, come in (
        ("request-property-enum-value-removed", "request-property-enum-value-added"),
        ("response-property-enum-value-removed", "response-property-enum-value-added"),
        ("response-required-property-removed", "response-required-property-added"),
        ("response-optional-property-removed", "response-optional-property-added"),
    ):
        assert (there[gone], there[come]) == (back[come], back[gone])

"""Comparison of two contracts: the real history, whole documents, and documents that promise the same."""

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from bodydouble_spec import Contract, Finding, Overlay, Severity, pointer_parts, resolve_pointer
from bodydouble_spec.diff.changes import Change
from bodydouble_spec.diff.contracts import diff
from bodydouble_spec.diff.rules import RULES

OLD = "revision-2026-06-12-4cd011cd.json"
NEW = "revision-2026-08-14-87ef44bd.json"
STEPS = [
    "2025-11-25-79308e54",
    "2025-11-27-8ef28615",
    "2025-11-27-d2ee08c0",
    "2026-01-16-b8e4f5ad",
    "2026-01-17-94bfeffb",
]


def flat(findings: Iterable[Finding]) -> Iterator[Finding]:
    for finding in findings:
        yield finding
        yield from flat(finding.covers)


def load(document: Any) -> Contract:
    return Contract.load(document, overlay=None)


@pytest.fixture
def revision(documents: dict[str, dict[str, Any]]) -> Callable[[str], Contract]:
    return lambda name: load(documents[name if name.endswith(".json") else f"revision-{name}.json"])


@pytest.fixture
def overwrite(revision: Callable[[str], Contract]) -> Change:
    (change,) = diff(revision(OLD), revision(NEW))
    return change


def covered(change: Change, rule: str) -> list[str]:
    return [item.message for item in change.covers if item.id == rule]


def test_the_revision_of_january_is_one_renaming_and_one_new_property(revision: Callable[[str], Contract]) -> None:
    changes = diff(revision(STEPS[2]), revision(STEPS[3]))
    assert Counter((item.id, item.severity) for item in changes) == {
        ("response-property-renamed", Severity.ERROR): 1,
        ("new-optional-request-property", Severity.INFO): 1,
    }


def test_the_renaming_names_both_and_covers_the_removal_and_the_addition(revision: Callable[[str], Contract]) -> None:
    changes = diff(revision(STEPS[2]), revision(STEPS[3]))
    renamed = next(item for item in changes if item.id == "response-property-renamed")
    assert (renamed.old, renamed.new, [(item.id, item.severity) for item in renamed.covers]) == (
        "tokens_used",
        "credits_used",
        [
            ("response-required-property-removed", Severity.ERROR),
            ("response-required-property-added", Severity.INFO),
        ],
    )


@pytest.mark.parametrize(("before", "after"), [(STEPS[0], STEPS[1]), (STEPS[1], STEPS[2]), (STEPS[3], STEPS[4])])
def test_revisions_of_one_structure_have_no_changes(
    revision: Callable[[str], Contract], before: str, after: str
) -> None:
    assert diff(revision(before), revision(after)) == []


def test_the_overwrite_is_a_replaced_model(overwrite: Change) -> None:
    assert (overwrite.id, overwrite.severity, overwrite.new) == (
        "model-identity-replaced",
        Severity.ERROR,
        ["google/nano-banana-edit"],
    )


@pytest.mark.parametrize(
    ("rule", "severity", "count"),
    [
        ("request-property-enum-value-removed", Severity.ERROR, 6),
        ("request-property-enum-value-added", Severity.INFO, 1),
        ("request-property-max-items-set", Severity.ERROR, 1),
        ("request-property-type-changed", Severity.ERROR, 1),
        ("request-property-min-unset", Severity.INFO, 1),
        ("request-property-default-value-removed", Severity.INFO, 1),
        ("request-property-became-optional", Severity.INFO, 1),
        ("new-optional-request-property", Severity.INFO, 6),
        ("response-required-property-added", Severity.INFO, 1),
    ],
)
def test_the_overwrite_covers_this_many_changes_of_the_rule(
    overwrite: Change, rule: str, severity: Severity, count: int
) -> None:
    assert [item.severity for item in overwrite.covers if item.id == rule] == [severity] * count


def test_the_overwrite_covers_nothing_else(overwrite: Change) -> None:
    assert len(overwrite.covers) == 19


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("request-property-max-items-set", "`image_urls` in the request now has a maximum number of items: 3"),
        ("request-property-type-changed", "`num_images` in the request changed from number to integer"),
        ("request-property-min-unset", "`num_images` in the request no longer has a minimum (it was 1)"),
        ("request-property-default-value-removed", '`aspect_ratio` in the request no longer has the default "1:1"'),
    ],
)
def test_a_change_has_a_message_of_one_sentence(overwrite: Change, rule: str, sentence: str) -> None:
    assert covered(overwrite, rule) == [sentence]


def test_a_change_has_its_operation_direction_and_values(overwrite: Change) -> None:
    change = next(item for item in overwrite.covers if item.id == "request-property-type-changed")
    assert isinstance(change, Change)
    assert (change.operation, change.direction, change.old, change.new) == (
        "POST /v1/images/generations",
        "request",
        "number",
        "integer",
    )


def test_the_overlay_is_left_out_of_the_comparison(vendored: Contract, revision: Callable[[str], Contract]) -> None:
    assert diff(vendored, revision(OLD)) == []


def test_a_copy_of_a_contract_compares_as_the_contract_does(
    vendored: Contract, revision: Callable[[str], Contract]
) -> None:
    assert diff(replace(vendored, source="copy"), revision(OLD)) == []


def test_contracts_with_an_overlay_compare_as_those_without(
    documents: dict[str, dict[str, Any]], vendored_overlay: Overlay, revision: Callable[[str], Contract]
) -> None:
    old = Contract.load(documents[OLD], overlay=vendored_overlay)
    assert [item.to_dict() for item in flat(diff(old, revision(NEW)))] == [
        item.to_dict() for item in flat(diff(revision(OLD), revision(NEW)))
    ]


def test_every_real_document_equals_itself(
    document_path: Path, load_real: Callable[[Path], Contract]
) -> None:  # fmt: skip
    contract = load_real(document_path)
    assert diff(contract, contract) == []


def test_the_pointer_of_a_change_leads_into_one_of_the_documents(
    documents: dict[str, dict[str, Any]],
) -> None:
    large = [load(document) for name, document in documents.items() if not name.startswith("revision-")]
    for old, new in pairwise(large):
        for change in flat(diff(old, new)):
            places = [contract.published for contract in (new, old)]
            assert any(_leads_somewhere(place, change.pointer) for place in places), change


def _leads_somewhere(document: Any, pointer: str) -> bool:
    try:
        resolve_pointer(document, pointer_parts(pointer))
    except LookupError:
        return False
    return True


def test_pointers_into_an_array_of_paths_are_the_published_ones(
    documents: dict[str, dict[str, Any]],
) -> None:
    old = documents[OLD]
    new = {**copy.deepcopy(documents[OLD]), "paths": [copy.deepcopy(documents[OLD]["paths"])]}
    del _request_schema(new["paths"][0])["properties"]["provider"]
    _request_schema(new["paths"][0])["properties"]["prompt"]["maxLength"] = 9
    assert [item.pointer.split("/")[1:3] for item in diff(load(old), load(new))] == [
        ["paths", "0"],
        ["paths", "~1v1~1images~1generations"],
    ]


def _request_schema(paths: dict[str, Any]) -> dict[str, Any]:
    (item,) = paths.values()
    schema: dict[str, Any] = item["post"]["requestBody"]["content"]["application/json"]["schema"]
    return schema


@pytest.mark.parametrize("data", [b"", b"<html></html>", b'{"openapi": "3.0.0"', b"[]"])
def test_a_document_that_became_unreadable_is_one_error(
    tmp_path: Path, revision: Callable[[str], Contract], data: bytes
) -> None:
    (tmp_path / "new.json").write_bytes(data)
    (change,) = diff(revision(OLD), load(tmp_path / "new.json"))
    assert (change.id, change.severity) == ("document-became-unreadable", Severity.ERROR)


def test_a_document_that_became_readable_is_one_info(tmp_path: Path, revision: Callable[[str], Contract]) -> None:
    (tmp_path / "old.json").write_bytes(b"")
    (change,) = diff(load(tmp_path / "old.json"), revision(OLD))
    assert (change.id, change.severity) == ("document-became-readable", Severity.INFO)


def test_two_unreadable_documents_have_no_changes(tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_bytes(b"")
    (tmp_path / "text.json").write_bytes(b"no document")
    assert diff(load(tmp_path / "empty.json"), load(tmp_path / "text.json")) == []


@pytest.mark.parametrize("repaired", [{"description": "done"}, {}])
def test_a_missing_description_and_a_repaired_one_are_equal(
    documents: dict[str, dict[str, Any]], repaired: dict[str, Any]
) -> None:
    old, new = copy.deepcopy(documents[OLD]), copy.deepcopy(documents[OLD])
    for document, response in ((old, {}), (new, repaired)):
        (item,) = document["paths"].values()
        item["post"]["responses"]["200"].pop("description", None)
        item["post"]["responses"]["200"] |= response
    assert diff(load(old), load(new)) == []


def test_each_change_has_the_severity_of_its_rule_unless_a_value_or_a_proof_says_otherwise(
    documents: dict[str, dict[str, Any]],
) -> None:
    contracts = [load(document) for document in documents.values()]
    changes = [item for old, new in pairwise(contracts) for item in flat(diff(old, new))]
    assert all(
        item.severity is RULES[item.id].severity
        or (item.severity is Severity.ERROR and item.witness is not None)
        or item.severity is Severity.INFO
        for item in changes
    )

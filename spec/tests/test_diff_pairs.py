"""Small pairs of documents after public issues about comparing contracts: each is judged right, and fingerprints agree with it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from bodydouble_spec import Contract
from bodydouble_spec.diff import diff

PAIRS: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("diff_pairs.yaml").read_text(encoding="utf-8"))
DONE: dict[str, Any] = {"200": {"description": "done"}}


def contract_of(pair: dict[str, Any], side: str) -> Contract:
    """Load one of the two documents of a pair."""
    version = pair.get("version", "3.0.3")
    document: dict[str, Any] = {
        "openapi": pair.get("after_version", version) if side == "after" else version,
        "info": {"title": "t", "version": "1"},
        "paths": {"/x": {"post": {"responses": DONE}}},
    }
    schemas = {**pair.get("schemas", {}), **pair.get(f"{side}_schemas", {})}
    if schemas:
        document["components"] = {"schemas": schemas}
    return Contract.load(document | _parts(pair["part"], pair[side]), overlay=None)


def _parts(part: str, value: Any) -> dict[str, Any]:
    json: dict[str, Any] = {"content": {"application/json": {"schema": value}}}
    operations: dict[str, Any] = {
        "request": {"requestBody": json, "responses": DONE},
        "answer": {"responses": {"200": {"description": "done", **json}}},
        "query": {"parameters": [{"name": "q", "in": "query", **value}], "responses": DONE},
        "operation": value,
    }
    if part == "document":
        return dict(value)
    return {"paths": {"/x": value if part == "path" else {"post": operations[part]}}}


@pytest.mark.parametrize("pair", PAIRS, ids=[f"{number}-{pair['source']}" for number, pair in enumerate(PAIRS)])
def test_a_pair_is_judged_right(pair: dict[str, Any]) -> None:
    old, new = contract_of(pair, "before"), contract_of(pair, "after")
    found = {item.id: str(item.severity) for item in diff(old, new)}
    assert found == ({} if pair["right"] == "none" else pair["right"])
    assert (old.fingerprint == new.fingerprint) == (not found)


@pytest.mark.parametrize("source", sorted({pair["source"] for pair in PAIRS}))
def test_a_source_is_a_thread_or_an_own_case(source: str) -> None:
    assert source == "own case" or re.fullmatch(r"[\w.-]+/[\w.-]+#[1-9]\d*", source)

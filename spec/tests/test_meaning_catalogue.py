"""The vendor's documents spelled in another way: one meaning, whichever way it is written."""

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bodydouble_spec import Contract
from bodydouble_spec.diff import diff
from bodydouble_spec.values import is_array, is_object
from hypothesis import settings

from spec.tests.random_documents import COMPONENT, schemas_of
from spec.tests.random_rewrites import REWRITES, is_mapped, shuffled

STRUCTURES = sorted((Path(__file__).parents[2] / "mockserver" / "tests" / "data" / "catalogue").glob("*.json"))
_MANY = 1_000
_MOST_PLACES = 25
# The names are hashes, so that each tenth is a share of every kind; `--hypothesis-profile=long` takes all.
SHARE = STRUCTURES if settings().max_examples >= _MANY else STRUCTURES[::10]


def null_as_a_type(value: Any, _: random.Random) -> Any:
    if is_array(value):
        return [null_as_a_type(item, _) for item in value]
    if not is_object(value):
        return value
    found = {key: null_as_a_type(item, _) for key, item in value.items()}
    if found.get("nullable") is True and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
        del found["nullable"]
    return found


def places_of(document: dict[str, Any], rng: random.Random) -> list[tuple[Any, Any]]:
    places = [(holder, key) for holder, key in schemas_of(document) if not is_mapped(holder)]
    return rng.sample(places, min(_MOST_PLACES, len(places)))


def named(document: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    components = document.setdefault("components", {}).setdefault("schemas", {})
    for number, (holder, key) in enumerate(places_of(document, rng)):
        if holder is not components and "$ref" not in holder[key]:
            components[f"Named{number}"] = holder[key]
            holder[key] = {"$ref": f"{COMPONENT}Named{number}"}
    return document


def written_out(document: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    document = named(document, rng)
    components = document["components"]["schemas"]
    for holder, key in schemas_of(document):
        name = holder[key].get("$ref", "").removeprefix(COMPONENT)
        if holder[key].keys() == {"$ref"} and name in components and rng.random() < 0.5:
            holder[key] = copy.deepcopy(components[name])
    return document


def rewritten(document: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    for holder, key in places_of(document, rng):
        # Only 3.1 has a list of types, beside which `nullable` says nothing.
        if not is_array(holder) and not {"$ref", "nullable"} & holder[key].keys():
            holder[key] = rng.choice(REWRITES)(holder[key], rng) or holder[key]
    return document


@pytest.mark.parametrize("path", SHARE, ids=[path.stem for path in SHARE])
@pytest.mark.parametrize("respell", [null_as_a_type, named, written_out, rewritten, shuffled])
def test_a_document_of_the_vendor_in_another_spelling_means_the_same(
    path: Path, respell: Callable[[Any, random.Random], Any]
) -> None:
    document = json.loads(path.read_bytes())
    other = respell(copy.deepcopy(document), random.Random(path.stem))
    # The others may find nothing to write in another way in a small document.
    assert other != document or respell not in (named, written_out)
    old, new = (Contract.load(item, overlay=None) for item in (document, other))
    assert [item.message for item in diff(old, new)] == []
    assert old.fingerprint == new.fingerprint

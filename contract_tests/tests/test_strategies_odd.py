"""Schemas that are hard to make values for: bodies where some can be made, else a sentence with the place and what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from bodydouble_contract_tests import UnsupportedSchema, requests
from bodydouble_spec import Contract
from hypothesis import strategies as st

Collect = Callable[[st.SearchStrategy[Any], int], list[Any]]
CASES = yaml.safe_load((Path(__file__).parent / "data" / "odd_schemas.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CASES)
def test_an_odd_schema_gives_conforming_bodies_or_a_sentence(
    name: str, contract_of: Callable[..., Contract], collect: Collect
) -> None:
    case = CASES[name]
    contract = contract_of({"type": "object", "required": ["a"], "properties": {"a": case["schema"]}})
    if case.get("made"):
        bodies = collect(requests(contract), 5)
        assert [found for body in bodies for found in contract.operation().validate_request(body)] == []
        return
    place = "schema/properties/a" if case["place"] == "property" else "schema;"
    with pytest.raises(UnsupportedSchema, match=rf"no value was found for .*/{place}.*simpler rule there"):
        requests(contract)

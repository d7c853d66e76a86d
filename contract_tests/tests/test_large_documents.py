"""Documents with very much in them: the work with them is bounded, and what was left out is said."""

from typing import Any

import pytest
from bodydouble_contract_tests.errors import TooLarge
from bodydouble_contract_tests.impact.impact import NOT_FINISHED, impact
from bodydouble_contract_tests.model.profile import OperationProfile
from bodydouble_contract_tests.plan.planner import make_plan
from bodydouble_contract_tests.strategies import vary_requests
from bodydouble_contract_tests.strategies.boundary import size_of
from bodydouble_spec import Contract, Exchange
from bodydouble_spec.limits import DocumentLimits

LIMITS = DocumentLimits()
SMALL = DocumentLimits(max_properties=9, max_options=11, max_required=20)
BEYOND = 40


def contract_of(schema: dict[str, Any], *, operations: int = 1) -> Contract:
    content = {"content": {"application/json": {"schema": schema}}}
    operation = {"requestBody": {"required": True, **content}, "responses": {"200": {"description": "", **content}}}
    paths = {f"/o{number}": {"post": operation} for number in range(operations)}
    return Contract.load({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}, overlay=None)


def names(count: int, **rules: Any) -> dict[str, Any]:
    """Return a schema with so many properties."""
    return {"type": "object", "properties": {f"p{number}": {"type": "string"} for number in range(count)}, **rules}


def options(count: int) -> dict[str, Any]:
    """Return a schema with one property of so many values."""
    values = [f"v{number}" for number in range(count)]
    return {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "enum": values}}}


@pytest.mark.parametrize(
    ("schema_of", "limit", "what"),
    [(names, SMALL.max_properties, "properties"), (options, SMALL.max_options, "values")],
    ids=["properties", "values"],
)
def test_the_requests_of_a_wide_schema_are_as_many_whatever_its_size(schema_of: Any, limit: int, what: str) -> None:
    contracts = [contract_of(schema_of(limit + more)) for more in (0, BEYOND, 1000 * BEYOND)]
    whole, wide, wider = (vary_requests(contract, limits=SMALL) for contract in contracts)
    assert len(whole.cases) == len(wide.cases) == len(wider.cases)
    assert (whole.left_out, wide.left_out[0].what) == ((), f"{BEYOND} of {limit + BEYOND:,} {what}")


def test_required_properties_are_in_every_request_beyond_the_limit_of_others() -> None:
    schema = names(40, required=[f"p{number}" for number in range(20, 40)])
    varied = vary_requests(contract_of(schema), limits=SMALL)
    assert [case.body for case in varied.cases if case.valid and not {*schema["required"]} <= case.body.keys()] == []


def test_an_object_with_too_many_required_properties_is_not_made() -> None:
    schema = names(21)
    with pytest.raises(TooLarge, match=r"21 required properties is not made"):
        vary_requests(contract_of({**schema, "required": [*schema["properties"]]}), limits=SMALL)


def test_all_requests_of_an_operation_have_a_budget_of_bytes() -> None:
    contract = contract_of(names(30))
    varied = vary_requests(contract, limits=DocumentLimits(max_case_bytes=20_000))
    assert 10_000 < sum(size_of(case.body) for case in varied.cases) <= 20_000
    assert varied.left_out[0].what == f"what follows the first {len(varied.cases)} requests"


def test_the_impact_names_what_no_call_varies_and_takes_it_for_documented() -> None:
    wide = LIMITS.max_properties + BEYOND
    old, new = names(1), names(wide, additionalProperties=False)
    recorded = Exchange("1", "2026-11-01T10:00:00Z", "POST", "/o0", body={f"p{wide - 1}": "x"})
    found = impact(contract_of(old), contract_of(new), exchanges=[recorded])
    told = {item.id: item.message for item in found}
    assert f"{BEYOND} of {wide} properties" in told["impact-tried-in-part/new"]
    assert told["impact-recorded-requests-accepted"].startswith("no call of yours is affected")


@pytest.mark.parametrize("tried", [3, 2, 0])
def test_operations_for_which_there_is_no_time_are_counted(tried: int) -> None:
    old, new = (
        contract_of({"type": "object", "properties": {"a": {"maxLength": most}}}, operations=3) for most in (9, 5)
    )
    found = impact(old, new, goes_on=lambda done, total: done < tried and total == 3)
    refused = {item.operation for item in found if item.id == "impact-request-refused/max-length"}
    left = [item.message for item in found if item.id == NOT_FINISHED]
    assert refused == {f"POST /o{number}" for number in range(tried)}
    assert left == ([] if tried == 3 else [f"no call was tried for {3 - tried} of 3 operations, because time ran out"])


def test_recorded_requests_are_tried_even_when_there_is_no_time() -> None:
    old, new = (contract_of({"type": "object", "properties": {"a": {"maxLength": most}}}) for most in (9, 5))
    recorded = Exchange("1", "2026-11-01T10:00:00Z", "POST", "/o0", body={"a": "1234567"})
    found = impact(old, new, exchanges=[recorded], goes_on=lambda _tried, _all: False)
    assert {item.id for item in found} >= {"impact-recorded-requests-refused", NOT_FINISHED}


def test_a_plan_says_what_it_does_not_vary() -> None:
    wide = contract_of(options(LIMITS.max_options + BEYOND))
    plan = make_plan(OperationProfile(wide, wide.operation()), is_billed=False)
    what = f"{BEYOND} of {LIMITS.max_options + BEYOND} values at /properties/a/enum"
    assert plan.unbought[what] == "more than a run varies"

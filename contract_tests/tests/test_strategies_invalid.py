"""Invalid request bodies: they have exactly the named faults."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from bodydouble_contract_tests import InvalidRequest, UnsupportedSchema, boundary_cases, invalid_requests
from bodydouble_spec import Contract
from bodydouble_spec.oracle import Oracle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Collect = Callable[[st.SearchStrategy[Any], int], list[Any]]
Plainest = Callable[[st.SearchStrategy[Any], Callable[[Any], bool]], Any]
some = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def invalid(vendored: Contract, collect: Collect) -> list[InvalidRequest]:
    return collect(invalid_requests(vendored), 2000)


def test_every_body_has_faults_where_they_are_named_and_nowhere_else(contract: Contract) -> None:
    operation = contract.operation()

    @some
    @given(invalid_requests(contract))
    def check(request: InvalidRequest) -> None:
        assert {finding.pointer for finding in operation.validate_request(request.body)} == set(request.pointers)

    check()


def test_openapi_core_refuses_every_body_too(vendored: Contract) -> None:
    """A final line break is left out: openapi-core reads ``$`` as Python does and accepts it."""
    operation, oracle = vendored.operation(), Oracle(vendored)

    @some
    @given(invalid_requests(vendored).filter(lambda request: not request.faults[0].endswith("line-break-after")))
    def check(request: InvalidRequest) -> None:
        assert oracle.request_errors(operation, orjson.dumps(request.body), "application/json")

    check()


def test_every_fault_among_the_boundary_cases_is_made(vendored: Contract, invalid: list[InvalidRequest]) -> None:
    named = {case.id for case in boundary_cases(vendored) if not case.valid}
    assert {fault for request in invalid for fault in request.faults} == named


@pytest.mark.parametrize("count", [1, 2, 3])
def test_faults_come_alone_and_together(invalid: list[InvalidRequest], count: int) -> None:
    assert sum(len(request.faults) == count for request in invalid) > 20


def test_no_fault_lies_where_another_one_is(invalid: list[InvalidRequest]) -> None:
    assert [request.faults for request in invalid if len(set(request.pointers)) < len(request.pointers)] == []


def test_a_fault_brings_no_other_one_with_it(contract_of: Callable[..., Contract], plainest: Plainest) -> None:
    properties = {"a": {"type": "boolean"}, "b": {"type": "boolean"}}
    schema = {"type": "object", "required": ["a"], "minProperties": 1, "properties": properties}
    strategy = invalid_requests(contract_of({**schema, "additionalProperties": False}))
    # Without "a", "b" is needed, or there would be too few properties as well.
    assert plainest(strategy, lambda request: request.faults == ("a/missing",)).body == {"b": False}


def test_the_rest_of_the_body_varies(invalid: list[InvalidRequest]) -> None:
    beside = {repr({**request.body, "prompt": 0}) for request in invalid if request.pointers == ("/prompt",)}
    assert len(beside) > 20


def test_a_body_shrinks_to_one_fault_in_the_simplest_body(vendored: Contract, plainest: Plainest) -> None:
    found = plainest(invalid_requests(vendored), lambda request: "num_images/maximum+1" in request.faults)
    assert (found.faults, found.body["num_images"], found.body["prompt"]) == (
        ("num_images/maximum+1",),
        5,
        "make it night",
    )


def test_a_fault_deep_inside_leaves_the_items_beside_it(invalid: list[InvalidRequest]) -> None:
    deep = [item.body["image_urls"] for item in invalid if item.pointers == ("/image_urls/0",)]
    assert max(map(len, deep)) > 1


def test_a_contract_that_accepts_anything_is_refused(contract_of: Callable[..., Contract]) -> None:
    with pytest.raises(UnsupportedSchema, match="accepts any JSON"):
        invalid_requests(contract_of({}))

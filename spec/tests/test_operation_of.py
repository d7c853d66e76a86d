"""The operation of an exchange: one answer for every spelling of a path."""

from typing import Any

import pytest
from bodydouble_spec import Contract, Exchange, operation_of

PATHS = ("/v1/images/generations", "/v1/images", "/things/{id}", "/things/all", "/v1/twice", "/twice")


@pytest.fixture(scope="module")
def contract() -> Contract:
    operation: dict[str, Any] = {"responses": {"200": {"description": "Fine."}}}
    paths = {path: {"post": operation} for path in PATHS}
    return Contract.load({"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": paths}, overlay=None)


def key_of(contract: Contract, path: str, operation: str | None = None, method: str = "POST") -> str | None:
    found = operation_of(Exchange("1", "2026-01-01T00:00:00Z", method, path, operation), contract.operations)
    return None if found is None else found.key


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/images/generations", "/v1/images/generations"),
        ("/v1/images/generations/", "/v1/images/generations"),
        ("/images/generations", "/v1/images/generations"),
        ("//v1//images/generations//?n=/v1/images", "/v1/images/generations"),
        ("/v1/images", "/v1/images"),
        ("/v1/things/5/", "/things/{id}"),
        ("/v1/things/all", "/things/all"),
        ("/v1/twice", "/v1/twice"),
        ("/twice", "/twice"),
        ("/v2/images", None),
        ("/v1/images/other", None),
        ("/v1/things/5/6", None),
        ("/", None),
    ],
)
def test_an_exchange_belongs_to_the_operation_of_its_path(contract: Contract, path: str, expected: str | None) -> None:
    assert key_of(contract, path) == (None if expected is None else f"POST {expected}")


def test_the_recorded_operation_decides_before_the_path(contract: Contract) -> None:
    assert key_of(contract, "/v1/images", "POST /v1/images/generations") == "POST /v1/images/generations"
    assert key_of(contract, "/v1/images", "POST /v1/chat/completions") is None


def test_a_recorded_operation_may_be_spelled_for_another_base_url(contract: Contract) -> None:
    assert key_of(contract, "/v1/images", "POST /images/generations") == "POST /v1/images/generations"


@pytest.mark.parametrize(("method", "is_known"), [("post", True), ("PUT", False)])
def test_the_method_is_the_same_in_any_case(contract: Contract, method: str, is_known: bool) -> None:
    assert (key_of(contract, "/v1/images", method=method) is not None) is is_known

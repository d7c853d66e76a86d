"""One reading of a contract's image fields: the mock server and the checks agree on any of them."""

from typing import Any

import pytest
from bodydouble_contract_tests.model import OperationProfile
from bodydouble_mockserver import create_app
from bodydouble_mockserver.answer.image_fields import ImageFields
from bodydouble_spec import Contract
from bodydouble_spec.image_fields import RequestFields, image_price, image_sizes, request_fields
from hypothesis import given, settings
from hypothesis import strategies as st

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 90_000) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["1:1", "16:9"]), inner, max_size=2),
    max_leaves=6,
)
PRICES = VALUES | st.fixed_dictionaries({}, optional={"credits": VALUES, "credits-per-usd": VALUES})


def contract(**extensions: Any) -> Contract:
    answer = {"data": {"type": "array", "items": {"type": "object", "properties": {"url": {"type": "string"}}}}}
    body = {"type": "object", "properties": {"prompt": {"type": "string"}, "n": {"type": "number"}}}
    operation = {
        "requestBody": {"content": {"application/json": {"schema": body}}},
        "responses": {
            "200": {
                "description": "d",
                "content": {"application/json": {"schema": {"type": "object", "properties": answer}}},
            }
        },
        **extensions,
    }
    document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/v1/a": {"post": operation}}}
    return Contract.load(document, overlay=None)


@settings(deadline=None, max_examples=60)
@given(VALUES, PRICES)
def test_server_and_checks_read_the_same_sizes_and_price(sizes: Any, price: Any) -> None:
    loaded = contract(**{"x-sizes": sizes, "x-price": price})
    profile = OperationProfile(loaded)
    fields = ImageFields(loaded.operation())
    assert fields.sizes == profile.sizes
    assert fields.cost(2).credits == (None if profile.credits is None else 2 * profile.credits)
    assert (fields.cost(1).usd or 0) == pytest.approx(profile.usd_per_image or 0)


@pytest.mark.parametrize(
    "extensions", [{"x-sizes": {"1:1": [1024]}}, {"x-sizes": ["1:1"]}, {"x-price": 5}, {"x-price": {"credits": "5"}}]
)
def test_a_server_starts_whatever_the_extensions_say(extensions: dict[str, Any]) -> None:
    assert create_app(contract(**extensions)) is not None


def test_the_first_known_name_counts() -> None:
    assert request_fields({"n": {}, "num_images": {}, "image": {}}) == RequestFields(None, "image", "num_images", None)


def test_half_a_price_and_half_a_size_are_left_out() -> None:
    extensions = {"x-price": {"credits": 84_000, "credits-per-usd": 0}, "x-sizes": {"1:1": [8, 8], "3:2": [8, 0]}}
    assert (image_price(extensions), image_sizes(extensions)) == ((84_000, None), {"1:1": (8, 8)})

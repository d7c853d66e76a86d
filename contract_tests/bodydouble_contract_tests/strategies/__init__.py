"""Hypothesis strategies and boundary cases, made from a contract's schemas."""

from bodydouble_contract_tests.strategies.boundary import (
    BoundaryCase,
    VariedRequests,
    boundary_cases,
    double_faults,
    vary_requests,
)
from bodydouble_contract_tests.strategies.requests import InvalidRequest, invalid_requests, requests
from bodydouble_contract_tests.strategies.responses import ResponseCase, responses
from bodydouble_contract_tests.strategies.texts import choice
from bodydouble_contract_tests.strategies.variants import (
    Variant,
    length_variants,
    number_variants,
    option_variants,
    text_variants,
    type_variants,
)

__all__ = [
    "BoundaryCase",
    "InvalidRequest",
    "ResponseCase",
    "Variant",
    "VariedRequests",
    "boundary_cases",
    "choice",
    "double_faults",
    "invalid_requests",
    "length_variants",
    "number_variants",
    "option_variants",
    "requests",
    "responses",
    "text_variants",
    "type_variants",
    "vary_requests",
]

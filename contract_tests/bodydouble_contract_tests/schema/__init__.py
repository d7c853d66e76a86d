"""The values that a schema allows, place by place: views of subschemas, the simplest value, numbers, patterns and pictures at a bound."""

from bodydouble_contract_tests.schema.excerpt import LeftOut, excerpt_of
from bodydouble_contract_tests.schema.numbers import numbers
from bodydouble_contract_tests.schema.parameters import RequestTarget, parameter_walker, request_target, usual_parameter
from bodydouble_contract_tests.schema.pattern import (
    MOST_DRAWN,
    alternatives,
    matches,
    matching,
    simplest_match,
    stretched_match,
)
from bodydouble_contract_tests.schema.pictures import NOT_PICTURES, named_pictures, picture_bytes, picture_texts
from bodydouble_contract_tests.schema.responses import places, values_at, values_named
from bodydouble_contract_tests.schema.searching import NOTHING, first_of, satisfying, satisfying_any
from bodydouble_contract_tests.schema.simplest import Sampler, candidate_numbers, text_of_length
from bodydouble_contract_tests.schema.walker import SchemaWalker, request_walker, response_walkers, whole_request_walker

__all__ = [
    "MOST_DRAWN",
    "NOTHING",
    "NOT_PICTURES",
    "LeftOut",
    "RequestTarget",
    "Sampler",
    "SchemaWalker",
    "alternatives",
    "candidate_numbers",
    "excerpt_of",
    "first_of",
    "matches",
    "matching",
    "named_pictures",
    "numbers",
    "parameter_walker",
    "picture_bytes",
    "picture_texts",
    "places",
    "request_target",
    "request_walker",
    "response_walkers",
    "satisfying",
    "satisfying_any",
    "simplest_match",
    "stretched_match",
    "text_of_length",
    "usual_parameter",
    "values_at",
    "values_named",
    "whole_request_walker",
]

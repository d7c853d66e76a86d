"""Matchers of calls, without I/O."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from bodydouble_mockserver.scripting.matcher import BadMatch, MatchedRequest, Matcher
from bodydouble_spec import pointer_parts, resolve_pointer
from hypothesis import example, given, settings
from hypothesis import strategies as st

REQUEST = MatchedRequest(
    method="POST",
    path="/v1/images/generations",
    headers={"x-team": "blue", "accept": "*/*"},
    parsed={"prompt": "Put a dinosaur\non the beach", "model": "some/model"},
    key="0a1b2c3d",
    number=3,
    status=429,
    has_findings=False,
)


@pytest.mark.parametrize(
    ("expected", "matches"),
    [
        pytest.param(case["matcher"], case["matches"], id=json.dumps(case["matcher"]))
        for case in yaml.safe_load((Path(__file__).parent / "data" / "matchers.yaml").read_text("utf-8"))
    ],
)
def test_a_matcher_matches_requests_that_meet_all_conditions(expected: dict[str, Any], matches: bool) -> None:
    assert Matcher.parse(expected).matches(REQUEST) is matches


@pytest.mark.parametrize("parsed", [None, [], "dinosaur", 5, {}, {"prompt": 5, "model": 5}, {"prompt": None}])
@pytest.mark.parametrize("expected", [{"prompt": ".*"}, {"model": "some/model"}])
def test_a_body_without_the_property_does_not_match(expected: dict[str, Any], parsed: Any) -> None:
    assert not Matcher.parse(expected).matches(replace(REQUEST, parsed=parsed))


@pytest.mark.parametrize("expected", [{"status": "2xx"}, {"status": 429}, {"findings": True}, {"findings": False}])
def test_a_call_without_an_answer_has_neither_status_nor_findings(expected: dict[str, Any]) -> None:
    assert not Matcher.parse(expected).matches(replace(REQUEST, status=None, has_findings=None))


@pytest.mark.parametrize(
    ("expected", "pointer", "reason"),
    [
        (None, "", "a matcher is an object"),
        ([], "", "a matcher is an object"),
        ({"promt": "x"}, "/promt", "unknown key; known keys: call, findings, header"),
        ({"a/b~c": "x"}, "/a~1b~0c", "unknown key"),
        ({"prompt": 5}, "/prompt", "must be a string"),
        ({"prompt": "("}, "/prompt", "not a valid regular expression"),
        ({"prompt": "(?=x)"}, "/prompt", "look-around and back-references are not supported"),
        ({"prompt": r"(a)\1"}, "/prompt", "back-references are not supported"),
        ({"prompt": "(x{1000}){1000}"}, "/prompt", "not a valid regular expression"),
        ({"prompt": "x" * 1001}, "/prompt", "longer than 1000 characters"),
        ({"path": "*" * 1001}, "/path", "longer than 1000 characters"),
        ({"model": None}, "/model", "must be a string"),
        ({"key": 5}, "/key", "must be a string"),
        ({"header": {"a": 1}}, "/header", "must be an object like"),
        ({"header": "a: 1"}, "/header", "must be an object like"),
        ({"call": 0}, "/call", "whole number, 1 or more"),
        ({"call": True}, "/call", "whole number, 1 or more"),
        ({"call": 1.0}, "/call", "whole number, 1 or more"),
        ({"status": 42}, "/status", "a status like 429"),
        ({"status": "429x"}, "/status", "a status like 429"),
        ({"status": "4²²"}, "/status", "a status like 429"),
        ({"status": "6xx"}, "/status", "a status like 429"),
        ({"findings": 1}, "/findings", "true or false"),
    ],
)
def test_an_invalid_matcher_is_refused_with_its_pointer(expected: Any, pointer: str, reason: str) -> None:
    with pytest.raises(BadMatch, match=re.escape(reason)) as error:
        Matcher.parse(expected)
    assert error.value.pointer == pointer


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_NAMES = st.sampled_from(["call", "findings", "header", "key", "method", "model", "path", "prompt", "status"])


@settings(max_examples=300, deadline=None)
@given(_VALUES | st.dictionaries(_NAMES | st.text(max_size=5), _VALUES, max_size=3))
@example({"prompt": "[[a]&&\\p{Lu}--x]"})
@example({"path": "[!]*?[]"})
def test_any_value_is_a_matcher_or_is_refused_with_a_pointer_into_it(expected: Any) -> None:
    try:
        assert Matcher.parse(expected).matches(REQUEST) in {True, False}
    except BadMatch as error:
        resolve_pointer(expected, pointer_parts(error.pointer))


@pytest.mark.parametrize(
    ("expression", "prompt"),
    [("^(a+)+$", "a" * 50_000 + "b"), ("(.*a){20}$", "a" * 5_000 + "b"), ("(x|x|x)*y", "x" * 50_000)],
)
def test_a_catastrophic_expression_finishes_on_a_long_prompt(expression: str, prompt: str) -> None:
    # Python's own engine would not finish any of these.
    assert not Matcher.parse({"prompt": expression}).matches(replace(REQUEST, parsed={"prompt": prompt}))


def test_a_path_of_many_stars_finishes() -> None:
    assert not Matcher.parse({"path": "*a" * 400}).matches(replace(REQUEST, path="/" + "a" * 399 + "b" * 4000))

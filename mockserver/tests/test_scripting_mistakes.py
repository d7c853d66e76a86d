"""Scripts with a mistake are refused with its pointer; the mock keeps working after any script."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from bodydouble_mockserver import BadScenario, MockServer
from hypothesis import example, given, settings
from hypothesis import strategies as st

Call = Callable[..., httpx.Response]
Edit = Callable[..., dict[str, Any]]
SCENARIOS = "/_bodydouble/scenarios"
SUCCESS = {"data": [{"url": "https://x.example/1.png", "b64_json": None}], "meta": {"usage": {"credits_used": 1}}}


pytestmark = pytest.mark.usefixtures("forget_scripts")


def play(call: Call, app: MockServer, scenario: Any) -> httpx.Response:
    return call(app, SCENARIOS, key=None, content=json.dumps(scenario))


BAD: list[tuple[Any, str, str]] = [
    ({"answers": [{}] * 1001}, "/answers", "must be a list of at most 1000 answers"),
    ({"answers": [{"x" * 5000: 1}]}, "/answers/0/" + "x" * 60, "unknown key"),
    ({"answers": [{"match": {"prompt": "a" * 1001}}]}, "/answers/0/match/prompt", "longer than 1000 characters"),
    *(
        (case["scenario"], case["pointer"], case["reason"])
        for case in yaml.safe_load((Path(__file__).parent / "data" / "scenario_mistakes.yaml").read_text("utf-8"))
    ),
]


@pytest.mark.parametrize(("scenario", "pointer", "reason"), BAD, ids=[str(item[0])[:60] for item in BAD])
def test_a_mistake_in_a_script_is_a_400_with_its_pointer(
    own: MockServer, call: Call, scenario: Any, pointer: str, reason: str
) -> None:
    answer = play(call, own, scenario)
    assert answer.status_code == 400
    assert answer.json()["pointer"].startswith(pointer)
    assert reason in answer.json()["error"]
    assert answer.json()["error"].startswith(answer.json()["pointer"] or "/: ")


def test_a_script_with_a_mistake_changes_nothing(
    own: MockServer, call: Call, statuses: Callable[..., list[int]]
) -> None:
    play(call, own, {"answers": [{"status": 500}, {"status": 1}], "limits": {"credits": 0}})
    assert statuses(2) == [200, 200]


def test_invalid_json_is_a_400_with_its_position(own: MockServer, call: Call) -> None:
    answer = call(own, SCENARIOS, key=None, content=b'{"answers":\n oops}')
    assert (answer.status_code, answer.json()["error"][:27]) == (400, "not JSON: line 2, column 2:")


@pytest.mark.parametrize("depth", [300, 100_000])
def test_a_script_that_is_nested_too_deep_is_refused(own: MockServer, call: Call, depth: int) -> None:
    script = b'{"answers":[{"violation":true,"body":' + b"[" * depth + b"]" * depth + b"}]}"
    assert call(own, SCENARIOS, key=None, content=script).status_code == 400


@pytest.mark.parametrize(
    "scenario",
    [{1: 2}, {"answers": [{"body": {1, 2}}]}, {"limits": {"credits": 10**400}}, {"answers": [{"\ud800": 1}]}],
)
def test_a_value_outside_json_is_refused(own: MockServer, scenario: Any) -> None:
    with pytest.raises(BadScenario, match=r"^/: this cannot be written as JSON: "):
        own.play(scenario)


def test_scripts_are_bounded_together(own: MockServer, call: Call) -> None:
    assert play(call, own, {"answers": [{}] * 600}).status_code == 201
    answer = play(call, own, {"answers": [{}] * 600})
    assert (answer.status_code, answer.json()["pointer"]) == (400, "/answers")
    assert "600 are stored already" in answer.json()["error"]


_KEYS = st.sampled_from(
    [
        *(
            "answers",
            "limits",
            "status",
            "code",
            "times",
            "match",
            "prompt",
            "key",
            "call",
            "header",
            "headers",
            "body",
        ),
        *("delay", "violation", "fault", "images", "dialect", "envelope", "retry-after", "retry_after", "credits"),
        *("requests_per_minute", "content-type", "data", "path"),
    ]
)
_LEAVES = st.sampled_from([None, True, 0, 1, 2, 204, 429, 0.001, "1", "hang", "both", "legacy", "empty", "text/html"])
_SCRIPTLIKE = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=8
)
_ANSWER_VALUES = {
    "status": st.sampled_from([200, 204, 418, 429, 500]),
    "times": st.sampled_from([1, 3, None]),
    "fault": st.sampled_from(["empty", "broken-gzip", "hang", "truncated-json"]),
    "violation": st.sampled_from([True, "missing-data", "fewer-images"]),
    "images": st.sampled_from(["both", "url"]),
    "match": st.dictionaries(_KEYS, _LEAVES, max_size=1),
}


@pytest.fixture(scope="module")
def any_script(json_values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Generate scripts that are valid, nearly valid, and arbitrary."""
    nearly = st.fixed_dictionaries({}, optional={**_ANSWER_VALUES, "body": json_values, "headers": _SCRIPTLIKE})
    limits = st.fixed_dictionaries(
        {}, optional={"requests_per_minute": st.integers(-1, 3), "credits": st.integers(-1, 10**6)}
    )
    whole = st.fixed_dictionaries({"answers": st.lists(nearly, max_size=2)}, optional={"limits": limits})
    return whole | st.fixed_dictionaries({"answers": st.lists(_SCRIPTLIKE, max_size=2)}) | _SCRIPTLIKE | json_values


@settings(max_examples=150, deadline=None)
@given(st.data())
@example(None)
def test_any_json_value_is_accepted_or_refused_and_the_mock_keeps_working(
    own: MockServer, call: Call, edit: Edit, any_script: st.SearchStrategy[Any], data: st.DataObject | None
) -> None:
    own.reset()
    script = {"answers": [{"body": {"a": 1e308}, "violation": True}]} if data is None else data.draw(any_script)
    asked = {b"content-type": b"application/json"}
    answer = call(own, SCENARIOS, key=None, headers=[*asked.items()], content=json.dumps(script))
    assert answer.status_code in {201, 400}
    assert call(own, SCENARIOS, method="GET", key=None).status_code == 200
    own.play({"answers": [{"fault": "empty", "times": None}]})
    # No script asks for an answer that only a bug would give.
    for _ in range(4):
        try:
            got = call(own, json=edit(), headers={"prefer": "fault=empty"})
        except httpx.DecodingError:
            continue
        assert got.status_code != 500 or "500" in json.dumps(script)
    own.reset()
    assert call(own, json=edit()).status_code == 200

"""Renamings: reported when more than the schema supports them, and only then."""

from typing import Any

import pytest
from bodydouble_spec import Contract
from bodydouble_spec.diff.changes import Change
from bodydouble_spec.diff.contracts import diff
from bodydouble_spec.diff.renames import Candidate, find_renames, name_likeness, prose_likeness
from hypothesis import given
from hypothesis import strategies as st

RATE = "The sampling rate of the audio, in hertz."
NAMES = st.text("abc_", min_size=1, max_size=6)


def candidate(name: str, prose: str | None = None, *, number: int = 1, after: str = "") -> Candidate:
    return Candidate(name, {} if prose is None else {"description": prose}, str(number), False, (after, ""))


def renamed(before: Candidate, after: Candidate, *others: Candidate) -> bool:
    return (before, after) in find_renames([before], [after, *others])


def document(properties: dict[str, Any]) -> Contract:
    content = {"application/json": {"schema": {"type": "object", "properties": properties}}}
    operation = {"requestBody": {"content": content}, "responses": {"200": {"description": "done"}}}
    paths = {"/pictures": {"post": operation}}
    return Contract.load({"openapi": "3.0.0", "info": {"title": "t", "version": "1"}, "paths": paths}, overlay=None)


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    return diff(document(old), document(new))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (candidate("loars"), candidate("loras")),
        (candidate("sampleRate"), candidate("sample_rate", after="size")),
        (candidate("sample_rate", RATE), candidate("audio_sample_rate", RATE)),
        (candidate("tokens_used"), candidate("credits_used")),
        (candidate("frequency", RATE), candidate("sample_rate", RATE, after="size")),
        (
            candidate("tokens_used", "The number of tokens used."),
            candidate("credits_used", "The number of credits used."),
        ),
    ],
    ids=lambda item: item.name,
)
def test_a_renamed_property_is_detected(before: Candidate, after: Candidate) -> None:
    assert renamed(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (candidate("parallel_tool_calls"), candidate("echo", after="n")),
        (candidate("parallel_tool_calls"), candidate("echo")),
        (candidate("loars"), candidate("loras", number=2)),
        (candidate("first_frame_url"), candidate("last_frame_url")),
        (candidate("video_url"), candidate("image_url")),
        (candidate("prompt_text"), candidate("negative_prompt_text")),
        (candidate("minValue"), candidate("maxValue")),
        (candidate("width", "The width of the image."), candidate("height", "The height of the image.")),
        (
            candidate("guidance", "How closely the picture follows the prompt."),
            candidate("guidances", "The language in which a person speaks aloud."),
        ),
        (candidate("tokens_used"), candidate("credits_used", after="data")),
    ],
    ids=lambda item: item.name,
)
def test_different_properties_are_not_renamings(before: Candidate, after: Candidate) -> None:
    assert not renamed(before, after)


def test_half_a_name_is_not_enough_among_several_added_properties() -> None:
    assert not renamed(candidate("tokens_used"), candidate("credits_used"), candidate("usd_spent"))


def test_the_likeliest_of_several_renamings_is_chosen() -> None:
    before, after, other = candidate("loars", RATE), candidate("loras", RATE), candidate("frequency", RATE)
    assert find_renames([before], [other, after]) == [(before, after)]


@given(st.lists(NAMES, unique=True, max_size=5), st.lists(NAMES, unique=True, max_size=5))
def test_no_property_is_in_two_renamings(removed: list[str], added: list[str]) -> None:
    pairs = find_renames([candidate(name) for name in removed], [candidate(name) for name in added])
    assert len({before.name for before, _ in pairs}) == len({after.name for _, after in pairs}) == len(pairs)


@given(st.text(), st.text())
def test_likeness_is_the_same_both_ways_for_equal_words_and_within_its_bounds(before: str, after: str) -> None:
    assert 0 <= name_likeness(before, after) <= 1
    assert name_likeness(before, before) == 1


@pytest.mark.parametrize(("before", "after"), [(None, RATE), (RATE, None), ("a b", RATE), (3, RATE)])
def test_missing_or_short_prose_has_no_likeness(before: Any, after: Any) -> None:
    assert prose_likeness(before, after) is None


def test_too_many_properties_at_once_are_no_renamings() -> None:
    before = [candidate(f"value_{n}") for n in range(60)]
    assert find_renames(before, [candidate(f"values_{n}") for n in range(60)]) == []


def test_a_renaming_replaces_the_removal_and_the_addition() -> None:
    found = changes({"loars": {"type": "string"}, "size": {}}, {"loras": {"type": "string"}, "size": {}})
    assert [(item.id, item.old, item.new, [covered.id for covered in item.covers]) for item in found] == [
        ("request-property-renamed", "loars", "loras", ["request-property-removed", "new-optional-request-property"])
    ]


def test_a_changed_default_of_a_renamed_property_is_reported_too() -> None:
    found = changes({"loars": {"type": "string"}}, {"loras": {"type": "string", "default": "x"}})
    assert [item.id for item in found] == ["request-property-renamed", "request-property-default-value-added"]

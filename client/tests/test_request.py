import enum
import json
import math
from typing import Any

import pytest
from bodydouble_client import ASPECT_RATIOS, ArgumentError, Job
from bodydouble_client._request import encode_job
from hypothesis import given
from hypothesis import strategies as st

URL = "http://in.test/a.png"
PROMPTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | PROMPTS,
    lambda inner: st.lists(inner) | st.dictionaries(PROMPTS, inner),
    max_leaves=5,
)


def _body(**values: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {"prompt": "p", "images": [URL], **values}
    body: dict[str, Any] = json.loads(encode_job(Job(**arguments)))
    return body


def test_only_the_required_properties_are_sent_unless_asked_for() -> None:
    assert _body() == {"model": "google/gemini-2.5-flash-image-edit", "prompt": "p", "image_urls": [URL]}


@given(
    PROMPTS,
    st.sampled_from(ASPECT_RATIOS),
    st.integers(1, 4),
    PROMPTS,
    st.dictionaries(PROMPTS.map("x_{}".format), JSON_VALUES, max_size=3),
)
def test_every_argument_arrives_as_it_was_given(
    prompt: str, aspect_ratio: str, num_images: int, provider: str, extra: dict[str, Any]
) -> None:
    named = {"prompt": prompt, "aspect_ratio": aspect_ratio, "num_images": num_images, "provider": provider}
    body = _body(**named, extra=extra)
    assert body == {"model": body["model"], "image_urls": [URL], **named, **extra}


def test_images_are_sent_in_order() -> None:
    urls = [f"http://in.test/{number}.png" for number in range(5)]
    assert _body(images=iter(urls))["image_urls"] == urls


def test_no_images_at_all_are_sent_as_an_empty_list() -> None:
    assert _body(images=[])["image_urls"] == []


@pytest.mark.parametrize("aspect_ratio", ["16:10", "", "1", 1, 16 / 9, True, "1:1 ", ("1:1",), ["1:1"]])
def test_an_unknown_aspect_ratio_is_refused_with_the_allowed_values(aspect_ratio: Any) -> None:
    with pytest.raises(ArgumentError, match="aspect_ratio") as caught:
        _body(aspect_ratio=aspect_ratio)
    assert caught.value.allowed == ASPECT_RATIOS


@pytest.mark.parametrize("num_images", [0, 5, -1, 1.0, 2.5, True, "2", math.nan, pytest.param(10**5000, id="huge")])
def test_a_number_of_images_other_than_1_to_4_is_refused_with_the_allowed_values(num_images: Any) -> None:
    with pytest.raises(ArgumentError, match="num_images") as caught:
        _body(num_images=num_images)
    assert caught.value.allowed == (1, 2, 3, 4)


def test_enumerations_of_the_caller_are_sent_as_their_values() -> None:
    class Ratio(enum.StrEnum):
        WIDE = "16:9"

    assert _body(aspect_ratio=Ratio.WIDE)["aspect_ratio"] == "16:9"


@pytest.mark.parametrize("name", ["prompt", "provider"])
@pytest.mark.parametrize("value", [b"bytes", 5, ["text"], "\ud800", "a\udfffb"])
def test_anything_but_encodable_text_is_refused_naming_the_argument(name: str, value: Any) -> None:
    with pytest.raises(ArgumentError, match=name) as caught:
        _body(**{name: value})
    assert str(caught.value).isprintable()


def test_a_missing_prompt_is_refused() -> None:
    with pytest.raises(ArgumentError, match="prompt"):
        _body(prompt=None)


@pytest.mark.parametrize("images", [URL, b"BM", bytearray(b"BM"), None, 5, {"url": URL}])
def test_a_single_image_outside_a_list_is_refused_with_what_to_do(images: Any) -> None:
    with pytest.raises(ArgumentError, match=r"images must be a list.*into a list"):
        _body(images=images)


def test_a_file_object_outside_a_list_is_refused(tmp_path: Any) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"BM")
    with path.open("rb") as file, pytest.raises(ArgumentError, match="list"):
        _body(images=file)


def test_the_bad_image_among_good_ones_is_named() -> None:
    with pytest.raises(ArgumentError, match=r"^images\[1\]"):
        _body(images=[URL, b"no picture", URL])


@pytest.mark.parametrize("name", ["model", "prompt", "image_urls", "aspect_ratio", "num_images", "provider"])
def test_extra_cannot_replace_what_the_client_sets(name: str) -> None:
    with pytest.raises(ArgumentError, match=name):
        _body(extra={name: None})


def _nested(depth: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


BAD_EXTRAS: dict[str, Any] = {
    "number": 5,
    "pairs": [("a", 1)],
    "key that is no text": {5: 1},
    "nan": {"a": math.nan},
    "infinity": {"a": math.inf},
    "object": {"a": object()},
    "bytes": {"a": b"bytes"},
    "surrogate": {"a": "\ud800"},
    "surrogate key": {"\ud800": 1},
    "deep": {"a": _nested(100_000)},
}


@pytest.mark.parametrize("name", BAD_EXTRAS)
def test_extra_that_json_cannot_express_is_refused(name: str) -> None:
    with pytest.raises(ArgumentError, match="extra"):
        _body(extra=BAD_EXTRAS[name])

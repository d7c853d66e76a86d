"""Recorded bodies: their JSON, a description for each picture, and a limit on long texts."""

import base64
import hashlib
from typing import Any

import orjson
import pytest
from bodydouble_spec import RecordedPicture, Redactor, decode_picture, record_body, record_value, restore_pictures
from hypothesis import example, given, settings
from hypothesis import strategies as st

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
BASE64 = base64.b64encode(PNG).decode()
NAMES = st.text(max_size=8) | st.sampled_from(["api_key", "token", "prompt", "design", "Bearer"])
TEXTS = (
    st.text(max_size=40)
    | st.sampled_from(
        [
            BASE64,
            f"data:image/png;base64,{BASE64}",
            "Bearer sk-0123456789",
            "https://a:b@c/?key=1",
            "%41",
            "basic dXNlcjpwYXNz",
            "a=b",
        ]
    )
    | st.text("=&?#:/@%\\kKeEyY", max_size=12)
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)


def encoded(value: Any) -> bytes:
    import json

    return json.dumps(value).encode()


@settings(deadline=None)
@given(JSON, st.lists(st.text(min_size=8, max_size=12), max_size=1))
@example({"a": "x" * 2000}, [])
@example([[[]]] * 40, [])
def test_the_fast_path_records_the_same_as_the_slow_path(value: Any, keys: list[str]) -> None:
    data = encoded(value)
    try:
        parsed = orjson.loads(data)
    except orjson.JSONDecodeError:
        return
    redactor = Redactor(keys)
    if parsed is not None:
        assert record_body(data, redactor)[0] == record_value(parsed, redactor)


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_kept_as_json_or_described(data: bytes) -> None:
    body, raw = record_body(data, Redactor())
    assert raw is None or (body is None and raw["bytes"] == len(data) and len(raw["text"]) <= 200)
    assert not data or body is not None or raw is not None


@pytest.mark.parametrize("text", [BASE64, f"data:image/png;base64,{BASE64}"])
def test_a_picture_is_kept_by_hash_type_bytes_and_pixels(text: str) -> None:
    (kept,), _ = record_body(orjson.dumps([text]), Redactor())
    assert kept == {
        "$picture": {
            "sha256": hashlib.sha256(PNG).hexdigest(),
            "media_type": "image/png",
            "bytes": len(PNG),
            "pixels": [1, 1],
            "data_uri": text.startswith("data:"),
        }
    }


@settings(deadline=None)
@given(st.binary(min_size=24, max_size=200), st.sampled_from(["image/png", "image/jpeg", ""]))
def test_nothing_of_a_data_uris_base64_is_kept(data: bytes, media_type: str) -> None:
    text = base64.b64encode(data).decode()
    kept, _ = record_body(orjson.dumps({"image_urls": [f"data:{media_type};base64,{text}"]}), Redactor())
    assert text[:16] not in str(kept)


@pytest.mark.parametrize(
    "text", ["https://example.com/a.png", "a photo of Qkumba", "/9j/ is how a JPEG begins, in Base64", "data:,hello"]
)
def test_a_text_that_is_no_picture_is_kept(text: str) -> None:
    assert record_body(orjson.dumps([text]), Redactor())[0] == [text]


def test_a_long_base64_text_of_unknown_kind_is_kept_by_hash() -> None:
    kept, _ = record_body(orjson.dumps(["A" * 1024]), Redactor())
    assert RecordedPicture.read(kept[0]) is not None


@settings(deadline=None)
@given(st.lists(st.sampled_from([BASE64, f"data:image/png;base64,{BASE64}", "https://example.com/a.png"])))
def test_pictures_can_be_restored_as_they_were_sent(inputs: list[str]) -> None:
    body = {"prompt": "x", "image_urls": inputs}
    kept, _ = record_body(orjson.dumps(body), Redactor())
    assert restore_pictures(kept, lambda picture: picture.encode(PNG, "image/png")) == body


@settings(deadline=None)
@given(JSON)
def test_any_json_is_a_recorded_picture_or_none(value: Any) -> None:
    for candidate in (value, {"$picture": value}):
        picture = RecordedPicture.read(candidate)
        assert picture is None or RecordedPicture.read(picture.to_dict()) == picture


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_decodes_to_some_bytes(text: str) -> None:
    assert isinstance(decode_picture(text), bytes)


def test_a_prompt_is_kept_whole_up_to_20000_characters() -> None:
    prompt = "long " * 4000
    assert record_body(orjson.dumps({"prompt": prompt}), Redactor())[0] == {"prompt": prompt}


def test_a_longer_prompt_is_cut_and_says_how_long_it_was() -> None:
    kept, _ = record_body(orjson.dumps({"prompt": "long " * 4001}), Redactor())
    assert kept["prompt"].endswith("… [cut; 20,005 characters in all]")
    assert len(kept["prompt"]) < 20_100


@settings(deadline=None)
@given(st.integers(0, 40))
def test_a_cut_shows_no_part_of_a_key(shift: int) -> None:
    key = "sk-canary-0123456789"
    prompt = "x " * 9_980 + "y" * shift + key + " z" * 2000
    kept, _ = record_body(orjson.dumps({"prompt": prompt}), Redactor([key]))
    assert "sk-" not in kept["prompt"]


@pytest.mark.parametrize("body", [[0] * 10_001, ["x " * 7_500] * 15, None, {"a": ["b c" * 100] * 3000}])
def test_a_body_that_is_too_large_is_described(body: Any) -> None:
    data = orjson.dumps(body)
    kept, raw = record_body(data, Redactor())
    assert kept is None
    assert raw is not None
    assert (raw["bytes"], raw["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


def test_deep_nesting_is_cut() -> None:
    kept, _ = record_body(b"[" * 900 + b"]" * 900, Redactor())
    assert "[nested deeper than 64]" in str(kept)


def test_two_names_that_are_equal_after_redaction_are_both_kept() -> None:
    kept, _ = record_body(b'{"sk-canary-0": 1, "%73k-canary-0": 2}', Redactor(["sk-canary-0"]))
    assert kept == {"***": 1, "****": 2}

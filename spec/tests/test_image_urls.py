"""The rule for input pictures: an http(s) URL with a host, a data URI, or Base64 that begins like a picture."""

import base64
import io
from pathlib import Path

import pytest
import yaml
from bodydouble_spec import Contract
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

PICTURES: dict[str, list[str]] = yaml.safe_load((Path(__file__).parent / "image_urls.yaml").read_text(encoding="utf-8"))
MODEL = "google/gemini-2.5-flash-image-edit"
MAGICS = {
    "JPEG": b"\xff\xd8\xff",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "GIF87a": b"GIF87a",
    "GIF89a": b"GIF89a",
    "WebP": b"RIFF\x24\x00\x00\x00WEBP",
    "BMP": b"BM",
}


def is_accepted(contract: Contract, picture: str) -> bool:
    return contract.operation().validate_request({"model": MODEL, "prompt": "p", "image_urls": [picture]}) == []


def encoded(image_format: str) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2), "teal").save(buffer, image_format)
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.mark.parametrize("picture", PICTURES["accepted"])
def test_an_input_picture_is_accepted(vendored: Contract, picture: str) -> None:
    assert is_accepted(vendored, picture)


@pytest.mark.parametrize("picture", PICTURES["refused"])
def test_a_text_that_is_no_input_picture_is_refused(vendored: Contract, picture: str) -> None:
    assert not is_accepted(vendored, picture)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "GIF", "WEBP", "BMP"])
@pytest.mark.parametrize("prefix", ["", "data:image/any;base64,"])
def test_a_real_picture_is_accepted_as_base64_and_as_a_data_uri(
    vendored: Contract, image_format: str, prefix: str
) -> None:
    assert is_accepted(vendored, prefix + encoded(image_format))


@pytest.mark.parametrize("image_format", ["TIFF", "ICO", "PPM"])
def test_base64_of_another_kind_of_picture_is_refused(vendored: Contract, image_format: str) -> None:
    assert not is_accepted(vendored, encoded(image_format))


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(sorted(MAGICS)), st.binary(min_size=2, max_size=60), st.binary(min_size=4, max_size=4))
def test_base64_of_any_bytes_that_begin_like_a_picture_is_accepted(
    vendored: Contract, name: str, rest: bytes, size: bytes
) -> None:
    magic = MAGICS[name] if name != "WebP" else b"RIFF" + size + b"WEBP"
    assert is_accepted(vendored, base64.b64encode(magic + rest).decode())


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=60))
def test_base64_of_bytes_that_begin_like_no_picture_is_refused(vendored: Contract, data: bytes) -> None:
    is_picture = data.startswith(tuple(MAGICS.values())) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")
    if not is_picture:
        assert not is_accepted(vendored, base64.b64encode(data).decode())

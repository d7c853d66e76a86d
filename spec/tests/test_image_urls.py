"""The rule for input pictures: an http(s) URL with a host, a data URI, or Base64 that begins like a picture."""

import base64
import io

import pytest
from bodydouble_spec import Contract
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

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


@pytest.mark.parametrize(
    "picture",
    [
        "https://a.example/b.png",
        "http://a",
        "HTTPS://A.EXAMPLE/B.PNG",
        "https://a.example?x=1#y",
        "https://a.example:8443/b",
        "https://a.example:/b",
        "https://user:secret@a.example/b",
        "https://user@127.0.0.1:80/b",
        "https://[::1]/b",
        "https://[2001:db8::1]:443/b?c",
        "https://münchen.example/ü 1.png".replace(" ", "%20"),
        "data:image/png;base64,iVBORw0KGgo=",
        "data:image/svg+xml;base64,AA==",
        "data:image/jpeg;charset=utf-8;name=a.jpg;base64,/9j/AA",
    ],
)
def test_it_is_accepted(vendored: Contract, picture: str) -> None:
    assert is_accepted(vendored, picture)


@pytest.mark.parametrize(
    "picture",
    [
        "",
        " https://a.example",
        "https://a.example/b c",
        "https://a.example/b\n",
        "https://a.example\x00",
        "https://",
        "https:///b.png",
        "https://:443/b",
        "https://@/b",
        "https://user@/b",
        "https:/a.example",
        "https://[::1/b",
        "https://[example]/b",
        "https://a.example:port/",
        "https://a.example:443443/",
        "ftp://a.example/b",
        "file:///etc/passwd",
        "//a.example/b",
        "a.example/b.png",
        "javascript:alert(1)",
        "data:image/png,iVBORw0KGgo=",
        "data:image/png;base64,",
        "data:image/png;base64,iVBOR w0KGgo=",
        "data:image/png;base64,iVBORw0KGgo=\n",
        "data:text/plain;base64,aGVsbG8=",
        "data:;base64,iVBORw0KGgo=",
        "iVBORw0KGgo=\n",
        "iVBORw0KGgo-_",
        "aGVsbG8gd29ybGQ=",
        "/9j",
        "UklGRgAAAABBVkkg",
        "R0lGODhhAAAA!",
    ],
)
def test_it_is_refused(vendored: Contract, picture: str) -> None:
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

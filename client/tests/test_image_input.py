import base64
import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from bodydouble_client import ArgumentError
from bodydouble_client._image_input import encode_image
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n" + b"rest"
PICTURES = {
    "image/jpeg": b"\xff\xd8\xff\xe0rest",
    "image/png": PNG,
    "image/gif": b"GIF89arest",
    "image/webp": b"RIFF\x00\x00\x00\x00WEBPrest",
    "image/bmp": b"BM\x00\x00rest",
}
TEXTS: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "image_inputs.yaml").read_text("utf-8"))
# the forms in which a caller may have a picture
LOCAL_FORMS: dict[str, Callable[[bytes, Path], Any]] = {
    "bytes": lambda data, _: data,
    "bytearray": lambda data, _: bytearray(data),
    "memoryview": lambda data, _: memoryview(data),
    "file object": lambda data, _: io.BytesIO(data),
    "path": lambda data, path: path,
    "path as text": lambda data, path: str(path),
}


def _data_uri(media_type: str, data: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def _sent(image: Any) -> str | None:
    """Return the text that is sent for an image, None when it is refused."""
    try:
        return encode_image("images[0]", image)
    except ArgumentError:
        return None


def _decoded(uri: str) -> bytes:
    return base64.b64decode(uri.partition(",")[2])


@pytest.mark.parametrize("form", LOCAL_FORMS)
@pytest.mark.parametrize("media_type", PICTURES)
def test_a_local_picture_becomes_a_data_uri_with_its_media_type(form: str, media_type: str, tmp_path: Path) -> None:
    data, path = PICTURES[media_type], tmp_path / "picture"
    path.write_bytes(data)
    assert encode_image("images[0]", LOCAL_FORMS[form](data, path)) == _data_uri(media_type, data)


@given(st.sampled_from(sorted(PICTURES)), st.binary())
def test_every_byte_of_a_local_picture_is_sent(media_type: str, tail: bytes) -> None:
    data = PICTURES[media_type] + tail
    assert _decoded(encode_image("images[0]", data)) == data


@given(st.sampled_from(sorted(PICTURES)), st.binary())
def test_raw_base64_of_a_picture_is_sent_as_it_is(media_type: str, tail: bytes) -> None:
    text = base64.b64encode(PICTURES[media_type] + tail).decode()
    assert encode_image("images[0]", text) == text


@pytest.mark.parametrize("text", TEXTS["unchanged"])
def test_a_url_a_data_uri_and_raw_base64_are_sent_as_they_are(text: str) -> None:
    assert encode_image("images[0]", text) == text


@pytest.mark.parametrize(("text", "sent"), TEXTS["encoded"].items())
def test_characters_that_a_url_cannot_contain_are_percent_encoded(text: str, sent: str) -> None:
    assert encode_image("images[0]", text) == sent


@pytest.mark.parametrize(
    "image",
    [
        *TEXTS["refused"],
        # YAML has no lone surrogates.
        *("x" * 100_000, "\ud800", "http://\ud800/"),
        *(b"", b"no picture", bytearray(b"<svg/>"), io.BytesIO(b""), io.StringIO("text"), None, 5, [PNG], object()),
    ],
    # An address in an id would differ between the processes that share the tests.
    ids=lambda image: repr(image).partition(" at 0x")[0][:30],
)
def test_anything_but_a_picture_is_refused_naming_the_argument(image: Any) -> None:
    with pytest.raises(ArgumentError, match=r"^images\[7\]") as caught:
        encode_image("images[7]", image)
    assert caught.value.argument == "images[7]"


@given(st.sampled_from(["", "http://", "data:image/png;base64,", "iVBORw0KGgo", "/"]), st.text())
def test_any_text_is_sent_as_ascii_or_refused(head: str, tail: str) -> None:
    sent = _sent(head + tail)
    assert sent is None or sent.isascii()


@given(st.binary())
def test_any_bytes_are_sent_whole_or_refused(data: bytes) -> None:
    sent = _sent(data)
    assert sent is None or _decoded(sent) == data


@given(st.binary().map(b"no picture ".__add__) | st.text().map("no such file ".__add__))
def test_the_text_of_a_refusal_is_short_and_printable(image: bytes | str) -> None:
    with pytest.raises(ArgumentError) as caught:
        encode_image("images[0]", image)
    assert (len(str(caught.value)) < 500, str(caught.value).isprintable()) == (True, True)


def test_an_existing_file_whose_name_looks_like_base64_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Qk0picture").write_bytes(PNG)
    assert encode_image("images[0]", "Qk0picture") == _data_uri("image/png", PNG)


@pytest.mark.parametrize("form", [str, Path])
def test_a_folder_is_refused(form: Any, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="directory"):
        encode_image("images[0]", form(tmp_path))


def test_a_missing_path_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"cat\.png"):
        encode_image("images[0]", tmp_path / "cat.png")


def test_a_file_object_is_read_from_its_current_position() -> None:
    file = io.BytesIO(b"skipped" + PNG)
    file.seek(7)
    assert _decoded(encode_image("images[0]", file)) == PNG


def test_a_file_object_opened_as_text_is_refused_with_the_mode_to_use(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"text")
    with path.open() as file, pytest.raises(ArgumentError, match="'rb'"):
        encode_image("images[0]", file)


def test_an_asynchronous_file_object_is_refused_with_what_to_pass() -> None:
    class Upload:
        async def read(self) -> bytes:
            return PNG

    with pytest.raises(ArgumentError, match="await"):
        encode_image("images[0]", Upload())


def test_a_file_object_that_fails_is_an_argument_error(tmp_path: Path) -> None:
    file = (tmp_path / "a").open("w+b")
    file.close()
    with pytest.raises(ArgumentError, match="closed"):
        encode_image("images[0]", file)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    # Permissions would not do: root reads every file.
    error = PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    def refuse(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "read_bytes", refuse)
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(ArgumentError, match="denied"):
        encode_image("images[0]", path)


@pytest.mark.parametrize(
    "mode",
    ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "La", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "I;16"],
)
def test_a_pillow_image_of_every_mode_is_sent_as_png_of_its_size(mode: str) -> None:
    sent = encode_image("images[0]", Image.new(mode, (7, 5)))
    with Image.open(io.BytesIO(_decoded(sent))) as opened:
        assert (opened.format, opened.size) == ("PNG", (7, 5))


def test_a_pillow_image_keeps_its_pixels() -> None:
    image = Image.effect_noise((16, 16), 50).convert("RGB")
    with Image.open(io.BytesIO(_decoded(encode_image("images[0]", image)))) as opened:
        assert opened.tobytes() == image.tobytes()


def test_a_pillow_image_with_an_exif_orientation_is_sent_upright() -> None:
    image, file = Image.new("RGB", (7, 5)), io.BytesIO()
    exif = image.getexif()
    exif[0x0112] = 6  # turned by 90 degrees
    image.save(file, "JPEG", exif=exif)
    with Image.open(file) as lying, Image.open(io.BytesIO(_decoded(encode_image("images[0]", lying)))) as opened:
        assert opened.size == (5, 7)


def test_a_damaged_pillow_image_is_an_argument_error() -> None:
    file = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(file, "PNG")
    with Image.open(io.BytesIO(file.getvalue()[:200])) as damaged, pytest.raises(ArgumentError, match="images"):
        encode_image("images[0]", damaged)


def test_pillow_is_not_imported_unless_the_caller_uses_it() -> None:
    code = "import sys; from bodydouble_client._image_input import encode_image as e; e('images[0]', b'BM'); print('PIL' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"

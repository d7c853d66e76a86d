"""The kind of a picture by its first bytes, and that everything that records, draws or checks pictures goes by it."""

import base64
import io
import struct
import time

import pytest
from bodydouble_spec import PictureKind, RecordedPicture, file_format, picture_kind
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

FORMATS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
}
SOUND = b"RIFF" + struct.pack("<I", 80) + b"WAVEfmt " + bytes(72)


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


@pytest.mark.parametrize("form", [*FORMATS, "WEBP lossless", "WEBP alpha", "JPEG progressive", "JPEG exif"])
@settings(deadline=None, max_examples=20)
@given(st.integers(1, 200), st.integers(1, 200))
def test_the_kind_is_the_one_saved(form: str, width: int, height: int) -> None:
    name, _, way = form.partition(" ")
    image = Image.new("RGBA" if way == "alpha" else "RGB", (width, height))
    options = {"progressive": way == "progressive", "lossless": way == "lossless"}
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(image, name, **options, **({"exif": exif, "comment": b"c" * 900} if way == "exif" else {}))
    assert picture_kind(data) == (FORMATS[name], (width, height))


def test_a_bitmap_stored_from_top_to_bottom_has_its_size() -> None:
    assert picture_kind(b"BM" + bytes(12) + struct.pack("<Iii", 40, 30, -20)) == ("image/bmp", (30, 20))


def test_a_bitmap_of_os2_has_its_size() -> None:
    assert picture_kind(b"BM" + bytes(12) + struct.pack("<IHH", 12, 30, 20)) == ("image/bmp", (30, 20))


@pytest.mark.parametrize("data", [b"", b"<svg/>", b"II+\0", b"\x89PNG", b"GIF88a", SOUND, b"\0\0\0\x18ftypheic"])
def test_other_bytes_are_no_picture(data: bytes) -> None:
    assert picture_kind(data) is None


@given(st.binary(max_size=64))
def test_bytes_with_something_before_the_signature_are_no_picture(data: bytes) -> None:
    assert picture_kind(b"?" + data) is None


@given(
    st.sampled_from([encoded(Image.new("RGB", (24, 17)), form) for form in FORMATS]), st.integers(12, 60), st.binary()
)
def test_a_broken_header_gives_a_size_or_none(data: bytes, length: int, rest: bytes) -> None:
    kind = picture_kind(data[:length] + rest)
    assert kind is not None
    assert kind.pixels is None or min(kind.pixels) > 0


@pytest.mark.parametrize("filling", [b"\xff", b"\xff\x01", b"\xff\xe0\0\0"])
def test_a_jpeg_of_nothing_but_segments_takes_no_time(filling: bytes) -> None:
    data = b"\xff\xd8" + filling * 5_000_000
    started = time.process_time()
    assert picture_kind(data) == PictureKind("image/jpeg", None)
    assert time.process_time() - started < 0.5


def tiff(tile: tuple[int, int]) -> bytes:
    """Return the header of a big-endian TIFF of 40x30 pixels in tiles of a size."""
    entries = struct.pack(">HHII", 256, 4, 1, 40) + struct.pack(">HHIHH", 257, 3, 1, 30, 0)
    entries += struct.pack(">HHII", 322, 4, 1, tile[0]) + struct.pack(">HHII", 323, 4, 1, tile[1])
    return b"MM\0*" + struct.pack(">IH", 8, 4) + entries


def test_a_tiff_whose_tile_would_take_gigabytes_has_no_size() -> None:
    assert picture_kind(tiff((1024, 1024))) == PictureKind("image/tiff", (40, 30))
    assert picture_kind(tiff((100_000, 100_000))) == PictureKind("image/tiff", None)


def test_an_avif_of_another_brand_is_told_from_heic() -> None:
    header = b"\0\0\0\x1cftypmif1\0\0\0\0mif1%b" + b"ispe" + struct.pack(">III", 0, 40, 30)
    assert picture_kind(header % b"avif") == PictureKind("image/avif", (40, 30))
    assert (picture_kind(header % b"heic"), file_format(header % b"heic")) == (None, "HEIC")


@pytest.mark.parametrize("data", [SOUND, b"BANANAS are no bitmap, and neither is this text"])
def test_base64_that_begins_almost_like_a_picture_is_not_recorded_as_one(data: bytes) -> None:
    """A bitmap begins with "BM"; the first two Base64 characters, with four bits of the second byte, cannot tell it from "BA"."""
    assert RecordedPicture.of(base64.b64encode(data).decode()) is None
    assert picture_kind(data) is None


def test_a_long_recorded_sound_is_not_called_webp() -> None:
    recorded = RecordedPicture.of(base64.b64encode(SOUND * 20).decode())
    assert recorded is not None
    assert recorded.media_type is None


@pytest.mark.parametrize("form", FORMATS)
def test_a_picture_is_recorded_with_the_pixels_of_its_header(form: str) -> None:
    data = encoded(Image.effect_noise((40, 30), 80).convert("RGB"), form)
    recorded = RecordedPicture.of(base64.b64encode(data).decode())
    assert recorded is not None
    assert (recorded.media_type, recorded.pixels) == picture_kind(data)

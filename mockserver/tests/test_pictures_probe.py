"""Input images: every mode that a client may send, headers that overstate the size, and bytes that are not an image."""

import io
import struct
import time
import zlib

import pytest
from bodydouble_mockserver.pictures import PictureSpec, SourceImage, draw, pixels_for_ratio
from bodydouble_mockserver.pictures.probe import DecodeFailure, decode
from bodydouble_spec import picture_kind
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

FORMATS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
    "AVIF": "image/avif",
}
ORANGE = (255, 153, 51)


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


SAMPLES = [encoded(Image.effect_noise((24, 17), 80).convert("RGB"), form) for form in FORMATS]


def shown(data: bytes, box: tuple[int, int] = (100, 100)) -> Image.Image:
    image = decode(data, box)
    assert isinstance(image, Image.Image), image
    return image


def is_near(pixel: float | tuple[int, ...] | None, expected: tuple[int, int, int]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(value - target) <= 12 for value, target in zip(pixel, expected, strict=False))


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + b"\0\0\0\1IDAT"
    )


def jpeg_header(width: int, height: int) -> bytes:
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"
    scan = b"\1\1\0\0\x3f\0"
    return b"\xff\xd8\xff\xc0" + struct.pack(">H", 11) + frame + b"\xff\xda" + struct.pack(">H", 8) + scan


def bmp_header(width: int, height: int) -> bytes:
    information = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + information


def webp_chunk(name: bytes, payload: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 12 + len(payload)) + b"WEBP" + name + struct.pack("<I", len(payload)) + payload


HEADERS = {
    "png": png_header(20000, 10000),
    "jpeg": jpeg_header(20000, 10000),
    "bmp": bmp_header(20000, 10000),
    "gif": b"GIF89a" + struct.pack("<HHBBB", 20000, 10000, 0, 0, 0),
    "webp extended": webp_chunk(b"VP8X", b"\0\0\0\0" + struct.pack("<HBHB", 19999, 0, 9999, 0)),
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_large_image_is_measured_and_refused_by_its_header_alone(header: bytes) -> None:
    assert decode(header, (100, 100)) == DecodeFailure("too large", (20000, 10000))


def test_a_gif_frame_larger_than_its_screen_is_refused() -> None:
    screen = b"GIF89a" + struct.pack("<HHBBB", 10, 10, 0, 0, 0)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 9000, 9000, 0) + b"\2\1\0\0;"
    refusal = decode(screen + frame, (100, 100))
    assert isinstance(refusal, DecodeFailure)
    assert refusal.reason == "too large"


def test_what_is_decoded_in_one_step_is_bounded_by_fewer_pixels() -> None:
    entries = struct.pack("<HHII", 256, 4, 1, 6000) + struct.pack("<HHII", 257, 4, 1, 6000)
    assert decode(b"II*\0" + struct.pack("<IH", 8, 2) + entries, (9, 9)) == DecodeFailure("too large", (6000, 6000))


@pytest.mark.parametrize(
    ("data", "name"), [(b"\0\0\0\x18ftypheic", "HEIC"), (b"\xef\xbb\xbf<?xml version='1.0'?><svg/>", "SVG")]
)
def test_a_format_that_is_not_drawn_is_named(data: bytes, name: str) -> None:
    assert decode(data, (9, 9)) == DecodeFailure(f"{name}: cannot be drawn")


@pytest.mark.parametrize("form", FORMATS)
def test_a_truncated_file_is_unreadable(form: str) -> None:
    whole = encoded(Image.effect_noise((200, 200), 80).convert("RGB"), form)
    assert decode(whole[: len(whole) // 2], (100, 100)) == DecodeFailure("unreadable")


@pytest.mark.parametrize(
    ("mode", "form"),
    [
        ("RGB", "PNG"),
        ("RGBA", "PNG"),
        ("P", "PNG"),
        ("RGB", "JPEG"),
        ("CMYK", "JPEG"),
        ("P", "GIF"),
        ("RGB", "BMP"),
        ("P", "BMP"),
        ("RGB", "WEBP"),
        ("RGBA", "WEBP"),
        ("RGB", "TIFF"),
        ("RGBA", "TIFF"),
        ("CMYK", "TIFF"),
        ("RGB", "AVIF"),
        ("RGBA", "AVIF"),
    ],
)
def test_every_mode_keeps_its_colour(mode: str, form: str) -> None:
    assert is_near(shown(encoded(Image.new("RGB", (32, 32), ORANGE).convert(mode), form)).getpixel((50, 50)), ORANGE)


def test_sixteen_bit_grey_keeps_its_brightness() -> None:
    image = Image.new("I;16", (8, 8), 128 * 256)
    assert is_near(shown(encoded(image, "PNG")).getpixel((50, 50)), (128, 128, 128))


def test_transparency_of_a_palette_survives() -> None:
    image = Image.new("P", (8, 8))
    assert shown(encoded(image, "PNG", transparency=0)).getpixel((50, 50)) == (0, 0, 0, 0)


def test_the_first_frame_of_an_animation_is_shown() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in (ORANGE, (0, 0, 255))]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert is_near(shown(data).getpixel((50, 50)), ORANGE)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_orientation_of_the_camera_is_applied(form: str, orientation: int) -> None:
    scene = Image.new("RGB", (80, 40), "white")
    scene.paste(ORANGE, (0, 0, 40, 20))
    # The stored orientation of the scene for each tag: the inverse of the viewer's transformation by EXIF.
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = scene.transpose(turns[orientation]) if orientation in turns else scene
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = shown(encoded(stored, form, exif=exif), (80, 60)).convert("RGB")
    assert image.size == (80, 40)
    difference = ImageChops.difference(image.crop((4, 4, 36, 16)), Image.new("RGB", (32, 12), ORANGE))
    assert max(ImageStat.Stat(difference).mean) <= 12


@settings(deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 90), st.integers(1, 90))
def test_an_image_fills_its_box_in_one_direction_and_stays_inside(
    width: int, height: int, box_width: int, box_height: int
) -> None:
    image = shown(encoded(Image.new("RGB", (width, height)), "PNG"), (box_width, box_height))
    assert image.width <= box_width
    assert image.height <= box_height
    assert image.width == box_width or image.height == box_height


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(SAMPLES), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6), st.floats(0, 1))
def test_damaged_images_are_shown_or_refused(sample: bytes, edits: list[tuple[float, int]], end: float) -> None:
    damaged = bytearray(sample)
    for place, value in edits:
        damaged[min(int(place * len(damaged)), len(damaged) - 1)] = value
    result = decode(bytes(damaged[: 8 + int(end * len(damaged))]), (30, 20))
    assert isinstance(result, DecodeFailure) or (result.width <= 30 and result.height <= 20)


@settings(deadline=None, max_examples=100)
@given(st.sampled_from([b"", *(sample[:12] for sample in SAMPLES)]), st.binary(max_size=200))
def test_a_picture_is_drawn_whatever_the_bytes(start: bytes, rest: bytes) -> None:
    picture = PictureSpec(96, 64, "any", (SourceImage("input", start + rest),), 0, 1, "model", 1)
    assert picture_kind(draw(picture)) == ("image/png", (96, 64))


@settings(max_examples=300)
@given(st.integers(1, 10**9 - 1), st.integers(1, 10**9 - 1))
def test_a_ratio_gets_about_a_megapixel_in_steps_of_32(horizontal: int, vertical: int) -> None:
    size = pixels_for_ratio(f"{horizontal}:{vertical}")
    assert size is not None
    assert (size[0] % 32, size[1] % 32) == (0, 0)
    assert abs(size[0] * size[1] / 1024**2 - 1) < 0.07
    assert 256 <= min(size) <= max(size) <= 4096


@given(st.integers(1, 15), st.integers(1, 15))
def test_the_size_for_a_ratio_has_that_ratio(horizontal: int, vertical: int) -> None:
    size = pixels_for_ratio(f"{horizontal}:{vertical}")
    assert size is not None
    assert size[0] / size[1] == pytest.approx(horizontal / vertical, rel=0.08)


@pytest.mark.parametrize(
    ("ratio", "size"), [("1:1", (1024, 1024)), ("2.39:1", (1568, 672)), ("1:1000000", (256, 4096))]
)
def test_these_ratios_have_these_sizes(ratio: str, size: tuple[int, int]) -> None:
    assert pixels_for_ratio(ratio) == size


@pytest.mark.parametrize(
    "ratio", ["", "auto", "16/9", "0:1", "1:0.0", "-1:1", "1:1\n", "١:١", "1e9:1", "1:" + "9" * 99]
)
def test_an_invalid_ratio_has_no_size(ratio: str) -> None:
    assert pixels_for_ratio(ratio) is None


def progressive(size: tuple[int, int], scans: int) -> bytes:
    """Return a progressive JPEG file whose last scan is repeated until it has ``scans`` of them."""
    data = encoded(Image.new("RGB", size, ORANGE), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * (1 + scans - data.count(b"\xff\xda")) + data[-2:]


@pytest.mark.parametrize(("scans", "reason"), [(10, None), (200, None), (300, "too many scans")])
def test_the_scans_of_a_progressive_jpeg_are_bounded_by_the_pixels_of_each(scans: int, reason: str | None) -> None:
    image = decode(progressive((2000, 2000), scans), (50, 50))
    assert getattr(image, "reason", None) == reason


@pytest.mark.parametrize("size", [(1, 64_000_000), (65_536, 1), (8001, 8000)])
def test_a_side_or_an_area_beyond_what_is_decoded_is_refused_by_its_header(size: tuple[int, int]) -> None:
    assert decode(png_header(*size), (50, 50)) == DecodeFailure("too large", size)


@pytest.mark.parametrize("form", FORMATS)
def test_decoding_ends_when_the_processor_time_is_used(form: str) -> None:
    data = encoded(Image.new("RGB", (64, 64), ORANGE), form)
    assert decode(data, (50, 50), time.thread_time()) == DecodeFailure("takes too long", (64, 64))

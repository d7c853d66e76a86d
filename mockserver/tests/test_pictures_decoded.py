"""Decoded sources: each is decoded once for all pictures of a call, and bounded in memory."""

import io
import math
from concurrent.futures import ThreadPoolExecutor

import pytest
from bodydouble_mockserver.pictures import DecodedSources, PictureSpec, SourceImage, draw
from bodydouble_mockserver.pictures.probe import DecodeFailure
from PIL import Image

BOX = (40, 40)


def png(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (80, 60), colour).save(file, "PNG")
    return file.getvalue()


def test_threads_that_need_the_same_source_get_one_image() -> None:
    decoded = DecodedSources()
    source = SourceImage("a", png("orange"), "key")
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(decoded.get, source, BOX, math.inf) for _ in range(20)]
        images = [one.result() for one in waiting]
    assert isinstance(images[0], Image.Image)
    assert len({id(image) for image in images}) == 1


def test_another_box_and_another_source_are_decoded_anew() -> None:
    decoded = DecodedSources()
    first = decoded.get(SourceImage("a", png("orange"), "key"), BOX, math.inf)
    wider = decoded.get(SourceImage("a", png("orange"), "key"), (80, 80), math.inf)
    other = decoded.get(SourceImage("b", png("blue"), "other"), BOX, math.inf)
    assert isinstance(first, Image.Image)
    assert isinstance(wider, Image.Image)
    assert isinstance(other, Image.Image)
    assert (first.size, wider.size) == ((40, 30), (80, 60))
    assert first.getpixel((5, 5)) != other.getpixel((5, 5))


def test_the_oldest_is_dropped_beyond_the_bound() -> None:
    decoded = DecodedSources(max_bytes=40 * 30 * 4)
    source = SourceImage("a", png("orange"), "key")
    first = decoded.get(source, BOX, math.inf)
    decoded.get(SourceImage("b", png("blue"), "other"), BOX, math.inf)
    assert decoded.get(source, BOX, math.inf) is not first


@pytest.mark.parametrize(
    ("source", "expected"),
    [(SourceImage("a", None), None), (SourceImage("a", b"no picture", "key"), DecodeFailure("unreadable"))],
)
def test_what_cannot_be_shown_is_told_each_time(source: SourceImage, expected: DecodeFailure | None) -> None:
    decoded = DecodedSources()
    assert [decoded.get(source, BOX, math.inf) for _ in range(2)] == [expected] * 2


def test_a_kept_source_makes_the_same_picture() -> None:
    source = SourceImage("a", png("orange"), "key")
    spec = PictureSpec(256, 256, "hello", (source,), 0, 2, "model", 7)
    decoded = DecodedSources()
    assert draw(spec, decoded) == draw(spec, decoded) == draw(spec)

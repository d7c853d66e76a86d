"""The pictures: exact sizes, the same bytes for the same request, and a visible difference between requests."""

import io
import itertools
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from bodydouble_mockserver.pictures import PictureSpec, Render, SourceImage, draw, renderer_version
from bodydouble_mockserver.pictures.canvas import digest
from bodydouble_mockserver.pictures.tiles import Box, grid
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

PICTURE = PictureSpec(
    width=256,
    height=256,
    prompt="Put the dress on the woman",
    sources=(SourceImage("dress.png", None), SourceImage("woman.jpg", None)),
    index=0,
    count=4,
    model="google/gemini-2.5-flash-image-edit",
    seed=1,
)
texts = st.text(st.characters(exclude_categories=()), max_size=300)


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


def distance(first: Image.Image, second: Image.Image) -> float:
    """Return the mean absolute difference of red, green and blue (0 to 255), with 256x256 pixels averaged down to 32x32 first."""
    small = [image.reduce(8) for image in (first, second)]
    return sum(ImageStat.Stat(ImageChops.difference(*small)).mean) / 3


def least_distance(pictures: Sequence[PictureSpec]) -> float:
    drawn = [opened(draw(picture)) for picture in pictures]
    return min(distance(*pair) for pair in itertools.combinations(drawn, 2))


def encoded(colour: str, size: tuple[int, int] = (64, 64)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 8), texts, st.sampled_from(Render))
def test_a_picture_has_exactly_its_pixels(width: int, height: int, sources: int, text: str, render: Render) -> None:
    inputs = [None, encoded("gray"), encoded("red", (1, 90)), b"not a picture"]
    labelled = tuple(SourceImage(text, inputs[number % 4]) for number in range(sources))
    image = opened(draw(replace(PICTURE, width=width, height=height, sources=labelled, prompt=text, render=render)))
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (width, height))


@settings(deadline=None, max_examples=60)
@given(texts, texts, texts)
def test_any_text_is_drawn(prompt: str, label: str, model: str) -> None:
    picture = replace(PICTURE, prompt=prompt, sources=(SourceImage(label, None),), model=model)
    assert opened(draw(picture)).size == (256, 256)


@pytest.mark.parametrize("seed", [0, -1, 2**300])
def test_any_integer_is_a_seed(seed: int) -> None:
    assert opened(draw(replace(PICTURE, seed=seed))).size == (256, 256)


@pytest.mark.parametrize("size", [(0, 10), (10, -1)])
def test_a_picture_without_pixels_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="cannot be drawn"):
        replace(PICTURE, width=size[0], height=size[1])


def test_the_same_picture_gives_the_same_bytes_in_every_thread() -> None:
    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(draw, [PICTURE] * 8))) == 1


def test_the_same_picture_gives_the_same_bytes_in_another_process() -> None:
    picture = repr(PICTURE).replace(repr(PICTURE.render), "Render.CARDS")
    code = (
        "from bodydouble_mockserver.pictures import *; import hashlib;"
        f"print(hashlib.sha256(draw({picture})).hexdigest(), hashlib.sha256(draw({picture})).hexdigest())"
    )
    run = [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"]
    outputs = {subprocess.run(run, capture_output=True, text=True, check=True).stdout for _ in range(2)}
    assert len(outputs) == 1
    assert len(set(outputs.pop().split())) == 1


@pytest.mark.parametrize(
    "sources",
    [
        pytest.param((), id="no input"),
        pytest.param(PICTURE.sources, id="two URLs"),
        pytest.param((SourceImage("image 1", encoded("gray")),), id="one image"),
    ],
)
def test_different_requests_differ_by_at_least_4_of_255(sources: tuple[SourceImage, ...]) -> None:
    """Compare any two of 40 seeds, everything else being equal; see ``distance``.

    Over the first 200 seeds the minimum was 5.4 and the median above 23.
    """
    assert least_distance([replace(PICTURE, seed=seed, sources=sources) for seed in range(40)]) >= 4


@pytest.mark.parametrize("seed", range(6))
def test_the_images_of_one_request_differ_by_at_least_7_of_255(seed: int) -> None:
    """Compare any two of four images; see ``distance``. Over 60 seeds the minimum was 9."""
    assert least_distance([replace(PICTURE, seed=seed, index=index) for index in range(4)]) >= 7


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(replace(PICTURE, prompt="Put the dress on the man"), id="prompt"),
        pytest.param(replace(PICTURE, model="another/model"), id="model"),
        pytest.param(replace(PICTURE, count=3), id="count"),
        pytest.param(replace(PICTURE, sources=(SourceImage("skirt.png", None), PICTURE.sources[1])), id="label"),
    ],
)
def test_the_text_on_a_picture_follows_the_request(changed: PictureSpec) -> None:
    assert draw(changed) != draw(PICTURE)


def test_a_readable_input_is_shown_in_its_own_colours() -> None:
    image = opened(draw(replace(PICTURE, sources=(SourceImage("image 1", encoded("#1e90ff")),))))
    colours = {colour: count for count, colour in image.getcolors(256 * 256) or []}
    assert colours[(0x1E, 0x90, 0xFF)] > 0.1 * 256 * 256


def test_an_undecodable_input_looks_unlike_one_that_was_not_fetched() -> None:
    unreadable = replace(PICTURE, sources=(SourceImage("a.png", b"not an image"),))
    assert draw(unreadable) != draw(replace(PICTURE, sources=(SourceImage("a.png", None),)))


@pytest.mark.parametrize("count", [14, 100])
def test_the_number_of_inputs_that_are_not_shown_is_written(count: int) -> None:
    pictures = [replace(PICTURE, sources=(SourceImage("a.png", None),) * number) for number in (count, count + 1)]
    assert draw(pictures[0]) != draw(pictures[1])


@settings(max_examples=200)
@given(st.integers(1, 12), st.integers(12, 3000), st.integers(12, 3000), st.integers(0, 1))
def test_tiles_are_inside_the_area_and_do_not_overlap(count: int, width: int, height: int, gap: int) -> None:
    boxes = grid(count, Box(5, 7, width, height), gap)
    assert len(boxes) == count
    assert all(box.left >= 5 and box.left + box.width <= 5 + width for box in boxes)
    assert all(box.top >= 7 and box.top + box.height <= 7 + height for box in boxes)
    for first, second in itertools.combinations(boxes, 2):
        beside = first.left + first.width + gap <= second.left or second.left + second.width + gap <= first.left
        assert beside or first.top + first.height + gap <= second.top


def test_the_renderer_version_is_sixteen_hexadecimal_digits() -> None:
    assert len(bytes.fromhex(renderer_version())) == 8


def test_the_renderer_version_changes_with_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest.__wrapped__()
    versions = {"pillow": "99.0"}

    def version(distribution: str) -> str:
        return versions.get(distribution, "1")

    monkeypatch.setattr("importlib.metadata.version", version)
    first = digest.__wrapped__()
    versions["pillow"] = "99.1"
    assert len({before, first, digest.__wrapped__()}) == 3


def test_importing_the_package_does_not_import_pillow() -> None:
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}; import bodydouble_mockserver.pictures; print('PIL' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"

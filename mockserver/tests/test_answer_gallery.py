"""The gallery: its memory is bounded by count and bytes, and it returns the requested pictures."""
# pyright: reportPrivateUsage=false
# The bounded collections are private; their recorded sizes have to agree with their contents.

import asyncio
import base64
import hashlib
import threading
from pathlib import Path

import pytest
from bodydouble_mockserver.answer import gallery as _gallery
from bodydouble_mockserver.answer.gallery import Gallery
from bodydouble_mockserver.answer.image_fields import EditRequest
from bodydouble_mockserver.keeping import RecipeBounds, Recipes
from bodydouble_mockserver.pictures import DecodedSources, PictureSpec, draw
from bodydouble_mockserver.pictures.store import ContentStore
from bodydouble_spec import decode_picture
from hypothesis import given, settings
from hypothesis import strategies as st

SMALL = (16, 16)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def edit(prompt: str = "a prompt", inputs: tuple[str, ...] = (), count: int = 1) -> EditRequest:
    return EditRequest("a/model", prompt, inputs, count, None, as_base64=False)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from([0, 100, 1500, 5000]), st.integers(0, 30), st.integers(1, 3)),
        max_size=30,
    )
)
def test_any_sequence_of_requests_stays_within_its_bounds(steps: list[tuple[int, int, int, int]]) -> None:
    recipes = Recipes(RecipeBounds(4, 10_000))
    gallery = Gallery(ContentStore(), None, recipes)
    for name, length, inputs, count in steps:
        request = digest(f"{name} {length} {inputs} {count}")
        gallery.remember(request, edit("x" * length, ("https://a/b.png",) * inputs, count), SMALL)
        costs = [recipe.memory_bytes for recipe in recipes]
        assert len(costs) <= 4
        assert len(costs) == 1 or sum(costs) <= 10_000
        assert recipes.memory_bytes == sum(costs)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2)), max_size=20))
def test_drawn_pictures_stay_within_their_bound_and_are_drawn_again(asked: list[tuple[int, int]]) -> None:
    async def ask() -> None:
        gallery = Gallery(ContentStore(), None)
        first: dict[str, bytes] = {}
        for name, index in asked:
            path = gallery.remember(digest(f"{name}"), edit(f"{name}", count=3), SMALL)[index]
            picture = await gallery.picture(path)
            assert picture is not None
            assert first.setdefault(path, picture.data) == picture.data
            assert gallery._image_bytes == sum(len(each.data) for each in gallery._images.values()) <= 2000

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_gallery, "_MAX_IMAGE_BYTES", 2000)
        asyncio.run(ask())


def test_pictures_can_be_asked_for_from_one_event_loop_after_another() -> None:
    gallery = Gallery(ContentStore(), None)
    paths = gallery.remember(digest("x"), edit(count=4), SMALL)

    async def ask() -> list[bool]:
        gallery._images.clear()
        return [picture is not None for picture in await asyncio.gather(*map(gallery.picture, paths))]

    assert [asyncio.run(ask()), asyncio.run(ask())] == [[True] * 4, [True] * 4]


def test_at_most_two_pictures_are_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[str] = set()

    def draw_and_note(picture: PictureSpec, decoded: DecodedSources) -> bytes:
        threads.add(threading.current_thread().name)
        return draw(picture, decoded)

    monkeypatch.setattr(_gallery, "draw", draw_and_note)
    gallery = Gallery(ContentStore(), None)
    paths = gallery.remember(digest("x"), edit(count=8), (256, 256))

    async def ask() -> None:
        await asyncio.gather(*map(gallery.picture, paths))

    asyncio.run(ask())
    assert len(threads) <= 2


def test_only_the_inputs_that_a_picture_shows_are_kept() -> None:
    store = ContentStore()
    inputs = tuple(base64.b64encode(b"%03d" % number).decode() for number in range(100))
    Gallery(store, None).remember(digest("x"), edit(inputs=inputs), SMALL)
    assert store.memory_bytes == 12 * 3


def test_a_picture_requested_twice_at_once_is_kept_once() -> None:
    gallery = Gallery(ContentStore(), None)
    (path,) = gallery.remember(digest("x"), edit(), SMALL)

    async def ask() -> set[bytes]:
        pictures = await asyncio.gather(*[gallery.picture(path) for _ in range(4)])
        return {picture.data for picture in pictures if picture}

    (data,) = asyncio.run(ask())
    assert gallery._image_bytes == len(data)


def test_the_file_order_of_a_folder_does_not_depend_on_the_request_order(pictures_folder: Path) -> None:
    first, second = Gallery(ContentStore(), pictures_folder), Gallery(ContentStore(), pictures_folder)
    second.remember(digest("another"), edit(), SMALL)
    paths = [gallery.remember(digest("x"), edit(), SMALL)[0] for gallery in (first, second)]
    drawn = [asyncio.run(gallery.picture(path)) for gallery, path in zip((first, second), paths, strict=True)]
    assert drawn[0] == drawn[1]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60) | st.text("data:,;base64AQ=", max_size=60))
def test_any_text_is_an_input(text: str) -> None:
    assert isinstance(decode_picture(text), bytes)

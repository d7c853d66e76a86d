"""The pictures behind the URLs: drawn from the request alone, cached by content, without any fetch."""

import base64
import io
import itertools
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import Images, MockServer, Render, Settings, create_app
from bodydouble_mockserver.keeping import KeepSettings
from bodydouble_mockserver.pictures.store import ContentStore
from bodydouble_spec import Contract
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageOps, ImageStat

Call = Callable[..., httpx.Response]
Edit = Callable[..., dict[str, Any]]
DRESS = "https://example.com/dress.png"
WOMAN = "https://example.com/woman.jpg"


def path_of(url: str) -> str:
    return httpx.URL(url).path


def pictures(app: MockServer, call: Call, body: dict[str, Any]) -> list[bytes]:
    items = call(app, json=body).raise_for_status().json()["data"]
    return [call(app, item["url"], method="GET").raise_for_status().content for item in items]


def distance(first: bytes, second: bytes) -> float:
    """Return the mean absolute difference of red, green and blue (0 to 255), with blocks of 32x32 pixels averaged first."""
    small = [Image.open(io.BytesIO(data)).convert("RGB").reduce(32) for data in (first, second)]
    return sum(ImageStat.Stat(ImageChops.difference(*small)).mean) / 3


def test_the_same_request_has_the_same_urls_and_bytes_whatever_the_order_of_its_keys(
    contract: Contract, call: Call, edit: Edit
) -> None:
    body = edit(num_images=2)
    apps = [create_app(contract), create_app(contract)]
    bodies = [body, dict(reversed(body.items()))]
    urls = [
        [item["url"] for item in call(app, json=each).json()["data"]] for app, each in zip(apps, bodies, strict=True)
    ]
    drawn = [pictures(app, call, each) for app, each in zip(apps, bodies, strict=True)]
    assert urls[0] == urls[1]
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"prompt": "Put the dress on the man"}, id="prompt"),
        pytest.param({"image_urls": [DRESS]}, id="fewer inputs"),
        pytest.param({"image_urls": [WOMAN, DRESS]}, id="order of the inputs"),
        pytest.param({"provider": "fal"}, id="provider"),
    ],
)
def test_different_requests_have_visibly_different_pictures(
    app: MockServer, call: Call, edit: Edit, changes: dict[str, Any]
) -> None:
    (first,), (second,) = (pictures(app, call, body) for body in (edit(), edit(**changes)))
    assert distance(first, second) >= 4


def test_the_pictures_of_one_request_differ_visibly(app: MockServer, call: Call, edit: Edit) -> None:
    drawn = pictures(app, call, edit(num_images=4))
    assert min(itertools.starmap(distance, itertools.combinations(drawn, 2))) >= 4


def test_embedded_and_linked_pictures_are_the_same_bytes(contract: Contract, call: Call, edit: Edit) -> None:
    app = create_app(contract, Settings(images=Images.BOTH))
    items = call(app, json=edit(num_images=2)).json()["data"]
    carried = [base64.b64decode(item["b64_json"]) for item in items]
    assert carried == [call(app, item["url"], method="GET").content for item in items]


def test_a_picture_has_the_newest_form_of_path(app: MockServer, call: Call, edit: Edit) -> None:
    (item,) = call(app, json=edit()).json()["data"]
    uuid4 = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    assert re.fullmatch(rf"/generations/[a-z]+/[0-9]{{13}}-{uuid4}\.png", path_of(item["url"]))


@pytest.fixture
def no_connection(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Record every host name lookup and every connection, and check that there are none."""
    attempts: list[object] = []

    def refuse(*arguments: object, **_options: object) -> None:
        attempts.append(arguments)
        raise OSError("no connection in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    return attempts


def test_input_urls_are_never_fetched(contract: Contract, call: Call, edit: Edit, no_connection: list[object]) -> None:
    app = create_app(contract, Settings(images=Images.BOTH))
    urls = ["http://127.0.0.1:9/a.png", "http://localhost:1/b.png", "https://example.com/c.png"]
    assert call(app, json=edit(image_urls=urls)).status_code == 200
    assert no_connection == []


def test_an_undecodable_input_is_answered_and_drawn(app: MockServer, call: Call, edit: Edit) -> None:
    broken = edit(image_urls=["data:image/png;base64,aGVsbG8="])
    assert pictures(app, call, broken) != pictures(app, call, edit(image_urls=[DRESS]))


def test_raw_base64_and_a_data_uri_show_the_same_picture(app: MockServer, call: Call, edit: Edit) -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "#1e90ff").save(file, "PNG")
    text = base64.b64encode(file.getvalue()).decode()
    for value in (text, f"data:image/png;base64,{text}"):
        (drawn,) = pictures(app, call, edit(image_urls=[value]))
        colours = {colour: count for count, colour in Image.open(io.BytesIO(drawn)).getcolors(2**20) or []}
        assert colours[(0x1E, 0x90, 0xFF)] > 10_000


def test_ninety_thousand_inputs_are_one_ordinary_picture(app: MockServer, call: Call, edit: Edit) -> None:
    (drawn,) = pictures(app, call, edit(image_urls=[DRESS] * 90_000))
    assert Image.open(io.BytesIO(drawn)).size == (1024, 1024)


@pytest.fixture(scope="module")
def picture(app: MockServer, call: Call, edit: Edit) -> httpx.Response:
    (item,) = call(app, json=edit()).json()["data"]
    return call(app, item["url"], method="GET")


@pytest.mark.parametrize(
    ("condition", "status"),
    [("{}", 304), ('"x", {}', 304), ("W/{}", 304), ("*", 304), ('"x"', 200), ("", 200)],
)
def test_a_picture_is_sent_again_only_when_it_changed(
    app: MockServer, call: Call, picture: httpx.Response, condition: str, status: int
) -> None:
    headers = {"if-none-match": condition.format(picture.headers["etag"])}
    answer = call(app, path_of(str(picture.url)), method="GET", headers=headers)
    assert (answer.status_code, answer.content == b"") == (status, status == 304)
    assert answer.headers["access-control-allow-origin"] == "*"


OTHER_PATHS: list[Callable[[str], str]] = [
    lambda path: path.replace(".png", ".jpg"),
    lambda path: path.replace("generations/", "generations/x"),
    lambda path: path.replace("-4", "-5"),
    lambda path: path[:-6] + "01.png",
    lambda path: path[:-6] + "zz.png",
    lambda path: path.upper(),
    lambda path: f"{path}/",
    lambda _: "/generations/otter/x",
    lambda _: "/generations/otter/-.png",
    lambda _: "/generations/otter/%00",
]


@pytest.mark.parametrize("change", OTHER_PATHS)
def test_any_other_path_is_404(
    app: MockServer, call: Call, picture: httpx.Response, change: Callable[[str], str]
) -> None:
    assert call(app, change(path_of(str(picture.url))), method="GET").status_code == 404


def test_an_evicted_picture_is_404_and_comes_back_with_its_request(
    contract: Contract, call: Call, edit: Edit, tmp_path: Path
) -> None:
    app = create_app(contract, keep=KeepSettings(tmp_path, max_recipes=2))
    urls = [call(app, json=edit(prompt=f"{number}")).json()["data"][0]["url"] for number in range(3)]
    assert [call(app, url, method="GET").status_code for url in urls] == [404, 200, 200]
    call(app, json=edit(prompt="0"))
    assert [call(app, url, method="GET").status_code for url in urls] == [200, 404, 200]


def test_an_evicted_input_is_a_tile_until_the_request_is_sent_again(
    contract: Contract, call: Call, edit: Edit, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ContentStore(memory_bytes=len(png))

    def small_store(*_limits: object) -> ContentStore:
        return store

    monkeypatch.setattr("bodydouble_mockserver.shared.memory.ContentStore", small_store)
    app = create_app(contract)
    body = edit(image_urls=[f"data:image/png;base64,{base64.b64encode(png).decode()}"])
    url = call(app, json=body).json()["data"][0]["url"]
    store.put(b"something else")
    without = call(app, url, method="GET").content
    call(app, json=body)
    assert distance(without, call(app, url, method="GET").content) > 1


def test_files_of_a_folder_are_served_instead(
    contract: Contract, call: Call, edit: Edit, pictures_folder: Path
) -> None:
    for file in pictures_folder.glob("*.png"):
        ImageOps.fit(Image.open(file), (1024, 1024)).save(file)
    app = create_app(contract, Settings(pictures=pictures_folder))
    files = {file.read_bytes() for file in pictures_folder.glob("*.png")}
    assert set(pictures(app, call, edit(num_images=2))) == files


@pytest.mark.parametrize(
    ("size", "done"),
    [
        ((1344, 768), None),
        ((640, 480), "cropped from 640x480 to 1344x768"),
        ((480, 640), "padded from 480x640 to 1344x768"),
    ],
)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP"])
def test_a_file_is_cropped_or_padded_to_the_documented_size_and_the_answer_says_so(
    contract: Contract, call: Call, edit: Edit, tmp_path: Path, form: str, size: tuple[int, int], done: str | None
) -> None:
    image = Image.new("RGB", size, "#1e90ff")
    image.paste("#ff9933", (0, 0, size[0], 20))
    image.save(tmp_path / "mine", form)
    app = create_app(contract, Settings(pictures=tmp_path))
    (item,) = call(app, json=edit(aspect_ratio="16:9")).json()["data"]
    answer = call(app, item["url"], method="GET")
    shown = Image.open(io.BytesIO(answer.content))
    assert (shown.format, shown.size) == (form, (1344, 768))
    assert answer.headers.get("x-bodydouble-note") == (None if done is None else f"mine: {done}")
    # What is cropped fills the picture, what is padded shows all of the file.
    corner = shown.convert("RGB").getpixel((5, 700))
    assert isinstance(corner, tuple)
    assert (abs(corner[0] - 0x1E) < 4) == (done is None or "cropped" in done)
    assert "cropped or padded" in app.notices[0]


def test_a_file_that_cannot_be_decoded_is_served_as_it_is_and_the_answer_says_so(
    contract: Contract, call: Call, edit: Edit, tmp_path: Path, png: bytes
) -> None:
    (tmp_path / "broken.png").write_bytes(png[:-30])
    app = create_app(contract, Settings(pictures=tmp_path))
    (item,) = call(app, json=edit()).json()["data"]
    answer = call(app, item["url"], method="GET")
    assert answer.content == png[:-30]
    assert answer.headers["x-bodydouble-note"] == "broken.png: unreadable, served unchanged"


def test_a_demonstration_shows_the_inputs_without_cards(contract: Contract, call: Call, edit: Edit) -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "#1e90ff").save(file, "PNG")
    body = edit(image_urls=[base64.b64encode(file.getvalue()).decode()], aspect_ratio="9:16")
    cards, demo = (pictures(create_app(contract, Settings(render=kind)), call, body)[0] for kind in Render)
    assert Image.open(io.BytesIO(demo)).size == Image.open(io.BytesIO(cards)).size == (768, 1344)
    red, green, blue = (
        band / 255 for band in ImageStat.Stat(Image.open(io.BytesIO(demo)).crop((300, 300, 460, 800))).mean
    )
    assert red < green < blue
    assert distance(cards, demo) > 20


def test_a_file_keeps_its_type_whatever_its_name(contract: Contract, call: Call, edit: Edit, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a picture.b c?", "JPEG")
    app = create_app(contract, Settings(pictures=tmp_path))
    (item,) = call(app, json=edit()).json()["data"]
    answer = call(app, item["url"], method="GET")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert item["url"].endswith(".jpeg")


def test_a_file_that_was_changed_is_fitted_again(contract: Contract, call: Call, edit: Edit, tmp_path: Path) -> None:
    def paint(colour: str, seconds: int) -> None:
        Image.new("RGB", (8, 6), colour).save(tmp_path / "a.png")
        os.utime(tmp_path / "a.png", (seconds, seconds))

    paint("red", 1)
    app = create_app(contract, Settings(pictures=tmp_path))
    shown: list[tuple[Any, Any]] = []
    for prompt, (colour, seconds) in enumerate([("red", 1), ("red", 1), ("blue", 2)]):
        paint(colour, seconds)
        url = call(app, json=edit(prompt=str(prompt))).json()["data"][0]["url"]
        picture = Image.open(io.BytesIO(call(app, url, method="GET").content)).convert("RGB")
        shown.append((picture.size, picture.getpixel((512, 512))))
    assert shown == [((1024, 1024), (255, 0, 0))] * 2 + [((1024, 1024), (0, 0, 255))]


def test_a_file_that_was_removed_is_404(contract: Contract, call: Call, edit: Edit, tmp_path: Path, png: bytes) -> None:
    (tmp_path / "a.png").write_bytes(png)
    app = create_app(contract, Settings(pictures=tmp_path))
    (item,) = call(app, json=edit()).json()["data"]
    (tmp_path / "a.png").unlink()
    assert call(app, item["url"], method="GET").status_code == 404


@pytest.mark.parametrize(
    ("name", "reason"), [("nothing", "is not a folder"), ("a.txt", "is not a folder"), (".", "contains no")]
)
def test_a_folder_without_pictures_is_refused(contract: Contract, tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "a.txt").write_text("not a picture")
    with pytest.raises(ValueError, match=reason):
        create_app(contract, Settings(pictures=tmp_path / name))


def seen(contract: Contract, call: Call, edit: Edit, seed: int | None) -> tuple[str, str, bytes]:
    app = create_app(contract, Settings(seed=seed))
    answer = call(app, json=edit())
    url = answer.json()["data"][0]["url"]
    return url, answer.headers["x-request-id"], call(app, url, method="GET").content


def test_a_seed_fixes_urls_ids_and_pictures(contract: Contract, call: Call, edit: Edit) -> None:
    assert seen(contract, call, edit, 7) == seen(contract, call, edit, 7)


def test_another_seed_gives_other_urls_ids_and_pictures(contract: Contract, call: Call, edit: Edit) -> None:
    first, second = seen(contract, call, edit, 7), seen(contract, call, edit, 8)
    assert first[0] != second[0]
    assert first[1] != second[1]
    assert distance(first[2], second[2]) >= 4


def test_without_a_seed_only_the_ids_differ(contract: Contract, call: Call, edit: Edit) -> None:
    first, second = seen(contract, call, edit, None), seen(contract, call, edit, None)
    assert [one == other for one, other in zip(first, second, strict=True)] == [True, False, True]


def test_the_public_url_is_the_origin_of_picture_urls(contract: Contract, call: Call, edit: Edit) -> None:
    app = create_app(contract, Settings(public_url="https://pictures.example/mock"))
    url = call(app, json=edit()).json()["data"][0]["url"]
    assert url.startswith("https://pictures.example/mock/generations/")


@pytest.mark.parametrize("host", ["localhost:8000", "[::1]:9", "api.aimlapi.com", "host_1.internal"])
def test_picture_urls_lead_to_the_host_that_was_called(app: MockServer, call: Call, edit: Edit, host: str) -> None:
    url = call(app, json=edit(), headers={"host": host}).json()["data"][0]["url"]
    assert url.startswith(f"http://{host}/generations/")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=40) | st.binary(min_size=1, max_size=4).map(lambda part: b"a.example" + part))
@example(b"")
@example(b"a" * 100_000)
@example(b'evil.example/?"><script>')
@example(b"a\r\nset-cookie: x=1")
@example(b"user@evil.example")
def test_an_invalid_host_is_not_in_the_answer(app: MockServer, call: Call, edit: Edit, host: bytes) -> None:
    answer = call(app, json=edit(), headers=[(b"host", host)])
    url = answer.raise_for_status().json()["data"][0]["url"]
    assert re.fullmatch(r"http://[A-Za-z0-9.:_\[\]-]{1,255}/generations/[a-z]+/[0-9a-f-]+\.png", url)


@pytest.mark.parametrize("path", ["/nowhere", "/v2/billing", "/generations/otter/1.png"])
@pytest.mark.parametrize("host", [b"evil.example/x?", b"[", b"a b", b""])
def test_the_host_does_not_change_which_path_an_error_names(
    app: MockServer, call: Call, path: str, host: bytes
) -> None:
    answer = call(app, path, method="GET", key=None, headers=[(b"host", host)])
    assert answer.json()["instance"] == path


@pytest.mark.parametrize("host", [b"evil.example/x?", b"[", b"a b"])
def test_the_host_does_not_change_which_picture_is_served(
    app: MockServer, call: Call, picture: httpx.Response, host: bytes
) -> None:
    answer = call(app, path_of(str(picture.url)), method="GET", headers=[(b"host", host)])
    assert answer.status_code == 200

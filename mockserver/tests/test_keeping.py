"""The folder of ``--keep``: pictures and inputs outlive the server, within bounds, and what is lost is said."""

import base64
import hashlib
import resource
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.keeping import CannotKeep, KeepFolder, KeepSettings, Recipe, RecipeInput
from bodydouble_spec import Contract
from hypothesis import given, settings
from hypothesis import strategies as st

Call = Callable[..., httpx.Response]
Edit = Callable[..., dict[str, Any]]
DAY_S = 86_400.0


class Keeping:
    """Servers one after another with one folder, at a time that the test sets."""

    def __init__(self, folder: Path, contract: Contract) -> None:
        self.folder = folder
        self._contract = contract
        self.now = 1_780_000_000.0

    @contextmanager
    def server(self, **bounds: Any) -> Generator[MockServer]:
        app = create_app(self._contract, Settings(clock=lambda: self.now), keep=KeepSettings(self.folder, **bounds))
        try:
            yield app
        finally:
            app.close()


@pytest.fixture
def keeping(tmp_path: Path, contract: Contract) -> Keeping:
    return Keeping(tmp_path / "kept", contract)


@pytest.fixture
def body(edit: Edit, png: bytes) -> dict[str, Any]:
    return edit(image_urls=[data_uri(png), "https://example.com/cat.png"], num_images=2)


def data_uri(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def urls_of(answer: httpx.Response) -> list[str]:
    return [item["url"] for item in answer.json()["data"]]


def files_of(call: Call, app: MockServer, urls: list[str]) -> list[bytes]:
    return [call(app, url, method="GET").content for url in urls]


def test_after_a_restart_a_url_leads_to_the_same_bytes_and_inputs_are_there(
    keeping: Keeping, call: Call, body: dict[str, Any], png: bytes
) -> None:
    with keeping.server() as app:
        urls = urls_of(call(app, json=body))
        before = files_of(call, app, urls)
    with keeping.server() as app:
        assert files_of(call, app, urls) == before
        assert app.input(hashlib.sha256(png).hexdigest()) == png
        assert app.problems() == []
    assert len({*before}) == 2


def test_what_was_not_kept_is_404_after_a_restart(call: Call, contract: Contract, body: dict[str, Any]) -> None:
    (url, _) = urls_of(call(create_app(contract), json=body))
    assert call(create_app(contract), url, method="GET").status_code == 404


def test_a_second_server_is_refused_while_the_first_one_keeps(keeping: Keeping) -> None:
    with keeping.server(), pytest.raises(CannotKeep, match="another process keeps its pictures in this folder"):
        KeepFolder(KeepSettings(keeping.folder), memory_bytes=0)
    with keeping.server():
        pass


@pytest.mark.parametrize("name", ["", "recipes.jsonl"])
def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "kept"
    if name:
        (folder / name).mkdir(parents=True)
    else:
        folder.write_text("a file")
    with pytest.raises(CannotKeep, match=f"^{folder}: .*; name a (writable|readable) folder"):
        KeepFolder(KeepSettings(folder), memory_bytes=0)


def test_of_too_many_requests_the_last_are_kept(keeping: Keeping, call: Call, edit: Edit) -> None:
    with keeping.server(max_recipes=2) as app:
        urls = [urls_of(call(app, json=edit(prompt=f"{number}")))[0] for number in range(3)]
    for most in (2, 1):
        with keeping.server(max_recipes=most) as app:
            found = [call(app, url, method="GET").status_code for url in urls]
        assert found == [404] * (3 - most) + [200] * most
    assert len((keeping.folder / "recipes.jsonl").read_bytes().splitlines()) == 1


def test_the_input_files_stay_within_their_bytes(keeping: Keeping, call: Call, edit: Edit, png: bytes) -> None:
    pictures = [png + bytes([number]) for number in range(4)]
    most = 2 * len(pictures[0])
    with keeping.server(max_bytes=most) as app:
        for picture in pictures:
            call(app, json=edit(image_urls=[data_uri(picture)]))
    for bound, left in ((most, pictures[2:]), (0, [])):
        with keeping.server(max_bytes=bound) as app:
            assert [app.input(hashlib.sha256(data).hexdigest()) for data in pictures] == [
                data if data in left else None for data in pictures
            ]
        assert sorted(path.read_bytes() for path in (keeping.folder / "files").iterdir()) == sorted(left)


def test_what_no_request_had_for_long_goes_and_what_one_had_stays(
    keeping: Keeping, call: Call, edit: Edit, png: bytes
) -> None:
    bodies = [edit(image_urls=[data_uri(png + bytes([number]))]) for number in range(2)]
    with keeping.server(max_age_days=2) as app:
        urls = [urls_of(call(app, json=body))[0] for body in bodies]
        keeping.now += 1.5 * DAY_S
        call(app, json=bodies[1])
    keeping.now += DAY_S
    with keeping.server(max_age_days=2) as app:
        assert [call(app, url, method="GET").status_code for url in urls] == [404, 200]
        assert len([*(keeping.folder / "files").iterdir()]) == 1


def test_the_life_of_a_url_goes_on_over_a_restart(keeping: Keeping, call: Call, edit: Edit) -> None:
    with keeping.server() as app:
        (url,) = urls_of(call(app, json=edit()))
    with keeping.server() as app:
        app.play({"limits": {"expires_after_s": 100}})
        statuses: list[int] = []
        for seconds in (60, 60):
            keeping.now += seconds
            statuses.append(call(app, url, method="GET").status_code)
    assert statuses == [200, 404]


def test_a_damaged_line_is_said_once_and_the_others_are_used(keeping: Keeping, call: Call, edit: Edit) -> None:
    with keeping.server() as app:
        urls = [urls_of(call(app, json=edit(prompt=prompt)))[0] for prompt in ("first", "other")]
    file = keeping.folder / "recipes.jsonl"
    file.write_bytes(file.read_bytes().replace(b"first", b"fjrst"))
    with keeping.server() as app:
        assert [call(app, url, method="GET").status_code for url in urls] == [404, 200]
        health = call(app, "/_bodydouble/health", method="GET").json()
        assert health["status"] == "degraded"
        assert "line 1 is damaged" in health["problems"][0]
    with keeping.server() as app:
        assert app.problems() == []


def test_a_damaged_input_is_said_and_comes_back_with_its_request(
    keeping: Keeping, call: Call, body: dict[str, Any]
) -> None:
    with keeping.server() as app:
        urls = urls_of(call(app, json=body))
        before = files_of(call, app, urls)
    (file,) = (keeping.folder / "files").iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    with keeping.server() as app:
        without = files_of(call, app, urls)
        assert "its content does not match its name" in app.problems()[0]
        call(app, json=body)
        assert files_of(call, app, urls) == before
    assert without[0] != before[0]


def test_on_a_full_disk_all_goes_on_in_memory_and_health_says_what_is_lost(
    keeping: Keeping, call: Call, body: dict[str, Any], edit: Edit
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with keeping.server() as app:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        try:
            urls = urls_of(call(app, json=body))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert all(data.startswith(b"\x89PNG") for data in files_of(call, app, urls))
        health = call(app, "/_bodydouble/health", method="GET").json()
        assert health["problems"] == [
            f"the folder {keeping.folder} cannot be written: File too large; recipes and inputs that a restart will lose: 2"
        ]
        (later,) = urls_of(call(app, json=edit(prompt="later")))
        assert "can be written again" in app.problems()[0]
    with keeping.server() as app:
        assert [call(app, url, method="GET").status_code for url in (*urls, later)] == [404, 404, 200]


def test_requests_that_come_again_do_not_let_the_file_grow_without_end(tmp_path: Path) -> None:
    now = 0.0
    folder = KeepFolder(KeepSettings(tmp_path), memory_bytes=0, clock=lambda: now)
    recipe = Recipe("ab" * 32, "", "a prompt", (), (1, 1), ("/a",), "image")
    folder.recipes.add(recipe)
    for _ in range(6000):
        now += 60
        folder.recipes.add(recipe)
    folder.close()
    assert len((tmp_path / "recipes.jsonl").read_bytes().splitlines()) < 5100
    assert [*KeepFolder(KeepSettings(tmp_path), memory_bytes=0, clock=lambda: now).recipes] == [recipe]


_INPUTS = st.builds(RecipeInput, st.text(max_size=5), st.none() | st.just("ab" * 32))


@settings(max_examples=25, deadline=None)
@given(
    st.builds(
        Recipe,
        st.binary(min_size=32, max_size=32).map(bytes.hex),
        st.text(max_size=9),
        st.text(st.characters(), max_size=20),
        st.lists(_INPUTS, max_size=12).map(lambda items: (*items, *[RecipeInput("", None)] * (len(items) // 12))),
        st.tuples(st.integers(1, 9), st.integers(1, 9)),
        st.lists(st.text(max_size=9)).map(tuple),
        st.sampled_from(["image", "audio"]),
    )
)
def test_any_recipe_comes_back_as_it_was(recipe: Recipe) -> None:
    assert Recipe.from_dict(recipe.to_dict()) == recipe

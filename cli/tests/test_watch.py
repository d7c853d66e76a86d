"""``bodydouble serve --watch``: files that change while the server runs are taken over, or reported and left."""

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bodydouble_spec
import httpx
import pytest
from bodydouble.commands.watch import Watch, WatchedFiles
from bodydouble_mockserver import create_app
from bodydouble_spec import Contract

from spec.tests.servers import PATIENCE_S, ServeProcess, run_serve

SPEC = Path(bodydouble_spec.__file__).parent
MODEL = "google/gemini-2.5-flash-image-edit"
BODY = {"model": MODEL, "prompt": "hat", "image_urls": ["https://example.org/a.png"]}
Change = Callable[[Path, str], None]


def overlay(price: int) -> str:
    return (SPEC / "overlay.yaml").read_text(encoding="utf-8").replace("credits: 84000", f"credits: {price}")


def write_by_renaming(path: Path, text: str) -> None:
    """Write as many editors do."""
    new = path.with_name(f".{path.name}.swp")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def remake(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text, encoding="utf-8")


def bundle(parent: Path) -> Path:
    """Make a bundle folder, and a scenario beside it."""
    made = parent / "bundle"
    made.mkdir()
    shutil.copy(SPEC / "openapi.json", made)
    (made / "overlay.yaml").write_text(overlay(1000), encoding="utf-8")
    (made.parent / "scenario.yaml").write_text("answers: []", encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the folder of `served`, which its tests change."""
    return bundle(tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[ServeProcess]:
    """Serve them with --watch; the tests of this module share the server and follow each other."""
    with run_serve("--contract", str(folder), "--scenario", str(folder.parent / "scenario.yaml"), "--watch") as process:
        yield process


def ask(served: ServeProcess, model: str = MODEL) -> httpx.Response:
    body = {**BODY, "model": model}
    url, headers = f"{served.address}/v1/images/generations", {"Authorization": "Bearer k"}
    return httpx.post(url, json=body, headers=headers, timeout=PATIENCE_S)


def wait_for(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen"


def cost(answer: httpx.Response) -> str:
    return str(answer.headers.get("x-aimlapi-credits-used"))


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def delete(path: Path, _text: str) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("change", "written", "price"),
    [
        (write, 2000, "2000"),
        (write_by_renaming, 3000, "3000"),
        (remake, 4000, "4000"),
        (delete, 0, "84000"),
        (write, 1000, "1000"),
    ],
)
def test_an_overlay_in_a_folder_is_taken_over_however_it_was_written(
    served: ServeProcess, folder: Path, change: Change, written: int, price: str
) -> None:
    change(folder / "overlay.yaml", overlay(written))
    wait_for(lambda: cost(ask(served)) == price)


def test_a_changed_document_is_taken_over_and_the_journal_stays(served: ServeProcess, folder: Path) -> None:
    before = httpx.get(f"{served.address}/_bodydouble/requests").json()["total"]
    text = (folder / "openapi.json").read_text(encoding="utf-8")
    (folder / "openapi.json").write_text(text.replace(MODEL, "ours/new-model"), encoding="utf-8")
    wait_for(lambda: ask(served, "ours/new-model").status_code == 200)
    assert httpx.get(f"{served.address}/_bodydouble/requests").json()["total"] > before
    (folder / "openapi.json").write_text(text, encoding="utf-8")
    wait_for(lambda: ask(served).status_code == 200)


def test_a_changed_scenario_is_taken_over(served: ServeProcess, folder: Path) -> None:
    scenario = folder.parent / "scenario.yaml"
    scenario.write_text("answers: [{status: 418, times: null}]", encoding="utf-8")
    wait_for(lambda: ask(served).status_code == 418)
    scenario.write_text("answers: []", encoding="utf-8")
    wait_for(lambda: ask(served).status_code == 200)


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("openapi.json", "{", "bundle"),
        ("overlay.yaml", "overlay: 1.0.0", "overlay.yaml"),
        ("../scenario.yaml", "answers: 3", "scenario.yaml: /answers"),
    ],
)
def test_a_bad_file_is_reported_and_the_last_good_one_goes_on(
    tmp_path: Path, name: str, content: str, named: str
) -> None:
    folder = bundle(tmp_path)
    # Files are replaced whole: a busy machine may stop this process between emptying a file and writing it, and empty is another bad state.
    path = folder / name
    good = path.read_text(encoding="utf-8")
    options = ("--contract", str(folder), "--scenario", str(folder.parent / "scenario.yaml"), "--watch", "--quiet")
    with run_serve(*options) as served:
        write_by_renaming(path, content)
        wait_for(lambda: "not reloaded" in served.errors())
        statuses = [ask(served).status_code]
        if name.endswith("scenario.yaml"):
            write_by_renaming(path, good.replace("answers: []", "answers: [{status: 418}]"))
            wait_for(lambda: ask(served).status_code == 418)
        write_by_renaming(path, good)
        code, _, errors = served.end()
    assert (statuses, code, [named in line for line in errors.splitlines()]) == ([200], 0, [True])


def test_a_scenario_is_for_the_operation_and_model_of_the_options(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.json"
    scenario.write_text(json.dumps({"answers": [{"status": 418, "times": None}]}))
    options = ("--scenario", str(scenario), "--operation", "POST /v1/images/generations", "--model", MODEL)
    with run_serve(*options) as served:
        assert [ask(served).status_code, ask(served, "other").status_code] == [418, 400]


def test_a_change_while_the_files_are_loaded_is_taken_over(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.json"
    scenario.write_text("{}", encoding="utf-8")
    files = WatchedFiles([], None, scenario)
    app = create_app(Contract.load())
    scenario.write_text('{"answers": [{"code": 429}]}', encoding="utf-8")

    async def taken_over() -> Any:
        loaded = asyncio.Event()

        def load() -> tuple[list[Contract], Any]:
            loop.call_soon_threadsafe(loaded.set)
            return [*app.contracts], json.loads(scenario.read_text(encoding="utf-8"))

        loop = asyncio.get_running_loop()
        watching = asyncio.create_task(Watch(app, load, files).run())
        await asyncio.wait_for(loaded.wait(), PATIENCE_S)
        watching.cancel()

    asyncio.run(taken_over())

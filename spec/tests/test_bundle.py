"""Bundles: a document by itself, a folder of document, overlay and provenance, and folders that are neither."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bodydouble_spec import Contract, SpecError
from bodydouble_spec.bundle import Bundle

DATA = Path(__file__).parent / "data"
JUNE, AUGUST = DATA / "revision-2026-06-12-4cd011cd.json", DATA / "revision-2026-08-14-87ef44bd.json"
OVERLAY = """\
overlay: 1.0.0
info: {title: Ours, version: "1"}
actions:
  - target: $.paths.*.*
    update: {x-price: {credits: 5, credits-per-usd: 10}}
"""
OTHER_OVERLAY = OVERLAY.replace("credits: 5", "credits: 7")
PROVENANCE = {"fingerprint": Contract.load(JUNE).fingerprint, "revision": "r1", "date": "2026-06-12"}
Files = dict[str, str | bytes]
Folder = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Return a function that makes a folder with files, of which None is left out; by default it is a whole bundle."""

    def make(**files: str | bytes | None) -> Path:
        whole: dict[str, str | bytes | None] = {
            "openapi.json": JUNE.read_bytes(),
            "overlay.yaml": OVERLAY,
            "provenance.json": json.dumps(PROVENANCE),
        }
        for name, content in {**whole, **files}.items():
            if content is not None:
                (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path

    return make


def price(contract: Contract) -> Any:
    return contract.operation().extensions.get("x-price", {}).get("credits")


def test_a_folder_is_its_document_with_its_own_overlay_and_provenance(folder: Folder) -> None:
    contract = Contract.load(folder())
    assert (price(contract), contract.provenance, contract.fingerprint) == (5, PROVENANCE, PROVENANCE["fingerprint"])


def test_a_document_in_a_folder_has_the_overlay_beside_it(folder: Folder) -> None:
    assert price(Contract.load(folder() / "openapi.json")) == 5


@pytest.mark.parametrize(("overlay", "expected"), [("none", None), (None, None), ("other.yaml", 7), (True, 5)])
def test_another_overlay_or_none_replaces_that_of_the_folder(
    folder: Folder, tmp_path_factory: pytest.TempPathFactory, overlay: Any, expected: int | None
) -> None:
    other = tmp_path_factory.mktemp("other") / "other.yaml"
    other.write_text(OTHER_OVERLAY)
    chosen = other if overlay == "other.yaml" else overlay
    assert price(Contract.load(folder(), overlay=chosen)) == expected


def test_a_folder_without_an_overlay_has_the_built_in_one(folder: Folder) -> None:
    assert price(Contract.load(folder(**{"overlay.yaml": None}))) == 84000


@pytest.mark.parametrize(
    ("document", "overlay"),
    [("contract.yml", "facts.yaml"), ("august.json", "overlay.json"), ("openapi.yaml", "x.yml")],
)
def test_the_files_of_a_folder_may_have_other_names(folder: Folder, document: str, overlay: str) -> None:
    files: Files = {
        document: JUNE.read_bytes(),
        overlay: OVERLAY,
        "package.json": '{"name": "an-app"}',
        "notes.md": "x",
    }
    made = folder(**{"openapi.json": None, "overlay.yaml": None}, **files)
    bundle = Bundle.find(made)
    assert [path.name for path in bundle.files] == [document, overlay, "provenance.json"]


def test_vendored_is_a_contract_by_name() -> None:
    assert Contract.load("vendored").is_vendored


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"openapi.json": None}, ("no contract document",)),
        ({"openapi.json": None, "overlay.yaml": None, "provenance.json": None}, ("no contract document",)),
        ({"openapi.json": None, "package.json": "{}"}, ("no contract document", "package.json")),
        ({"august.json": AUGUST.read_bytes()}, ("2 documents", "august.json", "openapi.json")),
        ({"openapi.yaml": AUGUST.read_bytes()}, ("2 documents", "openapi.json", "openapi.yaml")),
        ({"ours.yaml": OVERLAY}, ("2 overlays", "ours.yaml", "overlay.yaml")),
        ({"overlay.yaml": "{"}, ("overlay.yaml", "line 1")),
        ({"overlay.yaml": "overlay: 1.0.0\nactions: []"}, ("overlay.yaml", "/actions")),
        ({"overlay.yaml": "actions: 3"}, ("overlay.yaml", "not an OpenAPI Overlay")),
        ({"openapi.json": AUGUST.read_bytes()}, ("provenance.json", "another document", "contract update")),
        ({"provenance.json": "[]"}, ("provenance.json", "object")),
        ({"provenance.json": '{"fingerprint": 3}'}, ("provenance.json", "strings")),
        ({"provenance.json": "{"}, ("provenance.json", "line")),
    ],
)
def test_a_bad_folder_is_refused_with_the_reason(folder: Folder, files: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(SpecError) as error:
        Contract.load(folder(**files))
    text = str(error.value)
    assert ([word for word in words if word not in text], "\n" in text) == ([], False)


@pytest.mark.parametrize("source", ["", "missing", "a\0b", "x" * 5000, "missing/folder/"])
def test_a_name_that_no_file_has_is_refused(source: str) -> None:
    with pytest.raises(SpecError):
        Contract.load(source)

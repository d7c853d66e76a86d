"""Real documents for every test: structure-only copies in ``data/``, and more from beside the checkout if present."""

from collections.abc import Callable
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import pytest
from bodydouble_spec import Contract, Overlay
from bodydouble_spec.document.loader import parse_document

HERE = Path(__file__).parent
BESIDE = HERE.parents[1].parent / "shared" / "data"
OWN = sorted(path for path in (HERE / "data").glob("*.json") if path.name != "index.json")
MORE = sorted([*BESIDE.glob("revisions/*.json"), *BESIDE.glob("drift/docs/*.json")])
NO_DOCUMENT = {"8b137891791f"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize ``document_path`` with each real document, and ``own_path`` with each one of ``data/``."""
    for name, paths in (("document_path", OWN + MORE), ("own_path", OWN)):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, paths, ids=[path.stem for path in paths])


@pytest.fixture(scope="session")
def load_real(vendored_overlay: Overlay) -> Callable[[Path], Contract]:
    """Load a real document with the vendored overlay, each only once."""

    @cache
    def load(path: Path) -> Contract:
        return Contract.load(path, overlay=vendored_overlay)

    return load


@pytest.fixture(scope="session")
def documents() -> dict[str, dict[str, Any]]:
    """Return the parsed documents of ``data/`` by file name, without the unreadable one; do not change them."""
    return {path.name: parse_document(path.read_bytes())[0] for path in OWN if path.stem not in NO_DOCUMENT}


@pytest.fixture(scope="session")
def small_documents(documents: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return those documents that are quick to walk many times."""
    return [document for document in documents.values() if len(orjson.dumps(document)) < 10_000]


@pytest.fixture(scope="session")
def vendored() -> Contract:
    """Return the vendored contract."""
    return Contract.load()


@pytest.fixture(scope="session")
def corpus_script() -> ModuleType:
    """Return the script that wrote ``data/``, as a module."""
    spec = spec_from_file_location("make_corpus", HERE / "make_corpus.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def vendored_overlay() -> Overlay:
    """Return the vendored overlay."""
    return Overlay.load(HERE.parent / "bodydouble_spec" / "overlay.yaml")

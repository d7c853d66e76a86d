import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import bodydouble_client
import pytest
from bodydouble_client import AsyncClient, BodydoubleError, Client

PACKAGE = Path(bodydouble_client.__file__).parent
ERRORS: list[type[BodydoubleError]] = [
    value
    for value in vars(bodydouble_client).values()
    if isinstance(value, type) and issubclass(value, BodydoubleError)
]


def test_all_lists_exactly_the_public_names() -> None:
    public = {name for name in vars(bodydouble_client) if not name.startswith("_")} | {"__version__"}
    assert set(bodydouble_client.__all__) == public


def test_every_error_of_the_tree_is_public() -> None:
    declared = [value for value in vars(import_module("bodydouble_client._errors")).values() if isinstance(value, type)]
    assert {kind for kind in declared if issubclass(kind, BodydoubleError)} == set(ERRORS)


def test_the_tree_drawn_in_the_errors_module_is_the_tree() -> None:
    drawing = inspect.getdoc(import_module("bodydouble_client._errors")) or ""
    above: list[str] = ["Exception"]
    drawn: dict[str, str] = {}
    for line in drawing.splitlines()[2:]:
        indent = len(line) - len(line.lstrip("│├└─ "))
        name = line[indent:].split()[0]
        above = [*above[: indent // 4 + 1], name]
        drawn[name] = above[-2]
    assert drawn == {kind.__name__: kind.__bases__[0].__name__ for kind in ERRORS}


def test_only_httpx_and_the_standard_library_are_imported() -> None:
    code = (
        "import sys, httpx; before = set(sys.modules); import bodydouble_client; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names) - {'bodydouble_client'}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_the_version_is_that_of_the_installed_distribution(tmp_path: Path) -> None:
    metadata = tmp_path / "bodydouble-9.8.7.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: bodydouble\nVersion: 9.8.7\n")
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(PACKAGE.parent)!r}]; import bodydouble_client as c; print(c.__version__)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "9.8.7\n"


def _signature(method: Any) -> list[tuple[str, Any, Any]]:
    found = inspect.signature(method).parameters.values()
    return [(each.name, each.kind, each.default) for each in found]


@pytest.mark.parametrize("name", ["__init__", "edit", "edit_many", "download", "save", "close"])
def test_both_clients_take_the_same_arguments(name: str) -> None:
    assert _signature(getattr(Client, name)) == _signature(getattr(AsyncClient, name))


def test_both_clients_have_the_same_methods() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert public(Client) == public(AsyncClient)


def test_every_waiting_method_of_the_asynchronous_client_is_a_coroutine() -> None:
    public = [value for name, value in vars(AsyncClient).items() if not name.startswith("_")]
    assert all(inspect.iscoroutinefunction(method) for method in public)

"""Rules that no linter checks: imports between packages, public names, shipped files."""

import ast
import importlib
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "bodydouble_spec": ROOT / "spec" / "bodydouble_spec",
    "bodydouble_client": ROOT / "client" / "bodydouble_client",
    "bodydouble_mockserver": ROOT / "mockserver" / "bodydouble_mockserver",
    "bodydouble_contract_tests": ROOT / "contract_tests" / "bodydouble_contract_tests",
    "bodydouble": ROOT / "cli" / "bodydouble",
}
# A client that validates itself with the server's validator proves nothing, so it imports none of our packages.
MAY_IMPORT: dict[str, set[str]] = {
    "bodydouble_spec": set(),
    "bodydouble_client": set(),
    "bodydouble_mockserver": {"bodydouble_spec"},
    "bodydouble_contract_tests": {"bodydouble_spec", "bodydouble_mockserver", "bodydouble_client"},
    "bodydouble": {"bodydouble_spec", "bodydouble_mockserver", "bodydouble_client", "bodydouble_contract_tests"},
}
MODULES = [(name, path) for name, folder in PACKAGES.items() for path in sorted(folder.rglob("*.py"))]


def imported_modules(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize(("package", "path"), MODULES, ids=lambda value: str(value).rpartition("/")[2])
def test_a_package_imports_only_the_allowed_packages(package: str, path: Path) -> None:
    ours = {name.partition(".")[0] for name in imported_modules(path)} & PACKAGES.keys()
    assert ours - {package} <= MAY_IMPORT[package]


@pytest.mark.parametrize(("package", "path"), MODULES, ids=lambda value: str(value).rpartition("/")[2])
def test_private_modules_are_imported_by_their_own_package_only(package: str, path: Path) -> None:
    foreign = [name for name in imported_modules(path) if name.partition(".")[0] in PACKAGES.keys() - {package}]
    assert [name for name in foreign if any(part.startswith("_") for part in name.split("."))] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_exists_and_is_listed_once(package: str) -> None:
    module = importlib.import_module(package)
    public: list[str] = module.__all__
    assert len(public) == len(set(public))
    assert [name for name in public if not hasattr(module, name)] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_the_version_is_that_of_the_distribution(package: str) -> None:
    assert importlib.import_module(package).__version__ == version("bodydouble")


@pytest.mark.parametrize("folder", PACKAGES.values(), ids=PACKAGES)
def test_every_package_is_marked_as_typed(folder: Path) -> None:
    assert (folder / "py.typed").is_file()

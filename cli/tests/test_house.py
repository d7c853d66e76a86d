"""The house rules that no linter knows: who imports whom, what a face shows, what is shipped."""

import ast
import importlib
import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "bodydouble_spec": ROOT / "spec" / "bodydouble_spec",
    "bodydouble_client": ROOT / "client" / "bodydouble_client",
    "bodydouble_mockserver": ROOT / "mockserver" / "bodydouble_mockserver",
    "bodydouble_contract_tests": ROOT / "contract_tests" / "bodydouble_contract_tests",
    "bodydouble": ROOT / "cli" / "bodydouble",
}
# A client that validates itself with the server's validator proves nothing, so it knows none of our packages.
MAY_IMPORT: dict[str, set[str]] = {
    "bodydouble_spec": set(),
    "bodydouble_client": set(),
    "bodydouble_mockserver": {"bodydouble_spec"},
    "bodydouble_contract_tests": {"bodydouble_spec", "bodydouble_mockserver", "bodydouble_client"},
    "bodydouble": {"bodydouble_spec", "bodydouble_mockserver", "bodydouble_client", "bodydouble_contract_tests"},
}
MOST_LINES = 470
MOST_PARAMETERS = 7
MOST_MODULES = 16
# The client is flat: what it shows is one public list.
MOST_MODULES_OF_THE_CLIENT = 18


def module_name(package: str, path: Path) -> str:
    parts = (package, *path.relative_to(PACKAGES[package]).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


PATHS = {module_name(name, path): path for name, folder in PACKAGES.items() for path in sorted(folder.rglob("*.py"))}
ROOMS = {name for name, path in PATHS.items() if path.name == "__init__.py" and "." in name}


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Return the modules of ours that a file imports; an import for type checkers or inside a function counts too."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            # A name that the face does not show may be a module itself: `from bodydouble_spec import vendored`.
            shown = public_names(node.module)
            names = [
                inner if (inner := f"{node.module}.{alias.name}") in PATHS and alias.name not in shown else node.module
                for alias in node.names
            ]
        else:
            continue
        found += [name for name in names if name.partition(".")[0] in PACKAGES]
    return tuple(found)


@cache
def public_names(module: str) -> list[str]:
    """Return the ``__all__`` of a module of ours; empty for any other."""
    for node in ast.parse(PATHS[module].read_text(encoding="utf-8")).body if module in PATHS else []:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return names
    return []


def room(module: str) -> str:
    """Return the folder that a module lies in, or the module itself when it lies beside the folders."""
    above = module.rpartition(".")[0]
    return module if module in ROOMS else above if above in ROOMS else module


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_each_package_imports_only_what_the_house_allows() -> None:
    wrong = [
        f"{name} imports {imported}"
        for name, path in PATHS.items()
        for package in [name.partition(".")[0]]
        for imported in imports(path)
        if imported.partition(".")[0] not in {package, *MAY_IMPORT[package]}
    ]
    assert wrong == []


def test_a_room_is_entered_through_its_face() -> None:
    outside = [
        f"{name} imports {imported}"
        for name, path in PATHS.items()
        for imported in imports(path)
        if room(imported) in ROOMS and imported not in ROOMS and room(imported) != room(name)
    ]
    private = [
        f"{name} imports {imported}"
        for name, path in PATHS.items()
        for imported in imports(path)
        if imported.partition(".")[0] != name.partition(".")[0] and "._" in imported
    ]
    assert (outside, private) == ([], [])


def test_neither_modules_nor_rooms_import_each_other_in_a_circle() -> None:
    modules = {name: set(imports(path)) - {name} for name, path in PATHS.items() if "." in name}
    # A face imports the modules of its room, and a module never its own face.
    inside = {name: {other for other in others if other not in ROOMS} for name, others in modules.items()}
    rooms: dict[str, set[str]] = {}
    for name, others in modules.items():
        rooms.setdefault(room(name), set()).update({room(other) for other in others} - {room(name)})
    own_face = [name for name, others in modules.items() if name not in ROOMS and room(name) in others - {name}]
    assert (circle(inside), circle(rooms), own_face) == ([], [], [])


def test_no_module_is_shipped_for_tests_alone() -> None:
    doors = {f"{package}.__main__" for package in PACKAGES}
    doors |= {"bodydouble.pytest_plugin", "bodydouble_contract_tests.test_contract"}
    # The group of commands imports a command by its name.
    doors |= {name for name in PATHS if room(name) == "bodydouble.commands"}
    read = {imported for path in PATHS.values() for imported in imports(path)}
    assert {*PATHS} - {*PACKAGES} - read - doors == set()


def test_rooms_and_modules_stay_small() -> None:
    long = {
        name: lines for name, path in PATHS.items() if (lines := len(path.read_text("utf-8").splitlines())) > MOST_LINES
    }
    folders = Counter(path.parent for path in PATHS.values())
    flat = PACKAGES["bodydouble_client"]
    full = {
        str(folder): count
        for folder, count in folders.items()
        if count > (MOST_MODULES_OF_THE_CLIENT if folder == flat else MOST_MODULES)
    }
    assert (long, full) == ({}, {})


def test_a_function_has_seven_parameters_at_most() -> None:
    # Options of a command are parameters, and settings of a client its public interface.
    exempt = {"bodydouble_client._client.__init__", "bodydouble_client._async_client.__init__"}
    many: dict[str, int] = {}
    for name, path in PATHS.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and room(name) != "bodydouble.commands":
                arguments = node.args
                listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
                count = sum(item.arg not in {"self", "cls"} for item in listed)
                if count > MOST_PARAMETERS and f"{name}.{node.name}" not in exempt:
                    many[f"{name}.{node.name}"] = count
    assert many == {}


def test_docstrings_do_not_begin_with_a_question() -> None:
    asked = [
        f"{name}: {text[:40]}"
        for name, path in PATHS.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for text in [ast.get_docstring(node) or ""]
        if re.match(r"(What|Whether|How|Which|Who|Where|Why)\b", text)
    ]
    assert asked == []


def test_every_face_lists_what_exists_once() -> None:
    wrong: list[str] = []
    for name in [*PACKAGES, *sorted(ROOMS)]:
        module = importlib.import_module(name)
        public: list[str] = module.__all__
        wrong += [f"{name}.{item}" for item in public if public.count(item) > 1 or not hasattr(module, item)]
    assert wrong == []


def test_no_two_public_classes_of_the_project_share_a_name() -> None:
    places: dict[str, list[str]] = {}
    for name, path in PATHS.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(name)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_every_package_is_typed_and_has_the_version_of_the_distribution() -> None:
    versions = {importlib.import_module(package).__version__ for package in PACKAGES}
    untyped = [package for package, folder in PACKAGES.items() if not (folder / "py.typed").is_file()]
    assert (versions, untyped) == ({version("bodydouble")}, [])

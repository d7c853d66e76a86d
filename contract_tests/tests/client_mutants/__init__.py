"""Mutants of the client, one deviation each: texts to substitute in its modules (the YAML files here), and the finding that must come.

A mutant is applied to the loaded client: the functions of the changed module get the changed code, and its constants the changed values.
"""

import importlib
import importlib.util
import types
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

__all__ = ["ClientMutant", "client_mutants", "mutated"]

_CASES = ("mutants.yaml", "further.yaml")


@dataclass(frozen=True, slots=True)
class ClientMutant:
    """A deviation: in ``module``, the text ``old`` becomes ``new``. ``proof`` names the examples that show it, ``finding`` the finding and its place."""

    id: str
    proof: str
    finding: str
    module: str
    old: str
    new: str


def client_mutants() -> list[ClientMutant]:
    """Return all mutants."""
    texts = ((Path(__file__).parent / name).read_text(encoding="utf-8") for name in _CASES)
    return [ClientMutant(name, **case) for text in texts for name, case in yaml.safe_load(text).items()]


@contextmanager
def mutated(mutant: ClientMutant) -> Generator[None]:
    """Apply a mutant to the loaded client, and undo it afterwards. Raises ValueError when its text is not in the module exactly once."""
    original = importlib.import_module(f"bodydouble_client.{mutant.module}")
    path = Path(str(original.__file__))
    source = path.read_text(encoding="utf-8")
    if source.count(mutant.old) != 1:
        raise ValueError(f"{mutant.id}: {mutant.old!r} is {source.count(mutant.old)} times in {path.name}")
    specification = importlib.util.spec_from_loader(original.__name__, loader=None)
    assert specification is not None
    changed = importlib.util.module_from_spec(specification)
    changed.__file__ = str(path)
    exec(compile(source.replace(mutant.old, mutant.new), str(path), "exec"), vars(changed))
    undo = [*_swap_code(original, changed), *_swap_constants(original, changed)]
    try:
        yield
    finally:
        for target, name, value in undo:
            setattr(target, name, value)


def _swap_code(original: types.ModuleType, changed: types.ModuleType) -> Iterator[tuple[Any, str, Any]]:
    """Give the functions and methods of a module the code of the changed one, and yield what undoes it."""
    others = dict(_functions(changed, changed.__name__))
    for name, function in _functions(original, original.__name__):
        if name in others and function.__code__ != others[name].__code__:
            yield function, "__code__", function.__code__
            function.__code__ = others[name].__code__


def _functions(holder: object, module: str, prefix: str = "") -> Iterator[tuple[str, types.FunctionType]]:
    members: dict[str, Any] = dict(vars(holder))
    for name, value in members.items():
        inner = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        if getattr(inner, "__module__", None) != module:
            continue
        if isinstance(inner, types.FunctionType):
            yield f"{prefix}{name}", inner
        elif isinstance(inner, type) and not prefix:
            yield from _functions(inner, module, f"{name}.")


def _swap_constants(original: types.ModuleType, changed: types.ModuleType) -> Iterator[tuple[Any, str, Any]]:
    """Give a module the constants of the changed one that differ, and yield what undoes it."""
    for name, value in [*vars(original).items()]:
        is_constant = isinstance(value, (str, int, float, tuple, set, dict)) and not name.startswith("__")
        if is_constant and vars(changed).get(name, value) != value:
            yield original, name, value
            setattr(original, name, vars(changed)[name])

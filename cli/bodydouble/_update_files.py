"""The files of an adopted contract, written together or not at all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["is_checkout", "write_together"]

_INSTALLED = {"site-packages", "dist-packages"}


def is_checkout(folder: Path) -> bool:
    """Tell whether a package folder belongs to a checkout of bodydouble, rather than to an installed copy."""
    import tomllib

    from bodydouble_spec import is_object

    if _INSTALLED & {*folder.parts}:
        return False
    try:
        settings: dict[str, Any] = tomllib.loads((folder.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError, IndexError):
        return False
    project = settings.get("project")
    return is_object(project) and project.get("name") == "bodydouble"


def write_together(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the named files into a folder. When one cannot be written, all are restored and OSError is raised."""
    before = {name: _content(folder / name) for name in files}
    waiting = {name: folder / f".{name}.new" for name in files}
    replaced: list[str] = []
    try:
        for name, place in waiting.items():
            place.write_bytes(files[name])
        for name, place in waiting.items():
            place.replace(folder / name)
            replaced.append(name)
    except BaseException:
        for name in replaced:
            _restore(folder / name, before[name])
        raise
    finally:
        for place in waiting.values():
            place.unlink(missing_ok=True)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _restore(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)

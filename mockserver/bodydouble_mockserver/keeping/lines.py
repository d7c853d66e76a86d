"""The file of recipes: one a line with a check sum, appended to, and written anew when most of it is old."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bodydouble_spec.recording import LineFile

from bodydouble_mockserver.keeping.losses import Losses
from bodydouble_mockserver.keeping.recipes import Recipe

__all__ = ["RecipeLines"]

_MODE = 0o600


class RecipeLines:
    """Implements `RecipeLog` in a file. ``lines`` is the number of lines in it.

    Locked until `close`: raises BlockingIOError when another process has it, and OSError when it cannot be used.
    """

    def __init__(self, path: Path, losses: Losses) -> None:
        self._path = path
        self._losses = losses
        self.lines = 0
        self._file = LineFile(path, _MODE)
        try:
            self._file.lock()
            self._file.mend()
        except OSError:
            self._file.close()
            raise

    def read(self) -> Iterator[tuple[float, Recipe]]:
        """Yield the entries; a damaged line is noted and left out. Raises OSError."""
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                self.lines = number
                try:
                    yield _entry_of(line)
                except (KeyError, TypeError, ValueError):
                    self._losses.note_damage(
                        f"{self._path}: line {number} is damaged, and was removed; the URLs of its pictures are 404 until the request is sent again"
                    )

    def append(self, used: float, recipe: Recipe) -> None:
        """Append an entry; the operating system has it when this returns. A failure is noted."""
        try:
            self._file.append(_line_of(used, recipe))
        except OSError as error:
            self._losses.note_failure(error)
        else:
            self.lines += 1
            self._losses.note_success()

    def rewrite(self, entries: Iterable[tuple[float, Recipe]]) -> None:
        """Replace the file by one with these entries, locked before it has its name; where that fails the old one stays."""
        new = self._path.with_suffix(".new")
        lines = [*(_line_of(*entry) for entry in entries)]
        try:
            new.unlink(missing_ok=True)
            file = LineFile(new, _MODE)
            try:
                file.lock()
                file.append(b"".join(lines))
                new.replace(self._path)
            except OSError:
                file.close()
                new.unlink(missing_ok=True)
                raise
        except OSError as error:
            self._losses.note_failure(error)
            return
        self._file.close()
        self._file, self.lines = file, len(lines)

    def close(self) -> None:
        """Unlock the file; may be called again."""
        self._file.close()


def _line_of(used: float, recipe: Recipe) -> bytes:
    # Not with orjson: a prompt of a form may have half of a surrogate pair.
    kept = json.dumps({"used": used, "recipe": recipe.to_dict()})
    return f'{{"check": "{_check_sum(kept)}", "kept": {kept}}}\n'.encode()


def _entry_of(line: bytes) -> tuple[float, Recipe]:
    """Return the entry of a line. Raises KeyError, TypeError and ValueError for one that was changed."""
    value: Any = json.loads(line)
    kept = value["kept"]
    if value["check"] != _check_sum(json.dumps(kept)):
        raise ValueError("its checksum is wrong")
    return float(kept["used"]), Recipe.from_dict(kept["recipe"])


def _check_sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]

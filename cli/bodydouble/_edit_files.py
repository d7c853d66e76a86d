"""The files for the pictures of an edit: checked before anything is paid for, and never taken from another file."""

import os
import sys
from pathlib import Path

__all__ = ["STANDARD_OUTPUT", "CannotSave", "check_output", "save"]

STANDARD_OUTPUT = "-"


class CannotSave(Exception):
    """A picture cannot be saved where ``-o`` says; the text gives the reason and a remedy."""


def check_output(output: str, count: int, *, force: bool) -> None:
    """Check that ``count`` pictures can be saved. Raises CannotSave when a file exists already or cannot be written."""
    if output == STANDARD_OUTPUT:
        if count != 1:
            raise CannotSave(f"-o - takes one picture, not {count}; name a file")
        if sys.stdout.isatty():
            raise CannotSave("-o - would write the picture's bytes to the terminal; redirect them: > out.png")
        return
    target = Path(output)
    if not target.name or target.is_dir():
        raise CannotSave(f"-o {output!r} is a folder; name a file in it")
    if not target.parent.is_dir():
        raise CannotSave(f"-o {output}: the folder {target.parent} does not exist; make it first")
    for file in (_numbered(target, number, count) for number in range(1, count + 1)):
        if os.path.lexists(file) and not force:
            raise CannotSave(f"{file} exists already; name another file with -o, or overwrite it with --force")
        if not os.access(file if file.exists() else file.parent, os.W_OK):
            raise CannotSave(f"{file} cannot be written; name another file with -o")


def save(data: bytes, output: str, number: int, count: int, *, force: bool) -> Path | None:
    """Write picture ``number`` of ``count`` and return its file, None for standard output. Raises CannotSave.

    When the answer holds more pictures than were asked for, a name may be taken; the next free number is used then.
    """
    file = None if output == STANDARD_OUTPUT else _numbered(Path(output), number, count)
    try:
        if file is None:
            _write_standard_output(data, number)
            return None
        while not force and os.path.lexists(file):
            number += 1
            file = _numbered(Path(output), number, max(number, 2))
        with file.open("wb" if force else "xb") as stream:
            stream.write(data)
    except (OSError, ValueError) as error:
        raise CannotSave(f"{file or 'standard output'}: {getattr(error, 'strerror', None) or error}") from None
    return file


def _write_standard_output(data: bytes, number: int) -> None:
    if number > 1:
        raise CannotSave("standard output takes one picture")
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError:
        # Python flushes once more at the end, and would report the closed pipe then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def _numbered(target: Path, number: int, count: int) -> Path:
    return target if count == 1 else target.with_name(f"{target.stem}-{number}{target.suffix}")

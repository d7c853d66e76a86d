"""Where the pictures of an edit go: names that take no other file's place, decided before anything is paid for."""

import os
import sys
from pathlib import Path

__all__ = ["STANDARD_OUTPUT", "Refused", "planned_files", "save"]

STANDARD_OUTPUT = "-"


class Refused(Exception):
    """A picture cannot go where it should; the text says why and what to do."""


def planned_files(output: str, count: int, *, force: bool) -> list[Path]:
    """The files for so many pictures, none for standard output. Raises Refused when one exists already or cannot be written."""
    if output == STANDARD_OUTPUT:
        if count != 1:
            raise Refused(f"-o - takes one picture, not {count}; name a file")
        if sys.stdout.isatty():
            raise Refused(
                "-o - writes the picture's bytes to standard output, which is the terminal; send it on: > out.png"
            )
        return []
    target = Path(output)
    if not output or target.is_dir() or not target.name:
        raise Refused(f"-o {output!r} is a folder; name a file in it")
    if not target.parent.is_dir():
        raise Refused(f"-o {output}: the folder {target.parent} does not exist; make it first")
    files = [_numbered(target, number, count) for number in range(1, count + 1)]
    for file in files:
        if os.path.lexists(file) and not force:
            raise Refused(f"{file} exists already; name another file with -o, or overwrite it with --force")
        if not os.access(file if file.exists() else file.parent, os.W_OK):
            raise Refused(f"{file} cannot be written; name another file with -o")
    return files


def save(data: bytes, output: str, number: int, count: int, *, force: bool) -> Path | None:
    """Write picture ``number`` of ``count``; its file, or None for standard output. Raises Refused.

    When more pictures came than were planned for, a name may be taken by then; the next free number is used instead.
    """
    if output == STANDARD_OUTPUT:
        if number > 1:
            raise Refused("standard output takes one picture")
        _to_standard_output(data)
        return None
    file = _numbered(Path(output), number, count)
    try:
        while not _written(data, file, force=force):
            number += 1
            file = _numbered(Path(output), number, max(number, 2))
    except (OSError, ValueError) as error:
        raise Refused(f"{file}: {getattr(error, 'strerror', None) or error}") from None
    return file


def _written(data: bytes, file: Path, *, force: bool) -> bool:
    try:
        with file.open("wb" if force else "xb") as stream:
            stream.write(data)
    except FileExistsError:
        return False
    return True


def _to_standard_output(data: bytes) -> None:
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        # Python flushes once more at the end, and would complain about the closed pipe then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Refused(f"standard output: {error.strerror or error}") from None


def _numbered(target: Path, number: int, count: int) -> Path:
    return target if count == 1 else target.with_name(f"{target.stem}-{number}{target.suffix}")

"""``bodydouble edit``: one edit from the command line, its pictures saved as files.

The exit code is 0 or 2. An error answer means that there is no picture, so the command could not run; 1 is kept for findings, as in every
other command.
"""

import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TextIO

import typer

from bodydouble.console import COULD_NOT_RUN, exit_with_error, print_error, print_text

if TYPE_CHECKING:
    from bodydouble_client import Client, SyncEditResult

__all__ = ["CannotSave", "check_output", "edit", "save"]

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


_STANDARD_INPUT = "-"


def edit(
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="The edit to make, in words.")],
    images: Annotated[
        list[str],
        typer.Argument(metavar="IMAGE", help="A file, an http(s) URL, a data URI or Base64; - reads standard input."),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="File to save the picture to; several are saved as FILE-1, FILE-2. - is standard output.",
        ),
    ] = "out.png",
    aspect_ratio: Annotated[
        str | None, typer.Option(metavar="RATIO", help="Width to height of the pictures, such as 16:9.")
    ] = None,
    num_images: Annotated[
        int | None, typer.Option("--num-images", "-n", min=1, max=4, help="Number of pictures.")
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Provider of the model: auto, google or fal.")] = None,
    base_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Address of the API. Default: AIMLAPI_BASE_URL, else the real API."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
    format: Annotated[Literal["text", "json"], typer.Option("--format", help="Format of the report.")] = "text",  # noqa: A002 - the option's name
) -> None:
    """Edit or combine images as the prompt says. The key is read from AIMLAPI_KEY. On the real API each picture costs money."""
    from bodydouble_client import BodydoubleError

    from bodydouble.commands.edit_report import as_json, as_text, error_line

    try:
        check_output(output, num_images or 1, force=force)
    except CannotSave as error:
        exit_with_error(str(error))
    if output == STANDARD_OUTPUT and format == "json":
        exit_with_error("--format json and -o - would both write to standard output; give -o a file")
    # The client checks the ratio itself, and lists the allowed ones.
    ratio: Any = aspect_ratio
    try:
        with _client(base_url) as client, _spinner():
            result = client.edit(prompt, _inputs(images), aspect_ratio=ratio, num_images=num_images, provider=provider)
            pictures, failures = _save_all(result, output, force=force)
    except BodydoubleError as error:
        exit_with_error(error_line(error, images))
    report = as_json(result, pictures) if format == "json" else as_text(result, pictures)
    if output == STANDARD_OUTPUT:
        typer.echo(report, err=True, nl=False)
    else:
        print_text(report)
    for message in (*result.warnings, *failures):
        print_error(message)
    if failures:
        raise typer.Exit(COULD_NOT_RUN)


def _client(base_url: str | None) -> "Client":
    from bodydouble_client import KEY_VARIABLES, Client

    if not any(map(os.environ.get, KEY_VARIABLES)):
        first, *others = KEY_VARIABLES
        exit_with_error(f"no API key: set {first} (or {' or '.join(others)}); a mock server takes any text as key")
    return Client(base_url=base_url)


def _inputs(images: Sequence[str]) -> list[str | bytes]:
    """Return the images as the client takes them, with standard input read where it is named."""
    if _STANDARD_INPUT not in images:
        return [*images]
    if images.count(_STANDARD_INPUT) > 1:
        exit_with_error("- stands for standard input, which can be read once only; name the other images")
    stream: TextIO | None = sys.stdin  # None when the process was started with it closed
    if stream is None or stream.isatty():
        exit_with_error("- reads the picture from standard input, which is empty; write < picture.png")
    return [stream.buffer.read() if image == _STANDARD_INPUT else image for image in images]


def _save_all(result: "SyncEditResult", output: str, *, force: bool) -> tuple[list[dict[str, Any]], list[str]]:
    """Fetch and save each picture, and return the facts of these and a message for each failure.

    The pictures are paid for, so a failure does not keep the others from being saved.
    """
    from bodydouble_client import DownloadError

    from bodydouble.commands.edit_report import picture_facts

    pictures: list[dict[str, Any]] = []
    failures: list[str] = []
    for number, image in enumerate(result.images, 1):
        try:
            data = image.bytes()
            file = save(data, output, number, len(result.images), force=force)
            pictures.append(picture_facts(data, file, image.url))
        except (DownloadError, CannotSave) as error:
            address = f"; it is at {image.url}" if image.url else ""
            failures.append(f"picture {number} of {len(result.images)} was not saved: {error}{address}")
    return pictures, failures


@contextmanager
def _spinner() -> Generator[None]:
    """Show a spinner and the time passed, when standard error is a terminal."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("waiting for the picture"), TimeElapsedColumn())
    # Standard output is not redirected: the picture itself may be written to it.
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as progress:
        progress.add_task("", total=None)
        yield

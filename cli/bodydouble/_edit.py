"""``bodydouble edit``: one edit from the command line, its pictures into files.

The exit code is 0 or 2. An answer that is an error, whoever is to blame for it, means that there is no picture, so the command "could not
run"; 1 stays what it is everywhere else: something was examined and found wanting.
"""

import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal, TextIO

import typer

from bodydouble._edit_files import STANDARD_OUTPUT, Refused, planned_files, save
from bodydouble._output import COULD_NOT_RUN, complain, print_text, stop

if TYPE_CHECKING:
    from bodydouble_client import Client, SyncEditResult

    from bodydouble._edit_report import Saved

__all__ = ["edit"]

_STANDARD_INPUT = "-"


def edit(
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="What is to be done, in words.")],
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
            help="Where the picture goes; several become FILE-1, FILE-2. - is standard output.",
        ),
    ] = "out.png",
    aspect_ratio: Annotated[
        str | None, typer.Option(metavar="RATIO", help="Width to height of the pictures, such as 16:9.")
    ] = None,
    num_images: Annotated[
        int | None, typer.Option("--num-images", "-n", min=1, max=4, help="How many pictures.")
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Who runs the model: auto, google or fal.")] = None,
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Where the API is. Default: AIMLAPI_BASE_URL, else the real one.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
    format: Annotated[Literal["text", "json"], typer.Option("--format", help="How the report is written.")] = "text",  # noqa: A002 - the option's name
) -> None:
    """Edit or combine images, as the prompt says. The key comes from AIMLAPI_KEY. On the real API each picture costs money."""
    from bodydouble_client import BodydoubleError

    from bodydouble._edit_report import as_json, as_text, error_line

    try:
        planned_files(output, num_images or 1, force=force)
    except Refused as error:
        stop(str(error))
    if output == STANDARD_OUTPUT and format == "json":
        stop("--format json and -o - would both write to standard output; give -o a file")
    client = _client(base_url)
    inputs = _inputs(images)
    try:
        with client, _progress():
            # The client says itself which ratios there are.
            ratio: Any = aspect_ratio
            result = client.edit(prompt, inputs, aspect_ratio=ratio, num_images=num_images, provider=provider)
            saved, failures = _collect(result, output, force=force)
    except BodydoubleError as error:
        stop(error_line(error, images))
    report = as_json(result, saved) if format == "json" else as_text(result, saved)
    if output == STANDARD_OUTPUT:
        typer.echo(report, err=True, nl=False)
    else:
        print_text(report)
    for message in (*result.warnings, *failures):
        complain(message)
    if failures:
        raise typer.Exit(COULD_NOT_RUN)


def _client(base_url: str | None) -> "Client":
    from bodydouble_client import KEY_VARIABLES, ArgumentError, Client

    from bodydouble._edit_report import error_line

    if not any(map(os.environ.get, KEY_VARIABLES)):
        first, *others = KEY_VARIABLES
        stop(f"no API key: set {first} (or {' or '.join(others)}); a mock server takes any text as key")
    try:
        return Client(base_url=base_url)
    except ArgumentError as error:
        stop(error_line(error))


def _inputs(images: Sequence[str]) -> list[str | bytes]:
    """The images as the client takes them, with standard input read where it is named."""
    if images.count(_STANDARD_INPUT) > 1:
        stop("- stands for standard input, which can be read once only; name the other images")
    if _STANDARD_INPUT not in images:
        return [*images]
    stream: TextIO | None = sys.stdin  # None when the process was started with it closed
    if stream is None or stream.isatty():
        stop("- reads the picture from standard input, and nothing is sent into it; write < picture.png")
    return [stream.buffer.read() if image == _STANDARD_INPUT else image for image in images]


def _collect(result: "SyncEditResult", output: str, *, force: bool) -> "tuple[list[Saved], list[str]]":
    """Fetch and save every picture, and say what failed: these pictures are paid for, so one failure does not lose the others."""
    from bodydouble_client import DownloadError

    from bodydouble._edit_report import Saved

    saved: list[Saved] = []
    failures: list[str] = []
    for number, image in enumerate(result.images, 1):
        where = f"; it is at {image.url}" if image.url else ""
        try:
            data = image.bytes()
            saved.append(Saved(save(data, output, number, len(result.images), force=force), image.url, data))
        except (DownloadError, Refused) as error:
            failures.append(f"picture {number} of {len(result.images)} was not saved: {error}{where}")
    return saved, failures


@contextmanager
def _progress() -> Generator[None]:
    """A spinner and the time that has passed, where a person watches standard error."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("waiting for the picture"), TimeElapsedColumn())
    # Standard output is left alone: the picture itself may go there.
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as progress:
        progress.add_task("", total=None)
        yield

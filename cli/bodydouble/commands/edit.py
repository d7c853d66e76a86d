"""``bodydouble edit``: one edit from the command line, its pictures saved as files.

The exit code is 0 or 2. An error answer means that there is no picture, so the command could not run; 1 is kept for findings, as in every
other command.
"""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO

import typer
from bodydouble_client import KEY_VARIABLES, ArgumentError, BodydoubleError, Client, DownloadError, SyncEditResult
from bodydouble_spec import picture_kind
from bodydouble_spec.text import visible

from bodydouble.console import (
    COULD_NOT_RUN,
    exit_with_error,
    new_app,
    one_line,
    print_error,
    print_text,
    signals_interrupt,
)
from bodydouble.help_texts import Command
from bodydouble.progress import progress

__all__ = ["CannotSave", "app", "check_output", "error_line", "save"]

_STANDARD_OUTPUT = "-"
_STANDARD_INPUT = "-"
_OPTIONS = {
    "prompt": "PROMPT",
    "images": "IMAGE",
    "aspect_ratio": "--aspect-ratio",
    "provider": "--provider",
    "base_url": "--base-url",
}
# Together short enough for one line on a terminal.
_MAX_ERROR_CHARACTERS = 400
_MAX_ID_CHARACTERS = 64
_INTERRUPTED = "interrupted before the answer came; if the request was sent, it may have been charged: see the usage of your account"

app = new_app()


@app.command(cls=Command, epilog="bodydouble edit 'Paint the door red' house.png -o red.png")
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
    try:
        check_output(output, num_images or 1, force=force)
    except CannotSave as error:
        exit_with_error(str(error))
    if output == _STANDARD_OUTPUT and format == "json":
        exit_with_error("--format json and -o - would both write to standard output; give -o a file")
    # The client checks the ratio itself, and lists the allowed ones.
    ratio: Any = aspect_ratio
    result: SyncEditResult | None = None
    outcomes: list[dict[str, Any] | str] = []
    try:
        with signals_interrupt(), _client(base_url) as client, progress("waiting for the picture") as shown:
            inputs = _inputs(images)
            result = client.edit(prompt, inputs, aspect_ratio=ratio, num_images=num_images, provider=provider)
            for number, outcome in enumerate(_save_all(result, output, force=force), 1):
                outcomes.append(outcome)
                shown.update(f"saved {number} of {len(result.images)} pictures", number, len(result.images))
    except BodydoubleError as error:
        exit_with_error(error_line(error, images))
    except KeyboardInterrupt:
        if result is None:
            exit_with_error(_INTERRUPTED)
        outcomes += _unsaved(result, len(outcomes), "interrupted")
    pictures = [outcome for outcome in outcomes if not isinstance(outcome, str)]
    failures = [outcome for outcome in outcomes if isinstance(outcome, str)]
    report = _as_json(result, pictures) if format == "json" else _as_text(result, pictures)
    if output == _STANDARD_OUTPUT:
        typer.echo(report, err=True, nl=False)
    else:
        print_text(report)
    for message in (*result.warnings, *failures):
        print_error(message)
    if failures:
        raise typer.Exit(COULD_NOT_RUN)


def _client(base_url: str | None) -> Client:
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


def _save_all(result: SyncEditResult, output: str, *, force: bool) -> Iterator[dict[str, Any] | str]:
    """Fetch and save each picture, and yield its facts, or a message about a failure.

    The pictures are paid for, so a failure does not keep the others from being saved.
    """
    for number, image in enumerate(result.images, 1):
        try:
            data = image.bytes()
            file = save(data, output, number, len(result.images), force=force)
            yield _picture_facts(data, file, image.url)
        except (DownloadError, CannotSave) as error:
            yield next(_unsaved(result, number - 1, str(error)))


def _unsaved(result: SyncEditResult, start: int, reason: str) -> Iterator[str]:
    """Yield a message for each picture from the one at index ``start``."""
    for number, image in enumerate(result.images[start:], start + 1):
        address = f"; it is at {image.url}" if image.url else ""
        yield f"picture {number} of {len(result.images)} was not saved: {reason}{address}"


class CannotSave(Exception):
    """A picture cannot be saved where ``-o`` says; the text gives the reason and a remedy."""


def check_output(output: str, count: int, *, force: bool) -> None:
    """Check that ``count`` pictures can be saved. Raises CannotSave when a file exists already or cannot be written."""
    if output == _STANDARD_OUTPUT:
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
    file = None if output == _STANDARD_OUTPUT else _numbered(Path(output), number, count)
    try:
        if file is None:
            _write_standard_output(data, number)
            return None
        while not force and os.path.lexists(file):
            number += 1
            file = _numbered(Path(output), number, max(number, 2))
        _write(file, data, force=force)
    except (OSError, ValueError) as error:
        raise CannotSave(f"{file or 'standard output'}: {getattr(error, 'strerror', None) or error}") from None
    return file


def _write(file: Path, data: bytes, *, force: bool) -> None:
    """Write a file, or none: what an interruption or a full disk left of it is removed."""
    with file.open("wb" if force else "xb") as stream:
        try:
            stream.write(data)
            stream.flush()
        except BaseException:
            file.unlink(missing_ok=True)
            raise


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


def _picture_facts(data: bytes, file: Path | None, url: str | None) -> dict[str, Any]:
    """Return the facts of a saved picture; ``file`` is None for standard output, ``url`` for a picture in the answer's body."""
    kind = picture_kind(data)
    pixels = None if kind is None else kind.pixels
    return {"file": None if file is None else str(file), "url": url, "pixels": pixels, "bytes": len(data)}


def _as_text(result: SyncEditResult, pictures: Sequence[dict[str, Any]]) -> str:
    """Return a line for each picture, and one for the cost as far as the answer states it."""
    lines = [
        f"{item['file'] or 'standard output'}  {_size(item['pixels'])}  {item['bytes']:,} bytes" for item in pictures
    ]
    costs = [f"{result.credits_used:,} credits"] if result.credits_used is not None else []
    if result.cost_usd is not None:
        costs.append(f"{result.cost_usd:.9f}".rstrip("0").rstrip(".") + " USD")
    request_id = f" (request id {result.request_id})" if result.request_id else ""
    lines.append(f"cost: {', '.join(costs) or 'not stated in the answer'}{request_id}")
    lines += [one_line(result.description)] if result.description else []
    return "".join(f"{visible(line)}\n" for line in lines)


def _as_json(result: SyncEditResult, pictures: Sequence[dict[str, Any]]) -> str:
    """Return the same as a JSON document, in ASCII."""
    names = ("credits_used", "cost_usd", "request_id", "client_request_id", "description", "warnings")
    return json.dumps({"images": pictures, **{name: getattr(result, name) for name in names}}, indent=2) + "\n"


def error_line(error: BodydoubleError, images: Sequence[str] = ()) -> str:
    """Return an error in one line, with the request ids however long its text is; arguments are named as on the command line."""
    text = _name_option(error, images) if isinstance(error, ArgumentError) else str(error.args[0])
    line = one_line(text.replace("\n- ", "; "), _MAX_ERROR_CHARACTERS)
    ids = {"request id": error.request_id, "client request id": error.client_request_id}
    shown = [f"{label} {one_line(value, _MAX_ID_CHARACTERS)}" for label, value in ids.items() if value]
    return f"{line} [{', '.join(shown)}]" if shown else line


def _name_option(error: ArgumentError, images: Sequence[str]) -> str:
    text, argument = str(error), error.argument
    name, _, index = argument.rstrip("]").partition("[")
    if name not in _OPTIONS or not text.startswith(argument):
        return text
    place = f" {int(index) + 1} ({one_line(images[int(index)], 60)})" if index else ""
    return f"{_OPTIONS[name]}{place}{text.removeprefix(argument)}"


def _size(pixels: tuple[int, int] | None) -> str:
    return "size unknown" if pixels is None else f"{pixels[0]}x{pixels[1]} pixels"

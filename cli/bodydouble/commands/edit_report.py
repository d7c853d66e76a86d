"""The report of ``bodydouble edit``: the saved pictures and their cost, or the error in one line."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bodydouble_spec import picture_kind
from bodydouble_spec.text import visible

from bodydouble.console import one_line

if TYPE_CHECKING:
    from bodydouble_client import ArgumentError, BodydoubleError, SyncEditResult

__all__ = ["as_json", "as_text", "error_line", "picture_facts"]

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


def picture_facts(data: bytes, file: Path | None, url: str | None) -> dict[str, Any]:
    """Return the facts of a saved picture; ``file`` is None for standard output, ``url`` for a picture in the answer's body."""
    kind = picture_kind(data)
    pixels = None if kind is None else kind.pixels
    return {"file": None if file is None else str(file), "url": url, "pixels": pixels, "bytes": len(data)}


def as_text(result: "SyncEditResult", pictures: Sequence[dict[str, Any]]) -> str:
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


def as_json(result: "SyncEditResult", pictures: Sequence[dict[str, Any]]) -> str:
    """Return the same as a JSON document, in ASCII."""
    names = ("credits_used", "cost_usd", "request_id", "client_request_id", "description", "warnings")
    return json.dumps({"images": pictures, **{name: getattr(result, name) for name in names}}, indent=2) + "\n"


def error_line(error: "BodydoubleError", images: Sequence[str] = ()) -> str:
    """Return an error in one line, with the request ids however long its text is; arguments are named as on the command line."""
    from bodydouble_client import ArgumentError

    text = _name_option(error, images) if isinstance(error, ArgumentError) else str(error.args[0])
    line = one_line(text.replace("\n- ", "; "), _MAX_ERROR_CHARACTERS)
    ids = {"request id": error.request_id, "client request id": error.client_request_id}
    shown = [f"{label} {one_line(value, _MAX_ID_CHARACTERS)}" for label, value in ids.items() if value]
    return f"{line} [{', '.join(shown)}]" if shown else line


def _name_option(error: "ArgumentError", images: Sequence[str]) -> str:
    text, argument = str(error), error.argument
    name, _, index = argument.rstrip("]").partition("[")
    if name not in _OPTIONS or not text.startswith(argument):
        return text
    place = f" {int(index) + 1} ({one_line(images[int(index)], 60)})" if index else ""
    return f"{_OPTIONS[name]}{place}{text.removeprefix(argument)}"


def _size(pixels: tuple[int, int] | None) -> str:
    return "size unknown" if pixels is None else f"{pixels[0]}x{pixels[1]} pixels"

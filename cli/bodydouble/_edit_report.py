"""What ``bodydouble edit`` says: of the pictures that it saved, and of the error that it met."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bodydouble._text import one_line, printable

if TYPE_CHECKING:
    from bodydouble_client import ArgumentError, BodydoubleError, SyncEditResult

__all__ = ["Saved", "as_json", "as_text", "error_line"]

_OPTIONS = {
    "prompt": "PROMPT",
    "images": "IMAGE",
    "aspect_ratio": "--aspect-ratio",
    "provider": "--provider",
    "base_url": "--base-url",
}
# Together short enough for the one line that a command says.
_MOST_CHARACTERS = 400
_MOST_NAME_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Saved:
    """One picture: its file (None: standard output), the URL it came from (None: it was in the answer) and its bytes."""

    file: Path | None
    url: str | None
    data: bytes

    @property
    def pixels(self) -> tuple[int, int] | None:
        """Width and height, None when the file is none that Pillow reads."""
        from PIL import Image, UnidentifiedImageError

        try:
            with Image.open(BytesIO(self.data)) as picture:
                return picture.size
        except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError):
            return None


def as_text(result: "SyncEditResult", saved: Sequence[Saved]) -> str:
    """A line for each picture and one for the cost, as far as the answer tells it."""
    lines = [f"{item.file or 'standard output'}  {_pixels(item)}  {len(item.data):,} bytes" for item in saved]
    costs = [
        *([f"{result.credits_used:,} credits"] if result.credits_used is not None else []),
        *([f"{_dollars(result.cost_usd)} USD"] if result.cost_usd is not None else []),
    ]
    names = f" (request id {result.request_id})" if result.request_id else ""
    lines.append(f"cost: {', '.join(costs) or 'the answer does not say'}{names}")
    if result.description:
        lines.append(one_line(result.description))
    return "".join(f"{printable(line)}\n" for line in lines)


def as_json(result: "SyncEditResult", saved: Sequence[Saved]) -> str:
    """The same as a JSON document, all in ASCII."""
    document: dict[str, Any] = {
        "images": [
            {
                "file": None if item.file is None else str(item.file),
                "url": item.url,
                "pixels": item.pixels,
                "bytes": len(item.data),
            }
            for item in saved
        ],
        "credits_used": result.credits_used,
        "cost_usd": result.cost_usd,
        "request_id": result.request_id,
        "client_request_id": result.client_request_id,
        "description": result.description,
        "warnings": list(result.warnings),
    }
    return json.dumps(document, indent=2) + "\n"


def error_line(error: "BodydoubleError", images: Sequence[str] = ()) -> str:
    """An error in one line that always holds the request ids, whatever the length of its text.

    A wrong argument is called by its name on the command line.
    """
    from bodydouble_client import ArgumentError

    text = _of_the_command(error, images) if isinstance(error, ArgumentError) else str(error.args[0])
    line = one_line(text.replace("\n- ", "; "))
    shown = line if len(line) <= _MOST_CHARACTERS else f"{line[:_MOST_CHARACTERS]}…"
    names = [
        f"{label} {one_line(value)[:_MOST_NAME_CHARACTERS]}"
        for label, value in (("request id", error.request_id), ("client request id", error.client_request_id))
        if value
    ]
    return f"{shown} [{', '.join(names)}]" if names else shown


def _of_the_command(error: "ArgumentError", images: Sequence[str]) -> str:
    text, name = str(error), error.argument
    base, bracket, rest = name.partition("[")
    if base not in _OPTIONS or not text.startswith(name):
        return text
    number = int(rest.rstrip("]")) if bracket else 0
    place = f" {number + 1} ({printable(images[number][:60])})" if bracket and number < len(images) else ""
    return f"{_OPTIONS[base]}{place}{text.removeprefix(name)}"


def _pixels(item: Saved) -> str:
    pixels = item.pixels
    return "size unknown" if pixels is None else f"{pixels[0]}x{pixels[1]} pixels"


def _dollars(amount: float) -> str:
    return f"{amount:.9f}".rstrip("0").rstrip(".")

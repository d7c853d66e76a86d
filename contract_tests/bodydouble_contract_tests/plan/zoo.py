"""Prompts and pictures as people send them, which a plan spreads over its calls."""

import base64
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["PROMPT", "PROMPTS", "base64_pictures", "data_uris", "input_picture"]

PROMPT = "Paint the door of the house red."


def _of_length(length: int) -> str:
    return (f"{PROMPT} " * (length // len(PROMPT) + 1))[:length]


PROMPTS: dict[str, tuple[str, ...]] = {
    "plain": (PROMPT, "Make it night.", "Write https://example.com/?a=1#b on the wall, top left."),
    "of several lines": (
        f"{PROMPT}\nKeep the sky.",
        "Change two things:\n\n- the door is red\n- the roof is green\n",
        "door:\tred\nroof:\tgreen",
        "First the sky.\r\nThen the door.",
    ),
    "with quotes and markup": (
        'Write "OPEN" on the door, in the owner\'s hand.',
        "Use {{colour}} and {0} as they are: 100% sure, 50 %s, ${HOME}.",
        "<b>Bold</b> letters & <script>alert(1)</script> on the wall",
        "A sign with a \\ and C:\\new\\table; `ls` too",
        "'; DROP TABLE pictures; --",
    ),
    "in another script": (
        "把门漆成红色。",
        "ドアを赤く塗ってください。",
        "문을 빨간색으로 칠해 주세요.",
        "Покрасьте дверь в красный цвет.",
        "Peins la porte du café en rouge, s'il te plaît — cœur naïf.",
        "اصبغ باب البيت باللون الأحمر",
        "צבעו את הדלת באדום",
        "Paint the door 🟥 for the family 👩‍👩‍👧‍👦.",
        "❤️🏽 🏳️‍🌈 🇫🇷 𝒹𝒶𝓌𝓃",
    ),
    "very short": ("a", "7", "红", "null", " ", "", "   \n "),
    "long": (_of_length(1000), _of_length(800), _of_length(1001), _of_length(4000), _of_length(20_000)),
}
"""Prompts by class, the most usual one first."""

_SIDE = 256
_SKY, _GRASS, _SUN, _WALL, _ROOF, _DOOR = range(6)
_COLOURS = ((126, 192, 238), (60, 140, 70), (250, 210, 60), (150, 75, 40), (200, 60, 50), (255, 255, 255))
_LARGE = (600, 450)


@cache
def _pictures() -> dict[str, bytes]:
    """Return a house with a white door by media subtype, and as ``large`` in more bytes than many servers take by default (1 MB)."""
    from PIL import Image, ImageDraw  # slow to import, and only a plan needs it

    picture = Image.new("P", (_SIDE, _SIDE), _SKY)
    picture.putpalette([level for colour in _COLOURS for level in colour])
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 176, _SIDE, _SIDE), fill=_GRASS)
    draw.ellipse((24, 24, 80, 80), fill=_SUN)
    draw.rectangle((104, 120, 200, 216), fill=_WALL)
    draw.polygon(((88, 120), (152, 64), (216, 120)), fill=_ROOF)
    draw.rectangle((136, 160, 168, 216), fill=_DOOR)
    colours = picture.convert("RGB")
    return {
        "png": _encoded(picture, "PNG", optimize=True),
        "jpeg": _encoded(colours, "JPEG", optimize=True),
        "webp": _encoded(colours, "WEBP"),
        "gif": _encoded(picture, "GIF"),
        "large": _encoded(_resized(colours), "PNG", compress_level=0),
    }


def _resized(picture: "Image.Image") -> "Image.Image":
    return picture.resize(_LARGE)  # pyright: ignore[reportUnknownMemberType] - Pillow's own type has a hole


def _encoded(picture: "Image.Image", kind: str, **options: int) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@cache
def data_uris(*, is_cautious: bool = False) -> tuple[str, ...]:
    """Return the pictures as data URIs: PNG, JPEG and WebP, and unless ``is_cautious`` also a GIF and a large PNG.

    Nothing says that a service takes every format and size, so a call that costs money proves other values with usual pictures only.
    """
    pictures = _pictures()
    kinds = [kind for kind in pictures if not is_cautious or kind in {"png", "jpeg", "webp"}]
    return tuple(
        f"data:image/{'png' if kind == 'large' else kind};base64,{base64.b64encode(pictures[kind]).decode()}"
        for kind in kinds
    )


@cache
def base64_pictures() -> tuple[str, ...]:
    """Return the pictures as bare Base64."""
    return tuple(text.partition(",")[2] for text in data_uris())


def input_picture() -> str:
    """Return the data URI of a PNG of 256x256 pixels; about 1 kB."""
    return data_uris()[0]

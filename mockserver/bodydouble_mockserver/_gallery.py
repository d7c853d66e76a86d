"""Which picture stands behind which URL, and drawing it when somebody asks."""

import asyncio
import base64
import binascii
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bodydouble_mockserver._imaging import Edit
from bodydouble_mockserver._pictures import Picture, Source, draw, media_type, pixels_for_ratio
from bodydouble_mockserver._store import ContentStore

__all__ = ["Drawn", "Gallery", "picture_path"]

_ANIMALS = (
    "badger", "bison", "falcon", "ferret", "gecko", "heron", "ibex", "jackal", "koala", "lemur", "lynx", "marmot", "newt", "ocelot",
    "okapi", "otter", "panda", "puffin", "quail", "raven", "seal", "stoat", "tapir", "toucan", "urchin", "viper", "walrus", "weasel",
    "wombat", "yak", "zebra", "alpaca",
)  # fmt: skip
_FIRST_MS = 1_600_000_000_000
_DEFAULT_SIZE = (1024, 1024)
_MOST_RECIPES = 20_000
_MOST_RECIPE_BYTES = 32 * 1024 * 1024
_MOST_DRAWN_BYTES = 48 * 1024 * 1024
_DRAWN_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Drawn:
    """An image file as served."""

    data: bytes
    media_type: str
    etag: str


@dataclass(frozen=True, slots=True)
class _Input:
    label: str
    key: str | None  # its hash in the content store; None for a URL, which is never fetched


@dataclass(frozen=True, slots=True)
class _Recipe:
    model: str
    prompt: str
    inputs: tuple[_Input, ...]
    count: int
    size: tuple[int, int]
    seed: int

    @property
    def cost_bytes(self) -> int:
        """About what it costs to remember."""
        return 400 + len(self.prompt) * 2 + sum(len(item.label) + 150 for item in self.inputs)


def picture_path(digest: str, index: int, suffix: str = ".png") -> str:
    """The URL path of a picture, from the request's digest (64 hexadecimal digits) and the picture's number.

    The newest form seen: ``/generations/<name>/<13-digit ms>-<uuid4>.png``; from the request, not from the clock.
    """
    name = _ANIMALS[int(digest[:2], 16) % len(_ANIMALS)]
    milliseconds = _FIRST_MS + int(digest[2:13], 16) % 10**11
    return f"/generations/{name}/{milliseconds}-{_picture_id(digest)}{index:02x}{suffix}"


def _picture_id(digest: str) -> str:
    text = digest[16:]
    return f"{text[:8]}-{text[8:12]}-4{text[12:15]}-a{text[15:18]}-{text[18:28]}"


class Gallery:
    """Remembers what each request asked for, bounded by count and bytes, and draws it off the event loop, two at a time."""

    def __init__(self, store: ContentStore, folder: Path | None) -> None:
        self._store = store
        self._recipes: OrderedDict[str, _Recipe] = OrderedDict()
        self._recipe_bytes = 0
        self._drawn: OrderedDict[str, Drawn] = OrderedDict()
        self._drawn_bytes = 0
        self._slots = asyncio.Semaphore(_DRAWN_AT_ONCE)
        self._files = _image_files(folder)

    def remember(self, digest: str, edit: Edit, size: tuple[int, int] | None) -> list[str]:
        """Keep what is needed to draw the pictures of a request; the URL path of each."""
        key = _picture_id(digest)
        if key in self._recipes:
            self._recipes.move_to_end(key)
        else:
            inputs = tuple(self._input(item, number) for number, item in enumerate(edit.inputs, 1))
            pixels = size or (pixels_for_ratio(edit.ratio) if edit.ratio else None) or _DEFAULT_SIZE
            recipe = _Recipe(edit.model, edit.prompt, inputs, edit.count, pixels, int(digest[-16:], 16))
            self._recipes[key] = recipe
            self._recipe_bytes += recipe.cost_bytes
            while len(self._recipes) > _MOST_RECIPES or (
                self._recipe_bytes > _MOST_RECIPE_BYTES and len(self._recipes) > 1
            ):
                _, oldest = self._recipes.popitem(last=False)
                self._recipe_bytes -= oldest.cost_bytes
        return [picture_path(digest, index, self._suffix(digest, index)) for index in range(edit.count)]

    async def picture(self, path: str) -> Drawn | None:
        """The image file behind a URL path of `remember`; None when the path is not one of ours or was evicted."""
        identifier, _, _ = path.rpartition("/")[2].partition(".")
        identifier = identifier.partition("-")[2]
        recipe = self._recipes.get(identifier[:-2])
        index = int(identifier[-2:], 16) if len(identifier) > 2 and _is_hex(identifier[-2:]) else -1
        if recipe is None or not 0 <= index < recipe.count:
            return None
        if identifier in self._drawn:
            self._drawn.move_to_end(identifier)
            return self._drawn[identifier]
        async with self._slots:
            data = await asyncio.to_thread(self._make, recipe, index)
        # The bytes decide the ETag, so that it changes with the renderer and with Pillow, whose pixels change between versions.
        drawn = Drawn(
            data, media_type(data) or "application/octet-stream", f'"{hashlib.sha256(data).hexdigest()[:32]}"'
        )
        self._keep(identifier, drawn)
        return drawn

    def _make(self, recipe: _Recipe, index: int) -> bytes:
        if self._files:
            return self._file(recipe.seed, index).read_bytes()
        sources = tuple(
            Source(item.label, None) if item.key is None else self._source(item.label, item.key)
            for item in recipe.inputs
        )
        width, height = recipe.size
        return draw(Picture(width, height, recipe.prompt, sources, index, recipe.count, recipe.model, recipe.seed))

    def _source(self, label: str, key: str) -> Source:
        data = self._store.get(key)
        return Source(f"{label} (evicted)", None) if data is None else Source(label, data)

    def _input(self, value: str, number: int) -> _Input:
        if value[:8].lower().startswith(("http://", "https://")):
            return _Input(_file_name(value), None)
        return _Input(f"image {number}", self._store.put(decode_input(value)))

    def _keep(self, identifier: str, drawn: Drawn) -> None:
        self._drawn[identifier] = drawn
        self._drawn_bytes = sum(len(item.data) for item in self._drawn.values())
        while self._drawn_bytes > _MOST_DRAWN_BYTES:
            _, oldest = self._drawn.popitem(last=False)
            self._drawn_bytes -= len(oldest.data)

    def _file(self, seed: int, index: int) -> Path:
        return self._files[(seed + index) % len(self._files)]

    def _suffix(self, digest: str, index: int) -> str:
        return self._file(int(digest[-16:], 16), index).suffix.lower() if self._files else ".png"


def decode_input(value: str) -> bytes:
    """The bytes of a data URI or of bare Base64; the text itself when it is not Base64, which makes an unreadable picture."""
    text = value.partition(",")[2] if value.startswith("data:") else value
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return text.encode("utf-8", "surrogatepass")


def _file_name(url: str) -> str:
    try:
        parts = urlsplit(url)
        name = unquote(parts.path.rstrip("/").rpartition("/")[2]) or parts.netloc
    except ValueError:
        name = url
    return name if len(name) <= 80 else f"{name[:79]}…"


def _image_files(folder: Path | None) -> Sequence[Path]:
    """The image files of a folder, by name. Raises ValueError when there is none."""
    if folder is None:
        return ()
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; name one that holds image files")
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and media_type(_head(path)) is not None]
    if not files:
        raise ValueError(f"{folder} holds no JPEG, PNG, GIF, WebP or BMP file")
    return files


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(32)


def _is_hex(text: str) -> bool:
    return all(character in "0123456789abcdef" for character in text)

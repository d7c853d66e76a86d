"""The pictures behind the URLs, drawn on demand."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from bodydouble_spec import decode_picture, picture_key, picture_kind
from bodydouble_spec.text import cut

from bodydouble_mockserver.answer.image_fields import EditRequest
from bodydouble_mockserver.answer.media import Media, sound
from bodydouble_mockserver.keeping import MAX_SHOWN_INPUTS, Recipe, RecipeInput, Recipes, picture_id
from bodydouble_mockserver.pictures import (
    ContentStore,
    DecodedSources,
    PictureSpec,
    Render,
    SourceImage,
    Workers,
    draw,
    fit,
    pixels_for_ratio,
    thumbnail,
)

__all__ = ["Gallery", "ServedImage", "picture_path"]

_ANIMALS = (
    "badger", "bison", "falcon", "ferret", "gecko", "heron", "ibex", "jackal", "koala", "lemur", "lynx", "marmot", "newt", "ocelot",
    "okapi", "otter", "panda", "puffin", "quail", "raven", "seal", "stoat", "tapir", "toucan", "urchin", "viper", "walrus", "weasel",
    "wombat", "yak", "zebra", "alpaca",
)  # fmt: skip
_FIRST_MS = 1_600_000_000_000
_DEFAULT_SIZE = (1024, 1024)
_MAX_IMAGE_BYTES = 48 * 1024 * 1024
_DRAWING_THREADS = 2
_MAX_MADE = 20_000
_FITTED_FILES = 8
_SUFFIXES = {Media.IMAGE: ".png", Media.AUDIO: ".wav", Media.VIDEO: ".mp4"}


@dataclass(frozen=True, slots=True)
class ServedImage:
    """An image file as served, with the hash of its bytes; ``note`` says what was done to a file of the user."""

    data: bytes
    media_type: str
    sha256: str
    note: str = ""

    @property
    def etag(self) -> str:
        """The entity tag of the file."""
        return f'"{self.sha256[:32]}"'


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    suffix: str  # by content; a file name's own suffix may not be valid in a URL


def picture_path(digest: str, index: int, suffix: str = ".png") -> str:
    """Return the URL path of a picture, from the request's digest (64 hexadecimal digits) and the picture's number.

    It has the newest observed form, ``/generations/<name>/<13-digit ms>-<uuid4>.png``, but depends on the request, not on the clock.
    """
    return f"{_path_start(digest, picture_id(digest))}{index:02x}{suffix}"


def _path_start(digest: str, key: str) -> str:
    name = _ANIMALS[int(digest[:2], 16) % len(_ANIMALS)]
    milliseconds = _FIRST_MS + int(digest[2:13], 16) % 10**11
    return f"/generations/{name}/{milliseconds}-{key}"


def _seed(digest: str) -> int:
    """Return the seed of a request's pictures."""
    return int(digest[-16:], 16)


def _identifier(path: str) -> str:
    return path.rpartition("/")[2].partition(".")[0].partition("-")[2]


class Gallery:
    """Draws the pictures of requests, each once, off the event loop, two at a time; ``recipes`` and ``store`` have what is needed for it.

    With a ``folder``, its image files are served instead. Raises ValueError when it has none. ``render`` is the kind of the drawn pictures.
    """

    def __init__(
        self, store: ContentStore, folder: Path | None, recipes: Recipes | None = None, render: Render = Render.CARDS
    ) -> None:
        self._store = store
        self._render = render
        self._recipes = Recipes() if recipes is None else recipes
        self._recipes.forgotten = self._forget_images
        self._images: OrderedDict[str, ServedImage] = OrderedDict()
        # The path of each picture that was made, by the hash of its bytes.
        self._made: OrderedDict[str, str] = OrderedDict()
        self._image_bytes = 0
        self._decoded = DecodedSources()
        self._workers = Workers[ServedImage | None](_DRAWING_THREADS, "bodydouble-picture")
        self._small = Workers[bytes | None](1, "bodydouble-thumbnail")
        self._files = _find_image_files(folder)
        # Most folders are small, and most calls ask for the same size.
        self._fit = lru_cache(_FITTED_FILES)(_read_fitted)

    def remember(
        self, digest: str, edit: EditRequest, size: tuple[int, int] | None, *, wrong_ratio: bool = False
    ) -> Sequence[str]:
        """Store what is needed to draw the pictures of a request, and return the URL path of each.

        With ``wrong_ratio`` the pictures have half the right height, and separate URLs.
        """
        if wrong_ratio:
            digest = hashlib.sha256(b"wrong-aspect-ratio " + digest.encode()).hexdigest()
        key = picture_id(digest)
        known = self._recall(key)
        if known is not None:
            return known
        pixels = size or (pixels_for_ratio(edit.ratio) if edit.ratio else None) or _DEFAULT_SIZE
        if wrong_ratio:
            pixels = (pixels[0], pixels[1] // 2)
        inputs = self._inputs(edit.inputs)
        start = _path_start(digest, key)
        paths = tuple([f"{start}{index:02x}{self._suffix(digest, index)}" for index in range(edit.count)])
        self._recipes.add(Recipe(digest, edit.model, edit.prompt, inputs, pixels, paths, Media.IMAGE, key))
        return paths

    def remember_medium(self, digest: str, media: Media) -> str:
        """Store what is needed to make the sound of a request, and return its URL path; that of a video leads nowhere."""
        digest = hashlib.sha256(f"{media} {digest}".encode()).hexdigest()
        paths = self._recall(picture_id(digest))
        if paths is None:
            paths = (picture_path(digest, 0, _SUFFIXES[media]),)
            self._recipes.add(Recipe(digest, "", "", (), _DEFAULT_SIZE, paths, media))
        return paths[0]

    @property
    def notices(self) -> list[str]:
        """The sentences that a user must read about the pictures before relying on them."""
        if not self._files:
            return []
        count = f"{len(self._files)} image file{'' if len(self._files) == 1 else 's'}"
        return [f"{count} from the folder are served as pictures, cropped or padded to the size of each request"]

    def _recall(self, key: str) -> Sequence[str] | None:
        """Return the URL path of each picture of a known recipe whose inputs are still stored, else None."""
        recipe = self._recipes.own(key)
        if recipe is None or not self._has_inputs(recipe):
            return None
        self._recipes.use(key)
        return recipe.paths

    def age_s(self, path: str) -> float | None:
        """Return the seconds since an answer had the URL with this path last; None where none had."""
        return self._recipes.age_s(_identifier(path)[:-2])

    def has_picture(self, path: str) -> bool:
        """Return whether a URL path leads to a picture that can be shown."""
        recipe = self._recipes.get(_identifier(path)[:-2])
        return recipe is not None and recipe.media == Media.IMAGE and path in recipe.paths

    def path_of(self, sha256: str) -> str | None:
        """Return the URL path of a picture by the hash of its bytes; None for one that was not made or has no recipe any more."""
        path = self._made.get(sha256)
        return path if path is not None and self.has_picture(path) else None

    def _has_inputs(self, recipe: Recipe) -> bool:
        # A loop, because a generator would take longer than the search itself.
        for item in recipe.inputs:  # noqa: SIM110
            if item.key is not None and item.key not in self._store:
                return False
        return True

    async def picture(self, path: str) -> ServedImage | None:
        """Return the image file for a URL path from `remember`; None when the path is unknown or was evicted."""
        found = self._find(path)
        if found is None:
            return None
        identifier, recipe, index = found
        if identifier in self._images:
            self._images.move_to_end(identifier)
            return self._images[identifier]
        # A picture of an evicted input is not kept: the next request may bring the input back.
        is_whole = self._has_inputs(recipe)
        image = await self._workers.run((identifier, is_whole), lambda: self._make(recipe, index))
        if image is not None:
            self._made[image.sha256] = path
            if len(self._made) > _MAX_MADE:
                self._made.popitem(last=False)
            # An input may have turned out to be damaged only now.
            is_whole = is_whole and self._has_inputs(recipe)
        if image is not None and is_whole and self._recipes.get(identifier[:-2]) is recipe:
            self._keep(identifier, image)
        return image

    async def thumbnail(self, path: str, side: int) -> bytes | None:
        """Return a small picture for a URL path, with a longer side of so many pixels, as WebP; None when the path is unknown."""
        found = self._find(path)
        if found is None or found[1].media != Media.IMAGE:
            return None
        identifier, recipe, index = found
        known = self._images.get(identifier)
        return await self._small.run(
            (identifier, side),
            lambda: thumbnail(self._sketch(recipe, index, side) if known is None else known.data, side),
        )

    def _sketch(self, recipe: Recipe, index: int, side: int) -> bytes:
        """Return the file of a picture, or draw it at twice the size of its thumbnail, in a tenth of the time."""
        if self._files:
            made = self._make(recipe, index)
            return b"" if made is None else made.data
        scale = min(1, 2 * side / max(recipe.size))
        return self._draw(
            replace(recipe, size=(round(recipe.size[0] * scale) or 1, round(recipe.size[1] * scale) or 1)), index
        )

    def _find(self, path: str) -> tuple[str, Recipe, int] | None:
        """Return the identifier, the recipe and the number of a picture; None when the path is unknown."""
        identifier = _identifier(path)
        recipe = self._recipes.get(identifier[:-2])
        index = int(identifier[-2:], 16) if len(identifier) > 2 and _is_hex(identifier[-2:]) else -1
        if recipe is None or not 0 <= index < len(recipe.paths) or path != recipe.paths[index]:
            return None
        return identifier, recipe, index

    def _forget_images(self, recipe: Recipe) -> None:
        if not self._images:
            return
        for index in range(len(recipe.paths)):
            image = self._images.pop(f"{recipe.key}{index:02x}", None)
            self._image_bytes -= 0 if image is None else len(image.data)

    def _make(self, recipe: Recipe, index: int) -> ServedImage | None:
        if recipe.media == Media.VIDEO:
            return None
        if recipe.media == Media.AUDIO:
            return _served(sound(_seed(recipe.digest)), "audio/wav")
        try:
            data, note = self._fitted(recipe, index) if self._files else (self._draw(recipe, index), "")
        except OSError:
            return None  # the file was removed from the folder
        kind = picture_kind(data)
        return _served(data, "application/octet-stream" if kind is None else kind.media_type, note)

    def _fitted(self, recipe: Recipe, index: int) -> tuple[bytes, str]:
        file = self._file(recipe.digest, index).path
        data, note = self._fit(file, file.stat().st_mtime_ns, recipe.size)
        return data, f"{file.name}: {note}" if note else ""

    def _draw(self, recipe: Recipe, index: int) -> bytes:
        sources = tuple(
            SourceImage(item.label, None) if item.key is None else self._source(item.label, item.key)
            for item in recipe.inputs
        )
        width, height = recipe.size
        return draw(
            PictureSpec(
                width,
                height,
                recipe.prompt,
                sources,
                index,
                len(recipe.paths),
                recipe.model,
                _seed(recipe.digest),
                self._render,
            ),
            self._decoded,
        )

    def _source(self, label: str, key: str) -> SourceImage:
        data = self._store.get(key)
        return SourceImage(f"{label} (evicted)", None) if data is None else SourceImage(label, data, key)

    def _inputs(self, values: Sequence[str]) -> tuple[RecipeInput, ...]:
        # Only those that a picture shows are stored.
        shown = [self._input(value, number) for number, value in enumerate(values[:MAX_SHOWN_INPUTS], 1)]
        return (*shown, *[RecipeInput("", None)] * (len(values) - len(shown)))

    def _input(self, value: str, number: int) -> RecipeInput:
        if value[:8].lower().startswith(("http://", "https://")):
            return RecipeInput(_file_name(value), None)
        key = picture_key(value)
        return RecipeInput(f"image {number}", self._store.put(decode_picture(value)) if key is None else key)

    def _keep(self, identifier: str, image: ServedImage) -> None:
        replaced = self._images.pop(identifier, None)  # each of the requests that waited for the same drawing
        self._images[identifier] = image
        self._image_bytes += len(image.data) - (0 if replaced is None else len(replaced.data))
        while self._image_bytes > _MAX_IMAGE_BYTES:
            _, oldest = self._images.popitem(last=False)
            self._image_bytes -= len(oldest.data)

    def _suffix(self, digest: str, index: int) -> str:
        return self._file(digest, index).suffix if self._files else ".png"

    def _file(self, digest: str, index: int) -> _File:
        return self._files[(_seed(digest) + index) % len(self._files)]


def _served(data: bytes, file_type: str, note: str = "") -> ServedImage:
    # A hash of the bytes, so that the ETag changes with the renderer and with Pillow, whose output differs between versions.
    return ServedImage(data, file_type, hashlib.sha256(data).hexdigest(), note)


def _file_name(url: str) -> str:
    """Return the last part of a URL's path, or its host."""
    path = url.partition("?")[0].partition("#")[0]
    return cut(unquote(path.rstrip("/").rpartition("/")[2]), 80)


def _find_image_files(folder: Path | None) -> Sequence[_File]:
    """Return the image files of a folder, sorted by name. Raises ValueError when it has none."""
    if folder is None:
        return ()
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; give one that contains image files")
    try:
        heads = [(path, picture_kind(_head(path))) for path in sorted(folder.iterdir()) if path.is_file()]
    except OSError as error:
        raise ValueError(f"{error.filename or folder} cannot be read: {error.strerror}") from None
    files = [_File(path, f".{kind.media_type.rpartition('/')[2]}") for path, kind in heads if kind is not None]
    if not files:
        raise ValueError(f"{folder} contains no JPEG, PNG, GIF, WebP, BMP, TIFF or AVIF file")
    return files


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(32)


def _is_hex(text: str) -> bool:
    return all(character in "0123456789abcdef" for character in text)


def _read_fitted(path: Path, _changed_ns: int, size: tuple[int, int]) -> tuple[bytes, str]:
    """Read a file of the folder, and fit it. Raises OSError when it is gone."""
    return fit(path.read_bytes(), size)

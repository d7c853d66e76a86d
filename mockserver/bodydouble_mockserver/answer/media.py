"""Media that an answer refers to: which property means which kind, and a sound that is made here."""

import io
import math
import re
import struct
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache

__all__ = ["Media", "media_of", "sound"]


class Media(StrEnum):
    """The kinds of media. Pictures are drawn and sounds are made; a video cannot be."""

    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"


_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_KINDS = {
    Media.AUDIO: {"audio", "music", "mp3", "podcast", "song", "sound", "speech", "stt", "tts", "voice", "wav"},
    Media.VIDEO: {"clip", "movie", "mp4", "video", "webm"},
    Media.IMAGE: {"image", "img", "jpeg", "jpg", "photo", "picture", "png", "thumbnail"},
}
_KIND_OF_WORD = {word: kind for kind, words in _KINDS.items() for word in words}
_SUFFIXES = {
    Media.AUDIO: (".aac", ".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wav"),
    Media.VIDEO: (".avi", ".m3u8", ".mov", ".mp4", ".webm"),
    Media.IMAGE: (".gif", ".jpeg", ".jpg", ".png", ".webp"),
}
# Names that say nothing about the kind; the path of the operation may.
_GENERIC = {
    "asset",
    "content",
    "data",
    "download",
    "file",
    "href",
    "item",
    "link",
    "media",
    "output",
    "result",
    "src",
    "uri",
    "url",
}
# A URL of one of these is no medium.
_OTHER = {
    "callback",
    "citation",
    "doc",
    "documentation",
    "homepage",
    "page",
    "reference",
    "source",
    "status",
    "webhook",
    "website",
}


def media_of(names: Sequence[str], texts: Iterable[str], operation_path: str) -> Media | None:
    """Return the kind of media that a URL means, or None when it means none.

    ``names`` are those of the properties that lead to it, ``texts`` its examples and descriptions, the best hint first.
    """
    texts = [*texts]
    for text in texts:
        if "://" in text:
            path = text.partition("?")[0].lower()
            found = next((kind for kind, suffixes in _SUFFIXES.items() if path.endswith(suffixes)), None)
            if found is not None:
                return found
    is_generic = True
    for name in reversed(names):
        words = _words(name)
        kinds = [_KIND_OF_WORD[word] for word in words if word in _KIND_OF_WORD]
        if kinds:
            return kinds[0]
        if _OTHER & set(words):
            return None
        is_generic = is_generic and all(word in _GENERIC for word in words)
    if not names or not _GENERIC & set(_words(names[-1])):
        return None
    described = [
        _KIND_OF_WORD[word] for text in texts if "://" not in text for word in _words(text) if word in _KIND_OF_WORD
    ]
    in_path = [_KIND_OF_WORD[word] for word in _words(operation_path) if word in _KIND_OF_WORD]
    if described or (in_path and is_generic):
        return [*described, *in_path][0]
    return Media.IMAGE if names[-1] == "url" else None


def _words(name: str) -> list[str]:
    words = [word.lower() for word in _WORDS.findall(name)]
    return [word[:-1] if word.endswith("s") and not word.endswith("ss") else word for word in words]


_RATE = 8_000
_SECONDS = 0.5
_VOLUME = 8_000


@cache
def sound(number: int) -> bytes:
    """Return a short WAV file, mono with 16 bits: a fading tone, one of twelve by the number."""
    # Imported here, so that a server starts sooner.
    import wave

    frequency = 220 * 2 ** (number % 12 / 12)
    length = int(_RATE * _SECONDS)
    samples = [
        int(_VOLUME * (1 - index / length) * math.sin(2 * math.pi * frequency * index / _RATE))
        for index in range(length)
    ]
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(_RATE)
        writer.writeframes(struct.pack(f"<{length}h", *samples))
    return file.getvalue()

"""Decoded input pictures, kept for the other pictures of their call."""

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from bodydouble_mockserver.pictures.model import SourceImage

if TYPE_CHECKING:
    from PIL import Image

    from bodydouble_mockserver.pictures.probe import DecodeFailure

__all__ = ["DecodedSources"]


class DecodedSources:
    """The last decoded sources in ``max_bytes`` of memory; thread-safe. Threads that need the same one decode it once."""

    def __init__(self, max_bytes: int = 16 * 1024 * 1024) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._images: OrderedDict[tuple[str, tuple[int, int]], Image.Image] = OrderedDict()
        self._turns: dict[tuple[str, tuple[int, int]], threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, source: SourceImage, box: tuple[int, int], deadline: float) -> "Image.Image | DecodeFailure | None":
        """Return a source as `decode` does, not to be changed; None for one without data."""
        from bodydouble_mockserver.pictures.probe import DecodeFailure, decode

        if source.data is None:
            return None
        if source.key is None:
            return decode(source.data, box, deadline)
        key = (source.key, box)
        with self._lock:
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:
            known = self._images.get(key)
            shown = decode(source.data, box, deadline) if known is None else known
        with self._lock:
            self._turns.pop(key, None)
            if not isinstance(shown, DecodeFailure):
                self._keep(key, shown)
        return shown

    def _keep(self, key: tuple[str, tuple[int, int]], image: "Image.Image") -> None:
        if key not in self._images:
            self._bytes += _size(image)
        self._images[key] = image
        self._images.move_to_end(key)
        while self._bytes > self._max_bytes:
            self._bytes -= _size(self._images.popitem(last=False)[1])


def _size(image: "Image.Image") -> int:
    return image.width * image.height * 4

"""What an edit gives back: plain data that can be kept, compared, pickled and printed."""

import builtins
from dataclasses import dataclass, field, fields
from os import PathLike
from pathlib import Path
from typing import Any

from bodydouble_client._downloader import Downloader
from bodydouble_client._picture import write_picture

__all__ = ["EditResult", "Image", "SyncEditResult", "SyncImage"]


@dataclass(frozen=True, slots=True)
class Image:
    """One picture of an answer: where it is (``url``), or the picture itself (``b64``), or both."""

    url: str | None = None
    b64: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SyncImage(Image):
    """A picture that can fetch itself, also after the client was closed and after pickling."""

    _downloader: Downloader = field(default_factory=Downloader, repr=False, compare=False)

    def bytes(self) -> builtins.bytes:
        """The picture file: decoded when the answer carried it, else downloaded. Raises DownloadError."""
        return self._downloader.fetch(self)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the picture file to ``path`` and return that. Raises DownloadError or SaveError."""
        return write_picture(self.bytes(), path)


@dataclass(frozen=True, slots=True)
class EditResult:
    """One successful edit.

    ``credits_used`` and ``cost_usd`` are what the answer says, None when it does not; a price is never computed.
    ``request_id`` is the server's, ``client_request_id`` the one that was sent. ``warnings`` are sentences about what
    is odd, such as fewer images than asked for. ``raw`` is the answer's JSON object.
    """

    images: tuple[Image, ...]
    credits_used: int | float | None = None
    cost_usd: float | None = None
    request_id: str | None = None
    client_request_id: str | None = None
    description: str | None = None
    warnings: tuple[str, ...] = ()
    raw: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)


@dataclass(frozen=True, slots=True)
class SyncEditResult(EditResult):
    """One successful edit of the blocking client, whose pictures can fetch themselves."""

    images: tuple[SyncImage, ...]

    @classmethod
    def of(cls, result: EditResult, downloader: Downloader) -> "SyncEditResult":
        """The same result, with pictures that fetch themselves through ``downloader``."""
        values = {item.name: getattr(result, item.name) for item in fields(result)}
        values["images"] = tuple(SyncImage(image.url, image.b64, downloader) for image in result.images)
        return cls(**values)

"""What an edit gives back: plain data that can be kept, compared, pickled and printed."""

import builtins
from dataclasses import dataclass, field, fields
from os import PathLike
from pathlib import Path
from typing import Any

from bodydouble_client._allowance import Carrier, allowance_of, carry
from bodydouble_client._downloader import Downloader
from bodydouble_client._picture import write_picture

__all__ = ["EditResult", "Image", "SyncEditResult", "SyncImage"]


@dataclass(frozen=True, slots=True)
class Image(Carrier):
    """One picture of an answer: where it is (``url``), or the picture itself (``b64``), or both."""

    url: str | None = None
    b64: str | None = field(default=None, repr=False)


class SyncImage(Image):
    """A picture that can fetch itself, also after the client was closed and after pickling."""

    # no field, so that the data stay plain for dataclasses.asdict() and comparisons
    __slots__ = ("_downloader",)

    @classmethod
    def of(cls, image: Image, downloader: Downloader) -> "SyncImage":
        """The same picture, which fetches itself through ``downloader``."""
        made = cls(image.url, image.b64)
        carry(made, allowance_of(image))
        object.__setattr__(made, "_downloader", downloader)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return (SyncImage.of, (Image(self.url, self.b64), self._fetcher()))

    def bytes(self) -> builtins.bytes:
        """The picture file: decoded when the answer carried it, else downloaded. Raises DownloadError."""
        return self._fetcher().fetch(self)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the picture file to ``path`` and return that. Raises DownloadError or SaveError."""
        return write_picture(self.bytes(), path)

    def _fetcher(self) -> Downloader:
        return getattr(self, "_downloader", None) or Downloader()


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
        values["images"] = tuple(SyncImage.of(image, downloader) for image in result.images)
        return cls(**values)

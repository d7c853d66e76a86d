"""The result of an edit: data that can be kept, compared, pickled and printed."""

import builtins
from dataclasses import dataclass, field, fields
from os import PathLike
from pathlib import Path
from typing import Any

from bodydouble_client._download import Downloader, write_picture
from bodydouble_client._retry import HasDeadline, attach_deadline, deadline_of


@dataclass(frozen=True, slots=True)
class Image(HasDeadline):
    """One picture of an answer: its URL, its Base64, or both."""

    url: str | None = None
    b64: str | None = field(default=None, repr=False)


class SyncImage(Image):
    """A picture that can download itself, also after the client was closed and after pickling."""

    # not a field: dataclasses.asdict() and comparisons ignore it
    __slots__ = ("_downloader",)

    @classmethod
    def of(cls, image: Image, downloader: Downloader) -> "SyncImage":
        """Return the same picture with a downloader."""
        made = cls(image.url, image.b64)
        attach_deadline(made, deadline_of(image))
        object.__setattr__(made, "_downloader", downloader)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return (SyncImage.of, (Image(self.url, self.b64), self._own_downloader()))

    def bytes(self) -> builtins.bytes:
        """Return the picture file, decoded or downloaded. Raises DownloadError."""
        return self._own_downloader().fetch(self)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the picture file to ``path`` and return the path. Raises DownloadError or SaveError."""
        return write_picture(self.bytes(), path)

    def _own_downloader(self) -> Downloader:
        return getattr(self, "_downloader", None) or Downloader()


@dataclass(frozen=True, slots=True)
class EditResult:
    """One successful edit.

    ``credits_used`` and ``cost_usd`` are taken from the answer, None when it has neither; no price is computed.
    ``request_id`` is the id given by the server, ``client_request_id`` the one that was sent. ``warnings`` are
    sentences about anything unusual, such as fewer images than asked for. ``raw`` is the JSON object of the answer.
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
    """One successful edit of the blocking client, with pictures that can download themselves."""

    images: tuple[SyncImage, ...]

    @classmethod
    def of(cls, result: EditResult, downloader: Downloader) -> "SyncEditResult":
        """Return the same result with pictures that use ``downloader``."""
        values = {item.name: getattr(result, item.name) for item in fields(result)}
        values["images"] = tuple(SyncImage.of(image, downloader) for image in result.images)
        return cls(**values)

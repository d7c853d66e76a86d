"""The pictures of recorded answers, from the files of a recording."""

from collections.abc import Iterable, Iterator
from typing import Any

from bodydouble_spec import Exchange, RecordedPicture, essence, join_pointer, members_of
from bodydouble_spec.recording import ContentFiles, PicturePlace

from bodydouble_contract_tests.checks import inspect_picture, picture_damage
from bodydouble_contract_tests.model import FetchedPicture

__all__ = ["RecordedPictures"]


class RecordedPictures:
    """The pictures of a recording by the call that they belong to: downloads and Base64, read from its files and looked at.

    A picture whose file is missing or was changed is left out: reading the recording reports it.
    """

    def __init__(self, exchanges: Iterable[Exchange], files: ContentFiles) -> None:
        self._files = files
        self._downloads: dict[str, list[tuple[PicturePlace, Exchange]]] = {}
        for exchange in exchanges:
            place = PicturePlace.of(exchange)
            if place is not None:
                self._downloads.setdefault(place.call, []).append((place, exchange))

    def of(self, call: Exchange) -> tuple[FetchedPicture, ...]:
        """Return the pictures of a call, without their bytes."""
        found = [self._downloaded(*item) for item in self._downloads.get(call.id, ())]
        body = None if call.answer is None else call.answer.body
        found += [self._inline(*item) for item in _described(body, "")]
        return tuple(picture for picture in found if picture is not None)

    def _downloaded(self, place: PicturePlace, exchange: Exchange) -> FetchedPicture | None:
        answer, problem = exchange.answer, exchange.extra.get("problem")
        problem = problem if isinstance(problem, str) else None
        if answer is None:
            return FetchedPicture(place.pointer, exchange.path, problem=problem)
        media_type = essence(answer.headers.get("content-type", ""))
        described = RecordedPicture.read(answer.body)
        if described is None:
            return FetchedPicture(place.pointer, exchange.path, answer.status, media_type, problem=problem)
        return self._looked_at(described, place.pointer, exchange.path, answer.status, media_type)

    def _inline(self, pointer: str, described: RecordedPicture) -> FetchedPicture | None:
        media_type = described.media_type if described.is_data_uri else None
        return self._looked_at(described, pointer, "base64", None, media_type or "")

    def _looked_at(
        self, described: RecordedPicture, pointer: str, source: str, status: int | None, media_type: str
    ) -> FetchedPicture | None:
        data = self._files.get(described.sha256)
        if data is None:
            return None
        kind, pixels, problem = inspect_picture(data)
        damage = picture_damage(data, kind)
        return FetchedPicture(pointer, source, status, media_type, kind, pixels, b"", problem, damage)


def _described(value: Any, pointer: str) -> Iterator[tuple[str, RecordedPicture]]:
    """Yield each description of a picture in a body, with its pointer."""
    described = RecordedPicture.read(value)
    if described is not None:
        yield pointer, described
        return
    for name, item in members_of(value):
        yield from _described(item, join_pointer(pointer, name))

"""The recorded calls by their canonical requests: the n-th time the n-th answer, then the last."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bodydouble_spec import Exchange, RecordedPicture
from bodydouble_spec.recording import CallFacts, ContentFiles, PicturePlace, StoredRecording, recorded_files
from bodydouble_spec.values import is_object, pointer_parts, resolve_pointer

from bodydouble_mockserver.replay.matching import (
    BodyRules,
    CanonicalRequest,
    canonical_of_exchange,
    check_pointers,
    differences,
)

__all__ = ["Library", "Nearest", "Replayable", "Uses"]


@dataclass(frozen=True, slots=True)
class Replayable:
    """A recorded call that can be answered again: its exchange, the files of its recording, and the hash of each picture by the pointer of its URL."""

    exchange: Exchange
    files: ContentFiles
    pictures: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Nearest:
    """The recorded call that differs least from a request: the places of what differs, with the recorded and the sent value; see `differences`."""

    call: Replayable
    differences: Sequence[tuple[str, Any, Any]]


@dataclass(slots=True)
class _Series:
    """The calls with one canonical request, in order."""

    request: CanonicalRequest
    calls: list[Replayable]


class Uses:
    """The number of answers that were given to each canonical request, by its text."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def count(self, text: str) -> int:
        """Count an answer, and return the number of those before it."""
        self._counts[text] += 1
        return self._counts[text] - 1

    def clear(self) -> None:
        """Begin again with none."""
        self._counts.clear()


class Library:
    """The calls of some recordings. ``uses`` counts the answers that are given (default: those of this library).

    ``skipped`` has the ids of those without a whole answer, which cannot be replayed. Raises ValueError for an ``ignored`` text that is not a JSON pointer.
    """

    def __init__(
        self,
        recordings: Iterable[StoredRecording] = (),
        ignored: Sequence[str] = (),
        uses: Uses | None = None,
    ) -> None:
        check_pointers(ignored)
        self._uses = uses or Uses()
        self.skipped: list[str] = []
        self._picture_hashes: dict[str, str] = {}
        self.rules = BodyRules(tuple(ignored), self._picture_hashes)
        self._files: dict[str, ContentFiles] = {}
        self._series: dict[str, _Series] = {}
        self._by_route: dict[tuple[str, str], list[_Series]] = {}
        for recording in recordings:
            self.add(recording.exchanges, recording.files)

    def __len__(self) -> int:
        return sum(len(series.calls) for series in self._series.values())

    def add(self, exchanges: Sequence[Exchange], files: ContentFiles) -> None:
        """Add calls with the exchanges of their pictures."""
        pictures: dict[str, dict[str, str]] = {}
        for exchange in exchanges:
            place, sha256 = PicturePlace.of(exchange), _picture_of(exchange)
            if place is not None and sha256 is not None:
                pictures.setdefault(place.call, {})[place.pointer] = sha256
                self._files[sha256] = files
        calls = [exchange for exchange in exchanges if exchange.kind is None]
        for exchange in calls:
            for pointer, sha256 in pictures.get(exchange.id, {}).items():
                url = _text_at(exchange, pointer)
                if url is not None:
                    self._picture_hashes[url] = sha256
        for exchange in calls:
            self._add(Replayable(exchange, files, pictures.get(exchange.id, {})))

    def next(self, request: CanonicalRequest) -> Replayable | None:
        """Return the recorded call to answer a request with, and count it; None when there is none."""
        series = self._series.get(request.text)
        if series is None:
            return None
        return series.calls[min(self._uses.count(request.text), len(series.calls) - 1)]

    def nearest(self, request: CanonicalRequest) -> Nearest | None:
        """Return the recorded call of the same method and path that differs least from a request; None when there is none."""
        candidates = [
            Nearest(series.calls[0], differences(series.request, request))
            for series in self._by_route.get(request.route, ())
        ]
        return min(candidates, key=lambda candidate: len(candidate.differences), default=None)

    def has_route(self, request: CanonicalRequest) -> bool:
        """Return whether there is a call with the method and path of a request."""
        return request.route in self._by_route

    def has_picture(self, sha256: str) -> bool:
        """Return whether a recording has a picture."""
        return sha256 in self._files

    def picture(self, sha256: str) -> bytes | None:
        """Return the bytes of a recorded picture; None for one that no recording has."""
        files = self._files.get(sha256)
        return None if files is None else files.get(sha256)

    def rewind(self) -> None:
        """Begin again with the first answer to each request."""
        self._uses.clear()

    def _add(self, call: Replayable) -> None:
        if not _is_whole(call):
            self.skipped.append(call.exchange.id)
            return
        request = canonical_of_exchange(call.exchange, self.rules)
        series = self._series.get(request.text)
        if series is None:
            series = self._series[request.text] = _Series(request, [])
            self._by_route.setdefault(request.route, []).append(series)
        series.calls.append(call)


def _is_whole(call: Replayable) -> bool:
    """Return whether all of an answer was recorded: an answer that broke off cannot be given again, nor one whose files are missing."""
    answer, facts = call.exchange.answer, CallFacts.of(call.exchange)
    if answer is None or (facts is not None and facts.trouble is not None):
        return False
    if answer.raw is not None and answer.raw.get("is_kept") is not True:
        shown = str(answer.raw.get("text", "")).encode("utf-8", "replace")
        if answer.raw.get("bytes") != len(shown):
            return False
    return all(sha256 in call.files for sha256 in recorded_files(Exchange("", "", "", "", answer=answer)))


def _picture_of(exchange: Exchange) -> str | None:
    picture = None if exchange.answer is None else RecordedPicture.read(exchange.answer.body)
    return None if picture is None else picture.sha256


def _text_at(exchange: Exchange, pointer: str) -> str | None:
    body = None if exchange.answer is None else exchange.answer.body
    try:
        value = resolve_pointer(body, pointer_parts(pointer)) if is_object(body) else None
    except LookupError:
        return None
    return value if isinstance(value, str) else None

"""The recording of a proxy: each call with its pictures, checked as `verify --exchanges` would check it."""

import hashlib
import math
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import orjson
from bodydouble_mockserver.asgi import Answer
from bodydouble_mockserver.endpoints import HandledRequest
from bodydouble_mockserver.journal import LineWriter
from bodydouble_spec import (
    Exchange,
    Finding,
    ReadBody,
    RecordedAnswer,
    RecordedPicture,
    Redactor,
    picture_kind,
    refer_to_pictures,
)
from bodydouble_spec.recording import CallFacts, PicturePlace, RecordingFolder, kept_bytes, picture_urls, recorded_files

from bodydouble_contract_tests.model import FetchedPicture, OperationProfile
from bodydouble_contract_tests.run import RecordedPictures, check_exchanges
from bodydouble_contract_tests.target import Downloads, RunLimits

__all__ = ["CallRecorder", "RecordedCallFiles", "Unlimited"]


class Unlimited(RunLimits):
    """The limits of a proxy, which runs as long as its user wants: each picture is tried."""

    def __init__(self) -> None:
        super().__init__(math.inf, math.inf)

    def reason_to_skip(self) -> str | None:
        """Return None; see `RunLimits`."""
        return None


@dataclass(frozen=True, slots=True)
class RecordedCallFiles:
    """A recorded call: its exchange, what was found in it, the URLs of its pictures by their pointers, and the profile of its operation."""

    exchange: Exchange
    findings: tuple[Finding, ...]
    urls: Sequence[tuple[str, str]]
    profile: OperationProfile | None


class CallRecorder:
    """Writes calls into a folder. ``input_of`` returns the bytes of an input picture by its hash, ``writer`` makes the exchanges."""

    def __init__(
        self,
        folder: RecordingFolder,
        writer: LineWriter,
        input_of: Callable[[str], bytes | None],
        downloads: Downloads,
    ) -> None:
        self._folder = folder
        self._writer = writer
        self._input_of = input_of
        self._downloads = downloads
        self._run = secrets.token_hex(4)
        self._numbers = count(1)
        # Each URL is fetched once.
        self._fetched: dict[str, Exchange] = {}

    def record(
        self, handled: HandledRequest, profile: OperationProfile | None, facts: CallFacts, has_answer: bool = True
    ) -> RecordedCallFiles:
        """Check a call and append it with its files; without ``has_answer`` that of the call is our own. Raises CannotRecord."""
        redactor = self._writer.redactor_for(handled)
        keys = handled.keys
        answer = handled.answer

        def put(data: bytes) -> str:
            # Picture files can carry texts; one with a key in it is only named.
            return hashlib.sha256(data).hexdigest() if any(key in data for key in keys) else self._folder.put(data)

        read = _read_answer(answer, put)
        identifier = f"{self._run}-{next(self._numbers)}"
        exchange = self._writer.whole_exchange(identifier, handled, read)
        exchange = replace(exchange, extra=facts.to_extra())
        exchange = self._with_files(exchange, handled, redactor, keys, put)
        if not has_answer:
            exchange, read = replace(exchange, answer=None), None
        findings: tuple[Finding, ...] = ()
        if profile is not None:
            checked, _ = check_exchanges(profile, [exchange])
            findings = tuple(finding for item in checked for finding in item.findings)
        if findings:
            own = [{**finding.to_dict(), "direction": "response"} for finding in findings]
            exchange = replace(exchange, findings=(*exchange.findings, *own))
        self._folder.append(exchange, is_money=facts.usd > 0)
        urls = () if read is None else picture_urls(read.value)
        return RecordedCallFiles(exchange, findings, urls, profile)

    def record_picture(self, call: Exchange, pointer: str, url: str) -> Exchange:
        """Fetch a picture without the key, once, and append it. Raises CannotRecord; a picture that cannot be fetched is recorded with its problem."""
        known = self._fetched.get(url)
        place = PicturePlace(call.id, pointer).to_extra()
        identifier = f"{call.id}{pointer.replace('/', '.')}"
        if known is None:
            picture = self._downloads.fetch(url)
            self._downloads.forget(url)
            known = self._picture_exchange(url, picture, call.time)
            self._fetched[url] = known
        exchange = replace(known, id=identifier, extra={**known.extra, **place})
        self._folder.append(exchange)
        return exchange

    def check_pictures(self, call: RecordedCallFiles, pictures: Sequence[Exchange]) -> list[Finding]:
        """Return what is wrong with the pictures of a call, which were recorded."""
        if call.profile is None:
            return []
        stored = [picture for picture in pictures if "problem" not in picture.extra]
        checked, _ = check_exchanges(call.profile, [call.exchange], RecordedPictures(stored, self._folder.files))
        return [finding for item in checked for finding in item.findings if finding not in call.findings]

    def _picture_exchange(self, url: str, picture: FetchedPicture, time: str) -> Exchange:
        redactor = Redactor()
        parts = urlsplit(url)
        answer = None
        if picture.status is not None:
            described = None
            if picture.problem is None or picture.content:
                sha256 = self._folder.put(picture.content)
                kind = picture_kind(picture.content)
                pixels = None if kind is None else kind.pixels
                described = RecordedPicture(
                    sha256, picture.media_type or None, len(picture.content), pixels, is_data_uri=False
                ).to_dict()
            answer = RecordedAnswer(picture.status, redactor.headers(picture.headers.items()), described)
        problem = {} if picture.problem is None else {"problem": picture.problem}
        return Exchange(
            "",
            time,
            "GET",
            redactor.path(parts.path or "/", parts.query),
            headers={"host": parts.netloc.rpartition("@")[2]},
            answer=answer,
            kind="picture",
            extra=problem,
        )

    def _with_files(
        self,
        exchange: Exchange,
        handled: HandledRequest,
        redactor: Redactor,
        keys: Sequence[bytes],
        put: Callable[[bytes], str],
    ) -> Exchange:
        """Store the files that an exchange refers to, and those of bodies that are not JSON."""
        for sha256 in recorded_files(replace(exchange, answer=None)):
            data = self._input_of(sha256)
            if data is not None:
                put(data)
        if picture_kind(handled.answer.body) is not None:
            put(handled.answer.body)
        raw, answer = exchange.raw, exchange.answer
        if raw is not None:
            raw = _kept(raw, handled.intake.body, redactor, keys, put)
        if answer is not None and answer.raw is not None:
            answer = replace(answer, raw=_kept(answer.raw, handled.answer.body, redactor, keys, put))
        return replace(exchange, raw=raw, answer=answer)


def _read_answer(answer: Answer, put: Callable[[bytes], str]) -> ReadBody | None:
    """Return the JSON of an answer with its Base64 pictures stored; None for any other body."""
    if answer.body[:64].lstrip()[:1] not in (b"{", b"["):
        return None
    text, pictures = refer_to_pictures(answer.body, put)
    try:
        return ReadBody(orjson.loads(text), text, pictures)
    except orjson.JSONDecodeError:
        return None


def _kept(
    raw: Any, data: bytes, redactor: Redactor, keys: Sequence[bytes], put: Callable[[bytes], str]
) -> dict[str, Any]:
    kept = kept_bytes(data, redactor, list(keys))
    return dict(raw) if kept is None else {**raw, "bytes": len(kept), "sha256": put(kept), "is_kept": True}

"""Recorded answers in the place of the mock's own, with picture URLs that lead to this server."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pybase64
from bodydouble_spec import Evidence, Finding, RecordedPicture, Redactor, Severity, is_array, is_object, picture_kind
from bodydouble_spec.defects import show
from bodydouble_spec.values import join_pointer

from bodydouble_mockserver.answer import RefusalWriter, ServedImage, picture_origin
from bodydouble_mockserver.asgi import BODILESS, Answer, Headers, write_json
from bodydouble_mockserver.endpoints import Effects, HandledRequest
from bodydouble_mockserver.replay.library import Library, Nearest, Replayable, Uses
from bodydouble_mockserver.replay.matching import RECORDED_PICTURES, CanonicalRequest, canonical_of_request
from bodydouble_mockserver.replay.settings import ReplaySettings
from bodydouble_mockserver.request import Refusal, bearer_key
from bodydouble_mockserver.settings import Settings

__all__ = ["RECORDED_PICTURES", "Replay", "replayed_answer"]

# The server writes these itself, for the bytes that it sends.
_OF_CONNECTION = frozenset(
    (
        "access-control-allow-origin",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "host",
        "transfer-encoding",
    )
)
_MAX_SHOWN = 3
_NOT_RECORDED = "not-recorded"
# Findings that a recording of the route answers.
_OF_OTHER_ROUTES = ("route-not-stood-in", "request-route-unknown")


class Replay:
    """The replay of one server.

    ``refusals`` gives the writer of the contracts that are served now, ``new_id`` the ids of requests, and ``redactor`` knows the keys of the settings.
    ``uses`` counts the answers, see `Library`.
    """

    def __init__(
        self,
        options: ReplaySettings,
        settings: Settings,
        redactor: Redactor,
        refusals: Callable[[], RefusalWriter],
        new_id: Callable[[], str],
        uses: Uses | None = None,
    ) -> None:
        self.library = Library(options.recordings, options.ignored, uses)
        self.is_only = options.is_only
        self._has_delays = options.has_delays
        self._settings = settings
        self._redactor = redactor
        self._refusals = refusals
        self._new_id = new_id

    def has_route(self, handled: HandledRequest) -> bool:
        """Return whether a call with the method and path of a request was recorded."""
        return self.library.has_route(self._canonical(handled))

    def take_over(self, handled: HandledRequest) -> bool:
        """Put the recorded answer in the place of that of the mock; with ``is_only``, a refusal for a request that was not recorded.

        Return False where the answer was left as it is.
        """
        problem = handled.intake.problem
        if problem is not None and problem.status in (413, 503):
            return False  # too large to be parsed, for a comparison too
        request = self._canonical(handled)
        call = self.library.next(request)
        if call is None and not request.has_key and not _is_refused_without_key(handled):
            # A route that needs no key gives the same answer with one.
            call = self.library.next(replace(request, has_key=True))
        findings = [finding for finding in handled.answer.findings if finding.id not in _OF_OTHER_ROUTES]
        if call is not None:
            headers = dict(handled.headers)
            handled.answer = replayed_answer(call, picture_origin(self._settings, handled.scope, headers))
            delay_s = call.exchange.duration_s if self._has_delays else None
            handled.effects = Effects(delay_s=delay_s or 0.0, applied=(f"replay={call.exchange.id}",))
        elif self.is_only:
            found = _not_recorded(request, self.library.nearest(request), handled.operation)
            handled.answer = self._refusals().write(
                404, Refusal(404, found.message), handled.path, self._new_id(), self._settings.clock()
            )
            handled.answer.headers.append((b"x-bodydouble-note", b"not recorded"))
            findings = [*findings, found]
        else:
            return False
        handled.answer.findings = findings
        return True

    def has_picture(self, path: str) -> bool:
        """Return whether a URL path is that of a recorded picture."""
        return self.library.has_picture(_picture_hash(path))

    def path_of(self, sha256: str) -> str | None:
        """Return the URL path of a recorded picture by the hash of its bytes; None where no recording has it."""
        return f"{RECORDED_PICTURES}{sha256}" if self.library.has_picture(sha256) else None

    def picture(self, path: str) -> ServedImage | None:
        """Return the recorded picture of a URL path; None for any other path."""
        sha256 = _picture_hash(path)
        data = self.library.picture(sha256)
        if data is None:
            return None
        kind = picture_kind(data)
        return ServedImage(data, "application/octet-stream" if kind is None else kind.media_type, sha256)

    def _canonical(self, handled: HandledRequest) -> CanonicalRequest:
        bearer = bearer_key(dict(handled.headers).get(b"authorization", b""))
        redactor = handled.redactor(self._redactor)
        return canonical_of_request(
            handled.method,
            redactor.path(handled.path, handled.query.decode("latin-1")),
            bool(handled.checked.key or bearer),
            handled.intake,
            redactor,
            handled.keys,
            self.library.rules,
        )


def replayed_answer(call: Replayable, origin: str) -> Answer:
    """Return the recorded answer of a call, with URLs of recorded pictures that lead to ``origin``."""
    recorded = call.exchange.answer
    if recorded is None:
        raise ValueError(f"{call.exchange.id} has no answer")
    headers: Headers = [
        (name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
        for name, value in recorded.headers.items()
        if name not in _OF_CONNECTION
    ]
    if recorded.raw is not None:
        kept = call.files.get(str(recorded.raw.get("sha256"))) if recorded.raw.get("is_kept") is True else None
        body = str(recorded.raw.get("text", "")).encode() if kept is None else kept
        if "content-encoding" in recorded.headers and kept is not None:
            # It could not be decoded, and was kept as it came.
            headers.append((b"content-encoding", recorded.headers["content-encoding"].encode("latin-1", "replace")))
    elif recorded.body is None:
        body = b""
    elif (picture := RecordedPicture.read(recorded.body)) is not None:
        body = call.files.get(picture.sha256) or b""
    else:
        body = write_json(_restored(recorded.body, "", call, origin))
    content_type = recorded.headers.get("content-type", "").encode("latin-1", "replace")
    is_bodiless = recorded.status in BODILESS
    return Answer(recorded.status, b"" if is_bodiless else content_type, b"" if is_bodiless else body, headers)


def _restored(value: Any, pointer: str, call: Replayable, origin: str) -> Any:
    """Return a recorded value as it is sent: pictures as Base64 again, URLs of recorded pictures to this server."""
    sha256 = call.pictures.get(pointer)
    if sha256 is not None and isinstance(value, str):
        return f"{origin}{RECORDED_PICTURES}{sha256}{_ending(call, sha256)}"
    picture = RecordedPicture.read(value)
    if picture is not None:
        data = call.files.get(picture.sha256) or b""
        text = pybase64.b64encode(data).decode()
        return f"data:{picture.media_type or ''};base64,{text}" if picture.is_data_uri else text
    if is_object(value):
        return {name: _restored(item, join_pointer(pointer, name), call, origin) for name, item in value.items()}
    if is_array(value):
        return [_restored(item, join_pointer(pointer, index), call, origin) for index, item in enumerate(value)]
    return value


def _ending(call: Replayable, sha256: str) -> str:
    kind = picture_kind(call.files.get(sha256) or b"")
    return "" if kind is None else f".{kind.media_type.rpartition('/')[2]}"


def _is_refused_without_key(handled: HandledRequest) -> bool:
    refusal = handled.checked.refusal
    return refusal is not None and refusal.status == 401


def _not_recorded(request: CanonicalRequest, nearest: Nearest | None, operation: str | None) -> Finding:
    asked = f"{request.method} {request.path}"
    if nearest is None:
        text = f"no recording contains a call to {asked}; record it (bodydouble proxy --record DIR), or replay without --replay-only"
        return Finding(
            _NOT_RECORDED, Severity.ERROR, Evidence.OBSERVED, "", text, direction="request", operation=operation
        )
    shown = "; ".join(
        f"{place or 'the body'}: recorded {_shown(recorded)}, sent {_shown(sent)}"
        for place, recorded, sent in nearest.differences[:_MAX_SHOWN]
    )
    rest = len(nearest.differences) - _MAX_SHOWN
    more = f"; and {rest} more" if rest > 0 else ""
    place, recorded, sent = nearest.differences[0] if nearest.differences else ("", None, None)
    exchange = nearest.call.exchange
    text = (
        f"this call to {asked} was not recorded; the nearest recorded call is {exchange.id} of {exchange.time}, which differs in {shown}{more}. "
        f"Record it, or {_way_to(nearest)}"
    )
    return Finding(
        _NOT_RECORDED,
        Severity.ERROR,
        Evidence.OBSERVED,
        place if place.startswith("/") else "",
        text,
        _plain(recorded),
        _plain(sent),
        direction="request",
        operation=operation,
        witness=exchange.id,
    )


def _way_to(nearest: Nearest) -> str:
    """Return what makes the nearest call the answer."""
    places = [place for place, _, _ in nearest.differences]
    if not all(place.startswith("/") for place in places):
        return "send what was recorded"
    pointers = places if len(places) <= _MAX_SHOWN else ["POINTER"]
    return f"ignore what differs ({' '.join(f'--replay-ignore {pointer}' for pointer in pointers)})"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    sha256 = value.get("picture") if is_object(value) else None
    return f"the picture {sha256[:12]}…" if isinstance(sha256, str) else show(value)


def _plain(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value, default=str))


def _picture_hash(path: str) -> str:
    """Return the hash in the URL path of a recorded picture; empty for any other path."""
    return path.removeprefix(RECORDED_PICTURES).partition(".")[0] if path.startswith(RECORDED_PICTURES) else ""

"""The log: one record for each request, without keys and control characters, as a line or for a terminal."""

import logging
import re
from dataclasses import dataclass
from typing import Any

import orjson
from bodydouble_spec import Redactor, is_object, is_success
from bodydouble_spec.image_fields import prompt_of
from bodydouble_spec.text import cut, visible, without_data_uris

from bodydouble_mockserver.asgi import Answer, Scope, header
from bodydouble_mockserver.endpoints import HandledRequest
from bodydouble_mockserver.request import bearer_key

__all__ = ["LoggedCall", "log_failure", "log_request"]

_LOG = logging.getLogger("bodydouble.mockserver")
_LONGEST = {"prompt": 60}
# A key may begin before the place where a prompt is cut, so it is cut after it was redacted; of a very long one only the beginning is looked at.
_REDACTED_CHARACTERS = 2_000
_REASON_CHARACTERS = 600
# Of a larger answer neither message nor URLs are looked for.
_READ_BYTES = 64 * 1024
_MOST_PICTURES = 4
_URL = re.compile(rb'"url":\s*"(https?://[^"\\\s]{1,2000})"')


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """A request with its answer as the log tells it; every text is without keys and safe to print.

    ``seconds`` includes the delay. ``contract`` is named where there are several, ``prompt`` is the beginning of the prompt. ``reason`` is the first finding
    with its place, or the message of a refusal; ``injected`` names what a script, a Prefer header or the failure rate did, ``note`` is what a proxy says of cost and
    recording, and ``pictures`` are the URLs in the answer.
    """

    method: str
    path: str
    status: int
    seconds: float
    contract: str | None = None
    prompt: str | None = None
    reason: str | None = None
    injected: str | None = None
    note: str | None = None
    pictures: tuple[str, ...] = ()

    @property
    def duration(self) -> str:
        """The duration with its unit: ``12 ms``, ``1.4 s``."""
        return f"{self.seconds * 1000:.0f} ms" if self.seconds < 1 else f"{self.seconds:.1f} s"

    def __str__(self) -> str:
        """Return the call in one complete line."""
        parts = [f"{self.method} {self.path} {self.status} {self.duration}"]
        parts += [f"({self.contract})"] if self.contract is not None else []
        parts += [f'"{self.prompt}"'] if self.prompt is not None else []
        parts += [f"[{self.injected}]"] if self.injected is not None else []
        parts += [f"({self.note})"] if self.note is not None else []
        parts += [self.reason] if self.reason is not None else []
        return " ".join([*parts, *self.pictures])


def log_request(handled: HandledRequest, redactor: Redactor, *, with_contract: bool = False) -> None:
    """Log a request with its answer; nothing is formatted where nobody reads the log."""
    if not _LOG.isEnabledFor(logging.INFO):
        return
    # A path, or the name of a parameter or header, may be a key that is in the wrong place.
    redactor = handled.redactor(redactor)
    told = {
        "method": handled.method,
        "contract": handled.contract if with_contract else None,
        "prompt": _prompt(handled.intake.parsed),
        "reason": _reason(handled.answer),
        "injected": _injected(handled),
        "note": handled.note,
    }
    given = {name: " ".join(text.split()) for name, text in told.items() if text}
    pictures = _pictures(handled.answer)
    # In one call, which takes as long as one of its parts would.
    texts = redactor.text("\n".join([*given.values(), *pictures])).split("\n")
    shown = {
        name: _shown(text, _LONGEST.get(name, _REASON_CHARACTERS)) for name, text in zip(given, texts, strict=False)
    }
    path = _shown(redactor.path(handled.path), _REASON_CHARACTERS)
    urls = tuple(_shown(text, _REASON_CHARACTERS) for text in texts[len(given) :])
    _LOG.info(
        "%s", LoggedCall(path=path, status=handled.answer.status, seconds=handled.duration_s, pictures=urls, **shown)
    )


def _shown(text: str, most: int) -> str:
    is_plain = text.isascii() and text.isprintable() and "::" not in text and "##" not in text
    return cut(text if is_plain else visible(text), most)


def _prompt(body: Any) -> str | None:
    prompt = prompt_of(body)
    return None if prompt is None else without_data_uris(prompt[:_REDACTED_CHARACTERS])


def _reason(answer: Answer) -> str | None:
    """Return the first finding with its place, or the message of a refusal without one."""
    first = next(iter(answer.findings), None)
    if first is None:
        return _message(answer) if 400 <= answer.status < 500 else None
    # Imported here, so that a server starts sooner.
    from bodydouble_spec.report import place

    more = f" (and {len(answer.findings) - 1} more)" if len(answer.findings) > 1 else ""
    where = place(first, with_operation=False)
    return f"{where}: {without_data_uris(first.message).replace('`', '')} ({first.id}){more}"


def _message(answer: Answer) -> str | None:
    if len(answer.body) > _READ_BYTES:
        return None
    try:
        body = orjson.loads(answer.body)
    except ValueError:
        return None
    message = body.get("message") if is_object(body) else None
    return f"refused: {message}" if isinstance(message, str) else None


def _injected(handled: HandledRequest) -> str | None:
    effects = handled.effects
    named = ", ".join(effects.applied)
    if effects.is_random:
        return f"--fail-rate: {handled.answer.status}"
    if effects.matched is not None:
        return f"scripted: {named}" if named else "scripted"
    # A replayed answer says itself what it is.
    return None if not named else named if named.startswith("replay=") else f"Prefer: {named}"


def _pictures(answer: Answer) -> list[str]:
    if not is_success(answer.status) or len(answer.body) > _READ_BYTES:
        return []
    found = [url.decode("utf-8", "replace") for url in _URL.findall(answer.body)]
    more = [f"and {len(found) - _MOST_PICTURES} more pictures"] if len(found) > _MOST_PICTURES else []
    return [*found[:_MOST_PICTURES], *more]


def log_failure(scope: Scope, trace: str, redactor: Redactor) -> None:
    """Log an error of the mock's own, with the traceback and without keys."""
    redactor = redactor.with_keys([bearer_key(header(scope, b"authorization")).decode("latin-1")])
    shown = f"{redactor.text(scope['method'])} {redactor.path(scope['path'])}"
    lines = [visible(redactor.text(line)) for line in trace.splitlines()]
    _LOG.error("the mock failed on %s; this is a bug in bodydouble\n%s", visible(shown), "\n".join(lines))

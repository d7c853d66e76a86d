"""The differences between the answers of two contracts to one call that both serve, and what an app takes from its answers."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from bodydouble_spec import (
    Exchange,
    Severity,
    essence,
    is_array,
    is_object,
    is_success,
    join_pointer,
    members_of,
    pointer_parts,
    restore_pictures,
)
from bodydouble_spec.image_fields import CREDITS, CREDITS_HEADER, PICTURES, request_fields
from bodydouble_spec.schema import json_key, type_of

from bodydouble_contract_tests.impact.client import NO_BODY
from bodydouble_contract_tests.impact.pairing import OperationPair
from bodydouble_contract_tests.impact.responses import places_read
from bodydouble_contract_tests.impact.wording import as_code, counted, path_text
from bodydouble_contract_tests.schema import values_at

__all__ = ["AnswerUse", "Effect", "costs_of", "effects_of", "same_effect"]


@dataclass(frozen=True, slots=True)
class Effect:
    """One difference between the answers to a call that both contracts serve. ``text`` completes "the calls …"."""

    rule: str
    severity: Severity
    pointer: str
    text: str
    direction: str
    expected: Any = None
    got: Any = None


@dataclass(frozen=True, slots=True)
class AnswerUse:
    """The use of answers by an app: the places that it reads, and the statuses and media types that its recorded successes have.

    ``pointers`` are JSON pointers, None where they are not known; ``is_recorded`` tells that they are all places that its recorded answers have.
    """

    pointers: tuple[str, ...] | None
    is_recorded: bool
    statuses: frozenset[int]
    media_types: frozenset[str]

    @classmethod
    def of(cls, exchanges: Iterable[Exchange], reads: Sequence[str] | None) -> "AnswerUse":
        """Return the use that recorded exchanges show; ``reads`` are the places that the user named."""
        answers = [item.answer for item in exchanges if item.answer is not None and is_success(item.answer.status)]
        bodies = [restore_pictures(answer.body, lambda _: "a picture") for answer in answers]
        # The app may read each of them, whatever form its answers have.
        found = dict.fromkeys(place for body in bodies for place in _value_places(body) if place)
        return cls(
            tuple(found) or None if reads is None else tuple(reads),
            is_recorded=reads is None and bool(found),
            statuses=frozenset(answer.status for answer in answers),
            media_types=frozenset(essence(answer.headers.get("content-type", "")) for answer in answers),
        )


def effects_of(
    pair: OperationPair,
    body: Any,
    before: httpx.Response,
    after: httpx.Response,
    use: AnswerUse,
    costs: tuple[float, float] | None,
) -> Iterator[Effect]:
    """Yield each difference between the answers of the old and the new contract to a request body, and why it differs; ``costs`` are those of `costs_of`."""
    yield from _changed(pair, body, costs)
    yield from _in_vain(pair, body)
    yield from _answered(pair, body, before, after, use)


def costs_of(before: httpx.Response, after: httpx.Response) -> tuple[float, float] | None:
    """Return what both answers say that the call costs, in credits."""
    old, new = (_credits(answer) for answer in (before, after))
    return None if old is None or new is None else (old, new)


def _credits(answer: httpx.Response) -> float | None:
    body = _json(answer)
    meta = body.get("meta") if is_object(body) else None
    usage = meta.get("usage") if is_object(meta) else None
    values: list[Any] = [usage.get(name) for name in CREDITS] if is_object(usage) else []
    text = answer.headers.get(CREDITS_HEADER, "")
    values += [int(text)] if text.isdecimal() else []
    return next((value for value in values if isinstance(value, int | float) and not isinstance(value, bool)), None)


def _changed(pair: OperationPair, body: Any, costs: tuple[float, float] | None) -> Iterator[Effect]:
    """Yield an effect for each property that is left out and now has another default."""
    is_dearer = costs is not None and costs[0] != costs[1]
    for name, (old, new) in pair.changed_defaults.items():
        if not is_object(body) or name in body:
            continue
        if new is None:
            text = f"{name} no longer has the default {as_code(old)}"
            yield Effect("default", Severity.WARNING, f"/{name}", text, "request", old)
            continue
        text = f"{name} is {as_code(new)} where it is left out" + ("" if old is None else f", no longer {as_code(old)}")
        rule = "default-costs" if is_dearer and isinstance(new, int | float) else "default"
        if old is None and rule == "default":
            # It may always have been so.
            yield Effect("default-stated", Severity.INFO, f"/{name}", text, "request", old, new)
            continue
        yield Effect(rule, Severity.ERROR, f"/{name}", text, "request", old, new)


def _in_vain(pair: OperationPair, body: Any) -> Iterator[Effect]:
    if body is not NO_BODY and pair.before.request_bodies and not pair.after.request_bodies:
        text = "the new contract takes no body, so the body has no effect"
        yield Effect("body-ignored", Severity.ERROR, "", text, "request")
    for name in body if is_object(body) and pair.is_documented("") else ():
        if pair.was_documented(f"/{name}") and not pair.is_documented(f"/{name}"):
            text = f"{name} is no longer documented and has no effect"
            yield Effect("ignored", Severity.WARNING, f"/{name}", text, "request", got=body[name])


def _of_another_number(body: Any, before: httpx.Response, after: httpx.Response) -> Iterator[Effect]:
    """Yield an effect for another number of pictures than a request that names a number got."""
    were, are_now = _pictures(before), _pictures(after)
    if is_object(body) and request_fields(body).count is not None and 0 < are_now != were:
        text = f"{counted(are_now, 'picture')} instead of {were}"
        yield Effect("pictures", Severity.ERROR, "", text, "response", were, are_now)


def _answered(
    pair: OperationPair, body: Any, before: httpx.Response, after: httpx.Response, use: AnswerUse
) -> Iterator[Effect]:
    """Yield an effect for a status that the app cannot expect, and for what it reads and no longer finds, else for another number or media type."""
    was, is_now = before.status_code, after.status_code
    if is_now not in use.statuses and not pair.old_terms.promises_status(is_now):
        yield Effect("status", Severity.ERROR, "", f"status {is_now}, no longer {was}", "response", was, is_now)
    lost = [*_lost(pair, before, after, use)]
    if lost or not pair.after.request_bodies:
        yield from lost
    else:
        yield from _of_another_number(body, before, after)
    old, new = (essence(answer.headers.get("content-type", "")) for answer in (before, after))
    if lost or not new or new in use.media_types or pair.old_terms.promises_media_type(was, new):
        return
    yield Effect("media-type", Severity.ERROR, "", f"{new}, no longer {old}", "response", old, new)


def _lost(pair: OperationPair, before: httpx.Response, after: httpx.Response, use: AnswerUse) -> Iterator[Effect]:
    """Yield an effect for each place of the old answer that the app reads and that the new one lacks, or has as another type."""
    old, new = _json(before), _json(after)
    pointers = _default_reads(before, old) if use.pointers is None else use.pointers
    for place in dict.fromkeys(map(_any_item, pointers)):
        values = [value for _, value in values_at(old, place) if value is not None]
        others = [value for _, value in values_at(new, place) if value is not None]
        is_dropped = place in pair.dropped_places
        # A recorded answer may have had what the mock server leaves out.
        if not values and not (use.is_recorded and is_dropped):
            continue
        if values and not is_dropped and {*map(_kind, others)} & {*map(_kind, values)}:
            continue
        text = path_text("".join(f"/{part}" for part in place).replace("/*", "/0"), any_index=True)
        now = f"is now of type {_kind(others[0])}" if others and not is_dropped else "is gone"
        rule = "recorded-answer" if use.is_recorded else "answer"
        expected = _kind(values[0]) if values else None
        yield Effect(rule, Severity.ERROR, "/" + "/".join(place), f"{text} {now}", "response", expected, None)


def _value_places(value: Any, pointer: str = "") -> Iterator[str]:
    """Yield the pointer of each innermost value, with ``*`` for any item of a list."""
    if is_object(value):
        for name, member in value.items():
            yield from _value_places(member, join_pointer(pointer, name))
    elif is_array(value):
        for member in value:
            yield from _value_places(member, f"{pointer}/*")
    elif value is not None:
        yield pointer


def _default_reads(answer: httpx.Response, body: Any) -> list[str]:
    """Return the places that the bodydouble client reads, or those of the pictures when it cannot read the answer."""
    try:
        places = [*places_read(answer.content)]
    except ValueError:
        return []
    return places or [*_picture_places(body)]


def _pictures(answer: httpx.Response) -> int:
    return len({place.rpartition("/")[0] for place in _picture_places(_json(answer))})


def _picture_places(value: Any, pointer: str = "") -> Iterator[str]:
    for name, member in members_of(value):
        if name in PICTURES and isinstance(member, str):
            yield join_pointer(pointer, name)
        yield from _picture_places(member, join_pointer(pointer, name))


def _any_item(pointer: str) -> tuple[str, ...]:
    return tuple("*" if part.isdecimal() or part == "-" else part for part in pointer_parts(pointer))


def _kind(value: Any) -> str:
    kind = type_of(value)
    return "number" if kind == "integer" else kind


def _json(answer: httpx.Response) -> Any:
    try:
        return json.loads(answer.content)
    except ValueError:
        return None


def same_effect(one: Effect) -> str:
    """Return the key under which equal effects of several calls are one."""
    return json_key([one.rule, one.pointer, one.text])

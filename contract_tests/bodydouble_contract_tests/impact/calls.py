"""An app's recorded requests, sent to the old contract and to the new one, and what comes back in each case."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx
from bodydouble_spec import (
    Exchange,
    Finding,
    Severity,
    essence,
    is_array,
    is_json_media_type,
    is_object,
    is_success,
    join_pointer,
    pointer_parts,
    restore_pictures,
)
from bodydouble_spec.image_fields import CREDITS, CREDITS_HEADER, PICTURES
from bodydouble_spec.schema import json_key, type_of

from bodydouble_contract_tests.impact.barriers import Barrier, barriers
from bodydouble_contract_tests.impact.client import NO_BODY, ContractServer, PlaceholderPictures, request_faults
from bodydouble_contract_tests.impact.pairing import OperationPair
from bodydouble_contract_tests.impact.responses import places_read
from bodydouble_contract_tests.impact.terms import SentParts
from bodydouble_contract_tests.impact.wording import as_code, path_text
from bodydouble_contract_tests.schema import values_at

__all__ = ["AppCall", "Effect", "Servers", "tried_calls"]


@dataclass(frozen=True, slots=True)
class Servers:
    """The mock servers for the old contract and for the new one."""

    old: ContractServer
    new: ContractServer


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


@dataclass(frozen=True, slots=True)
class AppCall:
    """One recorded request that the old contract allows: the number of such requests, and what became of it under the new one.

    ``faults`` are those of the request as sent, ``later_faults`` those with the new values of replaced properties. ``costs`` are the credits under
    the old and the new contract, None where an answer states none.
    """

    exchange: Exchange
    count: int
    barriers: tuple[Barrier, ...]
    faults: tuple[Finding, ...]
    later_faults: tuple[Finding, ...]
    effects: tuple[Effect, ...]
    costs: tuple[float, float] | None

    @property
    def is_refused(self) -> bool:
        """True when the request as sent is refused."""
        return bool(self.faults) or any(barrier.kind == "refused" for barrier in self.barriers)


def tried_calls(
    pair: OperationPair, servers: Servers, exchanges: Iterable[Exchange], reads: Sequence[str] | None
) -> list[AppCall]:
    """Send each different request that the old contract allows to both contracts."""
    pictures = PlaceholderPictures()
    counts: Counter[str] = Counter()
    first: dict[str, Exchange] = {}
    recorded = [*exchanges]
    use = AnswerUse.of(recorded, reads)
    for exchange in recorded:
        query = exchange.path.partition("?")[2]
        text = json.dumps([exchange.body, query, sorted(exchange.headers)], sort_keys=True)
        counts[text] += 1
        first.setdefault(text, exchange)
    found: list[AppCall] = []
    for text, exchange in first.items():
        body = NO_BODY if exchange.body is None else restore_pictures(exchange.body, pictures.text)
        if pair.before.request_required if body is NO_BODY else not pair.was_allowed(body):
            continue
        found.append(replace(_tried(pair, servers, exchange, body, use), count=counts[text]))
    return found


def _tried(pair: OperationPair, servers: Servers, exchange: Exchange, body: Any, use: AnswerUse) -> AppCall:
    path = exchange.route if "{" in pair.after.path and pair.after.key == pair.before.key else pair.after.path
    media_type = essence(exchange.headers.get("content-type", ""))
    reasons = [
        *barriers(pair, servers.new, body, path, media_type if is_json_media_type(media_type) else None),
        *_parameters(pair, servers.new, exchange, body, path),
    ]
    parts = pair.new_terms.sent
    answer = servers.new.request(pair.after.method, path, parts, body)
    faults = request_faults(pair.after, answer.status_code, body)
    renamed = pair.renamed(body) if body is not NO_BODY else body
    later: list[Finding] = []
    if pair.replaced_properties:
        answer = servers.new.request(pair.after.method, path, parts, renamed)
        later = request_faults(pair.after, answer.status_code, renamed)
    old_path = exchange.route if "{" in pair.before.path else pair.before.path
    before = servers.old.request(pair.before.method, old_path, pair.old_terms.sent, body)
    effects: list[Effect] = []
    costs = None
    if is_success(before.status_code) and answer.status_code < 400:
        costs = _costs(before, answer)
        effects = [*_changed(pair, body, costs), *_in_vain(pair, body), *_answered(pair, before, answer, use)]
    elif is_success(before.status_code) and not (faults or later or reasons):
        text = f"the answer has status {answer.status_code}"
        reasons.append(
            Barrier("status", "refused", text, is_executed=True, expected=before.status_code, got=answer.status_code)
        )
    return AppCall(exchange, 1, tuple(reasons), tuple(faults), tuple(later), tuple(effects), costs)


def _parameters(
    pair: OperationPair, server: ContractServer, exchange: Exchange, body: Any, path: str
) -> Iterator[Barrier]:
    """Yield a barrier for each parameter of the request that is missing or wrong under the new contract only."""
    faults = pair.new_terms.parameter_faults(exchange, pair.old_terms)
    if not faults:
        return
    headers = {**exchange.headers, "Content-Type": pair.after.json_media_type}
    target, headers = pair.after.security.authorize("a-key", exchange.path, headers)
    status = server.request(pair.after.method, path, SentParts(headers, target.partition("?")[2]), body).status_code
    for fault in faults:
        name = pointer_parts(fault.pointer)[-1] if fault.pointer else ""
        text = fault.message if name in fault.message else f"the parameter {name}: {fault.message}"
        text += f" (status {status})" if 400 <= status < 500 else ""
        yield Barrier(
            "parameter", "refused", text, is_executed=400 <= status < 500, expected=fault.expected, got=fault.got
        )


def _costs(before: httpx.Response, after: httpx.Response) -> tuple[float, float] | None:
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
        yield Effect(rule, Severity.ERROR, f"/{name}", text, "request", old, new)


def _in_vain(pair: OperationPair, body: Any) -> Iterator[Effect]:
    if body is not NO_BODY and pair.before.request_bodies and not pair.after.request_bodies:
        text = "the new contract takes no body, so what is sent has no effect"
        yield Effect("body-ignored", Severity.ERROR, "", text, "request")
    for name in body if is_object(body) and pair.is_documented("") else ():
        if pair.was_documented(f"/{name}") and not pair.is_documented(f"/{name}"):
            text = f"{name} is no longer documented and has no effect"
            yield Effect("ignored", Severity.WARNING, f"/{name}", text, "request", got=body[name])


def _answered(pair: OperationPair, before: httpx.Response, after: httpx.Response, use: AnswerUse) -> Iterator[Effect]:
    """Yield an effect for another status than the app can expect, and for what it reads and no longer finds, else for another media type."""
    was, is_now = before.status_code, after.status_code
    if is_now not in use.statuses and not pair.old_terms.promises_status(is_now):
        yield Effect("status", Severity.ERROR, "", f"status {is_now}, no longer {was}", "response", was, is_now)
    lost = [*_lost(pair, before, after, use)]
    yield from lost
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


def _picture_places(value: Any, pointer: str = "") -> Iterator[str]:
    members = value.items() if is_object(value) else enumerate(value) if is_array(value) else ()
    for name, member in members:
        if name in PICTURES and isinstance(member, str):
            yield f"{pointer}/{name}"
        yield from _picture_places(member, f"{pointer}/{name}")


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

"""Servers of every kind that were written after the checks, and before these were tried on them."""

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from bodydouble_contract_tests.model import OperationProfile
from bodydouble_spec import is_array, is_object

from contract_tests.tests.mutants.credentials import KEY
from contract_tests.tests.mutants.model import Mutant, MutantReply, MutatedCall, members
from contract_tests.tests.mutants.parts import (
    Change,
    Condition,
    answering,
    breaking,
    made,
    put,
    with_header,
    without_header,
)

__all__ = ["further_mutants"]

_CREDITS, _USD, _CALL_ID = "x-aimlapi-credits-used", "x-aimlapi-usd-spent", "x-request-id"
_ECHO = "x-client-request-id"


def further_mutants(profile: OperationProfile) -> Iterator[Mutant]:
    """Yield the mutants; the properties are those of image editing."""
    yield from _headers()
    yield from _keys()
    yield from _bytes()
    yield from _accepting(profile)
    yield from _failing()
    yield from _refusing()
    yield from _contents()


def _headers() -> Iterator[Mutant]:
    typed = "answer-headers"
    yield answering("credits-commas", "credits have a comma", typed, with_header(_CREDITS, "84,000"), 200)
    yield answering("ids-of-refusals", "all refusals share one id", "request-id-new", _call_id("5"), 400)
    shorter = _on_echo(lambda sent: sent[:64])
    yield Mutant("echo-cut", "a long id of the caller is cut", "client-id-echoed", answers=shorter)
    yield Mutant("echo-small", "an id comes back in small letters", "client-id-echoed", answers=_on_echo(str.lower))
    exposed = with_header("access-control-expose-headers", lambda old: old.lower().replace(_USD, "x-other"))
    yield answering("usd-hidden", "pages may not read the dollars", "cors-answer", exposed, 200)
    preflight = "cors-preflight"
    yield _preflight("needs-key", "a preflight needs a key", lambda r: replace(r, status=401))
    foreign = with_header("access-control-allow-origin", "https://example.com")
    yield _preflight("of-one-page", "a preflight allows one page", foreign)
    yield Mutant("options-500", "OPTIONS gives 500", preflight, answers=_on_method("OPTIONS", 500))
    yield answering("id-only-of-success", "a 401 has no id", "refusal-headers", without_header(_CALL_ID), 401)


def _call_id(value: str) -> Change:
    return lambda reply: made("/requestId", lambda _old: value)(reply).with_header(_CALL_ID, value)


def _on_echo(change: Callable[[str], str]) -> Callable[[MutatedCall, MutantReply], MutantReply]:
    def answers(_call: MutatedCall, reply: MutantReply) -> MutantReply:
        sent = reply.headers.get(_ECHO)
        return reply if sent is None else reply.with_header(_ECHO, change(sent))

    return answers


def _preflight(name: str, claim: str, change: Change) -> Mutant:
    return Mutant(
        f"preflight-{name}",
        claim,
        "cors-preflight",
        answers=lambda call, reply: change(reply) if call.method == "OPTIONS" else reply,
    )


def _on_method(method: str, status: int) -> Callable[[MutatedCall, MutantReply], MutantReply]:
    return lambda call, reply: replace(reply, status=status) if call.method == method else reply


def _keys() -> Iterator[Mutant]:
    wrong = "wrong-key-refused"
    yield Mutant(
        "key-length",
        "any key as long as a good one is accepted",
        wrong,
        accepts=lambda c: c.method == "POST" and not c.is_known and len(c.key) == len(KEY) and c.parsed is not None,
    )
    yield Mutant("scheme-token", "the scheme Token is accepted", wrong, accepts=lambda c: _authorization(c, "token"))
    yield Mutant(
        "key-once",
        "after a success no key is needed",
        "no-key-refused",
        needs_all=True,
        accepts=lambda c: c.method == "POST" and not c.headers.get("authorization") and c.succeeded > 0,
    )
    yield Mutant("key-in-base64", "a success repeats the key in Base64", "key-secret", answers=_with_key)
    doubt = breaking("key-doubt", "the call after a wrong key is refused", "valid-accepted", _after_wrong_key(), 401)
    yield replace(doubt, needs_all=True)


def _authorization(call: MutatedCall, scheme: str) -> bool:
    return call.headers.get("authorization", "").lower().startswith(f"{scheme} ")


def _with_key(call: MutatedCall, reply: MutantReply) -> MutantReply:
    if reply.status != 200 or call.method != "POST":
        return reply
    return reply.with_header("x-trace", base64.b64encode(call.key.encode()).decode())


def _after_wrong_key() -> Condition:
    wrong: list[bool] = []

    def concerns(call: MutatedCall) -> bool:
        was_wrong = bool(wrong)
        wrong[:] = [] if call.is_known else [True]
        return call.asks_validly and call.method == "POST" and was_wrong

    return concerns


def _bytes() -> Iterator[Mutant]:
    refused = "malformed-refused"
    for name, claim, pattern in (
        ("comments", "comments in the body are accepted", rb"/\*|[\s,{]//"),
        ("line-break-in-text", "a raw line break in a text is accepted", rb'"[^"\n{}:,]*\n[^"{}:,]*"'),
        ("words-of-python", "True and None are accepted", rb":\s*(?:True|False|None)\b"),
    ):
        yield Mutant(f"accepts-{name}", claim, refused, accepts=_unreadable(pattern))
    yield breaking("head-500", "HEAD gives 500", "method-refused", lambda c: c.method == "HEAD")
    yield Mutant(
        "encoding-lie",
        "a success says gzip and is none",
        "content-encoding",
        answers=lambda c, r: r.with_header("content-encoding", "gzip") if r.status == 200 and c.method == "POST" else r,
    )


def _unreadable(pattern: bytes) -> Condition:
    def concerns(call: MutatedCall) -> bool:
        return call.is_known and call.parsed is None and call.method == "POST" and bool(re.search(pattern, call.raw))

    return concerns


def _accepting(profile: OperationProfile) -> Iterator[Mutant]:
    refused = "invalid-refused"
    cases: tuple[tuple[str, str, str, Callable[[Any], bool]], ...] = (
        ("five", "5 pictures are accepted", "num_images", lambda v: v == 5),
        ("part-of-one", "half a picture is accepted", "num_images", lambda v: isinstance(v, float) and 0 < v < 1),
        ("ratio-dash", "16-9 is accepted", "aspect_ratio", lambda v: isinstance(v, str) and bool(re.fullmatch(r"\d+-\d+", v))),
        ("ratio-auto", "auto is accepted as a ratio", "aspect_ratio", lambda v: v == "auto"),
        ("model-in-list", "a list with the model is accepted", "model", is_array),
        ("number-as-input", "a number is accepted as an input", "image_urls", lambda v: is_array(v) and any(type(one) is int for one in v)),
        ("prompt-true", "true is accepted as a prompt", "prompt", lambda v: v is True),
        ("provider-false", "a truth value is accepted as a provider", "provider", lambda v: isinstance(v, bool)),
    )  # fmt: skip
    for name, claim, prop, test in cases:
        yield Mutant(f"takes-{name}", claim, refused, accepts=_wrong_only(profile, prop, test))
    yield Mutant(
        "takes-nothing",
        "an empty object is accepted",
        refused,
        accepts=lambda c: c.asks_validly and is_object(c.parsed) and not c.parsed,
    )


def _wrong_only(profile: OperationProfile, name: str, test: Callable[[Any], bool]) -> Condition:
    """Return the condition that a property passes a test and is the only one with a fault."""

    def concerns(call: MutatedCall) -> bool:
        body = members(call)
        if not call.is_known or name not in body or not test(body[name]):
            return False
        places = {fault.pointer.split("/")[1] for fault in profile.operation.validate_request(body) if fault.pointer}
        return places == {name}

    return concerns


def _failing() -> Iterator[Mutant]:
    refused, valid = "invalid-refused", "valid-accepted"
    yield breaking(
        "fails-on-true-count", "true as a number gives 500", refused, _with("num_images", lambda v: v is True)
    )
    yield breaking(
        "fails-on-text-inputs", "a text as inputs gives 500", refused, _with("image_urls", lambda v: isinstance(v, str))
    )
    yield breaking(
        "fails-on-null", "a body of null gives 500", refused, lambda c: c.is_known and c.raw.strip() == b"null"
    )
    yield breaking(
        "fails-on-two-dashes", "two dashes in a prompt give 500", valid, _with("prompt", lambda v: "--" in str(v))
    )
    line_break = breaking(
        "fails-on-crlf", "a line break of Windows gives 500", valid, _with("prompt", lambda v: "\r\n" in str(v))
    )
    yield replace(line_break, needs_all=True)
    yield breaking(
        "fails-on-four-of-four",
        "four inputs and four pictures give 500",
        valid,
        lambda c: c.asks_validly and members(c).get("num_images") == 4 and len(_list(c)) == 4,
    )  # fmt: skip


def _with(name: str, test: Callable[[Any], bool]) -> Condition:
    return lambda call: call.is_known and name in members(call) and test(members(call)[name])


def _list(call: MutatedCall) -> list[Any]:
    value = members(call).get("image_urls")
    return value if is_array(value) else []


def _refusing() -> Iterator[Mutant]:
    valid = "valid-accepted"
    cases: tuple[tuple[str, str, Condition], ...] = (
        ("hebrew", "a Hebrew prompt is refused", _with("prompt", lambda v: bool(re.search("[\u05d0-\u05ea]", str(v))))),
        ("thousand", "1,000 characters are refused", _with("prompt", lambda v: isinstance(v, str) and len(v) == 1000)),
        ("capitals", "a provider in capitals is refused", _with("provider", lambda v: str(v).isupper())),
        ("fal-wide", "fal refuses 21:9", lambda c: str(members(c).get("provider")).lower() == "fal" and members(c).get("aspect_ratio") == "21:9"),
        ("foreign-two", "a Chinese prompt with two inputs is refused", lambda c: bool(re.search("[\u4e00-\u9fff]", str(members(c).get("prompt")))) and len(_list(c)) == 2),
    )  # fmt: skip
    for name, claim, concerns in cases:
        yield breaking(f"declines-{name}", claim, valid, concerns, 400)


def _contents() -> Iterator[Mutant]:
    yield answering("issue-paths-joined", "the path of an issue is one text", "refusal-issues", made("/error/data/*/path", lambda old: [".".join(map(str, old))]), 400)  # fmt: skip
    yield answering("credits-text", "the credits of the body are a text", "answer-conforms", made("/meta/usage/credits_used", str), 200)  # fmt: skip
    yield answering("timestamp-ahead", "the time of a refusal is a year ahead", "refusal-consistent", put("/timestamp", "2099-01-01T00:00:00.000Z"), 400)  # fmt: skip
    yield Mutant(
        "picture-octets",
        "pictures are sent as octets",
        "picture-media-type",
        pictures=lambda _call, reply: reply.with_header("content-type", "application/octet-stream"),
    )
    yield Mutant(
        "picture-for-one-page",
        "one page may read the pictures",
        "picture-cors",
        pictures=lambda _call, reply: reply.with_header("access-control-allow-origin", "https://aimlapi.com"),
    )

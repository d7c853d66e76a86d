"""Servers whose response headers, or rules for pages of other origins, differ."""

import re
from collections.abc import Callable, Iterator

from contract_tests.tests.mutants.model import Mutant, MutantReply, MutatedCall, members
from contract_tests.tests.mutants.parts import (
    Answering,
    Change,
    answering,
    breaking,
    failing,
    with_header,
    without_header,
)

__all__ = ["header_mutants"]

_CLIENT_ID = "x-client-request-id"
_ID = "x-request-id"
_CREDITS = "x-aimlapi-credits-used"
_USD = "x-aimlapi-usd-spent"
_ORIGIN = "access-control-allow-origin"
_EXPOSED = "access-control-expose-headers"
_ALLOWED = "access-control-allow-headers"


def header_mutants() -> Iterator[Mutant]:
    """Yield the mutants that show in the headers of an answer."""
    yield from _ids()
    yield from _costs()
    yield from _client_ids()
    yield from _origins()


def _ids() -> Iterator[Mutant]:
    missing = "answer-headers"
    yield answering("id-absent", "a success has no x-request-id", missing, without_header(_ID), 200)
    yield answering("id-empty", "x-request-id of a success is empty", missing, with_header(_ID, ""), 200)
    yield answering(
        "inference-absent", "a success has no x-inference-id", missing, without_header("x-inference-id"), 200
    )
    yield answering("id-absent-on-401", "a 401 has no x-request-id", "refusal-headers", without_header(_ID), 401)
    yield answering("id-absent-on-400", "a 400 has no x-request-id", "refusal-headers", without_header(_ID), 400)
    yield answering("id-constant", "x-request-id is the same on every success", "request-id-new", _is(_ID, "one"), 200)
    yield answering(
        "id-of-inference", "x-inference-id never changes", "request-id-new", _is("x-inference-id", "i"), 200
    )
    yield answering(
        "id-other-than-body", "a 400 has another requestId than header", "request-id-matches", _is(_ID, "other"), 400
    )
    yield answering(
        "id-other-on-401",
        "a 401 has another requestId than header",
        "request-id-matches",
        with_header(_ID, lambda old: old.upper() + "0"),
        401,
    )


def _is(name: str, value: str) -> Change:
    return with_header(name, value)


def _costs() -> Iterator[Mutant]:
    missing, differs = "answer-headers", "cost-consistent"
    yield answering("credits-absent", "a success has no credits header", missing, without_header(_CREDITS), 200)
    yield answering(
        "credits-words", "credits are words", missing, with_header(_CREDITS, lambda old: f"{old} credits"), 200
    )
    yield answering(
        "credits-decimal", "credits are a decimal", missing, with_header(_CREDITS, lambda old: f"{old}.5"), 200
    )
    yield answering("usd-absent", "a success has no dollars header", missing, without_header(_USD), 200)
    yield answering("usd-sign", "dollars have a sign", missing, with_header(_USD, lambda old: f"${old}"), 200)
    yield answering("credits-half", "the header has half of the body's credits", differs, _scaled(_CREDITS, 0.5), 200)
    yield answering("credits-zero-header", "the header has no credits", differs, with_header(_CREDITS, "0"), 200)
    yield answering("usd-tenfold", "dollars are ten times the credits'", differs, _scaled(_USD, 10), 200)
    yield answering("usd-cents", "dollars are cents", differs, _scaled(_USD, 100), 200)
    yield Mutant(
        "credits-of-one",
        "the header has the credits of one picture, whatever was asked",
        differs,
        answers=lambda call, reply: (
            _scaled(_CREDITS, 1 / max(1, int(members(call).get("num_images", 1))))(reply)
            if _CREDITS in reply.headers
            else reply
        ),
    )


def _scaled(name: str, factor: float) -> Change:
    return with_header(name, lambda old: f"{float(old or 0) * factor:.9f}".rstrip("0").rstrip("."))


def _client_ids() -> Iterator[Mutant]:
    echoed, dropped = "client-id-echoed", "client-id-dropped"
    yield answering(
        "client-id-absent", "a client's request id is not returned", echoed, without_header(_CLIENT_ID), 200
    )
    yield answering("client-id-cut", "only 32 characters of it return", echoed, _echo(lambda old: old[:32]), 200)
    yield answering("client-id-lower", "it returns in lower case", echoed, _echo(str.lower), 200)
    yield answering(
        "client-id-cleaned", "it returns without dots", echoed, _echo(lambda old: old.replace(".", "")), 200
    )
    yield Mutant("client-id-any", "any text returns", dropped, answers=_returned(lambda _: True))
    yield Mutant("client-id-129", "129 characters return", dropped, answers=_returned(lambda text: len(text) > 128))
    yield Mutant("client-id-blank", "one with a blank returns", dropped, answers=_returned(lambda text: " " in text))
    yield Mutant(
        "client-id-slash",
        "one with other characters returns",
        dropped,
        answers=_returned(lambda text: bool(re.search(r"[/@#]", text))),
    )
    yield breaking(
        "client-id-refused",
        "a bad request id is refused",
        dropped,
        lambda call: _is_bad(call.headers.get(_CLIENT_ID)),
        400,
    )
    yield breaking(
        "client-id-breaks", "a bad request id gives 500", dropped, lambda call: _is_bad(call.headers.get(_CLIENT_ID))
    )


def _is_bad(text: str | None) -> bool:
    return text is not None and not re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", text)


def _echo(change: Callable[[str], str]) -> Change:
    return lambda reply: with_header(_CLIENT_ID, change)(reply) if _CLIENT_ID in reply.headers else reply


def _returned(concerns: Callable[[str], bool]) -> Answering:
    def answers(call: MutatedCall, reply: MutantReply) -> MutantReply:
        text = call.headers.get(_CLIENT_ID, "")
        return reply.with_header(_CLIENT_ID, text) if text and concerns(text) else reply

    return answers


def _origins() -> Iterator[Mutant]:
    answer, preflight = "cors-answer", "cors-preflight"
    yield answering("origin-absent", "no page may read a success", answer, without_header(_ORIGIN), 200)
    yield answering("origin-absent-on-400", "no page may read a refusal", answer, without_header(_ORIGIN), 400)
    yield answering("origin-absent-on-401", "no page may read a 401", answer, without_header(_ORIGIN), 401)
    yield answering(
        "origin-own", "only the vendor's page may read", answer, with_header(_ORIGIN, "https://aimlapi.com")
    )
    yield answering("exposed-nothing", "no header is exposed to pages", answer, without_header(_EXPOSED), 200)
    yield answering("exposed-less", "x-request-id is not exposed", answer, with_header(_EXPOSED, _CREDITS), 200)
    yield Mutant(
        "origin-absent-on-picture",
        "no page may read a picture",
        "picture-cors",
        pictures=lambda _call, reply: without_header(_ORIGIN)(reply),
    )
    for name, claim, change in (
        ("missing", "there is no preflight", failing(404)),
        ("405", "OPTIONS is not allowed", failing(405)),
        ("key", "a preflight needs a key", failing(401)),
        ("origin", "a preflight allows no origin", without_header(_ORIGIN)),
        ("authorization", "a preflight does not allow the key", with_header(_ALLOWED, "content-type")),
        ("content-type", "a preflight does not allow JSON", with_header(_ALLOWED, "authorization")),
        ("nothing", "a preflight allows no header", without_header(_ALLOWED)),
    ):
        yield Mutant(f"preflight-{name}", claim, preflight, answers=_on_preflight(change))


def _on_preflight(change: Change) -> Answering:
    return lambda call, reply: change(reply) if call.method == "OPTIONS" else reply

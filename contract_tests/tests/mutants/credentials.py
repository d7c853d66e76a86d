"""Servers that take wrong credentials for the key, fail on them, or give the key away."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace

from contract_tests.tests.mutants.model import Mutant, MutantReply, MutatedCall
from contract_tests.tests.mutants.parts import Answering, Condition, breaking, made, put

__all__ = ["KEY", "credential_mutants"]

KEY = "sk-Aa1-the-key-of-the-mutants"
"""The one key of a mutant: with letters of both cases, so that their case can matter."""


def credential_mutants() -> Iterator[Mutant]:
    """Yield the mutants that show in the treatment of credentials."""
    yield from _accepting()
    yield from _breaking()
    yield from _telling()


def _authorization(call: MutatedCall) -> str:
    return call.headers.get("authorization", "")


def _scheme(call: MutatedCall) -> str:
    return _authorization(call).partition(" ")[0].lower()


def _accepting() -> Iterator[Mutant]:
    none, wrong = "no-key-refused", "wrong-key-refused"
    cases: tuple[tuple[str, str, str, Condition], ...] = (
        ("no-header", "no Authorization header is needed", none, lambda c: not _authorization(c)),
        ("empty-bearer", "Bearer without a key is accepted", none, lambda c: _authorization(c).strip() == "Bearer"),
        ("basic", "Basic credentials are accepted", wrong, lambda c: _scheme(c) == "basic"),
        ("token", "another scheme with the key is accepted", wrong, lambda c: _scheme(c) not in {"bearer", ""} and KEY in _authorization(c)),
        ("bare", "the key without a scheme is accepted", wrong, lambda c: _authorization(c) == KEY),
        ("any", "any key is accepted", wrong, lambda c: bool(c.key)),
        ("longer", "a key that begins with the key is accepted", wrong, lambda c: c.key.startswith(KEY)),
        ("longer-before", "a key that ends with the key is accepted", wrong, lambda c: c.key.endswith(KEY)),
        ("shorter", "the beginning of the key is accepted", wrong, lambda c: len(c.key) > 8 and KEY.startswith(c.key)),
        ("any-case", "the case of the key does not matter", wrong, lambda c: c.key.lower() == KEY.lower()),
        ("other-header", "the key is accepted in X-API-Key", wrong, lambda c: c.headers.get("x-api-key") == KEY),
        ("none-after", "no key is needed after a success", none, lambda c: not c.key and c.succeeded > 0),
        ("any-after", "any key is accepted after a success", wrong, lambda c: bool(c.key) and c.succeeded > 0),
        ("empty-after", "an empty key is accepted after a success", none, lambda c: _authorization(c).strip() == "Bearer" and c.succeeded > 0),
    )  # fmt: skip
    for name, claim, check, concerns in cases:
        yield Mutant(f"key-{name}", claim, check, accepts=_unknown(concerns))


def _unknown(concerns: Condition) -> Condition:
    return lambda call: not call.is_known and call.method == "POST" and concerns(call)


def _breaking() -> Iterator[Mutant]:
    none, wrong = "no-key-refused", "wrong-key-refused"
    cases: tuple[tuple[str, str, str, Condition, int], ...] = (
        ("empty-500", "Bearer without a key gives 500", none, lambda c: _authorization(c).strip() == "Bearer", 500),
        ("basic-500", "Basic credentials give 500", wrong, lambda c: _scheme(c) == "basic", 500),
        ("bare-500", "a key without a scheme gives 500", wrong, lambda c: bool(_authorization(c)) and " " not in _authorization(c).strip() and _scheme(c) != "bearer", 500),
        ("wrong-403", "a wrong key gives 403", wrong, lambda c: bool(c.key) and not c.is_known, 403),
        ("wrong-404", "a wrong key gives 404", wrong, lambda c: bool(c.key) and not c.is_known, 404),
        ("none-400", "no key gives 400", none, lambda c: not _authorization(c), 400),
        ("none-302", "no key leads to a page", none, lambda c: not _authorization(c), 302),
    )  # fmt: skip
    for name, claim, check, concerns, status in cases:
        yield breaking(f"key-{name}", claim, check, _unknown(concerns), status)


def _telling() -> Iterator[Mutant]:
    check = "key-secret"
    tells: tuple[tuple[str, str, Answering], ...] = (
        ("header", "the key comes back in a header", lambda c, r: r.with_header("x-key", c.key) if c.key else r),
        ("message", "a 401 repeats the key", _on(401, lambda c: f"The key {c.key} is wrong", "/message")),
        ("scheme", "a 401 repeats the header", _on(401, lambda c: f"Not understood: {_authorization(c)}", "/message")),
        ("issue", "a 400 repeats the key", _on(400, lambda c: f"For {c.key} that is not allowed", "/error/message")),
        ("url", "the key is in a picture's URL", _with_key_in_url),
        ("success", "a success has the key", _on(200, lambda c: c.key, "/meta/account")),
        ("base64", "a success has the key in Base64", _on(200, lambda c: base64.b64encode(c.key.encode()).decode(), "/meta/token")),
    )  # fmt: skip
    for name, claim, answers in tells:
        yield Mutant(f"key-told-{name}", claim, check, answers=answers)
    yield Mutant("key-told-picture", "a picture has the key of its call", check, pictures=_noted)


def _with_key_in_url(call: MutatedCall, reply: MutantReply) -> MutantReply:
    if reply.status != 200:
        return reply
    return made("/data/*/url", lambda old: f"{old}?key={call.key}")(reply)


def _noted(_call: MutatedCall, reply: MutantReply) -> MutantReply:
    return reply.with_header("x-made-for", KEY)


def _on(status: int, value: Callable[[MutatedCall], object], pointer: str) -> Answering:
    def answers(call: MutatedCall, reply: MutantReply) -> MutantReply:
        has_text = bool(call.key or _authorization(call))
        return replace(put(pointer, value(call))(reply)) if reply.status == status and has_text else reply

    return answers

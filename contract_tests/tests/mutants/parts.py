"""Changes of an answer, and conditions on a call, from which mutants are made."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import orjson
from bodydouble_spec import is_array, is_object, join_pointer

from contract_tests.tests.mutants.model import Mutant, MutantReply, MutatedCall

__all__ = [
    "Answering",
    "Change",
    "Condition",
    "answering",
    "breaking",
    "failing",
    "in_body",
    "made",
    "put",
    "with_header",
    "without_header",
]

Change = Callable[[MutantReply], MutantReply]
Condition = Callable[[MutatedCall], bool]
Answering = Callable[[MutatedCall, MutantReply], MutantReply]


def answering(name: str, claim: str, check: str, change: Change, *statuses: int) -> Mutant:
    """Return a mutant that changes each answer to the operation's method with one of the statuses; any without statuses."""

    def answers(call: MutatedCall, reply: MutantReply) -> MutantReply:
        concerns = call.method == "POST" and (not statuses or reply.status in statuses)
        return change(reply) if concerns else reply

    return Mutant(name, claim, check, answers=answers)


def breaking(name: str, claim: str, check: str, concerns: Condition, status: int = 500) -> Mutant:
    """Return a mutant that gives a status, by default 500, to the calls that meet a condition, whatever their method."""
    return Mutant(name, claim, check, answers=lambda call, reply: failing(status)(reply) if concerns(call) else reply)


def failing(status: int) -> Change:
    """Return a change to an error of a web framework, without an envelope."""
    headers = {"content-type": "text/plain; charset=utf-8", "access-control-allow-origin": "*"}
    body = b"Internal Server Error" if status >= 500 else b"Refused"
    return lambda reply: MutantReply(status, {**headers, **_kept(reply)}, body)


def _kept(reply: MutantReply) -> Mapping[str, str]:
    return {name: value for name, value in reply.headers.items() if name.startswith(("x-", "access-control-"))}


def without_header(name: str) -> Change:
    """Return a change that drops a header."""
    return lambda reply: replace(reply, headers={key: value for key, value in reply.headers.items() if key != name})


def with_header(name: str, value: str | Callable[[str], str]) -> Change:
    """Return a change that replaces a header, or makes it from the old value."""

    def change(reply: MutantReply) -> MutantReply:
        old = reply.headers.get(name, "")
        return reply.with_header(name, value if isinstance(value, str) else value(old))

    return change


def in_body(change: Callable[[Any], Any]) -> Change:
    """Return a change of the parsed body; a body that is not JSON stays."""

    def changed(reply: MutantReply) -> MutantReply:
        try:
            body = orjson.loads(reply.body)
        except orjson.JSONDecodeError:
            return reply
        return replace(reply, body=orjson.dumps(change(body)))

    return changed


def put(pointer: str, value: Any) -> Change:
    """Return a change that puts a value at a pointer, where ``*`` is every item."""
    return made(pointer, lambda _old: value)


def made(pointer: str, change: Callable[[Any], Any]) -> Change:
    """Return a change of the values at a pointer, where ``*`` is every item."""

    def at(body: Any, parts: list[str]) -> Any:
        if not parts:
            return change(body)
        first, *rest = parts
        if first == "*":
            return [at(item, rest) for item in body] if is_array(body) else body
        if not is_object(body) or (rest and first not in body):
            return body
        return {**body, first: at(body.get(first), rest)}

    return in_body(lambda body: at(body, join_pointer(pointer).split("/")[1:]))

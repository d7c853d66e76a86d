"""Servers that accept invalid calls or fail on valid ones."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bodydouble_spec import Evidence, Operation, pointer_parts, resolve_pointer

from bodydouble_contract_tests._mutant import Mutant, MutatedCall, always
from bodydouble_contract_tests._mutant_calls import gives, inputs, members
from bodydouble_contract_tests._mutant_strict import strict_mutants
from bodydouble_contract_tests.checks import OperationProfile, generic_pointer
from bodydouble_contract_tests.strategies import boundary_cases

__all__ = ["request_mutants"]

# The rules of which a mutant ignores one.
_RULES = {"missing", "maximum+1", "minimum-1", "enum-outside", "type-null", "type-object", "type-string"}


def request_mutants(profile: OperationProfile) -> Iterator[Mutant]:
    """Yield the mutants that show in the outcome of a call."""
    yield from _accepting_invalid(profile)
    yield from _keys()
    yield from strict_mutants(profile)
    yield from _crashing(profile)
    yield from _unreliable()


def _accepting_invalid(profile: OperationProfile) -> Iterator[Mutant]:
    for case in boundary_cases(profile.contract, profile.operation):
        if not case.valid and case.evidence is Evidence.DOCUMENTED and case.rule in _RULES:
            yield Mutant(
                f"accepts-{case.id}",
                f"{case.id} is accepted",
                "invalid-refused",
                accepts=_is_wrong_like(profile.operation, case.body),
            )


def _keys() -> Iterator[Mutant]:
    def has_no_key(call: MutatedCall) -> bool:
        return not call.key

    def is_wrong(call: MutatedCall) -> bool:
        return bool(call.key) and not call.is_known

    yield Mutant("accepts-no-key", "no key is needed", "no-key-refused", accepts=has_no_key)
    yield Mutant("accepts-wrong-key", "any key is accepted", "wrong-key-refused", accepts=is_wrong)
    for status in (400, 403, 500):
        yield Mutant(f"no-key-{status}", f"no key gives {status}", "no-key-refused", prefers=gives(status, has_no_key))
        yield Mutant(
            f"wrong-key-{status}",
            f"a wrong key gives {status}",
            "wrong-key-refused",
            prefers=gives(status, is_wrong),
        )


def _crashing(profile: OperationProfile) -> Iterator[Mutant]:
    prompt, count = profile.names.prompt, profile.names.count
    if prompt is not None:
        for name, is_odd in _ODD_TEXTS.items():
            yield Mutant(
                f"crashes-on-{name}-prompt",
                f"a prompt that is {name} gives 500",
                "odd-request-survived",
                prefers=gives(500, _text_is(prompt, is_odd)),
            )
    if profile.names.inputs is not None:
        for name, is_odd_count in {"no": 0, "fourteen": 14}.items():
            yield Mutant(
                f"crashes-on-{name}-inputs",
                f"{name} input pictures give 500",
                "odd-request-survived",
                prefers=gives(500, _counts(profile, is_odd_count)),
            )
    for status in (422, 500, 404):
        yield Mutant(
            f"refuses-with-{status}",
            f"invalid requests give {status}",
            "invalid-refused",
            prefers=gives(status, lambda call: bool(profile.operation.validate_request(call.parsed))),
        )
    if count is not None:
        yield Mutant(
            "crashes-on-wrong-type",
            f"a text as {count} gives 500",
            "invalid-refused",
            prefers=gives(500, lambda call: isinstance(members(call).get(count), str)),
        )


def _unreliable() -> Iterator[Mutant]:
    for status, every in {500: 6, 503: 10}.items():
        yield Mutant(
            f"fails-sometimes-{status}",
            f"one call in {every} gives {status}",
            "answers-steadily",
            prefers=gives(status, _each(every)),
        )
    for fault, check in _FAULTS.items():
        yield Mutant(f"fault-{fault}", f"{fault} on every call", check, prefers=always(f"fault={fault}"))


_ODD_TEXTS: Mapping[str, Callable[[str], bool]] = {
    "empty": lambda text: not text,
    "long": lambda text: len(text) >= 3000,
    "nul": lambda text: "\0" in text,
    "astral": lambda text: any(ord(letter) > 0xFFFF for letter in text),
    "right-to-left": lambda text: any(0x590 <= ord(letter) <= 0x6FF for letter in text),
}
_FAULTS = {
    "reset-before-headers": "answer-whole",
    "garbage": "answer-whole",
    "reset-mid-body": "answer-whole",
    "wrong-length": "body-length",
    "broken-gzip": "content-encoding",
    "truncated-json": "answer-conforms",
    "empty": "answer-conforms",
    "hang": "answer-in-time",
}


def _each(every: int) -> Callable[[MutatedCall], bool]:
    return lambda call: call.number % every == 0


def _is_wrong_like(operation: Operation, body: Any) -> Callable[[MutatedCall], bool]:
    """Return the condition that a call has exactly the faults of a body: a rule is missing, not one request let through."""
    faults = _faults(operation, body)
    return lambda call: _faults(operation, call.parsed) == faults


def _faults(operation: Operation, body: Any) -> set[tuple[str, str, str]]:
    """Return rule and place of each fault of a request, with the type of the value there."""
    found = operation.validate_request(body)
    return {(fault.id, generic_pointer(body, fault.pointer), _type_at(body, fault.pointer)) for fault in found}


def _type_at(body: Any, pointer: str) -> str:
    try:
        return type(resolve_pointer(body, pointer_parts(pointer))).__name__
    except LookupError:
        return "nothing"


def _text_is(name: str, is_odd: Callable[[str], bool]) -> Callable[[MutatedCall], bool]:
    return lambda call: is_odd(str(members(call).get(name, "x")))


def _counts(profile: OperationProfile, wanted: int) -> Callable[[MutatedCall], bool]:
    return lambda call: len(inputs(profile, call, missing=1)) == wanted

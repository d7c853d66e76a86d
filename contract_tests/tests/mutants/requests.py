"""Servers that accept invalid calls, fail on valid ones, or refuse them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bodydouble_contract_tests.model import KnownValues, OperationProfile, generic_pointer, known_values
from bodydouble_contract_tests.strategies import boundary_cases
from bodydouble_spec import Evidence, Operation, pointer_parts, resolve_pointer

from contract_tests.tests.mutants.model import Mutant, MutatedCall, always, gives, has, inputs, lacks, members

__all__ = ["request_mutants"]

# The rules of which a mutant ignores one.
_RULES = {"missing", "maximum+1", "minimum-1", "enum-outside", "type-null", "type-object", "type-string"}


def request_mutants(profile: OperationProfile) -> Iterator[Mutant]:
    """Yield the mutants that show in the outcome of a call."""
    yield from _accepting_invalid(profile)
    yield from _keys()
    yield from _strict_mutants(profile)
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
                "valid-accepted" if name in {"astral", "right-to-left"} else "odd-request-survived",
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


def _strict_mutants(profile: OperationProfile) -> Iterator[Mutant]:
    """Yield the mutants that refuse a call which they should carry out."""
    names, properties = profile.names, profile.properties
    if names.ratio is not None:
        for ratio in list(profile.sizes)[:3]:
            yield _refusing(f"ratio-{ratio}", f"{names.ratio} {ratio} is refused", has(names.ratio, ratio))
    if names.count is not None:
        most = properties[names.count].limits.get("maximum", 1)
        yield _refusing("most-images", f"{names.count} {most} is refused", has(names.count, most))
        yield _refusing("count-unset", f"{names.count} is needed", lacks(names.count))
    if names.inputs is not None:
        yield _refusing(
            "data-uri", "data URIs are refused", lambda call: any("data:" in x for x in inputs(profile, call))
        )
        yield _refusing("two-inputs", "a second input is refused", lambda call: len(inputs(profile, call)) == 2)
    for name, known in known_values(profile.contract, profile.operation).items():
        yield from _refusing_known_values(name, known)
    yield from _requiring_optional(profile)
    known_names = frozenset(properties)
    yield Mutant(
        "refuses-unknown-property",
        "a property that is not in the contract is refused",
        "unknown-key-tolerated",
        prefers=gives(400, lambda call: bool(members(call).keys() - known_names)),
    )


def _refusing_known_values(name: str, known: KnownValues) -> Iterator[Mutant]:
    """Yield mutants that refuse one known value each, and spellings other than lower case where letter case does not matter."""
    for value in sorted(known.texts):
        yield _refusing(f"{name}-{value}", f"{name} {value} is refused", has(name, value))
    if known.is_any_case:
        yield _refusing(f"{name}-capitals", f"{name} in capitals is refused", _is(name, str.upper))
        yield _refusing(f"{name}-title-case", f"{name} in title case is refused", _is(name, str.title))


def _requiring_optional(profile: OperationProfile) -> Iterator[Mutant]:
    """Yield mutants that require one optional property each."""
    required = (profile.operation.request_schema or {}).get("required", ())
    for name in profile.properties:
        if name not in required and name != profile.names.count:
            yield _refusing(f"{name}-unset", f"{name} is needed", lacks(name))


def _is(name: str, spell: Callable[[str], str]) -> Callable[[MutatedCall], bool]:
    def concerns(call: MutatedCall) -> bool:
        value = members(call).get(name)
        return isinstance(value, str) and value == spell(value) != value.lower()

    return concerns


def _refusing(name: str, claim: str, concerns: Callable[[MutatedCall], bool]) -> Mutant:
    return Mutant(f"refuses-{name}", claim, "valid-accepted", prefers=gives(400, concerns))

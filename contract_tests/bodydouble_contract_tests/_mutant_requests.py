"""Servers that accept, refuse or break on the wrong calls."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bodydouble_spec import Evidence, is_array, is_object

from bodydouble_contract_tests._boundary import boundary_cases
from bodydouble_contract_tests._mutant import Call, Mutant, always
from bodydouble_contract_tests._subject import Subject

__all__ = ["request_mutants"]

# The boundaries of which one at a time is not enforced.
_RULES = {"missing", "maximum+1", "minimum-1", "enum-outside", "type-null", "type-object", "type-string"}


def request_mutants(subject: Subject) -> Iterator[Mutant]:
    """The mutants that show in what becomes of a call."""
    yield from _lenient(subject)
    yield from _keys()
    yield from _strict(subject)
    yield from _fragile(subject)
    yield from _unsteady()


def _lenient(subject: Subject) -> Iterator[Mutant]:
    for case in boundary_cases(subject.contract, subject.operation):
        if not case.valid and case.evidence is Evidence.DOCUMENTED and case.rule in _RULES:
            yield Mutant(
                f"accepts-{case.id}",
                f"{case.id} is accepted",
                "invalid-refused",
                accepts=_is(case.body),
            )


def _keys() -> Iterator[Mutant]:
    def has_no_key(call: Call) -> bool:
        return not call.key

    def is_wrong(call: Call) -> bool:
        return bool(call.key) and not call.is_known

    yield Mutant("accepts-no-key", "no key is needed", "no-key-refused", accepts=has_no_key)
    yield Mutant("accepts-wrong-key", "any key will do", "wrong-key-refused", accepts=is_wrong)
    for status in (400, 403, 500):
        yield Mutant(f"no-key-{status}", f"no key gives {status}", "no-key-refused", prefers=_code(status, has_no_key))
    yield Mutant("wrong-key-403", "a wrong key gives 403", "wrong-key-refused", prefers=_code(403, is_wrong))


def _strict(subject: Subject) -> Iterator[Mutant]:
    names, properties = subject.names, subject.properties
    if names.ratio is not None:
        for ratio in list(subject.sizes)[:3]:
            yield _refusing(f"ratio-{ratio}", f"{names.ratio} {ratio} is refused", _has(names.ratio, ratio))
    if names.count is not None:
        most = properties[names.count].get("maximum", 1)
        yield _refusing("most-images", f"{names.count} {most} is refused", _has(names.count, most))
        yield _refusing("count-unset", f"{names.count} is needed", _lacks(names.count))
    if names.inputs is not None:
        yield _refusing(
            "data-uri", "data URIs are refused", lambda call: any("data:" in x for x in _inputs(subject, call))
        )
        yield _refusing("two-inputs", "a second input is refused", lambda call: len(_inputs(subject, call)) == 2)
    for name, schema in properties.items():
        known = [value for value in schema.get("x-known-values", ()) if isinstance(value, str)]
        for value in known:
            yield _refusing(f"{name}-{value}", f"{name} {value} is refused", _has(name, value))
        if known:
            yield _refusing(f"{name}-case", f"{name} must be in lower case", _is_upper(name))
    known_names = frozenset(properties)
    yield Mutant(
        "refuses-unknown-property",
        "a property that the contract does not know is refused",
        "unknown-key-tolerated",
        prefers=_code(400, lambda call: bool(_members(call).keys() - known_names)),
    )


def _fragile(subject: Subject) -> Iterator[Mutant]:
    prompt, count = subject.names.prompt, subject.names.count
    if prompt is not None:
        for name, is_odd in _ODD_TEXTS.items():
            yield Mutant(
                f"crashes-on-{name}-prompt",
                f"a prompt that is {name} gives 500",
                "odd-request-survived",
                prefers=_code(500, _text_is(prompt, is_odd)),
            )
    if subject.names.inputs is not None:
        for name, is_odd_count in {"no": 0, "fourteen": 14}.items():
            yield Mutant(
                f"crashes-on-{name}-inputs",
                f"{name} input pictures give 500",
                "odd-request-survived",
                prefers=_code(500, _counts(subject, is_odd_count)),
            )
    for status in (422, 500, 404):
        yield Mutant(
            f"refuses-with-{status}",
            f"invalid requests give {status}",
            "invalid-refused",
            prefers=_code(status, lambda call: bool(subject.operation.validate_request(call.parsed))),
        )
    if count is not None:
        yield Mutant(
            "crashes-on-wrong-type",
            f"a text as {count} gives 500",
            "invalid-refused",
            prefers=_code(500, lambda call: isinstance(_members(call).get(count), str)),
        )


def _unsteady() -> Iterator[Mutant]:
    for status in (500, 503):
        yield Mutant(
            f"fails-sometimes-{status}",
            f"every sixth call gives {status}",
            "answers-steadily",
            prefers=_code(status, lambda call: call.number % 6 == 0),
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


def _code(status: int, concerns: Callable[[Call], bool]) -> Callable[[Call], str | None]:
    return lambda call: f"code={status}" if concerns(call) else None


def _refusing(name: str, claim: str, concerns: Callable[[Call], bool]) -> Mutant:
    return Mutant(f"refuses-{name}", claim, "valid-accepted", prefers=_code(400, concerns))


def _members(call: Call) -> dict[str, Any]:
    return call.parsed if is_object(call.parsed) else {}


def _has(name: str, value: Any) -> Callable[[Call], bool]:
    return lambda call: _members(call).get(name) == value


def _lacks(name: str) -> Callable[[Call], bool]:
    return lambda call: is_object(call.parsed) and name not in call.parsed


def _is(body: Any) -> Callable[[Call], bool]:
    return lambda call: call.parsed == body


def _text_is(name: str, is_odd: Callable[[str], bool]) -> Callable[[Call], bool]:
    return lambda call: is_odd(str(_members(call).get(name, "x")))


def _counts(subject: Subject, wanted: int) -> Callable[[Call], bool]:
    return lambda call: len(_inputs(subject, call, missing=1)) == wanted


def _is_upper(name: str) -> Callable[[Call], bool]:
    return lambda call: str(_members(call).get(name, "")) != str(_members(call).get(name, "")).lower()


def _inputs(subject: Subject, call: Call, missing: int = 0) -> list[str]:
    value = _members(call).get(subject.names.inputs or "")
    return [str(item) for item in value] if is_array(value) else [""] * missing

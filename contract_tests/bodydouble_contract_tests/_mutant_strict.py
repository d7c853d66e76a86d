"""Servers that refuse valid calls."""

from collections.abc import Callable, Iterator

from bodydouble_contract_tests._mutant import Mutant, MutatedCall
from bodydouble_contract_tests._mutant_calls import gives, has, inputs, lacks, members
from bodydouble_contract_tests.checks import KnownValues, OperationProfile, known_values

__all__ = ["strict_mutants"]


def strict_mutants(profile: OperationProfile) -> Iterator[Mutant]:
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

"""Calls that vary the parameters of an operation, one at a time: values that the contract allows, values that it does not, and a required one left out."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from bodydouble_spec import Parameter, is_array, parameter_findings
from bodydouble_spec.schema import SchemaView

from bodydouble_contract_tests.model import Case, ExpectedOutcome, OperationProfile, RequestForm
from bodydouble_contract_tests.plan.space import Row
from bodydouble_contract_tests.schema import (
    NOTHING,
    RequestTarget,
    Sampler,
    SchemaWalker,
    parameter_walker,
    request_target,
    usual_parameter,
)
from bodydouble_contract_tests.strategies import (
    Variant,
    length_variants,
    number_variants,
    option_variants,
    text_variants,
    type_variants,
)

__all__ = ["parameter_cases", "unvaried_parameters"]

# Servers and proxies limit the length of a URL and of a header.
_LONGEST = 500
# Of one parameter: further values outside of a pattern show no more.
_MOST_INVALID = 8
_TEXT_RULES = {"format", "pattern", "enum", "const", "minLength", "maxLength"}


def parameter_cases(profile: OperationProfile, row: Row) -> list[Case]:
    """Return the usual request with one parameter changed; one case for each value that a server can tell from the others.

    Whether a value is allowed is decided by the text that is sent, as a server reads it: `1` for a string is not a number. Free texts, and identifiers in the path,
    are names of things that a server may not know, so only their absence is tried.
    """
    cases: dict[tuple[str, tuple[tuple[str, str], ...]], Case] = {}
    usual = request_target(profile.contract, profile.operation)
    for index, item in enumerate(profile.operation.inputs):
        invalid = 0
        for variant in _variants(profile, item, index):
            target = request_target(profile.contract, profile.operation, {index: variant.value})
            case = _case(profile, row, item, variant, (usual, target))
            if case is None or case.form is None or (target.path, case.form.headers) in cases:
                continue
            invalid += case.expectation is ExpectedOutcome.REFUSED
            if case.expectation is ExpectedOutcome.ACCEPTED or invalid <= _MOST_INVALID:
                cases[target.path, case.form.headers] = case
    return [*cases.values()]


def unvaried_parameters(profile: OperationProfile) -> dict[str, str]:
    """Return the reason for each parameter whose values are not varied."""
    reason = "not varied: any text is allowed, and a server may know only some"
    return {
        f"{item.location} parameter {item.name}": reason
        for index, item in enumerate(profile.operation.inputs)
        if not item.is_ignored and not _is_told(profile, item, index)
    }


def _is_told(profile: OperationProfile, item: Parameter, index: int) -> bool:
    """Return whether the contract says more of a parameter than that it is a text."""
    walker = parameter_walker(profile.contract, profile.operation, index)
    views = () if walker is None else walker.ways(walker.root)
    return any("string" not in view.types or _TEXT_RULES & view.origins.keys() for view in views)


def _variants(profile: OperationProfile, item: Parameter, index: int) -> Iterator[Variant]:
    if item.is_ignored:
        return
    if item.is_required and item.location != "path":
        yield Variant("missing", NOTHING, "", valid=False)
    walker = parameter_walker(profile.contract, profile.operation, index)
    if walker is None or not _is_told(profile, item, index):
        return
    usual = usual_parameter(profile.contract, profile.operation, index)
    yield Variant("usual", usual, "")
    yield from _of_values(walker, usual)


def _of_values(walker: SchemaWalker, usual: Any) -> Iterator[Variant]:
    sampler, views = Sampler(walker), walker.ways(walker.root)
    for view in views:
        example = next(sampler.of(view), NOTHING)
        yield from chain(option_variants(view), number_variants(view, example), text_variants(view, example))
        if is_array(example):
            yield from length_variants(view, example, sampler)
            yield from _of_items(walker, view, sampler, example)
    if any("boolean" in view.types for view in views):
        yield from (Variant(str(value).lower(), value, "") for value in (True, False))
    # As a text, a value of another type may be one of the right type: of these only the invalid ones say something.
    yield from (
        variant
        for variant in type_variants(views, usual, sampler)
        if not variant.valid and variant.rule != "type-object"
    )


def _of_items(walker: SchemaWalker, view: SchemaView, sampler: Sampler, example: list[Any]) -> Iterator[Variant]:
    """Yield lists whose first item is at a boundary."""
    for way in walker.ways(view.item(0)):
        item = next(sampler.of(way), NOTHING)
        for variant in chain(option_variants(way), number_variants(way, item), text_variants(way, item)):
            yield Variant(f"item-{variant.rule}", [variant.value, *example[1:]], variant.origin, variant.valid)


def _case(
    profile: OperationProfile, row: Row, item: Parameter, variant: Variant, targets: tuple[RequestTarget, RequestTarget]
) -> Case | None:
    """Return the case of a changed target; None where another rule decides, or the text does not arrive as it is."""
    usual, target = targets
    faults = parameter_findings(profile.operation.inputs, target.sent, profile.operation.key)
    if any(not f"{fault.pointer}/".startswith(f"{item.pointer}/") for fault in faults):
        return None
    is_valid = not faults
    if is_valid and variant.rule.startswith(("type-", "missing")):
        return None
    if not _can_be_sent(item, target) or (is_valid and item.location == "path" and not variant.rule.startswith("enum")):
        return None
    usual_status = profile.refusal_status
    # Where the contract has none, 422 is usual too; a wrong path is one that is not found.
    refused = {usual_status} if str(usual_status) in profile.operation.responses else {usual_status, 400, 422}
    refused |= {404} if item.location == "path" else set()
    dropped = ((name, "") for name in usual.headers if name not in target.headers)
    return Case(
        f"parameter/{item.location}/{item.name}/{variant.rule}",
        "valid-accepted" if is_valid else "invalid-refused",
        row.value,
        ExpectedOutcome.ACCEPTED if is_valid else ExpectedOutcome.REFUSED,
        item.evidence,
        row.images,
        item.pointer,
        form=RequestForm(target=target.path, headers=(*target.headers.items(), *dropped)),
        statuses=frozenset(() if is_valid else refused),
    )


def _can_be_sent(item: Parameter, target: RequestTarget) -> bool:
    """Return whether a value arrives: an empty path segment is another path, and a header cannot hold every text."""
    if len(target.path) > _LONGEST:
        return False
    if item.location == "path":
        text = target.sent.path.get(item.name, "")
        return bool(text) and "/" not in text and text not in {".", ".."}
    return all(
        len(value) <= _LONGEST and value.isascii() and value.isprintable() and value == value.strip()
        for value in target.headers.values()
    )

"""Cases that apply to any operation, alone and before, after or beside each other."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from bodydouble_spec import Evidence, decode_picture, is_array, is_object, picture_kind, pointer_parts, resolve_pointer
from bodydouble_spec.schema import json_key

from bodydouble_contract_tests.model import Case, ExpectedOutcome, OperationProfile
from bodydouble_contract_tests.plan.space import Row
from bodydouble_contract_tests.plan.zoo import PROMPT, input_picture
from bodydouble_contract_tests.strategies import BoundaryCase, double_faults

__all__ = [
    "UNKNOWN_PROPERTY",
    "accepted_case",
    "alternating_cases",
    "first_case",
    "odd_cases",
    "parallel_cases",
    "refusal_cases",
    "steady_case",
    "unknown_property_case",
    "valid_boundary_cases",
]

UNKNOWN_PROPERTY = "unknown property"
"""The element that a request with properties unknown to the contract proves."""

# Properties of similar routes that cost nothing, and one that does not exist anywhere.
_UNKNOWN_PROPERTIES = {
    "seed": 42,
    "enable_safety_checker": True,
    "size": "auto",
    "n": 1,
    "response_format": "url",
    "unknown_key": "text",
}


def accepted_case(row: Row, covers: tuple[str, ...], evidence: Evidence) -> Case:
    """Return a call that must succeed."""
    return Case(
        f"accepted/{row.name}",
        "valid-accepted",
        row.value,
        ExpectedOutcome.ACCEPTED,
        evidence,
        row.images,
        covers=covers,
    )


def unknown_property_case(profile: OperationProfile, row: Row) -> Case | None:
    """Return a request with properties that are not in the contract; None where the contract forbids them."""
    if not is_object(row.value):
        return None
    unknown = {name: value for name, value in _UNKNOWN_PROPERTIES.items() if name not in profile.properties}
    body = {**row.value, **unknown}
    if not unknown or profile.operation.validate_request(body):
        return None
    case = accepted_case(row, (UNKNOWN_PROPERTY,), Evidence.INFERRED)
    return replace(case, id="accepted/unknown-property", check="unknown-key-tolerated", body=body)


def steady_case(case: Case, repeats: int) -> Case:
    """Return the case with a number of repetitions."""
    return replace(case, id=f"steady/{case.id}", check="answers-steadily", repeats=repeats, covers=())


def refusal_cases(profile: OperationProfile, boundaries: Sequence[BoundaryCase]) -> list[Case]:
    """Return a case for each body with one fault, and some with two. Its price is what the call costs if the server accepts it by mistake.

    A fraction in place of another type shows no more than a whole number there, and is left out. A body without any property comes first.
    """
    ids = {case.id for case in boundaries if not case.valid}
    chosen = [case for case in boundaries if not case.valid and not _is_shown_by_integer(case.id, ids)]
    return [
        Case(
            f"refusal/{case.id}",
            "invalid-refused",
            case.body,
            ExpectedOutcome.REFUSED,
            case.evidence,
            profile.images_asked(case.body),
            case.pointer,
            statuses=profile.refusal_statuses(case.body),
        )
        for case in (*_without_properties(profile, chosen), *chosen, *double_faults(boundaries))
    ]


def _without_properties(profile: OperationProfile, boundaries: Sequence[BoundaryCase]) -> Iterator[BoundaryCase]:
    missing = [case for case in boundaries if case.rule == "missing" and case.pointer.count("/") == 1]
    if len(missing) > 1 and profile.operation.validate_request({}):
        first = missing[0]
        yield BoundaryCase("without-properties", {}, False, first.pointer, first.rule, first.evidence)


def _is_shown_by_integer(identifier: str, ids: Collection[str]) -> bool:
    return identifier.endswith("type-number") and f"{identifier.removesuffix('number')}integer" in ids


def valid_boundary_cases(
    profile: OperationProfile, boundaries: Iterable[BoundaryCase], bodies: Iterable[Any]
) -> list[Case]:
    """Return a case for each valid body with a value that no body in ``bodies`` has in the same place.

    Where the outcome is not specified, the server only has to survive the call. Properties that are not in the contract have a case of their own and
    are left out here, and a request for an event stream or a callback is not examined.
    """
    seen = [*bodies]
    # The values of a place are read once, since pictures in them take long.
    seen_at: dict[str, set[str | None]] = {}
    found: list[Case] = []
    for boundary in boundaries:
        body = _with_real_inputs(profile, boundary)
        if boundary.pointer not in seen_at:
            seen_at[boundary.pointer] = {_at(boundary.pointer, other) for other in seen}
        is_seen = _at(boundary.pointer, body) in seen_at[boundary.pointer]
        is_unexamined = profile.operation.unserved_pointer(body) is not None
        is_left_out = is_unexamined or _is_unknown_property(profile, boundary.pointer)
        if not boundary.valid or is_seen or is_left_out:
            continue
        is_unspecified = profile.is_unspecified(body)
        found.append(
            Case(
                f"boundary/{boundary.id}",
                "odd-request-survived" if is_unspecified else "valid-accepted",
                body,
                ExpectedOutcome.SURVIVED if is_unspecified else ExpectedOutcome.ACCEPTED,
                boundary.evidence,
                profile.images_asked(body),
                boundary.pointer,
            )
        )
        seen.append(body)
        for pointer, values in seen_at.items():
            values.add(_at(pointer, body))
    return found


def _with_real_inputs(profile: OperationProfile, boundary: BoundaryCase) -> Any:
    """Replace the example input with a real picture, which a server can use, unless the input itself is under test."""
    name, body = profile.names.inputs, boundary.body
    if name is None or not is_object(body) or boundary.pointer.startswith(f"/{name}"):
        return body
    inputs = body.get(name)
    real = [input_picture()] * len(inputs) if is_array(inputs) else input_picture()
    changed = {**body, name: real}
    return body if inputs is None or profile.operation.validate_request(changed) else changed


def _is_unknown_property(profile: OperationProfile, pointer: str) -> bool:
    return bool(profile.properties and pointer) and pointer_parts(pointer)[0] not in profile.properties


def _at(pointer: str, body: Any) -> str | None:
    """Return the value at a place as a text to compare, of a picture its form and format; None when there is no value."""
    try:
        value = resolve_pointer(body, pointer_parts(pointer))
    except LookupError:
        return None
    kind = picture_kind(decode_picture(value)) if isinstance(value, str) else None
    return json_key(value) if kind is None else f"{value[:5] == 'data:'} {kind.media_type}"


_LONG = 4000
_MANY = 14
_PROMPTS = {
    "empty": "",
    "blank": "   \n ",
    f"{_LONG}-characters": (f"{PROMPT} " * _LONG)[:_LONG],
    "nul": f"{PROMPT}\x00",
}


def odd_cases(profile: OperationProfile, row: Row, evidence: Evidence) -> list[Case]:
    """Return the minimal request with one odd value in it, one case for each value that the contract allows."""
    if not is_object(row.value):
        return []
    made = [(name, key, {**row.value, key: value}) for name, key, value in _odd_values(profile, row.value)]
    return [
        Case(f"odd/{name}", "odd-request-survived", body, ExpectedOutcome.SURVIVED, evidence, profile.images_asked(body), f"/{key}")
        for name, key, body in made
        if not profile.operation.validate_request(body)
    ]  # fmt: skip


def _odd_values(profile: OperationProfile, usual: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield a readable name, the property and its odd value."""
    prompt, inputs = profile.names.prompt, profile.names.inputs
    if prompt is not None:
        yield from ((f"{prompt}-{name}", prompt, text) for name, text in _PROMPTS.items())
    if inputs is not None and isinstance(usual.get(inputs, []), list):
        yield f"{inputs}-0-items", inputs, []
        yield f"{inputs}-{_MANY}-items", inputs, [input_picture()] * _MANY


def first_case(usual: Case) -> Case:
    """Return the usual call as the first one that the server gets."""
    return _in_state("first", usual)


def alternating_cases(usual: Case, refused: Sequence[Case]) -> list[Case]:
    """Return the usual call and each refused one in turn: each refusal follows a success, each further success a refusal."""
    cases = [_in_state("before-refusals", usual)]
    for case in refused:
        cases += [
            _in_state(f"after-success/{case.id}", case),
            _in_state(f"after-refusal/{case.id}", usual),
        ]
    return cases


def parallel_cases(accepted: Sequence[Case], refused: Sequence[Case]) -> list[Case]:
    """Return different calls to be made at the same time, so that an answer to another call is noticed."""
    return [_in_state(f"parallel/{case.id}", case) for case in (*accepted, *refused)]


def _in_state(name: str, case: Case) -> Case:
    return replace(case, id=f"state/{name}", covers=(), repeats=1)

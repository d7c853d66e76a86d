"""Cases at the bounds of the contract: invalid ones to be refused, valid ones to be carried out."""

from collections.abc import Iterable
from typing import Any

from bodydouble_spec import is_array, is_object, pointer_parts, resolve_pointer

from bodydouble_contract_tests._boundary import BoundaryCase
from bodydouble_contract_tests._case import Case, ExpectedOutcome
from bodydouble_contract_tests._node import json_key
from bodydouble_contract_tests._planner_picture import input_picture
from bodydouble_contract_tests._subject import OperationProfile

__all__ = ["refusal_cases", "valid_boundary_cases"]


def refusal_cases(profile: OperationProfile, boundaries: Iterable[BoundaryCase]) -> list[Case]:
    """Return a case for each body with one fault. Its price is what the call costs if the server accepts it by mistake."""
    return [
        Case(
            f"refusal/{case.id}",
            "invalid-refused",
            case.body,
            ExpectedOutcome.REFUSED,
            case.evidence,
            profile.images_asked(case.body),
            case.pointer,
        )
        for case in boundaries
        if not case.valid
    ]


def valid_boundary_cases(
    profile: OperationProfile, boundaries: Iterable[BoundaryCase], bodies: Iterable[Any]
) -> list[Case]:
    """Return a case for each valid body with a value that no body in ``bodies`` has in the same place.

    Where the outcome is not specified, the server only has to survive the call. Properties that are not in the contract have a case of their own and
    are left out here.
    """
    seen = [*bodies]
    found: list[Case] = []
    for boundary in boundaries:
        body = _with_real_inputs(profile, boundary)
        is_seen = any(_same_at(boundary.pointer, body, other) for other in seen)
        if not boundary.valid or is_seen or _is_unknown_property(profile, boundary.pointer):
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


def _same_at(pointer: str, one: Any, other: Any) -> bool:
    return _at(pointer, one) == _at(pointer, other)


def _at(pointer: str, body: Any) -> str | None:
    """Return the value at a place as a text to compare; None when there is no value."""
    try:
        return json_key(resolve_pointer(body, pointer_parts(pointer)))
    except LookupError:
        return None

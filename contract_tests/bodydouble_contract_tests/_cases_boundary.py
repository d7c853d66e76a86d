"""Calls at the boundaries of the contract: invalid ones to be refused, valid ones to be carried out."""

from collections.abc import Iterable
from typing import Any

from bodydouble_spec import is_array, is_object, pointer_parts, resolve_pointer

from bodydouble_contract_tests._boundary import BoundaryCase
from bodydouble_contract_tests._case import Case, Expectation
from bodydouble_contract_tests._node import identity
from bodydouble_contract_tests._planner_picture import input_picture
from bodydouble_contract_tests._subject import Subject

__all__ = ["refusal_cases", "valid_boundary_cases"]


def refusal_cases(subject: Subject, boundaries: Iterable[BoundaryCase]) -> list[Case]:
    """A call for each body with one fault; what it costs if the server carries it out all the same."""
    return [
        Case(
            f"refusal/{case.id}",
            "invalid-refused",
            case.body,
            Expectation.REFUSED,
            case.evidence,
            subject.images_asked(case.body),
            case.pointer,
        )
        for case in boundaries
        if not case.valid
    ]


def valid_boundary_cases(subject: Subject, boundaries: Iterable[BoundaryCase], bodies: Iterable[Any]) -> list[Case]:
    """A call for each valid body that has something that none of ``bodies`` has in the same place.

    Where nobody knows what comes of it, the call need only be survived. Properties that the contract does not know are left to the call
    that is made for them.
    """
    seen = [*bodies]
    found: list[Case] = []
    for boundary in boundaries:
        body = _with_real_inputs(subject, boundary)
        is_seen = any(_same_at(boundary.pointer, body, other) for other in seen)
        if not boundary.valid or is_seen or _is_unknown_property(subject, boundary.pointer):
            continue
        is_unknown = subject.is_unknown(body)
        found.append(
            Case(
                f"boundary/{boundary.id}",
                "odd-request-survived" if is_unknown else "valid-accepted",
                body,
                Expectation.SURVIVED if is_unknown else Expectation.ACCEPTED,
                boundary.evidence,
                subject.images_asked(body),
                boundary.pointer,
            )
        )
        seen.append(body)
    return found


def _with_real_inputs(subject: Subject, boundary: BoundaryCase) -> Any:
    """The body with a real picture for input, unless the input is what it examines: nobody can fetch the URL of an example."""
    name, body = subject.names.inputs, boundary.body
    if name is None or not is_object(body) or boundary.pointer.startswith(f"/{name}"):
        return body
    inputs = body.get(name)
    real = [input_picture()] * len(inputs) if is_array(inputs) else input_picture()
    changed = {**body, name: real}
    return body if inputs is None or subject.operation.validate_request(changed) else changed


def _is_unknown_property(subject: Subject, pointer: str) -> bool:
    return bool(subject.properties and pointer) and pointer_parts(pointer)[0] not in subject.properties


def _same_at(pointer: str, one: Any, other: Any) -> bool:
    return _at(pointer, one) == _at(pointer, other)


def _at(pointer: str, body: Any) -> str | None:
    """What stands at a place, as a text to compare; None when nothing does."""
    try:
        return identity(resolve_pointer(body, pointer_parts(pointer)))
    except LookupError:
        return None

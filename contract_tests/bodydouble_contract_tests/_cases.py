"""Calls that any operation is put to, whatever its request looks like."""

from collections.abc import Mapping
from dataclasses import replace

from bodydouble_spec import Evidence, is_object

from bodydouble_contract_tests._case import Case, Credential, Expectation
from bodydouble_contract_tests._check import Check
from bodydouble_contract_tests._elements import Row
from bodydouble_contract_tests._subject import Subject

__all__ = [
    "UNKNOWN_PROPERTY",
    "accepted_case",
    "credential_cases",
    "steady_case",
    "unknown_property_case",
]

UNKNOWN_PROPERTY = "unknown property"
"""The element that a request with properties unknown to the contract proves."""

# What clients send to routes of this kind and no service charges for, and what nobody sends.
_UNKNOWN_PROPERTIES = {"seed": 42, "enable_safety_checker": True, "size": "auto", "unknown_key": "text"}


def accepted_case(row: Row, covers: tuple[str, ...], evidence: Evidence) -> Case:
    """A call that must succeed."""
    return Case(
        f"accepted/{row.name}", "valid-accepted", row.value, Expectation.ACCEPTED, evidence, row.images, covers=covers
    )


def unknown_property_case(subject: Subject, row: Row) -> Case | None:
    """The same request with properties that the contract does not know; None where it forbids them."""
    if not is_object(row.value):
        return None
    unknown = {name: value for name, value in _UNKNOWN_PROPERTIES.items() if name not in subject.properties}
    body = {**row.value, **unknown}
    if not unknown or subject.operation.validate_request(body):
        return None
    case = accepted_case(row, (UNKNOWN_PROPERTY,), Evidence.INFERRED)
    return replace(case, id="accepted/unknown-property", check="unknown-key-tolerated", body=body)


def credential_cases(checks: Mapping[str, Check], row: Row) -> list[Case]:
    """The same request without a key and with a wrong one, where the operation needs a key."""
    return [
        Case(f"credential/{name}", check, row.value, Expectation.UNAUTHORIZED, checks[check].evidence, row.images, credential=credential)
        for name, check, credential in (
            ("no-key", "no-key-refused", Credential.NONE),
            ("wrong-key", "wrong-key-refused", Credential.WRONG),
        )
        if check in checks
    ]  # fmt: skip


def steady_case(case: Case, repeats: int) -> Case:
    """The same call, made so many times."""
    return replace(case, id=f"steady/{case.id}", check="answers-steadily", repeats=repeats, covers=())

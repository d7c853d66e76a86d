"""Cases that apply to any operation."""

from collections.abc import Mapping
from dataclasses import replace

from bodydouble_spec import Evidence, is_object

from bodydouble_contract_tests._case import Case, Credential, ExpectedOutcome
from bodydouble_contract_tests._check import Check
from bodydouble_contract_tests._elements import Row
from bodydouble_contract_tests._subject import OperationProfile

__all__ = [
    "UNKNOWN_PROPERTY",
    "accepted_case",
    "credential_cases",
    "steady_case",
    "unknown_property_case",
]

UNKNOWN_PROPERTY = "unknown property"
"""The element that a request with properties unknown to the contract proves."""

# Properties of similar routes that cost nothing, and one that does not exist anywhere.
_UNKNOWN_PROPERTIES = {"seed": 42, "enable_safety_checker": True, "size": "auto", "unknown_key": "text"}


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


def credential_cases(checks: Mapping[str, Check], row: Row) -> list[Case]:
    """Return the request without a key and with a wrong key, where the operation needs one."""
    return [
        Case(f"credential/{name}", check, row.value, ExpectedOutcome.UNAUTHORIZED, checks[check].evidence, row.images, credential=credential)
        for name, check, credential in (
            ("no-key", "no-key-refused", Credential.NONE),
            ("wrong-key", "wrong-key-refused", Credential.WRONG),
        )
        if check in checks
    ]  # fmt: skip


def steady_case(case: Case, repeats: int) -> Case:
    """Return the case with a number of repetitions."""
    return replace(case, id=f"steady/{case.id}", check="answers-steadily", repeats=repeats, covers=())

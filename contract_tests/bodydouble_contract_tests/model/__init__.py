"""The terms of a verification: its claims, cases and observations, the profile of the operation, and the form of a finding."""

from bodydouble_contract_tests.model.cases import (
    ORIGIN,
    Case,
    Check,
    Credential,
    ExpectedOutcome,
    FetchedPicture,
    Observation,
    Plan,
    Progress,
    RequestForm,
    Trouble,
    Verification,
)
from bodydouble_contract_tests.model.catalogue import catalogue
from bodydouble_contract_tests.model.findings import deviation, distinct, generic_pointer, shortened
from bodydouble_contract_tests.model.profile import AnswerPicture, OperationProfile
from bodydouble_contract_tests.model.unspecified import KnownValues, known_values

__all__ = [
    "ORIGIN",
    "AnswerPicture",
    "Case",
    "Check",
    "Credential",
    "ExpectedOutcome",
    "FetchedPicture",
    "KnownValues",
    "Observation",
    "OperationProfile",
    "Plan",
    "Progress",
    "RequestForm",
    "Trouble",
    "Verification",
    "catalogue",
    "deviation",
    "distinct",
    "generic_pointer",
    "known_values",
    "shortened",
]

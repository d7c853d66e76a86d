"""The checks of `verify`: the catalogue, what is sent and seen, and a finding for each deviation."""

from bodydouble_contract_tests.checks.catalogue import catalogue
from bodydouble_contract_tests.checks.causes import flattened, grouped
from bodydouble_contract_tests.checks.damage import picture_damage
from bodydouble_contract_tests.checks.findings import generic_pointer
from bodydouble_contract_tests.checks.images import inspect_picture
from bodydouble_contract_tests.checks.model import (
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
from bodydouble_contract_tests.checks.observations import check_observation, check_observations
from bodydouble_contract_tests.checks.profile import AnswerPicture, OperationProfile
from bodydouble_contract_tests.checks.unspecified import KnownValues, known_values

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
    "check_observation",
    "check_observations",
    "flattened",
    "generic_pointer",
    "grouped",
    "inspect_picture",
    "known_values",
    "picture_damage",
]

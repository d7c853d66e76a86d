"""Verify that a server keeps a contract, call by call and within a budget.

`verify` makes the calls against a `Target`. `plan_verification` returns the calls and their cost beforehand, and `verify_recording` checks calls
that were recorded. All three take an `OperationProfile`: one operation of a contract.
"""

from bodydouble_contract_tests.errors import CannotVerify
from bodydouble_contract_tests.model import (
    Case,
    Check,
    Credential,
    ExpectedOutcome,
    FetchedPicture,
    Observation,
    OperationProfile,
    Plan,
    Progress,
    Trouble,
    Verification,
    catalogue,
)
from bodydouble_contract_tests.run import (
    VerifyOptions,
    age_findings,
    check_exchanges,
    exchanges_of,
    plan_verification,
    verify,
    verify_recording,
    with_baseline,
)
from bodydouble_contract_tests.target import ServerConfig, Target, default_recording, is_billed, resolve_server

__all__ = [
    "CannotVerify",
    "Case",
    "Check",
    "Credential",
    "ExpectedOutcome",
    "FetchedPicture",
    "Observation",
    "OperationProfile",
    "Plan",
    "Progress",
    "ServerConfig",
    "Target",
    "Trouble",
    "Verification",
    "VerifyOptions",
    "age_findings",
    "catalogue",
    "check_exchanges",
    "default_recording",
    "exchanges_of",
    "is_billed",
    "plan_verification",
    "resolve_server",
    "verify",
    "verify_recording",
    "with_baseline",
]

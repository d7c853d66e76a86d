"""Verify that a server keeps a contract, call by call and within a budget.

`verify` makes the calls against a `Target`. `plan_verification` returns the calls and their cost beforehand, and `verify_recording` checks calls
that were recorded. All three take an `OperationProfile`: one operation of a contract.
"""

from bodydouble_contract_tests._aim import ServerConfig, default_recording, resolve_server
from bodydouble_contract_tests._baseline import BadBaseline, Baseline
from bodydouble_contract_tests._case import Case, Credential, ExpectedOutcome
from bodydouble_contract_tests._catalogue import catalogue
from bodydouble_contract_tests._check import Check
from bodydouble_contract_tests._errors import CannotVerify
from bodydouble_contract_tests._money import is_billed, plan_verification
from bodydouble_contract_tests._observation import FetchedPicture, Observation, Trouble
from bodydouble_contract_tests._offline import verify_recording
from bodydouble_contract_tests._plan import Plan
from bodydouble_contract_tests._progress import Progress
from bodydouble_contract_tests._runner import VerifyOptions, verify
from bodydouble_contract_tests._subject import OperationProfile
from bodydouble_contract_tests._target import Target
from bodydouble_contract_tests._verification import Verification

__all__ = [
    "BadBaseline",
    "Baseline",
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
    "catalogue",
    "default_recording",
    "is_billed",
    "plan_verification",
    "resolve_server",
    "verify",
    "verify_recording",
]

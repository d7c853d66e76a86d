"""Verification: whether a server keeps a contract, found out call by call, within a budget, with evidence that is kept.

``verify`` runs everything against a `Target`; ``plan_verification`` says before what would be done and what it costs, ``verify_recording``
judges what was recorded. All three need a `Subject`: one operation of a contract.
"""

from bodydouble_contract_tests._case import Case, Credential, Expectation
from bodydouble_contract_tests._catalogue import catalogue
from bodydouble_contract_tests._check import Check
from bodydouble_contract_tests._errors import CannotVerify
from bodydouble_contract_tests._money import is_billed, plan_verification
from bodydouble_contract_tests._observation import FetchedPicture, Observation, Trouble
from bodydouble_contract_tests._offline import verify_recording
from bodydouble_contract_tests._plan import Plan
from bodydouble_contract_tests._progress import Progress
from bodydouble_contract_tests._runner import verify
from bodydouble_contract_tests._subject import Subject
from bodydouble_contract_tests._target import Target
from bodydouble_contract_tests._verification import Verification

__all__ = [
    "CannotVerify",
    "Case",
    "Check",
    "Credential",
    "Expectation",
    "FetchedPicture",
    "Observation",
    "Plan",
    "Progress",
    "Subject",
    "Target",
    "Trouble",
    "Verification",
    "catalogue",
    "is_billed",
    "plan_verification",
    "verify",
    "verify_recording",
]

"""A verification run: the server under test, the calls, the budget, the recording and the results."""

from bodydouble_contract_tests.run.baseline import BadBaseline, Baseline
from bodydouble_contract_tests.run.budget import is_billed, plan_verification
from bodydouble_contract_tests.run.http import Target
from bodydouble_contract_tests.run.replay import check_exchanges, exchanges_of, verify_recording
from bodydouble_contract_tests.run.runner import VerifyOptions, verify
from bodydouble_contract_tests.run.server import ServerConfig, default_recording, resolve_server

__all__ = [
    "BadBaseline",
    "Baseline",
    "ServerConfig",
    "Target",
    "VerifyOptions",
    "check_exchanges",
    "default_recording",
    "exchanges_of",
    "is_billed",
    "plan_verification",
    "resolve_server",
    "verify",
    "verify_recording",
]

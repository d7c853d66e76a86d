"""The proof: strategies and cases made from any contract, to show whether a client, a server or an app keeps it.

Needs the extra: ``pip install 'bodydouble[contract]'``.
"""

from importlib.metadata import version as _version
from importlib.util import find_spec as _find_spec

if _find_spec("hypothesis") is None:
    raise ImportError("bodydouble_contract_tests needs Hypothesis; install it with: pip install 'bodydouble[contract]'")

from bodydouble_contract_tests.errors import UnsupportedSchema
from bodydouble_contract_tests.strategies import (
    BoundaryCase,
    InvalidRequest,
    ResponseCase,
    boundary_cases,
    invalid_requests,
    requests,
    responses,
)

__all__ = [
    "BoundaryCase",
    "InvalidRequest",
    "ResponseCase",
    "UnsupportedSchema",
    "boundary_cases",
    "invalid_requests",
    "requests",
    "responses",
]
__version__ = _version("bodydouble")

"""Servers with one deviation each: the mock with one change, and the check that must find it.

A verification that finds every one of them, and nothing on the unchanged mock, proves the worth of its checks::

    for mutant in mutants(contract):
        with Target("http://127.0.0.1", "a-key", transport=MockTransport(serve(mutant, contract))) as target:
            assert verify(OperationProfile(contract), target, VerifyOptions(only=[mutant.check])).findings
"""

from bodydouble_contract_tests.checks import OperationProfile
from bodydouble_contract_tests.strategies import boundary_cases
from bodydouble_mockserver import MockServer, Settings
from bodydouble_spec import Contract

from contract_tests.tests.mutants.answers import answer_mutants
from contract_tests.tests.mutants.model import Mutant
from contract_tests.tests.mutants.requests import request_mutants
from contract_tests.tests.mutants.server import MutantServer

__all__ = ["Mutant", "mutants", "serve"]


def mutants(contract: Contract) -> tuple[Mutant, ...]:
    """Return every mutant of a contract's operation; names, bounds and values are those of the contract."""
    profile = OperationProfile(contract)
    return (*request_mutants(profile), *answer_mutants(profile))


def serve(mutant: Mutant | None, contract: Contract, key: str = "a-key") -> MockServer:
    """Return the mock of a contract with one deviation (None: without any), which takes one key."""
    settings = Settings(api_keys=(key,))
    if mutant is None:
        return MockServer(contract, settings)
    return MutantServer(contract, settings, mutant, boundary_cases(contract)[0].body)

"""Servers with one deviation each: the mock with one change, and the check that must find it.

A verification that finds every one of them, and nothing on the unchanged mock, proves the worth of its checks::

    for mutant in mutants(contract):
        with Target("http://127.0.0.1", KEY, transport=MockTransport(serve(mutant, contract))) as target:
            assert verify(OperationProfile(contract), target, VerifyOptions(only=[mutant.check])).findings
"""

import copy
from typing import Any

from bodydouble_contract_tests.model import OperationProfile
from bodydouble_contract_tests.strategies import boundary_cases
from bodydouble_mockserver import MockServer, Settings
from bodydouble_spec import Contract

from contract_tests.tests.mutants.answers import answer_mutants
from contract_tests.tests.mutants.content import content_mutants
from contract_tests.tests.mutants.credentials import KEY, credential_mutants
from contract_tests.tests.mutants.envelopes import envelope_mutants
from contract_tests.tests.mutants.further import further_mutants
from contract_tests.tests.mutants.headers import header_mutants
from contract_tests.tests.mutants.kinds import kind_mutants
from contract_tests.tests.mutants.model import Mutant
from contract_tests.tests.mutants.raw import raw_mutants
from contract_tests.tests.mutants.requests import request_mutants
from contract_tests.tests.mutants.server import MutantServer
from contract_tests.tests.mutants.values import value_mutants

__all__ = ["KEY", "Mutant", "families", "mutants", "serve", "with_small_pictures"]


def with_small_pictures(contract: Contract) -> Contract:
    """Return the contract with sizes of a sixteenth each way, whose pictures are drawn quickly."""
    document: dict[str, Any] = copy.deepcopy(dict(contract.document))
    (operation,) = (operation for path in document["paths"].values() for operation in path.values())
    sizes = operation["x-sizes"]
    operation["x-sizes"] = {ratio: [width // 16, height // 16] for ratio, (width, height) in sizes.items()}
    return Contract.load(document, overlay=None)


def mutants(contract: Contract) -> tuple[Mutant, ...]:
    """Return every mutant of a contract's operation; names, bounds and values are those of the contract."""
    return tuple(mutant for family in families(contract).values() for mutant in family)


def families(contract: Contract) -> dict[str, tuple[Mutant, ...]]:
    """Return the mutants by the kind of their deviation."""
    profile = OperationProfile(contract)
    return {
        "outcomes": tuple(request_mutants(profile)),
        "answers": tuple(answer_mutants(profile)),
        "headers": tuple(header_mutants()),
        "refusals": tuple(envelope_mutants()),
        "credentials": tuple(credential_mutants()),
        "raw requests": tuple(raw_mutants()),
        "values": tuple(value_mutants(profile)),
        "content and state": tuple(content_mutants()),
        "further": tuple(further_mutants(profile)),
        "kinds": tuple(kind_mutants(profile)),
    }


def serve(mutant: Mutant | None, contract: Contract, key: str = KEY) -> MockServer:
    """Return the mock of a contract with one deviation (None: without any), which takes one key."""
    settings = Settings(api_keys=(key,))
    if mutant is None:
        return MockServer(contract, settings)
    return MutantServer(contract, settings, mutant, boundary_cases(contract)[0].body)

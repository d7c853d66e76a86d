"""Documents of the vendor's catalogue are served and verified.

The forty structure-only documents are here; those with the path of chats are alike and take seconds each, so they are left to
BODYDOUBLE_ALL_DOCUMENTS: where it is set, all forty, and all that lie beside the checkout, are verified.
"""

import os
from pathlib import Path

import pytest
from bodydouble_contract_tests.verification import (
    CannotVerify,
    OperationProfile,
    Target,
    VerifyOptions,
    catalogue,
    verify,
)
from bodydouble_mockserver import Settings, create_app
from bodydouble_mockserver.server import Server, server_config
from bodydouble_spec import Contract, Severity

from spec.tests.servers import serve_asgi

ROOT = Path(__file__).parents[2]
STRUCTURES = sorted((ROOT / "mockserver" / "tests" / "data" / "catalogue").glob("*.json"))
TAKES_ALL = "BODYDOUBLE_ALL_DOCUMENTS" in os.environ
CHATS = [file for file in STRUCTURES if b"chat/completions" in file.read_bytes()]
CHOSEN = STRUCTURES if TAKES_ALL else [file for file in STRUCTURES if file not in CHATS]
BESIDE = sorted((ROOT.parent / "shared" / "data" / "drift" / "docs").glob("*.json")) if TAKES_ALL else []
# These send hundreds of requests for a contract with many properties; the other checks send one or two.
COSTLY = {"valid-accepted", "invalid-refused", "refusal-envelope"}
KEY = "a-key"


def complaints(contract: Contract) -> list[str]:
    """Return the findings above info of the cheap checks of every operation."""
    found: list[str] = []
    mock = create_app(contract, Settings(api_keys=(KEY,), log=False))
    with serve_asgi(Server(server_config(mock))) as origin, Target(origin, KEY) as target:
        for operation in contract.operations:
            profile = OperationProfile(contract, operation)
            try:
                cheap = [check.id for check in catalogue(profile) if check.id not in COSTLY]
                result = verify(profile, target, VerifyOptions(only=cheap))
            except CannotVerify:
                continue  # it takes no JSON body
            assert result.incomplete is None
            found += [str(finding) for finding in result.findings if finding.severity is not Severity.INFO]
    return found


@pytest.mark.parametrize("file", [pytest.param(file, id=file.stem) for file in CHOSEN])
def test_verify_has_no_finding_against_the_mock_of_a_document_of_the_catalogue(file: Path) -> None:
    assert complaints(Contract.load(file)) == []


@pytest.mark.parametrize("file", [pytest.param(file, id=file.stem) for file in BESIDE])
def test_verify_has_no_finding_against_the_mock_of_a_document_beside_the_checkout(file: Path) -> None:
    contract = Contract.load(file)
    if not contract.operations:
        pytest.skip("the document has no operation")
    assert complaints(contract) == []

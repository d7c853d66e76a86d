"""The catalogue of checks: each with an id, a sentence, its evidence and its price."""

import re
from collections.abc import Callable

import pytest
from bodydouble_contract_tests.model.cases import Check
from bodydouble_contract_tests.model.catalogue import catalogue
from bodydouble_contract_tests.model.profile import OperationProfile
from bodydouble_spec import Contract, Evidence

VENDORED = {check.id: check for check in catalogue(OperationProfile(Contract.load()))}
OF_PICTURES = {
    "image-count",
    "picture-url-absolute",
    "picture-downloadable",
    "picture-decodable",
    "picture-media-type",
    "picture-pixels",
    "picture-whole",
    "picture-distinct",
    "picture-cors",
}
OF_THE_PRICE = {"credits-positive", "credits-proportional", "charge-as-documented", "cost-consistent"}
OF_KEYS = {"no-key-refused", "wrong-key-refused", "key-secret"}
# The overlay states them; a document that is not the vendor's says nothing of them.
OF_HEADERS = {
    "answer-headers",
    "client-id-echoed",
    "client-id-dropped",
    "cors-answer",
    "cors-preflight",
    "request-id-new",
    "refusal-headers",
    "request-id-matches",
}
OF_ENVELOPES = {"refusal-consistent", "refusal-issues"}


@pytest.mark.parametrize("check", VENDORED.values(), ids=lambda check: check.id)
def test_a_check_is_named_in_kebab_case_claims_a_sentence_and_names_its_source(check: Check) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", check.id)
    assert re.fullmatch(r"[A-Z].*\.", check.claim)
    assert check.source
    assert check.images >= 0


def test_every_id_is_unique() -> None:
    assert len(VENDORED) == len(catalogue(OperationProfile(Contract.load())))


@pytest.mark.parametrize(
    ("name", "evidence"),
    [
        ("valid-accepted", Evidence.DOCUMENTED),
        ("unknown-key-tolerated", Evidence.INFERRED),
        ("refusal-envelope", Evidence.INFERRED),
        ("picture-pixels", Evidence.DOCUMENTED),
        ("credits-proportional", Evidence.ASSUMED),
        ("no-key-refused", Evidence.DOCUMENTED),
    ],
)
def test_the_evidence_of_a_check_is_that_of_the_contract(name: str, evidence: Evidence) -> None:
    assert VENDORED[name].evidence is evidence


def test_refusals_cost_nothing_and_pictures_do() -> None:
    free = {check.id for check in VENDORED.values() if not check.images}
    assert free == {
        "invalid-refused",
        "malformed-refused",
        "method-refused",
        "refusal-envelope",
        *OF_KEYS,
        *OF_ENVELOPES,
        *(OF_HEADERS - {"answer-headers", "client-id-echoed"}),
        "answers-steadily",
        "answer-in-time",
        "answer-whole",
        "body-length",
        "content-encoding",
    }


def test_a_contract_without_pictures_price_and_keys_has_no_checks_of_them(contract_of: Callable[..., Contract]) -> None:
    plain = {check.id for check in catalogue(OperationProfile(contract_of({"type": "object"})))}
    assert plain == VENDORED.keys() - OF_PICTURES - OF_THE_PRICE - OF_KEYS - OF_HEADERS - OF_ENVELOPES


def test_an_operation_that_takes_no_body_is_not_asked_to_refuse_one(contract_of: Callable[..., Contract]) -> None:
    ids = {check.id for check in catalogue(OperationProfile(contract_of(None)))}
    assert "valid-accepted" in ids
    assert not ids & {"invalid-refused", "unknown-key-tolerated", "odd-request-survived"}


def test_an_undocumented_price_is_not_checked() -> None:
    ids = {check.id for check in catalogue(OperationProfile(Contract.load(overlay=None)))}
    assert "credits-positive" in ids
    assert not ids & {"charge-as-documented", "picture-pixels"}


def test_every_document_of_the_vendor_has_its_checks(published: Contract) -> None:
    counts = [len(catalogue(OperationProfile(published, operation))) for operation in published.operations]
    assert all(counts)

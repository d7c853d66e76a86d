"""Whatever is stated has a check: every action of the overlay, every keyword of a request, and every property of an answer."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from bodydouble_contract_tests.verification import OperationProfile, catalogue, plan_verification
from bodydouble_mockserver.answer import violations
from bodydouble_spec import Contract, is_object

STATEMENTS: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "statements.yaml").read_text(encoding="utf-8"))
OVERLAY: dict[str, Any] = yaml.safe_load(files("bodydouble_spec").joinpath("overlay.yaml").read_text(encoding="utf-8"))
REASONS = {"unknown", "not observable", "second account", "form of the document"}
# Keywords that name no value to break: prose, and what the cases are made from.
SILENT = {
    "$schema",
    "$defs",
    "description",
    "title",
    "example",
    "examples",
    "default",
    "nullable",
    "properties",
    "items",
    "required",
    "allOf",
    "format",
}


@pytest.fixture(scope="module")
def profile() -> OperationProfile:
    return OperationProfile(Contract.load())


@pytest.mark.parametrize("description", [action["description"] for action in OVERLAY["actions"]])
def test_every_action_of_the_overlay_has_a_check_or_a_reason(profile: OperationProfile, description: str) -> None:
    entry = STATEMENTS["actions"].get(description)
    assert entry is not None, f"{description}: add its checks, or the reason why it has none, to statements.yaml"
    known = {check.id for check in catalogue(profile)}
    assert ({*entry.get("checks", ())} <= known, entry.get("reason", "unknown") in REASONS) == (True, True)
    assert bool(entry.get("checks")) is ("reason" not in entry)


def test_no_entry_is_about_an_action_that_does_not_exist() -> None:
    assert {*STATEMENTS["actions"]} == {action["description"] for action in OVERLAY["actions"]}


def keywords(schema: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield each keyword of a request's schema that a value can break, with its place."""
    if not is_object(schema):
        return
    yield from ((place, keyword) for keyword in schema if keyword not in SILENT and not keyword.startswith("x-"))
    yield from ((f"{place}/{name}", "missing") for name in schema.get("required", ()))
    for name, item in schema.get("properties", {}).items():
        yield from keywords(item, f"{place}/{name}")
    yield from keywords(schema.get("items"), f"{place}/0")


def test_every_keyword_of_the_request_has_a_call_that_breaks_it(profile: OperationProfile) -> None:
    refusals = {case.id.removeprefix("refusal") for case in plan_verification(profile).free}
    wanted = list(keywords(profile.operation.request_schema))
    missed = [
        f"{place}/{word}" for place, word in wanted if not any(one.startswith(f"{place}/{word}") for one in refusals)
    ]
    assert (len(wanted) > 15, missed) == (True, [])


def test_every_value_of_an_enum_has_a_call_that_must_succeed(profile: OperationProfile) -> None:
    plan = plan_verification(profile)
    for name, view in profile.properties.items():
        sent = [case.body.get(name) for case in plan.paid if is_object(case.body)]
        assert [value for value in view.options or () if value not in sent] == []


def test_every_property_of_an_answer_is_checked_for_its_type_and_its_absence(profile: OperationProfile) -> None:
    made = {violation.id for violation in violations(profile.operation)}
    assert {"missing-data", "null-data.url", "wrong-type-meta.usage.credits_used"} <= made


def test_every_documented_header_is_claimed_by_a_check(profile: OperationProfile) -> None:
    known = {check.id for check in catalogue(profile)}
    assert profile.headers(200).keys() >= {"x-request-id", "x-inference-id", "x-client-request-id"}
    assert {"answer-headers", "client-id-echoed", "refusal-headers"} <= known
    assert [status for status in (400, 401) if "x-request-id" not in profile.headers(status)] == []

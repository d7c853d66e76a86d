"""A copy of the source tree that has adopted a revision with its own command, and the results."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bodydouble_spec import Contract

ROOT = Path(__file__).resolve().parents[2]
AUGUST = ROOT / "spec" / "tests" / "data" / "revision-2026-08-14-87ef44bd.json"
PACKAGES = (
    "spec/bodydouble_spec",
    "client/bodydouble_client",
    "mockserver/bodydouble_mockserver",
    "contract_tests/bodydouble_contract_tests",
    "cli/bodydouble",
)


@pytest.fixture(scope="module")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the results of a copy of the source tree that has adopted the contract of 2026-08-14 with its own command."""
    tree = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", tree)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    paths = os.pathsep.join(str((tree / package).parent) for package in PACKAGES)

    def python(*arguments: str | Path) -> str:
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=tree, env={**os.environ, "PYTHONPATH": paths}
        ).stdout

    python("-m", "bodydouble", "contract", "update", AUGUST)
    result: dict[str, Any] = json.loads(python(ROOT / "cli" / "tests" / "data" / "after_adoption.py"))
    assert Path(result["loaded from"]).is_relative_to(tree)
    return result


def test_the_vendored_contract_is_the_adopted_one(adopted: dict[str, Any]) -> None:
    expected = Contract.load(AUGUST).fingerprint
    assert (adopted["fingerprint"], adopted["origin"]["fingerprint"]) == (expected, expected)


def test_actions_of_the_overlay_that_do_not_apply_are_no_findings_against_it(adopted: dict[str, Any]) -> None:
    assert adopted["unmatched"] == []


def test_loading_starts_from_the_stored_merged_document(adopted: dict[str, Any]) -> None:
    assert adopted["is overlay applied anew"] is False


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("usual", 200),
        ("16:9", 200),
        ("former model", 400),
        ("four inputs", 400),
        ("21:9", 400),
        ("one and a half", 400),
        ("unknown setting", 400),
    ],
)
def test_the_mock_answers_by_the_adopted_contract(adopted: dict[str, Any], change: str, status: int) -> None:
    assert adopted["mock"]["statuses"][change] == status


def test_the_mock_gives_the_pictures_and_the_cost_that_the_adopted_contract_names(adopted: dict[str, Any]) -> None:
    assert (adopted["mock"]["pictures"], adopted["mock"]["usage"]) == (2, ["credits_used", "usd_spent"])


@pytest.mark.parametrize(
    ("case", "is_valid"),
    [
        ("image_urls/maxItems", True),
        ("image_urls/maxItems+1", False),
        ("image_urls/missing", True),
        ("model/enum=google/nano-banana-edit", True),
        ("num_images/type-number", False),
        ("seed/maximum+1", False),
        ("aspect_ratio/enum=16:9", True),
    ],
)
def test_the_boundary_cases_are_those_of_the_adopted_contract(
    adopted: dict[str, Any], case: str, is_valid: bool
) -> None:
    assert adopted["cases"][case] is is_valid


def test_a_bound_that_is_gone_has_no_boundary_case(adopted: dict[str, Any]) -> None:
    assert {"num_images/minimum", "aspect_ratio/enum=21:9"} & adopted["cases"].keys() == set()


def test_the_claims_say_that_the_client_can_do_nothing_because_it_names_the_former_model(
    adopted: dict[str, Any],
) -> None:
    assert adopted["client"]["every call is refused"] is True
    assert adopted["client"]["because of"] == ["model"]


def test_under_the_new_name_the_client_could_make_every_call_that_the_adopted_contract_allows(
    adopted: dict[str, Any],
) -> None:
    assert adopted["client"]["refused under the new name"] == []

"""The history of a contract: its revisions in order of time, and the changes of each."""

from datetime import date
from pathlib import Path
from random import Random

import pytest
from bodydouble_spec import Contract
from bodydouble_spec.diff import Revision, Step, history, read_name
from hypothesis import given
from hypothesis import strategies as st

DATA = Path(__file__).parent / "data"


def revision(path: Path) -> Revision:
    name, day = read_name(path.name)
    assert day is not None
    return Revision(name, day, Contract.load(path, overlay=None))


@pytest.fixture(scope="module")
def revisions() -> list[Revision]:
    return [revision(path) for path in sorted(DATA.glob("revision-*.json"))]


@pytest.fixture(scope="module")
def steps(revisions: list[Revision]) -> dict[str, Step]:
    return {step.revision.name: step for step in history(revisions)}


def ids(step: Step) -> set[str]:
    return {change.id for change in step.changes}


def test_only_the_revisions_that_changed_the_structure_have_changes(steps: dict[str, Step]) -> None:
    assert [name for name, step in steps.items() if step.changes] == ["b8e4f5ad", "4cd011cd", "87ef44bd"]


def test_the_first_revision_has_no_previous_one_and_no_changes(steps: dict[str, Step]) -> None:
    first = steps["79308e54"]
    assert (first.previous, first.changes) == (None, ())


def test_in_january_tokens_used_was_renamed_and_aspect_ratio_added(steps: dict[str, Step]) -> None:
    messages = " ".join(change.message for change in steps["b8e4f5ad"].changes)
    assert {name for name in ("tokens_used", "credits_used", "aspect_ratio") if name not in messages} == set()
    assert "response-property-renamed" in ids(steps["b8e4f5ad"])


def test_in_june_a_provider_was_added(steps: dict[str, Step]) -> None:
    (change,) = steps["4cd011cd"].changes
    assert "provider" in change.message


def test_in_august_the_model_was_replaced_and_that_covers_the_rest(steps: dict[str, Step]) -> None:
    (change,) = steps["87ef44bd"].changes
    assert change.id == "model-identity-replaced"
    assert len(change.covers) >= 10


def test_the_order_in_which_revisions_are_given_does_not_matter_between_days(revisions: list[Revision]) -> None:
    shuffled = list(revisions)
    Random(5).shuffle(shuffled)
    assert [step.revision.date for step in history(shuffled)] == [step.revision.date for step in history(revisions)]


def test_revisions_of_one_day_stay_in_the_order_given(revisions: list[Revision]) -> None:
    both = [item for item in revisions if item.date == date(2025, 11, 27)]
    assert [step.revision.name for step in history(both[::-1])] == [item.name for item in both[::-1]]


def test_an_empty_list_of_revisions_has_no_history() -> None:
    assert history([]) == ()


@pytest.mark.parametrize(
    ("source", "name", "day"),
    [
        ("2026-06-12-4cd011cd.json", "4cd011cd", date(2026, 6, 12)),
        ("revision-2026-06-12-4cd011cd.json", "4cd011cd", date(2026, 6, 12)),
        ("openapi_2026-06-12.yaml", "openapi", date(2026, 6, 12)),
        ("2026-06-12.json", "2026-06-12", date(2026, 6, 12)),
        ("2026-13-45-2026-06-12-a.json", "a", date(2026, 6, 12)),
        ("12026-06-123.json", "12026-06-123", None),
        ("openapi.json", "openapi", None),
        ("", "", None),
        ("/2025-01-01/openapi.json", "openapi", None),
        ("https://example.org/2026-06-12-4cd011cd.json?path=2025-01-01/b", "4cd011cd", date(2026, 6, 12)),
    ],
)
def test_a_file_name_says_revision_and_day(source: str, name: str, day: date | None) -> None:
    assert read_name(source) == (name, day)


@given(st.text(max_size=30))
def test_any_file_name_can_be_read(file_name: str) -> None:
    name, day = read_name(file_name)
    assert isinstance(name, str)
    assert day is None or day.isoformat() in file_name


@given(st.dates(), st.from_regex(r"[0-9a-f]{8}", fullmatch=True))
def test_day_and_commit_in_a_file_name_come_back(day: date, commit: str) -> None:
    assert read_name(f"{day.isoformat()}-{commit}.json") == (commit, day)

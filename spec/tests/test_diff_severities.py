"""Severities of a team's own, from pyproject.toml, in place of the defaults."""

from pathlib import Path

import pytest
from bodydouble_spec import Evidence, Severity
from bodydouble_spec.diff import RULES, BadSeverities, Change, Severities
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

REMOVED, ADDED, RENAMED = "request-property-removed", "response-optional-property-added", "request-property-renamed"


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    return tmp_path / "pyproject.toml"


def put(path: Path, text: str) -> Path:
    path.write_text(f"[tool.bodydouble.drift.severities]\n{text}\n", encoding="utf-8")
    return path


def change(rule: str, *covers: Change, severity: Severity = Severity.WARNING) -> Change:
    return Change(rule, severity, Evidence.DOCUMENTED, "/paths", "a message", covers=covers)


def shape(changes: tuple[Change, ...]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    return [(item.id, item.severity, [(one.id, one.severity) for one in item.covers]) for item in changes]


def test_a_chosen_severity_replaces_the_default(settings_file: Path) -> None:
    chosen = Severities.load(put(settings_file, f'{REMOVED} = "info"'))
    assert shape(chosen.apply([change(REMOVED), change(ADDED)])) == [(REMOVED, "info", []), (ADDED, "warning", [])]


def test_covered_changes_get_their_chosen_severity_too(settings_file: Path) -> None:
    chosen = Severities.load(put(settings_file, f'{REMOVED} = "error"'))
    assert shape(chosen.apply([change(RENAMED, change(REMOVED))])) == [(RENAMED, "warning", [(REMOVED, "error")])]


def test_covered_changes_are_ordered_worst_first(settings_file: Path) -> None:
    chosen = Severities.load(put(settings_file, f'{REMOVED} = "error"'))
    (covering,) = chosen.apply([change(RENAMED, change(ADDED), change(REMOVED))])
    assert [item.id for item in covering.covers] == [REMOVED, ADDED]


def test_a_rule_that_is_off_is_not_reported(settings_file: Path) -> None:
    chosen = Severities.load(put(settings_file, f'{ADDED} = "off"'))
    covering = change(RENAMED, change(ADDED), change(REMOVED))
    assert shape(chosen.apply([change(ADDED), covering])) == [(RENAMED, "warning", [(REMOVED, "warning")])]


def test_changes_covered_by_a_rule_that_is_off_take_its_place(settings_file: Path) -> None:
    chosen = Severities.load(put(settings_file, f'{RENAMED} = "off"'))
    changes = [change(RENAMED, change(REMOVED), change(ADDED)), change(ADDED)]
    assert [item.id for item in chosen.apply(changes)] == [REMOVED, ADDED, ADDED]


def test_without_settings_nothing_is_changed() -> None:
    changes = (change(RENAMED, change(REMOVED)), change(ADDED))
    assert shape(Severities().apply(changes)) == shape(changes)


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from(sorted(RULES)), st.sampled_from([*Severity, "off"]), max_size=8))
def test_every_rule_can_have_every_severity(tmp_path_factory: pytest.TempPathFactory, chosen: dict[str, str]) -> None:
    path = tmp_path_factory.mktemp("settings") / "pyproject.toml"
    put(path, "\n".join(f'{rule} = "{value}"' for rule, value in chosen.items()))
    expected = {rule: None if value == "off" else Severity(value) for rule, value in chosen.items()}
    assert Severities.load(path).chosen == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('request-property-remved = "error"', "no such rule; did you mean request-property-removed"),
        ('zzzzzz = "error"', "no such rule; docs/changes.md lists them"),
        (f'{REMOVED} = "fatal"', 'is "fatal"; it must be error, warning, info or off'),
        (f"{REMOVED} = false", "is false; it must be error"),
        (f"{REMOVED} = []", "it must be error"),
        (f'[{REMOVED}]\nlevel = "error"\n[tool.bodydouble.drift.remind]', "has no setting"),
    ],
)
def test_an_unknown_setting_is_refused(settings_file: Path, text: str, message: str) -> None:
    with pytest.raises(BadSeverities) as caught:
        Severities.load(put(settings_file, text))
    assert message in str(caught.value)
    assert str(settings_file) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tool = 1", "tool must be a table"),
        ("[tool]\nbodydouble = 1", "tool.bodydouble must be a table"),
        ("[tool.bodydouble]\ndrift = []", "tool.bodydouble.drift must be a table"),
        ("[tool.bodydouble.drift]\nseverities = 5", "tool.bodydouble.drift.severities must be a table"),
        ("[tool.bodydouble.drift.remind-days]", 'has no setting "remind-days"; it has: severities'),
        ("not toml", "is not TOML"),
    ],
)
def test_a_file_of_another_shape_is_refused(settings_file: Path, text: str, message: str) -> None:
    settings_file.write_text(text, encoding="utf-8")
    with pytest.raises(BadSeverities, match=r"pyproject\.toml") as caught:
        Severities.load(settings_file)
    assert message in str(caught.value)


def test_a_missing_file_is_refused(settings_file: Path) -> None:
    with pytest.raises(BadSeverities, match="name a readable pyproject"):
        Severities.load(settings_file)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60))
def test_any_bytes_are_settings_or_refused(settings_file: Path, content: bytes) -> None:
    settings_file.write_bytes(content)
    try:
        assert Severities.load(settings_file).chosen == {}
    except BadSeverities as error:
        assert "is not TOML" in str(error)  # noqa: PT017 - either outcome is right


def test_a_file_without_severities_changes_nothing(settings_file: Path) -> None:
    settings_file.write_text("[project]\nname = 'an-app'\n", encoding="utf-8")
    assert Severities.load(settings_file).chosen == {}


def test_the_nearest_file_above_counts(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    put(tmp_path / "pyproject.toml", f'{REMOVED} = "info"')
    put(tmp_path / "a" / "pyproject.toml", f'{ADDED} = "info"')
    found = Severities.find(tmp_path / "a" / "b")
    assert (dict(found.chosen), found.source) == ({ADDED: Severity.INFO}, tmp_path / "a" / "pyproject.toml")

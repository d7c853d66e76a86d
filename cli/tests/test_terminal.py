"""Reports as a person sees them on a terminal."""

import io
import re
from typing import Any

import pytest
from bodydouble import _output
from bodydouble._terminal import print_for_a_person
from bodydouble_spec import Evidence, Finding, Report, Severity
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

FINDING = Finding("a-rule", Severity.WARNING, Evidence.DOCUMENTED, "/a", "error first in a message")


def shown(report: Report, *, columns: int = 80) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream, width=columns, force_terminal=True, color_system="standard", highlight=False, emoji=False, markup=False,
        legacy_windows=False,
    )  # fmt: skip
    print_for_a_person(report, console)
    return stream.getvalue()


def test_the_severity_of_a_finding_is_coloured_and_the_same_word_elsewhere_is_not() -> None:
    text = shown(Report("errors", (FINDING,)))
    assert ("\x1b[33mwarning\x1b[0m" in text, "\x1b[1;31merror" in text) == (True, False)


def test_a_list_of_mappings_is_a_table_that_fits_the_terminal() -> None:
    text = shown(Report("a", (), {"rows": [{"name": "x" * 70, "other": "y" * 70}]}), columns=60)
    cells = [line for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines() if "x" in line]
    assert ("".join(cells).count("x"), max(map(len, cells))) == (70, 60)


@given(
    st.text(),
    st.one_of(
        st.none(), st.text(), st.integers(), st.lists(st.text()), st.lists(st.dictionaries(st.text(), st.text()))
    ),
)
def test_no_fact_can_send_a_command_to_the_terminal(label: str, value: Any) -> None:
    without_ours = (
        shown(Report(label, (), {label: value})).replace("\x1b[0m", "").replace("\x1b[1m", "").replace("\x1b[2m", "")
    )
    assert [character for character in without_ours if not character.isprintable() and character != "\n"] == []


@pytest.mark.parametrize(
    ("variable", "value", "is_coloured"), [("NO_COLOR", "1", False), ("NO_COLOR", "", True), ("TERM", "dumb", False)]
)
def test_colour_is_left_out_where_it_is_not_wanted(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, is_coloured: bool
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr("sys.stdout", terminal)
    _output.print_report(Report("a", (FINDING,)), "text")
    assert ("\x1b[" in terminal.getvalue()) is is_coloured

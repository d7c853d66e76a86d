"""The log of a server in a terminal: what a developer needs of a call, at 80 columns."""

import logging
import re
from dataclasses import replace
from typing import Any

import pytest
from bodydouble.serving.terminal import TerminalFormatter
from bodydouble_mockserver import LoggedCall
from rich.text import Text

URL = "http://127.0.0.1:8000/generations/lemur/1685587140050-aa36913b-0d79-43da-a96f-c8a80f759800.png"


def formatted(monkeypatch: pytest.MonkeyPatch, columns: int = 80, **changes: Any) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    call = replace(LoggedCall("POST", "/v1/images/generations", 200, 0.012), **changes)
    return TerminalFormatter().format(logging.LogRecord("x", logging.INFO, "", 0, "%s", (call,), None))


def shown(text: str) -> list[str]:
    return Text.from_ansi(text).plain.split("\n")


def test_a_call_is_one_line_with_status_duration_and_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = shown(formatted(monkeypatch, prompt="a red door"))
    assert re.fullmatch(r'\d\d:\d\d:\d\d  200  POST /v1/images/generations  12 ms  "a red door"', line)


def test_a_long_prompt_is_cut_to_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = shown(formatted(monkeypatch, prompt="a red door and " * 4))
    assert (len(line), line[-2:]) == (80, '…"')


def test_pictures_are_links_that_are_never_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    text = formatted(monkeypatch, 40, pictures=(URL,))
    assert (shown(text)[-1].strip(), f";{URL}\x1b\\" in text) == (URL, True)


def test_a_refusal_names_its_reason_and_what_was_injected(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = "request.num_images: 9 is too large; it must be at most 4 (request-maximum) (and 2 more)"
    lines = shown(formatted(monkeypatch, status=400, reason=reason, injected="Prefer: delay=2"))
    assert " ".join(" ".join(lines[2:]).split()) == reason
    assert lines[1].strip() == "injected by Prefer: delay=2"
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(("status", "colour"), [(200, 32), (302, 36), (404, 33), (503, 31)])
def test_the_status_has_its_colour(monkeypatch: pytest.MonkeyPatch, status: int, colour: int) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert f"\x1b[1;{colour}m{status}" in formatted(monkeypatch, status=status)


def test_without_colours_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;3" not in formatted(monkeypatch)


def test_text_of_a_request_is_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    assert '"[bold]x[/bold]"' in formatted(monkeypatch, prompt="[bold]x[/bold]")


def test_another_record_is_a_line_with_its_time() -> None:
    record = logging.LogRecord("x", logging.ERROR, "", 0, "the mock failed on %s", ("POST /",), None)
    assert re.fullmatch(r"\d\d:\d\d:\d\d  the mock failed on POST /", TerminalFormatter().format(record))

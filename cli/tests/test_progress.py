"""The line of progress: on a terminal only, gone when it is done."""

import io
import sys
import time

import pytest
from bodydouble.progress import ProgressLine, progress


class Screen(io.StringIO):
    """A terminal that keeps all that was written to it."""

    def isatty(self) -> bool:
        return True


# No fixture: pytest sets standard error anew between set-up and test.
def a_screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    written = Screen()
    monkeypatch.setattr(sys, "stderr", written)
    monkeypatch.setattr("bodydouble.progress._DELAY_S", 0.0)
    monkeypatch.setattr("bodydouble.progress._EVERY_S", 0.001)
    monkeypatch.setenv("TERM", "xterm")
    return written


def wait_for(text: str, screen: Screen) -> None:
    while text not in screen.getvalue():
        time.sleep(0.001)


def test_a_terminal_shows_what_is_done_and_has_a_clean_line_when_it_ends_or_is_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = a_screen(monkeypatch)
    with progress("reading a\x1b[31m.json") as shown:
        wait_for("reading a\\x1b[31m.json  0:0", screen)
        shown.downloaded(500_000, 1_000_000)
        wait_for("[######      ] reading a\\x1b[31m.json, 0.5 of 1.0 MB", screen)
    assert screen.getvalue().endswith("\r\x1b[K")
    with pytest.raises(KeyboardInterrupt), progress("comparing"):  # noqa: PT012 - shown before it is interrupted
        wait_for("comparing", screen)
        raise KeyboardInterrupt
    assert screen.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize(("is_terminal", "term"), [(False, "xterm"), (True, "dumb")])
def test_nothing_is_written_elsewhere(monkeypatch: pytest.MonkeyPatch, is_terminal: bool, term: str) -> None:
    screen = a_screen(monkeypatch)
    monkeypatch.setattr(screen, "isatty", lambda: is_terminal)
    monkeypatch.setenv("TERM", term)
    with progress("reading") as shown:
        shown.counted(1, 2)
    assert screen.getvalue() == ""


def test_a_long_name_is_cut_before_the_numbers() -> None:
    shown = ProgressLine("reading https://example.com/" + "x" * 200)
    shown.downloaded(1_500_000, None)
    line = shown.line(80)
    assert (len(line), line.endswith("…, 1.5 MB  0:00")) == (79, True)
    shown.counted(3, 8)
    assert shown.line(80).startswith("[####        ] reading https://")

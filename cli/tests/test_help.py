"""The help of every command: complete, grouped, with an example, and readable at 80 columns."""

import re
from importlib import import_module
from typing import Any

import pytest
from bodydouble.app import app
from bodydouble.commands import COMMANDS
from typer.main import get_command
from typer.testing import CliRunner

CONTRACT = ("show", "check", "fingerprint", "update")
PATHS = [*((name,) for name in COMMANDS if name != "contract"), *(("contract", name) for name in CONTRACT)]
MANY, FEW = 12, 2


def help_of(*path: str, option: str = "--help") -> str:
    result = CliRunner(env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"}).invoke(app, [*path, option])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("path", [(), ("contract",), *PATHS])
def test_h_is_the_help(path: tuple[str, ...]) -> None:
    assert help_of(*path, option="-h") == help_of(*path)


@pytest.mark.parametrize("path", PATHS)
def test_the_help_has_an_example_that_names_the_command(path: tuple[str, ...]) -> None:
    _, _, example = help_of(*path).partition("\nExample:\n")
    assert example.startswith(f"  bodydouble {' '.join(path)}")


@pytest.mark.parametrize("path", [(), ("contract",), *PATHS])
def test_no_line_is_longer_than_80_columns_and_no_word_is_broken(path: tuple[str, ...]) -> None:
    text = help_of(*path)
    assert [line for line in text.split("\n") if len(line) > 80] == []
    assert re.findall(r"\w-\n", text) == []


@pytest.mark.parametrize("path", PATHS)
def test_types_and_markup_of_the_program_are_not_shown(path: tuple[str, ...]) -> None:
    assert re.findall(r"<(?:list\[)?(?:str|int|float|path)\b[^>]*>|<=x|x>=|`", help_of(*path)) == []


@pytest.mark.parametrize("path", PATHS)
def test_many_options_are_in_groups(path: tuple[str, ...]) -> None:
    command: Any = get_command(import_module(f"bodydouble.commands.{path[0]}").app)
    command = command.commands[path[1]] if len(path) > 1 else command
    options = [item for item in command.params if item.param_type_name == "option"]
    others = [item.name for item in options if item.rich_help_panel is None]
    assert len(options) <= MANY or len(others) <= FEW, others


@pytest.mark.parametrize("path", [(), ("contract",)])
def test_a_summary_is_not_cut_off(path: tuple[str, ...]) -> None:
    text = " ".join(help_of(*path).split())
    assert "..." not in text.partition("Commands:")[2]
    assert path or all(" ".join(summary.split()) in text for summary in COMMANDS.values())


def test_a_shell_completes_the_names_of_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"_BODYDOUBLE_COMPLETE": "complete_bash", "COMP_WORDS": "bodydouble ver", "COMP_CWORD": "1"}
    result = CliRunner(env=environment).invoke(app, [], prog_name="bodydouble")
    assert result.stdout.split() == ["verify"]

"""Options that would be ignored are refused, on the command line and in the settings."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bodydouble.app import app
from bodydouble.combinations import RULES, Combination
from typer.main import get_command
from typer.testing import CliRunner


def arguments_of(command: Any, option: str) -> list[str]:
    """Return an option of a command with a value that it takes."""
    (parameter,) = [item for item in command.params if option in item.opts]
    return [option] if parameter.is_flag else [option, "demo" if option == "--render" else "1"]


def combinations() -> Iterator[tuple[str, Combination, str]]:
    for name, rules in RULES.items():
        yield from ((name, rule, option) for rule in rules for option in rule.options)


def test_each_option_that_would_be_ignored_is_refused_in_words() -> None:
    root: Any = get_command(app)
    seen: dict[str, Any] = {}
    for name, rule, option in combinations():
        command = seen.setdefault(name, root.resolve_command(root.make_context("bodydouble", [name]), [name])[1])
        required = {"proxy": ["--record", "here"], "run": ["true"]}.get(name, [])
        given = [*arguments_of(command, option)]
        if rule.needed:
            for needed in rule.needed:
                arguments_of(command, needed.partition(" ")[0])
            words = f"bodydouble: {option} needs {rule.needed[0]}"
        else:
            given += arguments_of(command, rule.beside[0])
            words = f"bodydouble: {option} has no effect beside {rule.beside[0]}; leave one of them out\n"
        result = CliRunner().invoke(app, [name, *given, *required])
        assert (result.exit_code, result.stderr.startswith(words)) == (2, True), (name, given, result.output)


@pytest.mark.parametrize(
    ("settings", "arguments", "words"),
    [
        ("serve]\nkeep-mb = 5", ["serve"], "keep-mb in {file} needs --keep DIR; give that too, or leave --keep-mb out"),
        ("serve]\nno-control = true", ["serve", "--control-key", "k"], "beside no-control in {file}; leave one"),
        # A setting for runs on a server is no mistake in one on a recording.
        (
            "verify]\nbase-url = 'http://127.0.0.1:1'",
            ["verify", "--exchanges", "nowhere"],
            "--exchanges nowhere: No such",
        ),
        ("verify]\nmax-age-days = 5", ["verify", "--base-url", "http://127.0.0.1:1"], "cannot be reached"),
    ],
)
def test_settings_are_held_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, arguments: list[str], words: str
) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(f"[tool.bodydouble.{settings}\n")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, words.format(file=file) in result.stderr) == (2, True), result.stderr

"""Write the generated pages of the reference; run after a change of options, checks or limits: ``python -m cli.tests.make_reference``."""

import dataclasses
import inspect
from collections.abc import Iterator
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import yaml
from bodydouble.commands import COMMANDS
from bodydouble_contract_tests.model import OperationProfile, catalogue
from bodydouble_mockserver import Settings
from bodydouble_spec import Contract
from typer.core import TyperGroup
from typer.main import get_command

from cli.tests.fixture_reference import fixture_page

DOCS = Path(__file__).parents[2] / "docs" / "reference"
_WRITTEN = "<!-- written by cli/tests/make_reference.py -->"
_MEGABYTE = 1024 * 1024
_TYPES: dict[Any, str] = {str: "TEXT", int: "NUMBER", float: "NUMBER", Path: "PATH"}
# Limits of a server, by the names of their settings: what happens beyond each.
_LIMITS = {
    "max_body_bytes": "413",
    "max_json_values": "413",
    "max_json_levels": "413",
    "max_head_bytes": "431",
    "head_timeout_s": "408, and the connection is closed",
    "idle_timeout_s": "the connection is closed",
    "max_connections": "503",
    "max_pending_bytes": "503",
    "max_control_bytes": "413",
    "journal_entries": "the oldest exchange is dropped",
    "journal_bytes": "the oldest exchange is dropped",
    "inputs_bytes": "the least recently used input is dropped; a tile is drawn in its place",
    "inputs_disk_bytes": "the least recently used input is dropped; a tile is drawn in its place",
}


def pages() -> dict[Path, str]:
    """Return the text of every generated page."""
    made = {
        "cli.md": _commands(),
        "fixture.md": fixture_page(_WRITTEN),
        "findings.md": _findings(),
        "limits.md": _limits(),
    }
    return {DOCS / name: "\n".join(lines) + "\n" for name, lines in made.items()}


def _commands() -> Iterator[str]:
    yield from (_WRITTEN, "", "# Commands", "")
    yield "`bodydouble COMMAND --help` shows the same in the terminal. Exit codes are 0 (fine), 1 (findings at or above `--fail-on`) and 2 (could not run)."
    for path, command in all_commands():
        yield from ("", f"## {path}", "", _text(command.help or command.short_help or ""))
        rows = [
            row for parameter in command.params if not getattr(parameter, "hidden", False) for row in _rows(parameter)
        ]
        if rows:
            yield from ("", "| option | effect | default |", "|---|---|---|", *rows)


def all_commands() -> Iterator[tuple[str, Any]]:
    """Yield every command that is no group, with the words to type."""
    for name in COMMANDS:
        yield from _walk(f"bodydouble {name}", get_command(import_module(f"bodydouble.commands.{name}").app))


def _walk(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(command, TyperGroup):
        yield path, command
        return
    context = command.make_context(path, [], resilient_parsing=True)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        if inner is not None and not inner.hidden:
            yield from _walk(f"{path} {name}", inner)


def _rows(parameter: Any) -> Iterator[str]:
    if parameter.name == "help":
        return
    if parameter.param_type_name == "argument":
        name = (parameter.metavar or parameter.name).upper()
    else:
        named = [*parameter.opts, *parameter.secondary_opts]
        value = "" if parameter.is_flag else f" {_value(parameter)}"
        name = f"{', '.join(named)}{value}"
    repeated = " Repeatable." if parameter.multiple and "repeatable" not in (parameter.help or "").lower() else ""
    # A bar within code is shown differently by GitHub and by the site.
    yield f"| `{name.replace('|', ' / ')}` | {_cell(_text(parameter.help or ''))}{repeated} | {_default(parameter)} |"


def _value(parameter: Any) -> str:
    """Return what stands behind an option: its metavar, its choices, or its type."""
    annotation: Any = parameter.type_descriptor.annotation
    annotation = next(iter(get_args(annotation)), annotation)
    if parameter.metavar:
        return str(parameter.metavar)
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return "|".join(str(choice.value) for choice in annotation)
    return _TYPES.get(annotation, "TEXT")


def _default(parameter: Any) -> str:
    value = parameter.default
    if value is None or value is False or callable(value) or str(value).startswith("Sentinel"):
        return ""
    shown = getattr(value, "value", value)
    return f"`{_cell(str(shown))}`" if shown not in ("", ()) else ""


def _findings() -> Iterator[str]:
    yield from (_WRITTEN, "", "# Findings, and what to do", "")
    yield "A finding has an id, a severity, its evidence, a place and a message. This page says what to do about it."
    groups: dict[str, dict[str, str]] = yaml.safe_load((DOCS / "findings.yaml").read_text(encoding="utf-8"))
    for title, advice in groups.items():
        yield from ("", f"## {title}", "", "| finding | what to do |", "|---|---|")
        yield from (f"| `{rule}` | {_cell(text)} |" for rule, text in sorted(advice.items()))
    yield from ("", "## Checks of a server", "")
    yield "`verify` reports a deviation under the id of its check. Correct the server, or the contract if the server is right."
    yield from ("", "| check | claim | evidence |", "|---|---|---|")
    for check in catalogue(OperationProfile(Contract.load())):
        yield f"| `{check.id}` | {_cell(check.claim)} | {check.evidence} |"
    yield from (
        "",
        "## Changes of a contract",
        "",
        "The rules of `diff` and `drift` are listed with the [changes](../changes.md#the-rules).",
    )


def _limits() -> Iterator[str]:
    yield from (_WRITTEN, "", "# Limits", "")
    yield "Limits of one mock server. The options of `bodydouble serve` and the fields of `Settings` have the same names. The service's own limits are not known."
    yield from ("", "| setting | default | beyond it |", "|---|---|---|")
    fields = {field.name: field for field in dataclasses.fields(Settings)}
    for name, effect in _LIMITS.items():
        yield f"| `{name}` | {_amount(name, fields[name].default)} | {effect} |"


def _amount(name: str, value: Any) -> str:
    if name.endswith("_bytes"):
        return f"{value // _MEGABYTE} MB" if value % _MEGABYTE == 0 else f"{value // 1024} KiB"
    return f"{value:g} s" if name.endswith("_s") else f"{value:,}"


def _text(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    for page, text in pages().items():
        page.write_text(text, encoding="utf-8")

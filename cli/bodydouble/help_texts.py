"""The help of the commands: plain lines in groups, at 80 columns, with an example."""

import re
from typing import Any

from typer.core import TyperCommand, TyperGroup

from bodydouble.combinations import refuse_ignored

__all__ = ["Command", "Group"]

_OTHERS = "Options"
# Click writes the types of Python. The range follows with the default.
_TYPES = re.compile(r"<(list\[)?(str|int|float|path|boolean)(\])?( range)?>")
_NAMES = {"str": "TEXT", "int": "NUMBER", "float": "NUMBER", "path": "FILE", "boolean": "BOOLEAN"}
_RANGE = re.compile(r"\b(-?[\d.]+)<=x<=(-?[\d.]+)|\bx>=(-?[\d.]+)")
_HYPHEN, _UNBROKEN = re.compile(r"(?<=\w)-(?=\w)"), "\N{NON-BREAKING HYPHEN}"
_HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}


class Command(TyperCommand):
    """A command whose options are listed in the groups of their ``rich_help_panel``, and refused where they would be ignored; its epilog is an example."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        settings["context_settings"] = {**_HELP_OPTIONS, **(settings.get("context_settings") or {})}
        super().__init__(*arguments, **settings)

    # Typer's Click is private, and so are the types of these arguments.
    def invoke(self, ctx: Any) -> Any:
        """Run the command, unless an option would be ignored."""
        refuse_ignored(ctx)
        return super().invoke(ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, without the backticks that mark names for the documentation."""
        super().format_help(ctx, formatter)
        formatter.buffer = [part.replace("`", "").replace(_UNBROKEN, "-") for part in formatter.buffer]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, those without a group at the end."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record: tuple[str, str] | None = parameter.get_help_record(ctx)
            if record is None:
                continue
            usual = "Arguments" if parameter.param_type_name == "argument" else _OTHERS
            group: str = getattr(parameter, "rich_help_panel", None) or usual
            # An argument has a name that says what it takes, and Click adds its type.
            named = record[0].rpartition(" ")[0] or record[0] if usual == "Arguments" else record[0]
            groups.setdefault(group, []).append((_readable(named), _text(record[1])))
        others = groups.pop(_OTHERS, None)
        for title, rows in [*groups.items(), *([(_OTHERS, others)] if others else [])]:
            with formatter.section(title):
                formatter.write_dl(rows)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the example as it stands, since a broken line is no command."""
        del ctx
        if self.epilog:
            with formatter.section("Example"):
                formatter.write("".join(f"  {line}\n" for line in self.epilog.splitlines()))


class Group(TyperGroup):
    """A group of commands, each listed with its whole summary."""

    def __init__(self, **settings: Any) -> None:
        settings["context_settings"] = {**_HELP_OPTIONS, **(settings.get("context_settings") or {})}
        super().__init__(**settings)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write each command with the first sentence of its help, which takes several lines where it is long."""
        rows = [(name, self.commands[name].get_short_help_str(1_000)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _readable(names: str) -> str:
    return _TYPES.sub(lambda match: _NAMES[match[2]], names)


def _text(text: str) -> str:
    # A line is not broken within a name such as bodydouble-report.html.
    return _HYPHEN.sub(_UNBROKEN, _RANGE.sub(_range, text))


def _range(match: re.Match[str]) -> str:
    return f"{match[1]} to {match[2]}" if match[1] else f"{match[3]} or more"

"""Options from a project's settings: ``[tool.bodydouble.COMMAND]`` of the nearest ``pyproject.toml``.

An option on the command line wins. A key is an option's long name without the dashes.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from bodydouble_spec import is_array, is_object
from bodydouble_spec.bundle import nearest_pyproject

from bodydouble.console import exit_with_error

__all__ = ["SettingsFile", "defaults_of"]

_TABLE = "tool.bodydouble"
# An option that costs money is given where the command is started, never found in a file.
_NEVER = {"live": "it costs money", "help": "it is not a setting"}


class SettingsFile(NamedTuple):
    """A settings file: its path, and the tables of ``[tool.bodydouble]`` by command."""

    path: Path
    tables: Mapping[str, Any]

    @classmethod
    def find(cls, folder: Path, commands: Mapping[str, str]) -> "SettingsFile | None":
        """Return the nearest ``pyproject.toml`` in a folder or above it, or None where it has no settings of these commands.

        A file that is not TOML, and a table of no command, end the program with exit code 2.
        """
        path = nearest_pyproject(folder)
        if path is None:
            return None
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            exit_with_error(f"{path} cannot be read: {error}; [{_TABLE}] is looked for in it")
        if "bodydouble" not in text:
            return None
        # Imported here: most projects have no settings, and every start counts.
        import tomllib

        try:
            tool: Any = tomllib.loads(text).get("tool", {})
        except ValueError as error:
            exit_with_error(f"{path} is not TOML: {error}")
        tables: Any = tool.get("bodydouble", {}) if is_object(tool) else tool
        if not is_object(tables):
            exit_with_error(f"{path}: [{_TABLE}] must be a table of commands")
        for name, table in tables.items():
            if name not in commands:
                exit_with_error(
                    f"{path}: [{_TABLE}] has {name!r}, and there is no such command{_meant(name, commands)}"
                )
            if not is_object(table):
                exit_with_error(f"{path}: {_TABLE}.{name} must be a table of options")
        return cls(path, tables)


def defaults_of(file: SettingsFile, name: str, parameters: list[Any]) -> dict[str, Any]:
    """Return the values of a command's options, by parameter name, as its ``default_map`` wants them.

    A relative path is relative to the working directory, as on the command line. An unknown key, and a value of a wrong kind, end the
    program with exit code 2; the option itself reads the value.
    """
    options = {
        max(parameter.opts, key=len).removeprefix("--"): parameter
        for parameter in parameters
        if parameter.param_type_name == "option"
    }
    table = f"{file.path}: [{_TABLE}.{name}]"
    values: dict[str, Any] = {}
    for key, value in file.tables.get(name, {}).items():
        if is_object(value):
            continue  # a table is of the part of the command that reads it, such as drift.severities
        if key in _NEVER:
            exit_with_error(f"{table} has {key!r}: {_NEVER[key]}; give --{key} on the command line")
        option = options.get(key)
        if option is None:
            exit_with_error(f"{table} has {key!r}, and {name} has no such option{_meant(key, options)}")
        wanted = "true or false" if option.is_flag else "a list" if option.multiple else "one text or number"
        if not _fits(option, value):
            exit_with_error(f"{table} {key} is {value!r}; it must be {wanted}")
        values[option.name] = value
    return values


def _fits(option: Any, value: Any) -> bool:
    if option.is_flag:
        return isinstance(value, bool)
    return is_array(value) and all(map(_is_scalar, value)) if option.multiple else _is_scalar(value)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _meant(key: str, names: Mapping[str, Any]) -> str:
    similar = get_close_matches(key.replace("_", "-"), names, n=1)
    return f"; did you mean {similar[0]!r}?" if similar else f"; there are {', '.join(names)}"

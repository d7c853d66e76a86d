"""Options that have an effect only together with another one, or none beside it: what would be ignored in silence is refused."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bodydouble.console import exit_with_error

__all__ = ["RULES", "SETTINGS", "Combination", "refuse_ignored"]

SETTINGS = "bodydouble.settings_file"
"""The place in the ``meta`` of a command's context that has the path of the settings file."""

_UNSET = "DEFAULT"
_OF_COMMAND_LINE = "COMMANDLINE"


class Combination(NamedTuple):
    """Options of a command, and what they need (one of these) or cannot be beside (any of these).

    An ``is_usual`` option may be set in the project's settings for the runs that it is about, and is left out of the others.
    """

    options: Sequence[str]
    needed: Sequence[str] = ()
    beside: Sequence[str] = ()
    is_usual: bool = False


_MAX_AGE = ("--max-age-days",)
_SCENARIO = Combination(("--operation", "--model"), ("--scenario FILE",))
RULES: Mapping[str, Sequence[Combination]] = {
    "serve": (
        Combination(("--keep-requests", "--keep-mb", "--keep-days"), ("--keep DIR",)),
        Combination(("--inputs-disk-mb",), beside=("--keep",), is_usual=True),
        Combination(("--replay-only", "--replay-ignore", "--replay-delays"), ("--replay DIR",)),
        Combination(_MAX_AGE, ("--replay DIR",), is_usual=True),
        Combination(("--tls-cert", "--tls-key"), beside=("--intercept",)),
        Combination(("--tls-cert",), ("--tls-key FILE",)),
        Combination(("--tls-key",), ("--tls-cert FILE",)),
        Combination(("--control-key", "--control-host", "--max-control-kb"), beside=("--no-control",)),
        Combination(("--api-key",), beside=("--no-auth",)),
        Combination(("--picture-host",), beside=("--public-url",)),
        Combination(("--render",), beside=("--pictures",)),
        _SCENARIO,
    ),
    "proxy": (
        Combination(("--ledger",), ("--max-usd-per-day USD",)),
        Combination(("--control-key",), beside=("--no-control",)),
    ),
    "run": (_SCENARIO,),
    "verify": (
        Combination(
            ("--base-url", "--api-key", "--live", "--image-url", "--ca", "--record", "--resume", "--dry-run", "--examples",
             "--seed", "--max-usd", "--price-usd", "--timeout-s", "--max-wait-s", "--max-run-s", "--max-received-mb"),
            beside=("--exchanges",), is_usual=True,
        ),
        Combination(_MAX_AGE, ("--exchanges FILE",), is_usual=True),
    ),
    "drift": (
        Combination(("--remind-days",), ("--state FILE",)),
        Combination(("--reads", "--strict"), ("--requests FILE",)),
        Combination(("--max-run-s", "--requests"), beside=("--no-impact",), is_usual=True),
        Combination(_MAX_AGE, ("--exchanges FILE", "--requests FILE"), is_usual=True),
    ),
}  # fmt: skip
"""The rules of each command."""


# Typer's Click is private, and so is the type of its context.
def refuse_ignored(context: Any) -> None:
    """End the program with exit code 2 when an option of a command would be ignored, given on the command line or in the settings."""
    given = {
        max(parameter.opts, key=len): source
        for parameter in context.command.params
        if (source := context.get_parameter_source(parameter.name).name) != _UNSET
        and context.params.get(parameter.name) not in (None, False, ())
    }
    for rule in RULES.get(context.info_name, ()):
        for option in rule.options:
            if option not in given or (rule.is_usual and given[option] != _OF_COMMAND_LINE):
                continue
            name = _named(option, given[option], context)
            if rule.needed and not any(needed.partition(" ")[0] in given for needed in rule.needed):
                exit_with_error(f"{name} needs {' or '.join(rule.needed)}; give that too, or leave {option} out")
            other = next((other for other in rule.beside if other in given), None)
            if other is not None:
                exit_with_error(
                    f"{name} has no effect beside {_named(other, given[other], context)}; leave one of them out"
                )


def _named(option: str, source: str, context: Any) -> str:
    if source == _OF_COMMAND_LINE:
        return option
    return f"{option.removeprefix('--')} in {context.meta.get(SETTINGS, 'the settings')}"

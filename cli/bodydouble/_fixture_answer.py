"""One scripted answer as a test says it, and as the mock's scenarios have it."""

from collections.abc import Mapping
from typing import Any

__all__ = ["NOT_GIVEN", "BadAnswer", "explain", "scenario_of", "shown"]

NOT_GIVEN: Any = object()
_MOST_SHOWN = 60
# Python's names, with their unit; scenarios share theirs with ``Prefer``.
_RENAMED = {"delay_s": "delay", "retry_after": "retry-after"}


class BadAnswer(ValueError):
    """A scripted answer cannot be given; the text names the argument and what is good there."""


def scenario_of(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A scenario of one answer, from the arguments that were given."""
    answer = {_RENAMED.get(name, name): value for name, value in arguments.items() if value is not NOT_GIVEN}
    return {"answers": [answer]}


def shown(arguments: Mapping[str, Any]) -> str:
    """The call as it may have been written, each argument shortened."""
    given = [f"{name}={_short(repr(value))}" for name, value in arguments.items() if value is not NOT_GIVEN]
    return f"answer({', '.join(given)})"


def explain(error: str, pointer: str) -> str:
    """What a test is told of a scenario's mistake, which stands at a JSON pointer like ``/answers/0/delay``."""
    problem = error.removeprefix(f"{pointer}: ")
    path = pointer.removeprefix("/answers/0").removeprefix("/")
    name, _, rest = path.partition("/")
    names = {scenario: argument for argument, scenario in _RENAMED.items()}
    place = f"{names.get(name, name)}{f' at /{rest}' if rest else ''}: " if name else ""
    return f"bodydouble.answer: {place}{problem}"


def _short(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"

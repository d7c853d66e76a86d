"""One scripted answer: as a test writes it, and as the mock's scenarios take it."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

__all__ = ["AnswerOptions", "BadAnswer", "explain_error", "format_call", "scenario_of"]

_MAX_VALUE_CHARACTERS = 60
# Python names, with units; scenarios use the names of ``Prefer``.
_SCENARIO_NAMES = {"delay_s": "delay", "retry_after": "retry-after"}


class AnswerOptions(TypedDict, total=False):
    """The parts of an answer that a test scripts; the mock fills in the others.

    ``status``, ``body`` and ``headers`` replace those of the mock's answer. ``times`` is the number of requests to answer: 1 by default,
    None for all that follow. ``match`` selects the requests: ``{"prompt": "dinosaur"}``, also ``model``, ``path``, ``method``, ``header``,
    ``key`` and ``call``. ``delay_s`` are seconds, or a range like ``"1..3"``; ``retry_after`` are the seconds of that header. ``fault``
    breaks the connection or the body, ``violation`` the contract (True: ``body`` does so on purpose). ``dialect``, ``envelope`` and
    ``images`` are those of ``Prefer``.
    """

    status: int
    times: int | None
    body: Any
    headers: Mapping[str, str]
    match: Mapping[str, Any]
    delay_s: float | str
    retry_after: int
    fault: str
    violation: str | Literal[True]
    dialect: str
    envelope: str
    images: str


class BadAnswer(ValueError):
    """A scripted answer is not valid; the text names the option and its allowed values."""


def scenario_of(options: AnswerOptions) -> dict[str, Any]:
    """Return a scenario with one answer. Raises TypeError for an unknown option, as for an unknown argument."""
    known = AnswerOptions.__annotations__
    unknown = [name for name in options if name not in known]
    if unknown:
        raise TypeError(f"bodydouble.answer has no option {unknown[0]!r}; it has {', '.join(known)}")
    return {"answers": [{_SCENARIO_NAMES.get(name, name): value for name, value in options.items()}]}


def format_call(options: AnswerOptions) -> str:
    """Return the call as it may have been written, with long values shortened."""
    return f"answer({', '.join(f'{name}={_shorten(repr(value))}' for name, value in options.items())})"


def explain_error(error: str, pointer: str) -> str:
    """Return the text for an error in a scenario, which is at a JSON pointer such as ``/answers/0/delay``."""
    problem = error.removeprefix(f"{pointer}: ")
    path = pointer.removeprefix("/answers/0").removeprefix("/")
    name, _, rest = path.partition("/")
    names = {scenario: option for option, scenario in _SCENARIO_NAMES.items()}
    place = f"{names.get(name, name)}{f' at /{rest}' if rest else ''}: " if name else ""
    return f"bodydouble.answer: {place}{problem}"


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_VALUE_CHARACTERS else f"{text[:_MAX_VALUE_CHARACTERS]}…"

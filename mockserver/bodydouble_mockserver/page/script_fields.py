"""The form of a scripted answer: the lists to choose from, and the answer that its fields make."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from bodydouble_spec import Operation
from bodydouble_spec.text import cut_line

from bodydouble_mockserver.directives import directive_options
from bodydouble_mockserver.faults import FAULTS
from bodydouble_mockserver.page.parts import chosen_number, number_of
from bodydouble_mockserver.scripting import BadScenario, ScriptTarget

__all__ = ["PICTURE_FILES", "ROUTE", "answer_of_fields", "lists_of_script"]

PICTURE_FILES = "pictures"
"""The choice for answers to requests for the files of pictures."""

ROUTE = "route"
"""The choice for answers of a route of no contract."""

_MAX_OPTIONS = 300
_DIRECTIVES = ("status", "fault", "violation", "delay", "retry-after", "dialect", "envelope", "images")


def lists_of_script(target: ScriptTarget | None) -> dict[str, Any]:
    """Return the lists of the form for an operation; of a large contract, making them takes a second."""
    if target is None:
        return {"statuses": {}, "faults": FAULTS, "violations": {}, "more_violations": 0, "choices": {}}
    violations = {name: item.description for name, item in target.writer.violations.items()}
    shown = dict([*violations.items()][:_MAX_OPTIONS])
    return {
        "statuses": _statuses(target.operation),
        "faults": FAULTS,
        "violations": shown,
        "more_violations": len(violations) - len(shown),
        "choices": {name: directive_options(name, target.writer.choices) for name in ("dialect", "envelope", "images")},
    }


def answer_of_fields(given: Mapping[str, str], targets: Sequence[ScriptTarget]) -> dict[str, Any]:
    """Return an answer of a scenario by the fields of the form. Raises BadScenario for a text that is neither JSON nor a list of headers."""
    answer: dict[str, Any] = {name: given[name] for name in _DIRECTIVES if name in given}
    answer["times"] = None if given.get("times") == "always" else number_of(given.get("times", "1"))
    if "body" in given:
        answer["body"] = _body(given["body"])
        if "breaks" in given:
            answer["violation"] = True
    if "headers" in given:
        answer["headers"] = dict(_headers(given["headers"]))
    match = _match(given)
    chosen = given.get("for", "")
    if chosen == PICTURE_FILES:
        match = {"path": "/generations/*", **match}
    elif chosen == ROUTE:
        answer["path"] = given.get("path", "")
    elif len(targets) > 1 and chosen.isdecimal():
        target = targets[chosen_number(chosen, len(targets))]
        answer["operation"] = target.operation.key
        if target.contract is not None:
            answer["contract"] = target.contract
    if match:
        answer["match"] = match
    return answer


def _match(given: Mapping[str, str]) -> dict[str, Any]:
    match: dict[str, Any] = {"prompt": given["prompt"]} if "prompt" in given else {}
    if "call" in given:
        match["call"] = number_of(given["call"])
    if "conditions" in given:
        conditions = _json(given["conditions"], "/match")
        if not isinstance(conditions, dict):
            raise BadScenario("/match", 'the conditions are an object like {"/num_images": 2}')
        match |= conditions
    return match


def _body(text: str) -> Any:
    """Return the JSON of a text, or the text itself where it does not begin like an object, a list or a string."""
    return _json(text, "/body") if text[:1] in ("{", "[", '"') else text


def _json(text: str, pointer: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadScenario(pointer, f"not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None


def _headers(text: str) -> Iterator[tuple[str, str]]:
    for line in filter(None, map(str.strip, text.splitlines())):
        name, colon, value = line.partition(":")
        if not colon:
            raise BadScenario("/headers", f"{line[:60]!r} is not a header; write one per line, such as Retry-After: 7")
        yield name.strip(), value.strip()


def _statuses(operation: Operation) -> dict[str, str]:
    """Return the documented statuses of refusals, with their descriptions."""
    refusals = {status: response for status, response in operation.responses.items() if status[:1] in "45"}
    return {status: cut_line(item.description, 80) for status, item in refusals.items() if status.isdecimal()}

"""Scripted answers, checked when they are loaded: a script with a mistake must not look like a passing test."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bodydouble_spec import Operation, Severity, is_array, is_object

from bodydouble_mockserver._directives import DIRECTIVE_NAMES, BadDirective, Choices, Directives, parse_directive
from bodydouble_mockserver._limits import Limits
from bodydouble_mockserver._matcher import BadMatch, Matcher
from bodydouble_mockserver._state import Scenario, ScriptedAnswer

__all__ = ["BadScenario", "parse_scenario"]

_OWN_KEYS = ("body", "headers", "match", "times")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]{0,4000}")
_SERVER_HEADERS = {"connection", "content-length", "transfer-encoding"}
_MOST_ANSWERS = 1000


class BadScenario(ValueError):
    """A script that cannot be used; the text begins with the JSON pointer of the mistake."""

    def __init__(self, pointer: str, problem: str) -> None:
        super().__init__(f"{pointer or '/'}: {problem}")
        self.pointer = pointer


def parse_scenario(document: Any, operation: Operation, choices: Choices) -> Scenario:
    """A script from its parsed JSON or YAML, for one operation.

    ``answers`` is a list of answers, tried in order; ``limits`` holds ``requests_per_minute``, ``retry_after`` and ``credits``. Raises
    BadScenario for an unknown key, a value out of range, a bad expression, or a body that breaks the contract without being asked to.
    """
    if not is_object(document):
        raise BadScenario("", 'a scenario is an object like {"answers": [{"status": 429, "times": 2}]}')
    _known_keys(document, ("answers", "limits"), "")
    answers = document.get("answers", [])
    if not is_array(answers) or len(answers) > _MOST_ANSWERS:
        raise BadScenario("/answers", f"this must be a list of at most {_MOST_ANSWERS} answers")
    parsed = [_answer(item, f"/answers/{index}", operation, choices) for index, item in enumerate(answers)]
    return Scenario(parsed, _limits(document["limits"]) if "limits" in document else None)


def _answer(item: Any, pointer: str, operation: Operation, choices: Choices) -> ScriptedAnswer:
    if not is_object(item):
        raise BadScenario(pointer, 'an answer is an object like {"status": 429, "times": 2}')
    directive_keys = [name for name in (*DIRECTIVE_NAMES, "status") if name in item]
    _known_keys(item, (*DIRECTIVE_NAMES, "status", *_OWN_KEYS), pointer)
    is_violating = item.get("violation") is True and "body" in item
    values: dict[str, Any] = {}
    for name in directive_keys:
        if name == "violation" and is_violating:
            continue
        try:
            values |= parse_directive("code" if name == "status" else name, item[name], choices)
        except BadDirective as error:
            raise BadScenario(f"{pointer}/{name}", str(error)) from None
    answer = ScriptedAnswer(
        id="",
        directives=Directives(**values),
        has_body="body" in item,
        body=item.get("body"),
        headers=_headers(item.get("headers", {}), f"{pointer}/headers"),
        times=_times(item.get("times", 1), f"{pointer}/times"),
        matcher=_match(item["match"], f"{pointer}/match") if "match" in item else None,
        source=item,
    )
    if answer.has_body and not is_violating:
        _check_body(answer, operation, f"{pointer}/body")
    return answer


def _match(value: Any, pointer: str) -> Matcher:
    try:
        return Matcher.parse(value)
    except BadMatch as error:
        raise BadScenario(f"{pointer}{error.pointer}", error.problem) from None


def _check_body(answer: ScriptedAnswer, operation: Operation, pointer: str) -> None:
    status = answer.directives.code or operation.success_status
    given = next((value.decode("latin-1") for name, value in answer.headers if name == b"content-type"), None)
    kind = given or ("text/plain" if isinstance(answer.body, str) else "application/json")
    findings = operation.validate_response(status, kind, answer.body)
    broken = next((finding for finding in findings if finding.severity is Severity.ERROR), None)
    if broken is not None:
        advice = 'say "violation": true beside it if that is meant'
        raise BadScenario(f"{pointer}{broken.pointer}", f"this body breaks the contract: {broken.message}; {advice}")


def _headers(value: Any, pointer: str) -> Sequence[tuple[bytes, bytes]]:
    if not is_object(value):
        raise BadScenario(pointer, 'headers are an object like {"Retry-After": "7"}')
    headers: list[tuple[bytes, bytes]] = []
    for name, text in value.items():
        if not _TOKEN.fullmatch(name) or name.lower() in _SERVER_HEADERS:
            raise BadScenario(f"{pointer}/{name[:60]}", "this header cannot be set")
        if not isinstance(text, str) or not _VALUE.fullmatch(text):
            raise BadScenario(f"{pointer}/{name}", "a header's value is one line of text")
        headers.append((name.lower().encode(), text.encode("latin-1")))
    return headers


def _times(value: Any, pointer: str) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise BadScenario(pointer, "times is a whole number from 1, or null for always")


def _limits(value: Any) -> Limits:
    if not is_object(value):
        raise BadScenario("/limits", 'limits are an object like {"requests_per_minute": 5, "credits": 840000}')
    _known_keys(value, ("requests_per_minute", "retry_after", "credits"), "/limits")
    for name in ("requests_per_minute", "credits"):
        number = value.get(name)
        if number is not None and (not isinstance(number, int) or isinstance(number, bool) or number < 0):
            raise BadScenario(f"/limits/{name}", "this must be a whole number from 0, or null for no limit")
    if not isinstance(value.get("retry_after", False), bool):
        raise BadScenario("/limits/retry_after", "this must be true or false: whether a 429 says when to come back")
    return Limits(value.get("requests_per_minute"), value.get("retry_after", False), value.get("credits"))


def _known_keys(item: Mapping[str, Any], known: Sequence[str], pointer: str) -> None:
    for name in item:
        if name not in known:
            raise BadScenario(f"{pointer}/{name[:60]}", f"unknown key; known are {', '.join(sorted(known))}")

"""Scripted answers, validated when they are loaded: a mistake in a script must not let a test pass by accident."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
from bodydouble_spec import Operation, Severity, is_array, is_object, join_pointer
from bodydouble_spec.selection import limited_values
from bodydouble_spec.values import template_of

from bodydouble_mockserver.asgi import BODILESS
from bodydouble_mockserver.directives import (
    DIRECTIVE_NAMES,
    BadDirective,
    DirectiveChoices,
    Directives,
    parse_directive,
)
from bodydouble_mockserver.errors import JSON, PROBLEM_JSON
from bodydouble_mockserver.scripting.matcher import BadMatch, Matcher
from bodydouble_mockserver.scripting.state import (
    MAX_ANSWERS,
    BadScenario,
    Limits,
    Scenario,
    ScriptedAnswer,
    ScriptTarget,
)

__all__ = ["BadScenario", "bind_answer", "is_for_pictures", "parse_scenario"]

_SELECTORS = ("operation", "contract", "model")
# Those that change no part of a body by the contract.
_FOREIGN_DIRECTIVES = ("code", "status", "delay", "fault", "retry-after")
_OWN_KEYS = ("body", "headers", "match", "times")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]{0,4000}")
_SERVER_HEADERS = {"connection", "content-length", "transfer-encoding"}
PICTURE_PREFIX = "/generations/"
"""The beginning of the paths of pictures' files."""

# A violation, a dialect and the like are of the body that the contract describes.
_PICTURE_DIRECTIVES = ("code", "delay", "fault", "retry-after")
_MAX_LIFETIME_S = 10**9
# Conditions that a matcher can check only after the call was answered.
_ANSWER_CONDITIONS = ("findings", "status")


def parse_scenario(document: Any, targets: Sequence[ScriptTarget]) -> Scenario:
    """Build a script from its parsed JSON or YAML.

    ``answers`` is a list of answers, tried in order; ``limits`` holds ``requests_per_minute``, ``retry_after``, ``credits`` and ``expires_after_s``. An answer whose ``match.path`` begins with ``/generations/`` is for the files of pictures. Another one,
    or the scenario for all of its answers, may name the ``operation``, ``model`` and ``contract`` that it is for; without these, an answer
    is for every operation whose contract it keeps. One with the ``path`` of a route of no contract is for that route, and not validated. Raises BadScenario for an unknown key, a value out of range, an invalid expression, or a body that breaks the contract without ``violation``.
    """
    try:
        # YAML and Python allow values that JSON lacks: numeric keys, dates, recursive structures.
        document = orjson.loads(orjson.dumps(document))
    except TypeError as error:
        raise BadScenario("", f"this cannot be written as JSON: {error}") from None
    if not is_object(document):
        raise BadScenario("", 'a scenario is an object like {"answers": [{"status": 429, "times": 2}]}')
    _known_keys(document, ("answers", "limits", *_SELECTORS), "")
    answers = document.get("answers", [])
    if not is_array(answers) or len(answers) > MAX_ANSWERS:
        raise BadScenario("/answers", f"this must be a list of at most {MAX_ANSWERS} answers")
    chosen = {name: document[name] for name in _SELECTORS if name in document}
    _select(chosen, "", targets)
    parsed = [
        bind_answer({**chosen, **item} if is_object(item) else item, f"/answers/{index}", targets)
        for index, item in enumerate(answers)
    ]
    return Scenario(parsed, _limits(document["limits"]) if "limits" in document else None)


def bind_answer(item: Any, pointer: str, targets: Sequence[ScriptTarget]) -> ScriptedAnswer:
    """Build one answer from its JSON values, for the operations that it names and whose contract it keeps.

    Raises BadScenario, with ``pointer`` before the place of the mistake, when there is no such operation.
    """
    if not is_object(item):
        raise BadScenario(pointer, 'an answer is an object like {"status": 429, "times": 2}')
    if is_for_pictures(item):
        return _picture_answer(item, pointer)
    if "path" in item:
        path = _path_of(item["path"], f"{pointer}/path")
        if not any(_has_path(target.operation, path) for target in targets):
            return _foreign(item, path, pointer)
        given = item.get("match", {})
        item = {name: value for name, value in item.items() if name != "path"}
        item["match"] = {"path": path, **given} if is_object(given) else given
    chosen = _select(item, pointer, targets)
    fitting: list[ScriptTarget] = []
    answer: ScriptedAnswer | None = None
    problem: BadScenario | None = None
    for target in chosen:
        try:
            answer = _answer(item, pointer, target)
        except BadScenario as error:
            problem = problem or error
        else:
            fitting.append(target)
    if answer is None:
        raise problem or BadScenario(pointer, "the contract has no operation to script")
    if len(fitting) < len(targets):
        answer.targets = fitting
    return answer


def _path_of(value: Any, pointer: str) -> str:
    if not isinstance(value, str) or not value.startswith("/"):
        raise BadScenario(pointer, "this must be the path of a route, such as /v1/chat/completions")
    return value


def _has_path(operation: Operation, path: str) -> bool:
    """Return whether a path is that of an operation, with or without /v1 and a slash at the end."""
    texts = template_of(operation.path).rstrip("/").removeprefix("/v1").split("{}")
    pattern = "[^/]+".join(map(re.escape, texts))
    return re.fullmatch(f"(/v1)?{pattern}/?", path) is not None


def _foreign(item: Mapping[str, Any], path: str, pointer: str) -> ScriptedAnswer:
    """Build an answer for routes of no contract, which nothing validates."""
    _known_keys(item, (*_FOREIGN_DIRECTIVES, *_OWN_KEYS, "path"), pointer)
    directives = _directives(item, _FOREIGN_DIRECTIVES, DirectiveChoices((), ()), pointer)
    # Brackets and question marks are literal characters here, not patterns.
    return replace(_built(item, pointer, directives), path=path.replace("[", "[[]").replace("?", "[?]"))


def _built(
    item: Mapping[str, Any], pointer: str, directives: Directives, operation: Operation | None = None
) -> ScriptedAnswer:
    """Build an answer; with ``operation``, its body must conform to the contract."""
    headers = dict(_headers(item.get("headers", {}), f"{pointer}/headers"))
    content_type = headers.pop(b"content-type", None)
    if "body" in item:
        _check_directives(directives, pointer)
        content_type = content_type or _content_type(item["body"], directives.code)
        if operation is not None:
            status = directives.code or operation.success_status
            _check_body(item["body"], status, content_type, operation, f"{pointer}/body")
    return ScriptedAnswer(
        id="",
        directives=directives,
        body=_encoded(item["body"]) if "body" in item else None,
        content_type=content_type,
        headers=tuple(headers.items()),
        times=_times(item.get("times", 1), f"{pointer}/times"),
        matcher=_matcher(item, pointer),
        source=item,
    )


def _directives(item: Mapping[str, Any], names: Sequence[str], choices: DirectiveChoices, pointer: str) -> Directives:
    if "code" in item and "status" in item:
        raise BadScenario(f"{pointer}/code", "code and status are the same; give one of them")
    values: dict[str, Any] = {}
    for name in names:
        if name not in item:
            continue
        try:
            values |= parse_directive("code" if name == "status" else name, item[name], choices)
        except BadDirective as error:
            raise BadScenario(f"{pointer}/{name}", str(error)) from None
    return Directives(**values)


def _select(item: Mapping[str, Any], pointer: str, targets: Sequence[ScriptTarget]) -> Sequence[ScriptTarget]:
    """Return the targets that an answer or a scenario names. Raises BadScenario with the known names when there are none."""
    for name in _SELECTORS:
        if name not in item:
            continue
        value = item[name]
        found = [target for target in targets if value in _names(target, name)]
        if not found:
            known = ", ".join(dict.fromkeys(_names(target, name)[0] for target in targets if _names(target, name)))
            raise BadScenario(f"{pointer}/{name}", f"there is no {name} {str(value)[:60]!r}; known: {known or 'none'}")
        targets = found
    return targets


def _names(target: ScriptTarget, selector: str) -> Sequence[str]:
    operation = target.operation
    if selector == "operation":
        return [name for name in (operation.key, operation.path, operation.operation_id) if name is not None]
    if selector == "contract":
        return [target.contract or "vendored"]
    return [value for value in limited_values(operation).get("model", {}).values() if isinstance(value, str)]


def _answer(item: Mapping[str, Any], pointer: str, target: ScriptTarget) -> ScriptedAnswer:
    operation = target.operation
    has_choices = "dialect" in item or "violation" in item
    choices = target.writer.choices if has_choices else DirectiveChoices((), ())
    _known_keys(item, (*DIRECTIVE_NAMES, "status", *_OWN_KEYS, *_SELECTORS), pointer)
    is_violating = item.get("violation") is True and "body" in item
    names = [name for name in (*DIRECTIVE_NAMES, "status") if not (name == "violation" and is_violating)]
    directives = _directives(item, names, choices, pointer)
    return _built(item, pointer, directives, None if is_violating else operation)


def is_for_pictures(item: Mapping[str, Any]) -> bool:
    """Return whether an answer is for the files of pictures: by the path that it matches."""
    match = item.get("match")
    path = match.get("path") if is_object(match) else None
    return isinstance(path, str) and path.startswith(PICTURE_PREFIX)


def _picture_answer(item: Mapping[str, Any], pointer: str) -> ScriptedAnswer:
    """Return an answer for the files of pictures, whose body the contract does not describe."""
    # The scenario may name an operation for all of its answers.
    _known_keys(item, (*_PICTURE_DIRECTIVES, "status", *_OWN_KEYS, *_SELECTORS), pointer)
    directives = _directives(item, (*_PICTURE_DIRECTIVES, "status"), DirectiveChoices((), ()), pointer)
    # A file has no model to match.
    unconditional = {name: value for name, value in item.items() if name != "model"}
    return replace(_built(unconditional, pointer, directives), source=item, is_for_pictures=True)


def _matcher(item: Mapping[str, Any], pointer: str) -> Matcher | None:
    """Return the conditions of an answer: those of ``match``, and its model."""
    if "match" not in item and "model" not in item:
        return None
    pointer = f"{pointer}/match"
    value = item.get("match", {})
    if "model" in item and is_object(value):
        value = {"model": item["model"], **value}
    for name in _ANSWER_CONDITIONS:
        if is_object(value) and name in value:
            raise BadScenario(
                f"{pointer}/{name}", "this is not known before the call is answered; a script cannot match it"
            )
    try:
        return Matcher.parse(value)
    except BadMatch as error:
        raise BadScenario(f"{pointer}{error.pointer}", error.reason) from None


def _check_directives(directives: Directives, pointer: str) -> None:
    """Refuse directives that have no effect on an answer with a body of its own."""
    for name in directives.as_preferences():
        if name in {"dialect", "envelope", "images", "violation"}:
            raise BadScenario(f"{pointer}/{name}", f"{name} has no effect together with a body; leave one of them out")
    if directives.code in BODILESS:
        raise BadScenario(f"{pointer}/body", f"an answer with status {directives.code} has no body")


def _content_type(body: Any, code: int | None) -> bytes:
    """Return the content type for a body: an error is problem+json unless it has the old envelope."""
    if isinstance(body, str):
        return b"text/plain; charset=utf-8"
    is_old_envelope = is_object(body) and "statusCode" in body
    return JSON if code is None or code < 400 or is_old_envelope else PROBLEM_JSON


def _encoded(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else orjson.dumps(body)


def _check_body(body: Any, status: int, content_type: bytes, operation: Operation, pointer: str) -> None:
    findings = operation.validate_response(status, content_type.decode("latin-1"), body)
    violated = next((finding for finding in findings if finding.severity is Severity.ERROR), None)
    if violated is not None:
        advice = 'add "violation": true if that is intended'
        raise BadScenario(
            f"{pointer}{violated.pointer}", f"this body breaks the contract: {violated.message}; {advice}"
        )


def _headers(value: Any, pointer: str) -> Sequence[tuple[bytes, bytes]]:
    if not is_object(value):
        raise BadScenario(pointer, 'headers are an object like {"Retry-After": "7"}')
    headers: list[tuple[bytes, bytes]] = []
    for name, text in value.items():
        if not _TOKEN.fullmatch(name) or name.lower() in _SERVER_HEADERS:
            raise BadScenario(join_pointer(pointer, name[:60]), "this header cannot be set")
        if not isinstance(text, str) or not _VALUE.fullmatch(text):
            raise BadScenario(join_pointer(pointer, name), "a header's value must be one line of text")
        headers.append((name.lower().encode(), text.encode("latin-1")))
    return headers


def _times(value: Any, pointer: str) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise BadScenario(pointer, "times must be a whole number, 1 or more, or null for always")


def _limits(value: Any) -> Limits:
    if not is_object(value):
        raise BadScenario("/limits", 'limits are an object like {"requests_per_minute": 5, "credits": 840000}')
    _known_keys(value, ("requests_per_minute", "retry_after", "credits", "expires_after_s"), "/limits")
    for name in ("requests_per_minute", "credits"):
        number = value.get(name)
        if number is not None and (not isinstance(number, int) or isinstance(number, bool) or number < 0):
            raise BadScenario(f"/limits/{name}", "this must be a whole number, 0 or more, or null for no limit")
    if not isinstance(value.get("retry_after", False), bool):
        raise BadScenario(
            "/limits/retry_after", "this must be true or false: whether a 429 carries a Retry-After header"
        )
    lifetime_s = value.get("expires_after_s")
    is_number = isinstance(lifetime_s, int | float) and not isinstance(lifetime_s, bool)
    if lifetime_s is not None and not (is_number and 0 <= lifetime_s <= _MAX_LIFETIME_S):
        raise BadScenario(
            "/limits/expires_after_s", "this must be a number of seconds, 0 or more, or null for no limit"
        )
    return Limits(value.get("requests_per_minute"), value.get("retry_after", False), value.get("credits"), lifetime_s)


def _known_keys(item: Mapping[str, Any], allowed: Sequence[str], pointer: str) -> None:
    known = ", ".join(sorted(allowed, key=lambda name: (name in _SELECTORS, name)))
    for name in item:
        if name not in allowed:
            raise BadScenario(join_pointer(pointer, name[:60]), f"unknown key; known keys: {known}")

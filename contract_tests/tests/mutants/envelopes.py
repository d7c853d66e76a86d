"""Servers whose refusals contradict themselves, or do not say what was wrong."""

from collections.abc import Iterator
from typing import Any

from bodydouble_spec import is_object

from contract_tests.tests.mutants.model import Mutant
from contract_tests.tests.mutants.parts import answering, in_body, made, put

__all__ = ["envelope_mutants"]

_ISSUES = "/error/data"


def envelope_mutants() -> Iterator[Mutant]:
    """Yield the mutants that show in the body of a refusal."""
    yield from _contradictions()
    yield from _issues()


def _contradictions() -> Iterator[Mutant]:
    check = "refusal-consistent"
    for name, claim, pointer, value, status in (
        ("status", "the body of a 400 says 422", "/status", 422, 400),
        ("status-500", "the body of a 400 says 500", "/status", 500, 400),
        ("status-401", "the body of a 401 says 403", "/status", 403, 401),
        ("title", "a 400 is entitled Internal Server Error", "/title", "Internal Server Error", 400),
        ("title-401", "a 401 is entitled Bad Request", "/title", "Bad Request", 401),
        ("title-empty", "a 400 has an empty title", "/title", "", 400),
        ("message-empty", "the message of a 400 is empty", "/message", "", 400),
        ("message-blank", "the message of a 401 is blank", "/message", "  ", 401),
        ("error-message-empty", "error.message is empty", "/error/message", "", 400),
        ("name", "the error of a 400 is a server error", "/error/name", "InternalServerErrorException", 400),
        ("name-empty", "the error has no name", "/error/name", "", 400),
        ("instance", "instance is another path", "/instance", "/v1/chat/completions", 400),
        ("instance-empty", "instance is empty", "/instance", "", 401),
        ("timestamp-words", "the timestamp is words", "/timestamp", "yesterday", 400),
        ("timestamp-date", "the timestamp is only a date", "/timestamp", "2026-11-28", 400),
        ("timestamp-epoch", "the timestamp counts seconds", "/timestamp", "1764300000", 401),
        ("timestamp-old", "the timestamp is years old", "/timestamp", "2024-01-01T00:00:00.000Z", 400),
        ("timestamp-zero", "the timestamp is 1970", "/timestamp", "1970-01-01T00:00:00.000Z", 401),
    ):
        yield answering(f"refusal-{name}", claim, check, put(pointer, value), status)
    yield answering(
        "refusal-timestamp-local",
        "the timestamp has no zone",
        check,
        made("/timestamp", lambda old: str(old).rstrip("Z")),
        400,
    )


def _issues() -> Iterator[Mutant]:
    check = "refusal-issues"
    for name, claim, pointer, value in (
        ("none", "a 400 lists no issue", _ISSUES, []),
        ("elsewhere", "every issue is about another property", f"{_ISSUES}/*/path", ["seed"]),
        ("nowhere", "no issue names a place", f"{_ISSUES}/*/path", []),
        ("message-empty", "issues have no message", f"{_ISSUES}/*/message", ""),
    ):
        yield answering(f"issues-{name}", claim, check, put(pointer, value), 400)
    yield answering("issues-absent", "a 400 has no list of issues", check, in_body(_without_issues), 400)
    yield answering("issues-first", "only the first fault is listed", check, made(_ISSUES, lambda old: old[:1]), 400)
    yield answering("issues-last", "only the last fault is listed", check, made(_ISSUES, lambda old: old[-1:]), 400)
    yield answering(
        "issues-top",
        "an issue names the list, not the item",
        check,
        made(f"{_ISSUES}/*/path", lambda old: old[:1]),
        400,
    )


def _without_issues(body: Any) -> Any:
    error = body.get("error") if is_object(body) else None
    return (
        {**body, "error": {key: value for key, value in error.items() if key != "data"}} if is_object(error) else body
    )

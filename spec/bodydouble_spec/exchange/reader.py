"""Reading of recorded exchanges: every readable line, and a finding for each of the others."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import orjson

from bodydouble_spec.exchange.exchange import EXCHANGE_FORMAT, Exchange, RecordedAnswer
from bodydouble_spec.finding import Evidence, Finding, Severity
from bodydouble_spec.values import is_array, is_object

__all__ = ["ExchangeLog", "MalformedExchange", "parse_exchange", "read_exchanges"]

# No longer line was written by us: an entry keeps some 200,000 characters at most.
_MAX_LINE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ExchangeLog:
    """The exchanges of a file in order, and a finding for each line that could not be read."""

    exchanges: tuple[Exchange, ...]
    findings: tuple[Finding, ...]


class MalformedExchange(ValueError):
    """A JSON value is not an exchange; ``pointer`` is the place of the fault."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


class _NewerFormat(MalformedExchange):
    """The exchange was written in a newer format."""


def read_exchanges(path: Path) -> ExchangeLog:
    """Read a file of exchanges, one JSON object a line.

    An unreadable last line without a newline was cut off during writing: it is skipped with the finding
    ``exchange-torn`` (warning). Any other bad line is ``exchange-unreadable``, one of a newer format
    ``exchange-format`` (errors). The pointer of a finding begins with the line number, counted from 1. Empty lines are
    skipped. Raises OSError when the file cannot be opened or read.
    """
    exchanges: list[Exchange] = []
    findings: list[Finding] = []
    with path.open("rb") as file:
        for number, line, is_whole in _lines(file):
            result = _read_line(number, line, is_whole)
            if isinstance(result, Exchange):
                exchanges.append(result)
            elif result is not None:
                findings.append(result)
    return ExchangeLog(tuple(exchanges), tuple(findings))


def parse_exchange(value: Any) -> Exchange:
    """Parse an exchange from the JSON values of `Exchange.to_dict`; unknown members are kept in ``extra``.

    Raises MalformedExchange (a ValueError with a ``pointer``) for anything else.
    """
    if not is_object(value):
        raise MalformedExchange("", f"an exchange is an object, not {_kind(value)}")
    members = dict(value)
    version = members.pop("format", None)
    if type(version) is int and version > EXCHANGE_FORMAT:
        reason = f"format {version!r:.20} is newer than {EXCHANGE_FORMAT}; update bodydouble to read it"
        raise _NewerFormat("/format", reason)
    if version != EXCHANGE_FORMAT:
        raise MalformedExchange("/format", f"must be {EXCHANGE_FORMAT}, not {_kind(version)}")
    read = _MemberReader(members, "")
    answer = members.pop("answer", None)
    if answer is not None and not is_object(answer):
        raise MalformedExchange("/answer", f"must be an object or null, not {_kind(answer)}")
    return Exchange(
        id=read("id", _is_text, "a string"),
        time=read("time", _is_time, "a time in ISO 8601 with its zone"),
        method=read("method", _is_text, "a string"),
        path=read("path", _is_text, "a string"),
        operation=read("operation", _is_text, "a string or null", None),
        key=read("key", _is_text, "a string or null", None),
        headers=read("headers", _is_texts, "an object of strings", {}),
        body=members.pop("body", None),
        raw=read("raw", is_object, "an object or null", None),
        findings=tuple(read("findings", _is_objects, "an array of objects", [])),
        answer=None if answer is None else _parse_answer(dict(answer)),
        duration_s=read("duration_s", _is_number, "a number or null", None),
        matched=read("matched", _is_text, "a string or null", None),
        applied=tuple(read("applied", _is_text_array, "an array of strings", [])),
        contract=read("contract", _is_text, "a string or null", None),
        kind=read("kind", _is_text, "a string or null", None),
        key_in=tuple(read("key_in", _is_text_objects, "an array of objects of strings", [])),
        extra=members,
    )


def _parse_answer(members: dict[str, Any]) -> RecordedAnswer:
    read = _MemberReader(members, "/answer")
    return RecordedAnswer(
        status=read("status", _is_status, "an integer from 100 to 999"),
        headers=read("headers", _is_texts, "an object of strings", {}),
        body=members.pop("body", None),
        raw=read("raw", is_object, "an object or null", None),
    )


class _MemberReader:
    """Takes members out of an object and checks each; without a default a member is required."""

    def __init__(self, members: dict[str, Any], pointer: str) -> None:
        self._members = members
        self._pointer = pointer

    def __call__(self, name: str, is_valid: Callable[[Any], bool], expected: str, *default: Any) -> Any:
        value = self._members.pop(name, None)
        if value is None and default:
            return default[0]
        if not is_valid(value):
            raise MalformedExchange(f"{self._pointer}/{name}", f"must be {expected}, not {_kind(value)}")
        return value


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes, bool]]:
    """Yield line number, line, and whether it ended with a newline; of a line that is too long, only the first bytes."""
    number = 0
    while line := file.readline(_MAX_LINE_BYTES + 1):
        number += 1
        rest = line
        while len(rest) > _MAX_LINE_BYTES and not rest.endswith(b"\n"):
            rest = file.readline(_MAX_LINE_BYTES + 1)
        yield number, line, rest.endswith(b"\n")


def _read_line(number: int, line: bytes, is_whole: bool) -> Exchange | Finding | None:
    if number == 1:
        line = line.removeprefix(b"\xef\xbb\xbf")
    if not line.strip():
        return None
    if len(line) > _MAX_LINE_BYTES:
        return _finding("exchange-unreadable", number, "", f"it is longer than {_MAX_LINE_BYTES:,} bytes")
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        if not is_whole:
            return Finding(
                "exchange-torn",
                Severity.WARNING,
                Evidence.OBSERVED,
                f"/{number}",
                f"line {number}, the last one, was cut off after {len(line)} bytes, when the writer stopped; it was skipped",
            )
        return _finding("exchange-unreadable", number, "", f"it is not JSON ({error.msg[:120]})")
    try:
        return parse_exchange(value)
    except _NewerFormat as error:
        return _finding("exchange-format", number, error.pointer, str(error))
    except MalformedExchange as error:
        return _finding("exchange-unreadable", number, error.pointer, f"{error.pointer or 'the line'}: {error}")


def _finding(rule: str, number: int, pointer: str, reason: str) -> Finding:
    message = f"line {number} was skipped: {reason}"
    return Finding(rule, Severity.ERROR, Evidence.OBSERVED, f"/{number}{pointer}", message)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_time(value: Any) -> bool:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is None or moment.tzinfo is None:
            return False
        # Near the first and last year a time may not exist in UTC.
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_status(value: Any) -> bool:
    return type(value) is int and 100 <= value <= 999


def _is_texts(value: Any) -> bool:
    return is_object(value) and all(isinstance(item, str) for item in value.values())


def _is_objects(value: Any) -> bool:
    return is_array(value) and all(is_object(item) for item in value)


def _is_text_objects(value: Any) -> bool:
    return is_array(value) and all(map(_is_texts, value))


def _is_text_array(value: Any) -> bool:
    return is_array(value) and all(isinstance(item, str) for item in value)


def _kind(value: Any) -> str:
    if value is None:
        return "null or missing"
    kinds = ((bool, "a boolean"), (int, "a number"), (float, "a number"), (str, "a string"), (list, "an array"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "an object")

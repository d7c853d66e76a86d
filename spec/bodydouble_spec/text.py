"""Foreign text and JSON values made safe to print: a report quotes text from requests and servers."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, TypeGuard

__all__ = [
    "DATA_URI",
    "cut",
    "cut_counted",
    "cut_line",
    "is_list",
    "is_mapping",
    "json_safe",
    "json_text",
    "shortened",
    "visible",
    "without_data_uris",
]

_LIMIT_CHARACTERS = 4_000
_LIMIT_DEPTH = 64
_KILO = 1_000
# Python refuses to write longer integers in decimal when its digit limit is at the lowest setting (640 digits).
_LIMIT_INTEGER_BITS = 2_048

# Characters that are invisible or control a terminal: the Unicode categories Cc, Cf, Cs, Zl and Zp, and the two code points
# that XML 1.0 forbids as well. The two joiners (U+200C, U+200D) stay, as scripts and emoji need them.
_UNSAFE = (
    r"\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b\u200e\u200f\u2028-\u202e"
    r"\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001343f"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
# CI runners obey these in a log: "::" at the start of a line (GitHub) and "##name[" anywhere
# (GitHub's older spelling, Azure Pipelines, TeamCity). GitHub's runner skips leading white space, and a comparison by
# culture also skips what has no width.
_COMMAND = r"#(?=#\w*\[)"
_COMMAND_AT_START = r"(?<![^\s\u034f\u200c\u200d\ufe00-\ufe0f]):(?=:)"
_VISIBLE = re.compile(f"[{_UNSAFE}]|{_COMMAND}|{_COMMAND_AT_START}")
_JSON_ESCAPED = re.compile(rf"(?!\n)[{_UNSAFE}]|{_COMMAND}")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_SHORT_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


# A shorter payload is no picture, and may be what a finding is about.
DATA_URI = re.compile(
    r"data:([\w.+/-]{0,80})((?:;[\w.+-]{1,40}(?:=[\w.+-]{0,40})?)*);base64,([A-Za-z0-9+/=_%-]{24,})(…?)", re.IGNORECASE
)


def without_data_uris(text: str) -> str:
    """Return the text with each picture in it as its type and size: ``(data URI: image/png, 12.3 kB)``."""
    return DATA_URI.sub(_data_uri_in_short, text) if "base64," in text else text


def _data_uri_in_short(match: re.Match[str]) -> str:
    size = len(match[3]) * 3 // 4
    counted = "" if match[4] else f", {size} bytes" if size < _KILO else f", {size / _KILO:,.1f} kB"
    return f"(data URI: {match[1] or 'no media type'}{counted})"


def visible(text: str) -> str:
    r"""Return the text in one line, with invisible characters and log commands written as escapes.

    ``\n`` for a line break, ``\x1b``, ``\u202e`` or ``\U000e0041`` for other characters. A backslash in the text stays
    as it is, so the result is for reading, not for parsing.
    """
    return _VISIBLE.sub(_escape, text)


def cut(text: str, limit: int) -> str:
    """Return a text of at most ``limit`` characters; "…" is the last one of a text that was longer."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def cut_line(text: str, limit: int = 200) -> str:
    """Return a foreign text as one line that is safe to print (`visible`), of at most ``limit`` characters."""
    return cut(visible(" ".join(text.split())), limit)


def cut_counted(text: str, limit: int) -> str:
    """Return a text up to ``limit`` characters whole, and of a longer one the beginning with its length: ``ab… (1,200 characters)``."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def shortened(text: str) -> str:
    """Cut a text to 4,000 characters, with its length when it was longer."""
    return cut_counted(text, _LIMIT_CHARACTERS)


def is_list(value: Any) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """Return whether the value is an array in JSON."""
    return isinstance(value, list | tuple)


def is_mapping(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    """Return whether the value is an object in JSON."""
    return isinstance(value, Mapping)


def json_safe(value: Any) -> Any:
    """Replace everything in the value that strict JSON in UTF-8 cannot express.

    NaN and the infinities become ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``, a lone surrogate becomes its escape as
    text (``\\ud800``, six characters), an integer of over 2,048 bits hexadecimal text, a value nested deeper than 64
    levels ``"…"``, and any other object its ``str``.
    """
    return _json_safe(value, 0)


def json_text(value: Any, indent: int | None = None) -> str:
    """Format the value as JSON that any parser reads and that is safe in a terminal; ``indent=None`` gives one line."""
    text = json.dumps(json_safe(value), ensure_ascii=False, allow_nan=False, indent=indent)
    return _JSON_ESCAPED.sub(_json_escape, text)


def _json_safe(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _SURROGATE.sub(_escape, str(value))
    if isinstance(value, int):
        return int(value) if value.bit_length() <= _LIMIT_INTEGER_BITS else hex(value)
    if isinstance(value, float):
        return _json_number(value)
    if not is_mapping(value) and not is_list(value):
        return _json_safe(str(value), 0)
    if depth == _LIMIT_DEPTH:
        return "…"
    if is_mapping(value):
        return {_json_safe(str(key), 0): _json_safe(member, depth + 1) for key, member in value.items()}
    return [_json_safe(item, depth + 1) for item in value]


def _json_number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if code <= 0xFF:
        return _SHORT_ESCAPES.get(character, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _json_escape(match: re.Match[str]) -> str:
    return json.dumps(match[0]).strip('"') if ord(match[0]) > 0x7F else f"\\u{ord(match[0]):04x}"

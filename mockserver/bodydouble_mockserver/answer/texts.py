"""Texts and numbers that keep the bounds, formats and patterns of a schema."""

import base64
import math
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from bodydouble_spec.schema import SchemaView, matches_pattern, matching_text

__all__ = ["LONGEST_TEXT", "is_number", "numbers", "similar_texts", "texts"]

LONGEST_TEXT = 1_000_000
"""The most characters of a text that is made."""
# The first is the usual one; a schema may exclude some.
_WORDS = ("text", "example", "value", "a")
_LETTERS = string.ascii_letters + string.digits
_MAX_CHANGED = 40
_MAX_NUMBERED = 11_000
# For each format: a usual text, and the beginning and end between which a filler makes it longer.
_FORMATS: dict[str, tuple[str, str, str, str]] = {
    "date-time": ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.", "0", "Z"),
    "date": ("2026-01-31", "", "", ""),
    "time": ("12:00:00Z", "12:00:00.", "0", "Z"),
    "duration": ("PT30S", "PT", "1", "S"),
    "uuid": ("8f14e45f-ceea-467f-a7d4-5c2b0a4e1f11", "", "", ""),
    "uri": ("https://example.com/", "https://example.com/", "a", ""),
    "url": ("https://example.com/", "https://example.com/", "a", ""),
    "uri-reference": ("/example", "/", "a", ""),
    "iri": ("https://example.com/", "https://example.com/", "a", ""),
    "iri-reference": ("/example", "/", "a", ""),
    "uri-template": ("https://example.com/{id}", "https://example.com/", "a", "{id}"),
    "email": ("someone@example.com", "a", "a", "@example.com"),
    "idn-email": ("someone@example.com", "a", "a", "@example.com"),
    "hostname": ("example.com", "a", "a", ""),
    "idn-hostname": ("example.com", "a", "a", ""),
    "ipv4": ("192.0.2.1", "", "", ""),
    "ipv6": ("2001:db8::1", "", "", ""),
    "byte": ("dGV4dA==", "", "", ""),
    "base64": ("dGV4dA==", "", "", ""),
    "json-pointer": ("/example", "/", "a", ""),
    "relative-json-pointer": ("0", "0/", "a", ""),
    "regex": ("^a$", "", "a", ""),
}  # fmt: skip
# Shorter texts of a format, for a small maxLength.
_SHORT = {
    "uri": ("a:",), "url": ("a:",), "iri": ("a:",), "email": ("a@b.co",), "hostname": ("a.co", "a"), "ipv6": ("::1", "::"),
    "ipv4": ("8.8.8.8",), "duration": ("P1D",), "byte": ("",), "uri-reference": ("a", ""), "json-pointer": ("",),
}  # fmt: skip


def texts(way: SchemaView) -> Iterator[str]:
    """Yield texts that may conform to a schema of type string, the most useful first."""
    least, most = int(way.limits.get("minLength", 0)), way.limits.get("maxLength")
    longest, patterns = None if most is None else int(most), way.patterns
    of_format = [text for name in _formats(way) for text in _of_format(name, least)]
    yield from (text for text in of_format if _fits(text, least, longest, patterns))
    for pattern in patterns:
        text = matching_text(pattern, least, longest)
        if text is not None and _fits(text, least, longest, patterns):
            yield text
    for word in _WORDS:
        plain = word.ljust(least, ".") if longest is None else word.ljust(least, ".")[:longest]
        if _fits(plain, least, longest, patterns):
            yield plain


def _formats(way: SchemaView) -> list[str]:
    is_base64 = "base64" in way.values("contentEncoding")
    return ["byte"] if is_base64 else [name for name in way.values("format") if isinstance(name, str)]


def _of_format(name: str, least: int) -> Iterator[str]:
    if name not in _FORMATS:
        return
    usual, start, filler, end = _FORMATS[name]
    yield usual
    if name in {"byte", "base64"} and least:
        yield base64.b64encode(b"text" * (least // 4 + 1)).decode()[: -(-least // 4) * 4]
    if filler:
        yield start + filler * max(1, least - len(start) - len(end)) + end
    yield from _SHORT.get(name, ())


def _fits(text: str, least: int, most: int | None, patterns: Sequence[str]) -> bool:
    is_long_enough = least <= len(text) and (most is None or len(text) <= most)
    return is_long_enough and all(matches_pattern(pattern, text) for pattern in patterns)


def similar_texts(text: str) -> Iterator[str]:
    """Yield a text, and texts that differ from it by their end or by one character."""
    yield text
    yield from (f"{text}{number}" for number in range(2, 10))
    for index in reversed(range(min(len(text), _MAX_CHANGED))):
        yield from (text[:index] + letter + text[index + 1 :] for letter in _LETTERS if letter != text[index])
    yield from (f"{text}{number}" for number in range(10, _MAX_NUMBERED))


def is_number(value: Any, *, whole: bool) -> bool:
    """Return whether a JSON value is a number; with ``whole`` a whole one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return not whole or isinstance(value, int) or value.is_integer()


def numbers(way: SchemaView, *, whole: bool) -> Iterator[int | float]:
    """Yield numbers within the bounds of a schema: zero, those next to a bound, and the middle between the bounds."""
    limits = way.limits
    lows = [exact for name in ("minimum", "exclusiveMinimum") if (exact := _exact(limits.get(name))) is not None]
    highs = [exact for name in ("maximum", "exclusiveMaximum") if (exact := _exact(limits.get(name))) is not None]
    factor = _common_multiple(filter(None, map(_exact, way.values("multipleOf"))))
    step = factor or Fraction(1)
    if whole and step.denominator > 1:
        step = Fraction(step.numerator)  # the least whole multiple
    found = [Fraction(0)]
    for low in lows:
        found += [math.ceil(low / step) * step, (math.floor(low / step) + 1) * step]
    for high in highs:
        found += [math.floor(high / step) * step, (math.ceil(high / step) - 1) * step]
    if factor is None and not whole:
        found += [*lows, *highs]
        if lows and highs:
            found.append((max(lows) + min(highs)) / 2)
        found.append(Fraction(1, 2))  # no whole number, where those are excluded
    found += [Fraction(1), Fraction(-1)]  # where zero is excluded
    for value in dict.fromkeys(found):
        number = _json_number(value)
        if number is not None and _is_within(limits, number):
            yield number


def _common_multiple(factors: Iterable[Fraction]) -> Fraction | None:
    """Return the least common multiple of some numbers; None of none."""
    common: Fraction | None = None
    for factor in factors:
        if common is None:
            common = factor
            continue
        multiple = math.lcm(common.numerator * factor.denominator, factor.numerator * common.denominator)
        common = Fraction(multiple, common.denominator * factor.denominator)
    return common


def _exact(value: Any) -> Fraction | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return Fraction(str(value)) if isinstance(value, float) else Fraction(value)


def _json_number(value: Fraction) -> int | float | None:
    """Return the number in JSON: a whole number of any length, or the nearest float."""
    if value.denominator == 1:
        return int(value)
    try:
        return float(value)
    except OverflowError:
        return None


def _is_within(limits: Mapping[str, float], value: float) -> bool:
    least, most = limits.get("minimum", -math.inf), limits.get("maximum", math.inf)
    above, below = limits.get("exclusiveMinimum", -math.inf), limits.get("exclusiveMaximum", math.inf)
    return bool(least <= value <= most and above < value < below)

"""Bounds on what a JSON body may hold, counted before it is parsed: an array of ten million zeros takes 20 MB, and ten times that as objects."""

import re
from collections.abc import Iterator
from itertools import accumulate

from bodydouble_mockserver.request.body import UnreadableBody

__all__ = ["exceeded_limit"]

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
# Text up to the end of a number of strings, so that the memory for one piece is bounded.
_PIECE = re.compile(rb'(?:[^"]*+"[^"\\]*+(?:\\.[^"\\]*+)*+"?){1,10000}+', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_WHITE_SPACE = b" \t\r\n"
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def exceeded_limit(text: bytes, max_values: int, max_levels: int) -> UnreadableBody | None:
    """Return a 413 for a JSON text with more values or levels than allowed; None for any other text, also when it is not JSON.

    A name is no value. Brackets and commas in strings do not count. The beginning of a text may be checked, too.
    """
    opened = text.count(b"[") + text.count(b"{")
    # With those in strings, which is cheap and clears nearly every body.
    if opened <= max_levels and (len(text) <= max_values or text.count(b",") + opened < max_values):
        return None
    values, opened, brackets = 1, 0, b""
    for piece in _without_strings(text):
        new = piece.count(b"[") + piece.count(b"{")
        # Each value but the first follows a comma, or opens a container that is not empty.
        values += piece.count(b",") + new - piece.count(b"[]") - piece.count(b"{}")
        if values > max_values:
            return UnreadableBody(413, f"The request body has more than {max_values:,} JSON values")
        opened += new
        brackets += piece.translate(None, _NOT_BRACKETS)
    if opened > max_levels:
        # What follows as many closing brackets as there are opening ones is not JSON.
        steps = map(_STEPS.__getitem__, brackets[: 2 * opened])
        if max(accumulate(steps)) > max_levels:
            return UnreadableBody(413, f"The request body is nested more than {max_levels} levels deep")
    return None


def _without_strings(text: bytes) -> Iterator[bytes]:
    """Yield a text piece by piece, without white space and the contents of strings."""
    place = 0
    while piece := _PIECE.match(text, place):
        place = piece.end()
        yield _STRING.sub(b'""', piece[0]).translate(None, _WHITE_SPACE)
    yield text[place:].translate(None, _WHITE_SPACE)

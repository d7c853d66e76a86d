"""Bounds on what a JSON body may hold, counted before it is parsed: an array of ten million zeros takes 20 MB, and 400 MB as objects."""

import re
from itertools import accumulate

from bodydouble_mockserver.request.body import UnreadableBody

__all__ = ["exceeded_limit"]

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_WHITE_SPACE = b" \t\r\n"
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def exceeded_limit(text: bytes, max_values: int, max_levels: int) -> UnreadableBody | None:
    """Return a 413 for a JSON text with more values or levels than allowed; None for any other text, also when it is not JSON.

    A name is no value. Brackets and commas in strings do not count.
    """
    opened = text.count(b"[") + text.count(b"{")
    # With those in strings, which is cheap and clears nearly every body.
    if opened <= max_levels and (len(text) <= max_values or text.count(b",") + opened < max_values):
        return None
    bare = (
        _STRING.sub(b'""', text).translate(None, _WHITE_SPACE) if b'"' in text else text.translate(None, _WHITE_SPACE)
    )
    opened = bare.count(b"[") + bare.count(b"{")
    # Each value but the first follows a comma, or opens a container that is not empty.
    values = 1 + bare.count(b",") + opened - bare.count(b"[]") - bare.count(b"{}")
    if values > max_values:
        return UnreadableBody(413, f"The request body has {values:,} JSON values; {max_values:,} are allowed")
    if opened > max_levels:
        brackets = bare.translate(None, _NOT_BRACKETS)
        if max(accumulate(map(_STEPS.__getitem__, brackets))) > max_levels:
            return UnreadableBody(413, f"The request body is nested more than {max_levels} levels deep")
    return None

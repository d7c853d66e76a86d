"""Bounds on what a JSON body may hold, counted before it is parsed: an array of ten million zeros takes 20 MB, and ten times that as objects.

The text is read in blocks, so that other threads can run in between: one search of 30 MB would hold up the interpreter.
"""

from collections.abc import Iterator
from itertools import accumulate

from bodydouble_mockserver.request.body import UnreadableBody

__all__ = ["count_names", "exceeded_limit"]

_BLOCK_BYTES = 256 * 1024
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_WHITE_SPACE = b" \t\r\n"
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def exceeded_limit(
    text: bytes, max_values: int, max_levels: int, block_bytes: int = _BLOCK_BYTES
) -> UnreadableBody | None:
    """Return a 413 for a JSON text with more values or levels than allowed; None for any other text, also when it is not JSON.

    A name is no value. Brackets and commas in strings do not count. The beginning of a text may be checked, too.
    """
    opened = text.count(b"[") + text.count(b"{")
    # With those in strings, which is cheap and clears nearly every body.
    if opened <= max_levels and (len(text) <= max_values or text.count(b",") + opened < max_values):
        return None
    values, opened, brackets = 1, 0, bytearray()
    last = b""
    for piece in _without_strings(text, block_bytes):
        new = piece.count(b"[") + piece.count(b"{")
        joined = last + piece
        # Each value but the first follows a comma, or opens a container that is not empty.
        values += piece.count(b",") + new - joined.count(b"[]") - joined.count(b"{}")
        last = joined[-1:]
        # One of them is none where the next piece shows that it opened an empty container.
        if values > max_values + 1:
            break
        opened += new
        brackets += piece.translate(None, _NOT_BRACKETS)
    if values > max_values:
        return UnreadableBody(413, f"The request body has more than {max_values:,} JSON values")
    if opened > max_levels:
        # What follows as many closing brackets as there are opening ones is not JSON.
        steps = map(_STEPS.__getitem__, brackets[: 2 * opened])
        if max(accumulate(steps)) > max_levels:
            return UnreadableBody(413, f"The request body is nested more than {max_levels} levels deep")
    return None


def count_names(text: bytes, block_bytes: int = _BLOCK_BYTES) -> int:
    """Return the number of names in a JSON text: of strings before a colon, each as often as it stands there."""
    count, last = 0, b""
    for piece in _without_strings(text, block_bytes):
        joined = last + piece
        count += joined.count(b'":')
        last = joined[-1:]
    return count


def _without_strings(text: bytes, block_bytes: int) -> Iterator[bytes]:
    """Yield a JSON text in pieces, without white space and without what is in strings, of which only quotation marks are left."""
    place, is_inside = 0, False
    while place < len(text):
        block = text[place : place + block_bytes]
        # An escape must not be divided.
        if (len(block) - len(block.rstrip(b"\\"))) % 2 and len(block) > 1:
            block = block[:-1]
        place += len(block)
        parts = block.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
        outside = b'""'.join(parts[is_inside::2])
        was_inside, is_inside = is_inside, is_inside ^ (len(parts) % 2 == 0)
        yield (b'"' * was_inside + outside + b'"' * is_inside).translate(None, _WHITE_SPACE)

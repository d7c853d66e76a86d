"""Decode content encodings by hand, to tell a broken one from other faults."""

import zlib

__all__ = ["Undecodable", "decoded"]

_GZIP = 16 + zlib.MAX_WBITS


class Undecodable(ValueError):
    """The bytes do not match their encoding; the message gives the fault."""


def decoded(data: bytes, encoding: str, most_bytes: int) -> bytes:
    """Decode a body with a Content-Encoding of ``gzip`` or ``identity``, or without one.

    Raises Undecodable, also for a body longer than ``most_bytes``.
    """
    for name in reversed([item.strip().lower() for item in encoding.split(",")]):
        if name in {"", "identity"}:
            continue
        if name not in {"gzip", "x-gzip"}:
            raise Undecodable(f"Content-Encoding is {name[:40]!r}, which was not requested")
        data = _unzipped(data, most_bytes)
    return data


def _unzipped(data: bytes, most_bytes: int) -> bytes:
    content = bytearray()
    rest = data
    while rest or not content:
        member = zlib.decompressobj(_GZIP)
        try:
            content += member.decompress(rest, most_bytes + 1 - len(content))
        except zlib.error as error:
            raise Undecodable(f"the header says gzip, but the body is not: {error}") from None
        if len(content) > most_bytes:
            raise Undecodable(f"the decoded body is longer than {most_bytes:,} bytes")
        if not member.eof:
            raise Undecodable("the gzip body is incomplete")
        if not member.unused_data:
            break
        rest = member.unused_data
    return bytes(content)

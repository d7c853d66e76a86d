"""JSON pointers (RFC 6901), the places of findings."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from bodydouble_spec._json import is_array, is_object

__all__ = ["join_pointer", "pointer_parts", "resolve_pointer"]

_INDEX_DIGITS = 9


def join_pointer(base: str, *parts: str | int) -> str:
    """Append ``parts``, each escaped, to ``base``: ``join_pointer("/paths", "/v1")`` is ``/paths/~1v1``."""
    return base + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def pointer_parts(pointer: str) -> list[str]:
    """Split a pointer, or the fragment of a URI (``#/a%20b``), into unescaped parts.

    Raises LookupError when it is not a pointer.
    """
    text = unquote(pointer[1:]) if pointer.startswith("#") else pointer
    if text and not text.startswith("/"):
        raise LookupError(pointer)
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def resolve_pointer(document: Any, parts: Iterable[str | int]) -> Any:
    """Return the value at the given parts. Raises LookupError when there is none."""
    value = document
    for part in parts:
        if is_object(value):
            value = value[str(part)]
        elif is_array(value):
            text = str(part)
            if not (text.isascii() and text.isdigit() and len(text) <= _INDEX_DIGITS):
                raise LookupError(text)
            value = value[int(text)]
        else:
            raise LookupError(str(part))
    return value

"""Type guards for JSON values, so that the type checkers know the contents of an object or array; JSON pointers and path templates."""

import re
from collections.abc import Iterable
from typing import Any, TypeGuard
from urllib.parse import unquote

__all__ = [
    "copy_json",
    "is_array",
    "is_object",
    "join_pointer",
    "members_of",
    "path_names",
    "pointer_parts",
    "resolve_pointer",
    "template_of",
    "type_name",
]

_PATH_PARAMETER = re.compile(r"\{([^{}]*)\}")


def path_names(path: str) -> list[str]:
    """Return the names of the parameters in a path template, in order."""
    return _PATH_PARAMETER.findall(path)


def template_of(path: str) -> str:
    """Return a path template without the names of its parameters: ``/keys/{}``."""
    return _PATH_PARAMETER.sub("{}", path)


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Return whether a JSON value is an object; its keys are strings, because it was parsed from JSON."""
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    """Return whether a JSON value is an array."""
    return isinstance(value, list)


def members_of(value: Any) -> Iterable[tuple[str | int, Any]]:
    """Return the members of a JSON object by name, or those of an array by index; none of any other value."""
    if is_object(value):
        return value.items()
    return enumerate(value) if is_array(value) else ()


def copy_json(value: Any) -> Any:
    """Return a copy of a JSON value, in a fifth of the time of copy.deepcopy; what it shares is copied for each place."""
    if is_object(value):
        return {key: copy_json(item) for key, item in value.items()}
    return [copy_json(item) for item in value] if is_array(value) else value


def type_name(value: Any) -> str:
    """Return the JSON Schema type of a JSON value: ``"integer"`` for an int, ``"number"`` for any float."""
    return next((name for kind, name in _TYPE_NAMES if isinstance(value, kind)), "null")


# bool is a subclass of int, so it comes first.
_TYPE_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)


_INDEX_DIGITS = 9


def join_pointer(base: str, *parts: str | int) -> str:
    """Append ``parts``, each escaped, to ``base``: ``join_pointer("/paths", "/v1")`` is ``/paths/~1v1``."""
    for part in parts:
        name = part if isinstance(part, str) else str(part)
        # Most names need no escape, and a large document has hundreds of thousands.
        base += "/" + (name.replace("~", "~0").replace("/", "~1") if "~" in name or "/" in name else name)
    return base


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

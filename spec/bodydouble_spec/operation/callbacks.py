"""Callbacks that an operation declares, and the place in a request that names the address of each (OpenAPI, "Callback Object")."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bodydouble_spec.values import is_object, pointer_parts, resolve_pointer

__all__ = ["Callback", "read_callbacks"]

_EXPRESSION = re.compile(r"\{?\$request\.(?:body#(?P<pointer>[^}]*)|(?P<place>query|header|path)\.(?P<name>[^}]+))")


@dataclass(frozen=True, slots=True)
class Callback:
    """One declared callback: ``place`` is body, query, header or path, and ``key`` the pointer or name there.

    Both are empty where the address is not in the request.
    """

    name: str
    place: str = ""
    key: str = ""

    def is_asked_by(self, body: Any) -> bool:
        """Return whether a request body has the address of this callback."""
        if self.place != "body":
            return False
        try:
            return bool(resolve_pointer(body, pointer_parts(self.key)))
        except LookupError:
            return False


def read_callbacks(found: Any) -> tuple[Callback, ...]:
    """Return the callbacks of a repaired operation; of one that is a reference only the name is known."""
    callbacks: dict[str, Any] = found if is_object(found) else {}
    return tuple(
        callback for name, item in callbacks.items() if not name.startswith("x-") for callback in _read(name, item)
    )


def _read(name: str, item: Any) -> Iterator[Callback]:
    expressions = [key for key in item if not key.startswith(("x-", "$ref"))] if is_object(item) else []
    for expression in expressions:
        match = _EXPRESSION.match(expression)
        if match is None:
            yield Callback(name)
        elif match["place"] is not None:
            yield Callback(name, match["place"], match["name"])
        else:
            yield Callback(name, "body", match["pointer"])
    if not expressions:
        yield Callback(name)

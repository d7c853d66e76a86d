"""Requests and values with an unspecified outcome, although the contract allows them."""

import ipaddress
import unicodedata
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bodydouble_spec import Contract, Operation, decode_picture, picture_kind

from bodydouble_contract_tests.schema import whole_request_walker

__all__ = ["KnownValues", "is_unspecified_input", "known_values", "prompt_oddity"]

# Longer than the prompts seen in applications.
_LONG_PROMPT = 1000


def prompt_oddity(prompt: Any) -> str | None:
    """Return ``blank``, ``long`` (more than 1,000 characters) or ``characters`` (one that is not text) for such a prompt; None for any other value.

    The published contract takes every text; but limits of size, and what the safety filter refuses, are not known. Tabs, line breaks, and letters and
    emoji of every script are text; other control characters, surrogates and unassigned characters are not.
    """
    if not isinstance(prompt, str):
        return None
    if not prompt.strip():
        return "blank"
    if len(prompt) > _LONG_PROMPT:
        return "long"
    return "characters" if any(map(_is_no_text, prompt)) else None


def _is_no_text(character: str) -> bool:
    # Joiners of emoji and marks of direction (Cf) are part of texts.
    return character not in "\t\n\r" and unicodedata.category(character) in {"Cc", "Cs", "Cn", "Co"}


def is_unspecified_input(text: Any) -> bool:
    """Return whether an input picture is bare Base64, a URL that may not be public, or a data URI without a picture.

    A URL may not be public when it has credentials, an address instead of a name, or a name without a dot.
    """
    if not isinstance(text, str):
        return False
    if text[:5].lower() == "data:":
        kind = picture_kind(decode_picture(text))
        return kind is None or kind.pixels is None
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return True
    return parts.scheme not in {"http", "https"} or "@" in parts.netloc or "." not in host or _is_address(host)


@dataclass(frozen=True, slots=True)
class KnownValues:
    """The texts that a contract names for a property without forbidding others (``x-known-values``)."""

    texts: frozenset[str]
    is_any_case: bool

    def lacks(self, value: Any) -> bool:
        """Return whether a value is a text that is not among them."""
        if not isinstance(value, str):
            return False
        if self.is_any_case:
            return value.casefold() not in {text.casefold() for text in self.texts}
        return value not in self.texts


def known_values(contract: Contract, operation: Operation) -> dict[str, KnownValues]:
    """Map each property of the request body to the values that the contract names; properties without any are left out."""
    if operation.request is None:
        return {}
    schemas = whole_request_walker(contract, operation)
    found: dict[str, KnownValues] = {}
    for top in schemas.ways(schemas.root):
        for name, place in top.properties.items():
            for view in schemas.ways(place):
                if view.known_values:
                    is_any_case = True in view.published("x-case-insensitive")
                    found[name] = KnownValues(frozenset(view.known_values), is_any_case)
    return found


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

"""Security as a contract declares it: the places of the keys of an operation, and a request with a key in them."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bodydouble_spec.values import is_array, is_object

__all__ = ["BEARER", "KeyPlace", "Security", "read_security"]

_AUTHORIZATION = "Authorization"
# Only a token may be the scheme of a header.
_USUAL_SCHEMES = {"bearer": "Bearer", "basic": "Basic"}


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """A place for a key: ``location`` is header, query or cookie, ``name`` that of the header, parameter or cookie.

    ``scheme`` is the word before the key, such as ``Bearer``; empty where the key is the whole value.
    """

    location: str
    name: str
    scheme: str = ""

    @property
    def is_basic(self) -> bool:
        """True where the key is a user with a password, in Base64 (RFC 7617)."""
        return self.scheme == "Basic"

    @classmethod
    def read(cls, recorded: Mapping[str, str]) -> "KeyPlace":
        """Read a place from `to_dict`; what it lacks is that of a header without a scheme."""
        location = recorded.get("in", "")
        known = location if location in ("query", "cookie") else "header"
        return cls(known, recorded.get("name", _AUTHORIZATION), recorded.get("scheme", ""))

    def to_dict(self) -> dict[str, str]:
        """Return the place as JSON values, for a record; ``scheme`` is left out where it is empty."""
        return {"in": self.location, "name": self.name, **({"scheme": self.scheme} if self.scheme else {})}

    @property
    def description(self) -> str:
        """The place with ``KEY`` in it, for a message."""
        if self.location == "header":
            shown = "Base64 of USER:PASSWORD" if self.is_basic else "KEY"
            return f"the header {self.name}: {f'{self.scheme} ' if self.scheme else ''}{shown}"
        return f"the {'query parameter' if self.location == 'query' else 'cookie'} {self.name}=KEY"

    def value(self, key: str) -> str:
        """Return the value of the header, parameter or cookie that carries a key. For Basic, a key without a colon is the user."""
        if self.is_basic:
            key = base64.b64encode((key if ":" in key else f"{key}:").encode()).decode()
        return f"{self.scheme} {key}" if self.scheme else key


@dataclass(frozen=True, slots=True)
class Security:
    """The effective security of an operation: alternatives, each with the places that all need a key.

    No alternative means that no key is needed; an empty one among them makes the key optional.
    """

    alternatives: tuple[tuple[KeyPlace, ...], ...] = ()

    @property
    def is_required(self) -> bool:
        """True when a request without any key is against the contract."""
        return bool(self.alternatives) and () not in self.alternatives

    @property
    def places(self) -> tuple[KeyPlace, ...]:
        """Every place of the alternatives, once."""
        return tuple(dict.fromkeys(place for places in self.alternatives for place in places))

    @property
    def description(self) -> str:
        """The alternatives for a message: "the header X-App: KEY and the cookie session=KEY, or the query parameter key=KEY"."""
        return ", or ".join(
            " and ".join(place.description for place in places) for places in self.alternatives if places
        )

    def names(self, location: str) -> frozenset[str]:
        """Return the names of the places in one location; those of headers in lower case."""
        return frozenset(
            place.name.lower() if location == "header" else place.name
            for place in self.places
            if place.location == location
        )

    @property
    def preferred(self) -> tuple[KeyPlace, ...]:
        """The places of the first alternative that has any; the bearer key where the contract has none.

        This vendor's documents declare a scheme and apply it to no operation.
        """
        return next(filter(None, self.alternatives), (KeyPlace("header", _AUTHORIZATION, "Bearer"),))

    def authorize(self, key: str, path: str, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """Return path and headers of a request with the key in every place of the first alternative."""
        authorized = dict(headers)
        for place in self.preferred:
            value = place.value(key)
            if place.location == "query":
                path += f"{'&' if '?' in path else '?'}{quote(place.name, safe='')}={quote(value, safe='')}"
            elif place.location == "cookie":
                before = f"{authorized['Cookie']}; " if "Cookie" in authorized else ""
                authorized["Cookie"] = f"{before}{place.name}={value}"
            else:
                authorized[place.name] = value
        return path, authorized


BEARER = Security(((KeyPlace("header", _AUTHORIZATION, "Bearer"),),))
"""A bearer key, the usual security of this vendor."""


def read_security(requirements: Any, schemes: Mapping[str, Any]) -> Security:
    """Return the security of repaired requirements; ``schemes`` are the repaired security schemes of the document.

    ``oauth2`` and ``openIdConnect`` end in a bearer token.
    """
    alternatives = requirements if is_array(requirements) else []
    security = Security(
        tuple(
            dict.fromkeys(
                tuple(dict.fromkeys(_places(requirement, schemes)))
                for requirement in alternatives
                if is_object(requirement)
            )
        )
    )
    # The same object, so that the usual case is told apart at once.
    return BEARER if security == BEARER else security


def _places(requirement: Mapping[str, Any], schemes: Mapping[str, Any]) -> Iterator[KeyPlace]:
    for name in requirement:
        scheme = schemes[name]
        if scheme["type"] == "apiKey":
            location, parameter = str(scheme["in"]), str(scheme["name"])
            yield KeyPlace(location if location in ("query", "cookie") else "header", parameter)
        elif scheme["type"] == "http":
            word = str(scheme["scheme"])
            yield KeyPlace("header", _AUTHORIZATION, _USUAL_SCHEMES.get(word.lower(), word))
        else:
            yield KeyPlace("header", _AUTHORIZATION, "Bearer")

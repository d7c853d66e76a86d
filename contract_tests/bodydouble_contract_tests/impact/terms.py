"""The terms of an operation beyond the body of a request: where it is served, with which credentials, media types and parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from bodydouble_spec import (
    Contract,
    Exchange,
    Finding,
    KeyPlace,
    Operation,
    SentParameters,
    is_array,
    is_object,
    parameter_findings,
    pointer_parts,
    resolve_pointer,
)

from bodydouble_contract_tests.schema import request_target

__all__ = ["OperationTerms", "SentParts"]

_PLACEHOLDER = "a-key"
_SCHEMES = "/components/securitySchemes"
_TOKENS = {"oauth2", "openIdConnect"}


@dataclass(frozen=True, slots=True)
class SentParts:
    """The parts of a request other than its body: headers, and the query string."""

    headers: Mapping[str, str]
    query: str = ""


@dataclass(frozen=True)
class OperationTerms:
    """The effective terms of one operation of a contract: those of the operation itself, else of its path, else of the document."""

    contract: Contract
    operation: Operation

    @cached_property
    def base_urls(self) -> tuple[str, ...]:
        """The URLs of the servers, with the default of each variable and without a slash at the end."""
        document, pointer = self.contract.document, self.operation.pointer
        levels = (_at(document, pointer), _at(document, pointer.rpartition("/")[0]), document)
        servers = next((found for level in levels if (found := level.get("servers"))), ())
        return tuple(_server_url(server) for server in servers if is_object(server))

    @property
    def origins(self) -> tuple[str, ...]:
        """The scheme and host of each server that names one."""
        parts = map(urlsplit, self.base_urls)
        return tuple(f"{one.scheme}://{one.netloc}".lower() for one in parts if one.scheme and one.netloc)

    @property
    def base_paths(self) -> tuple[str, ...]:
        """The path of each server, without a slash at the end."""
        return tuple(urlsplit(url).path.rstrip("/") for url in self.base_urls) or ("",)

    @property
    def full_path(self) -> str:
        """The path of the operation with that of its first server."""
        return f"{self.base_paths[0]}{self.operation.path}"

    @cached_property
    def unsupported_schemes(self) -> tuple[str, ...]:
        """The types of the security schemes that are asked for and that loading dropped, because the version of the document lacks them."""
        published = self.contract.published
        names = dict.fromkeys(name for one in _requirements(published, self.operation) for name in one)
        known, declared = _at(self.contract.document, _SCHEMES), _at(published, _SCHEMES)
        return tuple(str(_member(declared.get(name), "type", name)) for name in names if name not in known)

    @cached_property
    def token_schemes(self) -> tuple[str, ...]:
        """The types of the schemes that end in a token, where every way to be authorized has one; none where a key is enough."""
        schemes = _at(self.contract.document, _SCHEMES)
        ways = [
            [kind for name in way if (kind := _member(schemes.get(name), "type", "")) in _TOKENS]
            for way in _requirements(self.contract.document, self.operation)
        ]
        return tuple(dict.fromkeys(kind for way in ways for kind in way)) if all(ways) else ()

    def accepts_media_type(self, name: str) -> bool:
        """Tell whether a body may be sent as this media type: one that is documented, or any where none is."""
        return not self.operation.request_bodies or self.operation.request_body(name) is not None

    def promises_status(self, status: int) -> bool:
        """Tell whether a success may have this status: one that is documented, or any where no success is documented by its status."""
        responses = self.operation.responses
        return f"{status}" in responses or "2XX" in responses or not any(key.startswith("2") for key in responses)

    def promises_media_type(self, status: int, name: str) -> bool:
        """Tell whether the answer with this status may have this media type: one that is documented, or any where none is."""
        response = self.operation.response(status)
        return response is None or not response.content or response.has_media_type(name)

    @cached_property
    def sent(self) -> SentParts:
        """The parts of a request that meets these terms, with placeholders for the keys and the required parameters."""
        usual = request_target(self.contract, self.operation)
        target, headers = usual.path, dict(usual.headers)
        headers = {"Content-Type": self.operation.json_media_type, **headers}
        target, headers = self.operation.security.authorize(_PLACEHOLDER, target, headers)
        return SentParts(headers, target.partition("?")[2])

    def accepts_keys(self, others: "OperationTerms") -> bool:
        """Tell whether the keys that other terms ask for are enough here. Without any there, a bearer key is assumed."""
        sent = {_plain(place) for place in others.operation.security.preferred}
        alternatives = self.operation.security.alternatives
        return not alternatives or any({*map(_plain, places)} <= sent for places in alternatives)

    def parameter_faults(self, exchange: Exchange, others: "OperationTerms") -> list[Finding]:
        """Return the faults of a recorded request's parameters under these terms, without those that it has under the others too.

        Recordings leave some headers out, so one that the others require as well is taken to be there.
        """
        path = {item.name: "1" for item in self.operation.inputs if item.location == "path"}
        sent = SentParameters.parse(exchange.path.partition("?")[2], exchange.headers.items(), path)
        before = parameter_findings(others.operation.inputs, sent, others.operation.key)
        known = {(fault.id, fault.pointer) for fault in before}
        found = parameter_findings(self.operation.inputs, sent, self.operation.key)
        return [fault for fault in found if (fault.id, fault.pointer) not in known]


def _plain(place: KeyPlace) -> tuple[str, str, str]:
    """Return a place for comparison: header names are the same in any case."""
    name = place.name.lower() if place.location == "header" else place.name
    return place.location, name, place.scheme.lower()


def _server_url(server: Mapping[str, Any]) -> str:
    url = str(server.get("url", ""))
    variables = server.get("variables")
    for name, variable in variables.items() if is_object(variables) else ():
        url = url.replace(f"{{{name}}}", str(_member(variable, "default", "")))
    return url.rstrip("/")


def _member(value: Any, name: str, otherwise: Any) -> Any:
    return value.get(name, otherwise) if is_object(value) else otherwise


def _requirements(document: Mapping[str, Any], operation: Operation) -> list[Mapping[str, Any]]:
    """Return the ways to be authorized for an operation: its own, else those of the whole document."""
    levels = (_at(document, operation.pointer), document)
    required = next((level["security"] for level in levels if is_array(level.get("security"))), ())
    return [*filter(is_object, required)]


def _at(document: Any, pointer: str) -> Mapping[str, Any]:
    try:
        found = resolve_pointer(document, pointer_parts(pointer))
    except LookupError:
        return {}
    return found if is_object(found) else {}

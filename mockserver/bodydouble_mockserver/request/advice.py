"""Findings about what an app sends in vain: properties that the service ignores, and pictures that it cannot fetch or read.

None of them refuses a request.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import pybase64
from bodydouble_spec import (
    Evidence,
    Finding,
    RecordedPicture,
    Severity,
    file_format,
    is_array,
    is_object,
    join_pointer,
    picture_beginning,
    picture_kind,
)
from bodydouble_spec.defects import listed, show
from bodydouble_spec.image_fields import meant_property, request_fields
from bodydouble_spec.schema import SchemaValidator, undocumented_properties

from bodydouble_mockserver.request.mistakes import explain_input

__all__ = ["NOT_AN_IMAGE", "Inputs", "input_findings", "undocumented_findings"]

NOT_AN_IMAGE = "request-input-not-an-image"
"""The finding about an input whose bytes the service may not read as a picture."""

_MAX_FINDINGS = 20
_DATA_URI = re.compile("data:[^,]{0,300};base64,", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
# Schemes of what only the app's own computer or browser has.
_LOCAL_SCHEMES = {
    "file": "a file: URL points to this computer's disk",
    "blob": "a blob: URL exists only in this browser",
    "filesystem": "a filesystem: URL exists only in this browser",
    "content": "a content: URL exists only on this device",
}
# Nearly every input is at a name of the public kind.
_PUBLIC_URL = re.compile(r"https?://(?:[A-Za-z0-9-]+\.)+([A-Za-z]{2,24})(?=[:/?#]|$)")
_LOCAL_DOMAINS = {"arpa", "internal", "lan", "local", "localhost"}
_LOCAL_ENDINGS = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
# Addresses of documentation (RFC 5737, RFC 3849), which stand for public ones.
_DOCUMENTATION = tuple(
    map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"))
)
_TEXT_BYTES = bytes({*range(0x20, 0x7F), *b"\t\r\n"})
# Possessive, since a search that can go back keeps each place of a text of megabytes.
_BASE64 = re.compile(r"(?=.)(?:[A-Za-z0-9+/]{4})*+(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?")
# A shorter text is more likely to be a word or a path than Base64.
_SHORTEST_BASE64 = 30
# Pictures that are drawn here, and of which nothing is known that the service reads them.
_DRAWN_ONLY = {"image/avif": "AVIF", "image/tiff": "TIFF"}
_NOT_DRAWN = {
    "HEIC": ", because Pillow has no decoder for it",
    "SVG": ", because it is a vector graphic",
}
_WHAT_TO_SEND = "send a public http(s) URL, or the picture itself as data:image/png;base64,…"


class Inputs:
    """The place of the input pictures in the bodies of one schema: the property that has them in the contract, and its pointer."""

    __slots__ = ("_name", "is_list", "pointer")

    def __init__(self, validator: SchemaValidator) -> None:
        view = validator.view
        self._name = request_fields(view.property_names).inputs
        self.is_list = self._name is not None and view.property(self._name).types == frozenset({"array"})
        self.pointer = "" if self._name is None else join_pointer("", self._name)

    def value(self, parsed: Any) -> Any:
        """Return the pictures of a body: a list, or what is in its place; None without any."""
        return parsed.get(self._name) if self._name is not None and is_object(parsed) else None

    def holds(self, pointer: str) -> bool:
        """Return whether a pointer leads to the pictures or one of them."""
        return bool(self.pointer) and (pointer == self.pointer or pointer.startswith(f"{self.pointer}/"))


def undocumented_findings(validator: SchemaValidator, parsed: Any, operation: str) -> list[Finding]:
    """Return a warning for each property of a request that the contract does not have, with the one that may be meant."""
    findings: list[Finding] = []
    for pointer, name, documented in undocumented_properties(validator, parsed):
        if len(findings) == _MAX_FINDINGS:
            break
        message = f"the contract has no property {show(name)}, and the service is likely to ignore it"
        value = parsed[name] if not pointer else None
        inside = [key for key in value if key in documented] if is_object(value) else []
        if inside:
            message += f"; its {listed(inside)} belong{'s' if len(inside) == 1 else ''} at the top level of the body"
        else:
            meant = meant_property(name, sorted(documented))
            message += f"; did you mean {meant}?" if meant else ""
        findings.append(
            _warning(
                "request-undocumented-property", join_pointer(pointer, name), message, operation, Evidence.INFERRED
            )
        )
    return findings


def input_findings(
    inputs: Inputs,
    parsed: Any,
    pictures: Mapping[str, RecordedPicture],
    own_hosts: Callable[[], Sequence[str]],
    operation: str,
) -> list[Finding]:
    """Return a warning for each input that the service could not fetch, or that is not a picture.

    ``own_hosts`` returns those of the mock's own pictures, in whose place the service has public ones.
    """
    findings: list[Finding] = []
    value = inputs.value(parsed)
    texts: Sequence[Any] = [value] if isinstance(value, str) else value if is_array(value) else ()
    for index, text in enumerate(texts[:_MAX_FINDINGS]):
        if not isinstance(text, str):
            continue
        public = _PUBLIC_URL.match(text)
        if public is not None and public[1].lower() not in _LOCAL_DOMAINS:
            continue
        picture = pictures.get(text)
        rule = NOT_AN_IMAGE
        if picture is not None:
            reason = _no_picture(picture.words, picture.pixels, picture_beginning(text), picture.other_format)
        elif (encoded := _encoded(text)) is not None:
            reason = _short_picture(text, encoded)
        else:
            rule, reason = "request-input-unreachable", _unreachable(text, own_hosts)
        if reason:
            pointer = f"{inputs.pointer}/{index}" if is_array(value) else inputs.pointer
            findings.append(_warning(rule, pointer, reason, operation))
    return findings


def _warning(rule: str, pointer: str, message: str, operation: str, evidence: Evidence = Evidence.ASSUMED) -> Finding:
    return Finding(rule, Severity.WARNING, evidence, pointer, message, direction="request", operation=operation)


def _encoded(text: str) -> str | None:
    """Return the Base64 of a data URI, or a text that is nothing but Base64; None for any other text."""
    uri = _DATA_URI.match(text)
    if uri is not None:
        return text[uri.end() :]
    return text if _BASE64.fullmatch(text) else None


def _short_picture(text: str, encoded: str) -> str:
    """Return what is wrong with a text that is too short to be recorded as a picture, by its Base64; empty where nothing is."""
    if not _BASE64.fullmatch(encoded):
        return f"{show(text)} is a data URI whose data is cut off or damaged; send the whole picture"
    data = pybase64.b64decode(encoded + "=" * (-len(encoded) % 4))
    kind = picture_kind(data)
    if kind is None and encoded == text and len(text) < _SHORTEST_BASE64:
        return explain_input(text, {}) or ""
    words = f"{show(text)} ({len(data):,} bytes)"
    return _no_picture(words, None if kind is None else kind.pixels, data, file_format(data))


def _no_picture(words: str, pixels: tuple[int, int] | None, beginning: bytes, like: str | None) -> str:
    """Return why the service may not read an input as a picture, by its first bytes, the size in its header and the format that it is like; empty where nothing says so."""
    kind = picture_kind(beginning)
    if kind is not None and pixels is None:
        seen = f"begins like {kind.media_type}, but its header is cut off or damaged"
    elif kind is not None:
        if kind.media_type not in _DRAWN_ONLY:
            return ""
        seen = f"is {_DRAWN_ONLY[kind.media_type]}, which the mock draws"
    elif like is not None:
        seen = f"looks like {like}, which the mock does not draw{_NOT_DRAWN.get(like, '')}"
    elif beginning and beginning.isascii() and not beginning.translate(None, _TEXT_BYTES):
        seen = "is text"
    else:
        seen = "does not begin like a JPEG, PNG, GIF, WebP, BMP, TIFF or AVIF"
    return f"{words} {seen}; there is no evidence that the service accepts it. Send a JPEG, PNG or WebP"


def _unreachable(text: str, own_hosts: Callable[[], Sequence[str]]) -> str:
    scheme = _SCHEME.match(text)
    name = scheme[1].lower() if scheme else ""
    if _DRIVE.match(text):
        return f"{show(text)} is the path of a file on this computer, and the service cannot open it; {_WHAT_TO_SEND}"
    if name in _LOCAL_SCHEMES:
        return f"{_LOCAL_SCHEMES[name]}, and the service cannot fetch it; {_WHAT_TO_SEND}"
    if name not in ("http", "https"):
        return ""
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").rstrip(".").lower()
    except ValueError:
        return ""
    if not host or parts.netloc.rpartition("@")[2].lower() in own_hosts():
        return ""
    where = _local_name(host)
    return f"{show(host)} is {where}, and the service cannot fetch a picture from it; {_WHAT_TO_SEND}" if where else ""


def _local_name(host: str) -> str:
    """Return what a host is that the service cannot reach; empty for any other."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        if host == "localhost" or host.endswith(".localhost"):
            return "this computer"
        is_local = host.endswith(_LOCAL_ENDINGS) or ("." not in host and not host.isdigit())
        return "a name in a local network" if is_local else ""
    mapped = getattr(address, "ipv4_mapped", None)
    address = address if mapped is None else mapped
    if address.is_loopback or address.is_unspecified:
        return "this computer"
    is_public = address.is_global or any(address in network for network in _DOCUMENTATION)
    return "" if is_public else "an address in a private network"

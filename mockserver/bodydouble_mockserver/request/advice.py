"""Findings about what an app sends in vain: properties that the service ignores, and pictures that it cannot fetch or read.

None of them refuses a request.
"""

import ipaddress
import re
import weakref
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from bodydouble_spec import (
    Evidence,
    Finding,
    RecordedPicture,
    Severity,
    decode_picture,
    is_array,
    is_object,
    join_pointer,
    picture_beginning,
    picture_kind,
)
from bodydouble_spec.defects import listed, show
from bodydouble_spec.image_fields import meant_property, request_fields
from bodydouble_spec.schema import SchemaValidator, undocumented_properties

__all__ = ["Inputs", "input_findings", "undocumented_findings"]

_MAX_FINDINGS = 20
_DATA_URI = re.compile("data:[^,]{0,300};base64,", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
# Schemes of what only the app's own computer or browser has.
_LOCAL_SCHEMES = {
    "file": "a file: URL leads to this computer's disk",
    "blob": "a blob: URL lives in this browser only",
    "filesystem": "a filesystem: URL lives in this browser only",
    "content": "a content: URL lives on this device only",
}
# Nearly every input is at a name of the public kind.
_PUBLIC_URL = re.compile(r"https?://(?:[A-Za-z0-9-]+\.)+([A-Za-z]{2,24})(?=[:/?#]|$)")
_LOCAL_DOMAINS = {"arpa", "internal", "lan", "local", "localhost"}
_LOCAL_ENDINGS = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
# Other pictures, by the bytes that they begin with.
_OTHER_KINDS = {
    "AVIF": re.compile(rb"....ftypavi[fs]", re.DOTALL),
    "HEIC": re.compile(rb"....ftyp(?:hei[cmsx]|hev[cx]|mif1|msf1)", re.DOTALL),
    "TIFF": re.compile(rb"II\*\0|MM\0\*"),
    "SVG": re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?(?:<!DOCTYPE svg[^>]*>\s*)?<svg\b", re.DOTALL),
    "HTML": re.compile(rb"\s*<(?:!doctype html|html)\b", re.IGNORECASE),
    "PDF": re.compile(rb"%PDF-"),
    "JSON": re.compile(rb'\s*[\[{]\s*["\[{}\]]'),
}
# Addresses of documentation (RFC 5737, RFC 3849), which stand for public ones.
_DOCUMENTATION = tuple(
    map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"))
)
_TEXT_BYTES = bytes({*range(0x20, 0x7F), *b"\t\r\n"})
_WHAT_TO_SEND = "send a public http(s) URL, or the picture itself as data:image/png;base64,…"


# The pointer of the input pictures of a schema, their property, and whether that is a list; kept, for every request asks.
_PLACES: "weakref.WeakKeyDictionary[SchemaValidator, tuple[str, str | None, bool]]" = weakref.WeakKeyDictionary()


def _place(validator: SchemaValidator) -> tuple[str, str | None, bool]:
    known = _PLACES.get(validator)
    if known is None:
        properties = validator.view.properties
        name = request_fields(properties).inputs
        is_list = name is not None and properties[name].types == frozenset({"array"})
        known = _PLACES[validator] = ("" if name is None else join_pointer("", name), name, is_list)
    return known


class Inputs:
    """The input pictures of a request: texts with their pointers, by the property that has them in the contract."""

    __slots__ = ("is_list", "pointer", "texts")

    def __init__(self, validator: SchemaValidator, parsed: Any) -> None:
        self.pointer, name, self.is_list = _place(validator)
        value = parsed.get(name) if name is not None and is_object(parsed) else None
        texts: list[tuple[str, str]] = [(self.pointer, value)] if isinstance(value, str) else []
        if is_array(value):
            texts += [(f"{self.pointer}/{index}", item) for index, item in enumerate(value) if isinstance(item, str)]
        self.texts = texts

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
            message += f"; its {listed(inside)} belong{'s' if len(inside) == 1 else ''} in the body itself"
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
    inputs: Inputs, pictures: Mapping[str, RecordedPicture], own_hosts: Sequence[str], operation: str
) -> list[Finding]:
    """Return a warning for each input that the service could not fetch, or that is no picture.

    ``own_hosts`` are those of the mock's own pictures, in whose place the service has public ones.
    """
    findings: list[Finding] = []
    for pointer, text in inputs.texts[:_MAX_FINDINGS]:
        public = _PUBLIC_URL.match(text)
        if public is not None and public[1].lower() not in _LOCAL_DOMAINS:
            continue
        picture = pictures.get(text)
        rule = "request-input-not-an-image"
        if picture is not None:
            reason = _no_picture(picture, picture_beginning(text))
        elif _DATA_URI.match(text):
            reason = _cut_picture(text)
        else:
            rule, reason = "request-input-unreachable", _unreachable(text, own_hosts)
        if reason:
            findings.append(_warning(rule, pointer, reason, operation))
    return findings


def _warning(rule: str, pointer: str, message: str, operation: str, evidence: Evidence = Evidence.ASSUMED) -> Finding:
    return Finding(rule, Severity.WARNING, evidence, pointer, message, direction="request", operation=operation)


def _no_picture(picture: RecordedPicture, beginning: bytes) -> str:
    """Return why the bytes of an input are no picture, by their beginning and header; empty where they are one."""
    kind = picture_kind(beginning)
    if kind is not None:
        if picture.pixels is not None:
            return ""
        seen = f"begins like {kind.media_type}, but its header is cut off or damaged"
    else:
        like = next((name for name, begins in _OTHER_KINDS.items() if begins.match(beginning)), None)
        is_text = bool(beginning) and beginning.isascii() and not beginning.translate(None, _TEXT_BYTES)
        seen = f"begins like {like}" if like else "is text" if is_text else "begins like no JPEG, PNG, GIF, WebP or BMP"
    return (
        f"{picture.words} {seen}; there is no evidence that the service reads it as a picture. Send a JPEG, PNG or WebP"
    )


def _cut_picture(text: str) -> str:
    """Return what is wrong with a data URI that is too short for a picture, or no Base64; empty where its header is whole."""
    kind = picture_kind(decode_picture(text))
    if kind is not None and kind.pixels is not None:
        return ""
    return f"{show(text)} is a data URI whose data is cut or damaged, or no picture; send all of the picture"


def _unreachable(text: str, own_hosts: Sequence[str]) -> str:
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
    if not host or parts.netloc.rpartition("@")[2].lower() in own_hosts:
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
        return "a name of a local network only" if is_local else ""
    mapped = getattr(address, "ipv4_mapped", None)
    address = address if mapped is None else mapped
    if address.is_loopback or address.is_unspecified:
        return "this computer"
    is_public = address.is_global or any(address in network for network in _DOCUMENTATION)
    return "" if is_public else "an address of a private network"

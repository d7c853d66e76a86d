"""Check a body that is not JSON: that it is there, that a text can be decoded, and that a file begins as its media type says."""

import codecs
import re
from collections.abc import Iterator

import orjson
from bodydouble_spec import Evidence, Finding, Response, essence, is_json_media_type, picture_kind

from bodydouble_contract_tests.checks.images import normalised
from bodydouble_contract_tests.model import Observation, OperationProfile, deviation

__all__ = ["check_content", "is_file"]

_CHARSET = re.compile(r';\s*charset\s*=\s*"?([\w.:-]+)"?', re.IGNORECASE)
# The first bytes of a file, at an offset, by its media type (IANA registrations and the formats' own standards).
_BEGINNINGS: dict[str, tuple[int, tuple[bytes, ...]]] = {
    "application/pdf": (0, (b"%PDF-",)),
    "application/zip": (0, (b"PK\x03\x04", b"PK\x05\x06")),
    "application/gzip": (0, (b"\x1f\x8b",)),
    "audio/mpeg": (0, (b"ID3", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2", b"\xff\xe3")),
    "audio/wav": (8, (b"WAVE",)),
    "audio/x-wav": (8, (b"WAVE",)),
    "audio/ogg": (0, (b"OggS",)),
    "audio/flac": (0, (b"fLaC",)),
    "video/mp4": (4, (b"ftyp",)),
    "video/webm": (0, (b"\x1aE\xdf\xa3",)),
}
_PICTURES = {"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"}
_TEXTS = ("text/", "application/xml", "application/yaml", "application/x-yaml")
_LINES = {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/jsonlines"}


def is_file(response: Response | None, content_type: str) -> bool:
    """Return whether an answer has a documented body that is not JSON."""
    name = essence(content_type)
    documented = {essence(key) for key in (() if response is None else response.content)}
    is_known = not documented.isdisjoint({name, f"{name.partition('/')[0]}/*", "*/*"})
    return is_known and bool(name) and not is_json_media_type(name)


def check_content(profile: OperationProfile, observation: Observation, response: Response) -> Iterator[Finding]:
    """Yield the first fault of a body that is not JSON."""
    content, name = observation.content, essence(observation.content_type)
    check = "answer-conforms"
    problem: str | None = None
    if profile.operation.method == "HEAD":
        return
    if not content:
        rule, problem = "empty", f"the body is empty; the contract has {name} there"
    elif name.startswith(_TEXTS) or name.endswith("+xml") or name in _LINES:
        rule, problem = "text", _text_problem(content, name, observation.content_type)
        if problem is None and name.startswith("text/"):
            rule, problem = "schema", _schema_problem(response, content, name, observation.content_type)
    else:
        rule, problem = "file", _file_problem(content, name)
    if problem is not None:
        evidence = max(response.evidence, Evidence.DOCUMENTED, key=lambda one: one.rank)
        yield deviation(profile, f"{check}/{rule}", problem, name, content[:20].hex(), evidence=evidence)


def _text_problem(content: bytes, name: str, content_type: str) -> str | None:
    text, charset = _decoded(content, content_type)
    if text is None:
        return f"the body is not text in {charset}"
    if (name.endswith(("/xml", "+xml"))) and not text.lstrip("\ufeff \t\r\n").startswith("<"):
        return "the body is not XML: it does not begin with an element"
    if name in _LINES:
        lines = [line for line in content.splitlines() if line.strip()]
        broken = next((number for number, line in enumerate(lines, 1) if not _is_json(line)), None)
        return None if broken is None else f"line {broken} of the body is not JSON"
    return None


def _decoded(content: bytes, content_type: str) -> tuple[str | None, str]:
    stated = _CHARSET.search(content_type)
    charset = "utf-8" if stated is None else stated[1]
    try:
        return codecs.decode(content, charset), charset
    except (UnicodeDecodeError, LookupError):
        return None, charset


def _schema_problem(response: Response, content: bytes, name: str, content_type: str) -> str | None:
    """Compare a text with its schema, as it is, or as the number or other value that it stands for."""
    validator = next((one for key, one in response.content.items() if essence(key) == name), None)
    text, _ = _decoded(content, content_type)
    if validator is None or text is None or validator.is_valid(text):
        return None
    try:
        is_valid = validator.is_valid(orjson.loads(text))
    except orjson.JSONDecodeError:
        is_valid = False
    return None if is_valid else validator.findings(text)[0].message


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _file_problem(content: bytes, name: str) -> str | None:
    kind = picture_kind(content)
    if normalised(name) in _PICTURES:
        found = "no picture" if kind is None else kind.media_type
        return None if found == normalised(name) else f"the body was sent as {name}, but is {found}"
    offset, beginnings = _BEGINNINGS.get(name, (0, ()))
    if not beginnings or content[offset:].startswith(beginnings):
        return None
    return f"the body was sent as {name}, but does not begin like such a file"

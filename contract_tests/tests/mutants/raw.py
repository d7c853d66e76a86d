"""Servers that take the form of a request, not its content, for a fault, or fail on it."""

import re
from collections.abc import Iterator

import orjson

from contract_tests.tests.mutants.model import Mutant, MutatedCall, members
from contract_tests.tests.mutants.parts import Condition, breaking

__all__ = ["raw_mutants"]

_VALID, _INVALID, _ODD = "valid-accepted", "malformed-refused", "odd-request-survived"


def _type(call: MutatedCall) -> str:
    return call.headers.get("content-type", "")


def _is_broken(call: MutatedCall) -> bool:
    return call.is_known and call.method == "POST" and call.parsed is None and "json" in _type(call)


def _starts(call: MutatedCall) -> bytes:
    return call.raw.lstrip()[:1]


def raw_mutants() -> Iterator[Mutant]:
    """Yield the mutants that show in the treatment of bytes, media types and methods."""
    yield from _refusing_valid()
    yield from _accepting_malformed()
    yield from _broken()
    yield from _methods()


def _refusing_valid() -> Iterator[Mutant]:
    cases: tuple[tuple[str, str, Condition, int], ...] = (
        ("pretty", "a body of several lines is refused", lambda c: b"\n" in c.raw.strip(), 400),
        ("blank-before", "white space before the body is refused", lambda c: c.raw[:1].isspace(), 400),
        ("blank-after", "white space after the body is refused", lambda c: c.raw[-1:].isspace(), 400),
        ("charset", "a charset parameter is refused", lambda c: "charset" in _type(c).lower(), 415),
        ("charset-500", "a charset parameter gives 500", lambda c: "charset" in _type(c).lower(), 500),
        ("type-capitals", "the case of the media type matters", lambda c: "json" in _type(c).lower() and _type(c) != _type(c).lower() and "charset" not in _type(c).lower(), 415),
        ("chunked", "a chunked body is refused", lambda c: "chunked" in c.headers.get("transfer-encoding", ""), 411),
        ("chunked-500", "a chunked body gives 500", lambda c: "chunked" in c.headers.get("transfer-encoding", ""), 500),
        ("escapes", "an escaped letter gives 500", lambda c: rb"\u" in c.raw, 500),
        ("order", "the order of properties matters", lambda c: len(members(c)) > 2 and next(iter(members(c))) != "model", 400),
        ("decimal", "2.0 for 2 is refused", lambda c: isinstance(members(c).get("num_images"), float) and float(members(c)["num_images"]).is_integer(), 400),
    )  # fmt: skip
    for name, claim, concerns, status in cases:
        yield breaking(f"raw-refuses-{name}", claim, _VALID, _valid(concerns), status)


def _valid(concerns: Condition) -> Condition:
    return lambda call: call.asks_validly and call.method == "POST" and concerns(call)


def _accepting_malformed() -> Iterator[Mutant]:
    cases: tuple[tuple[str, str, Condition], ...] = (
        ("empty", "an empty body is accepted", lambda c: not c.raw.strip()),
        ("malformed", "a body that is not JSON is accepted", lambda c: bool(c.raw.strip())),
        ("comma", "a comma at the end is accepted", lambda c: re.search(rb",\s*[}\]]", c.raw) is not None),
        ("quotes", "single quotes are accepted", lambda c: _starts(c) == b"{" and b"'" in c.raw and b'"' not in c.raw),
        ("nan", "NaN is accepted as a number", lambda c: b"NaN" in c.raw),
        ("rest", "text after the body is ignored", lambda c: _prefix_is_json(c.raw)),
        ("truncated", "a body without its end is accepted", lambda c: _starts(c) == b"{" and not c.raw.rstrip().endswith(b"}")),
        ("form", "a form sent as JSON is accepted", lambda c: re.match(rb"\w+=", c.raw) is not None),
    )  # fmt: skip
    for name, claim, concerns in cases:
        yield Mutant(f"raw-accepts-{name}", claim, _INVALID, accepts=_broken_and(concerns))
    yield Mutant(
        "raw-accepts-form-type",
        "a form is accepted",
        _INVALID,
        accepts=lambda c: c.is_known and "form" in _type(c),
    )


def _broken_and(concerns: Condition) -> Condition:
    return lambda call: _is_broken(call) and concerns(call)


def _prefix_is_json(raw: bytes) -> bool:
    end = raw.rfind(b"}")
    for place in [found.end() for found in re.finditer(rb"}", raw)][:40]:
        if place <= end or raw[place:].strip():
            try:
                orjson.loads(raw[:place])
            except orjson.JSONDecodeError:
                continue
            return bool(raw[place:].strip())
    return False


def _broken() -> Iterator[Mutant]:
    cases: tuple[tuple[str, str, str, Condition], ...] = (
        ("malformed", "a body that is not JSON gives 500", _INVALID, lambda c: _is_broken(c) and bool(c.raw.strip())),
        ("empty", "an empty body gives 500", _INVALID, lambda c: _is_broken(c) and not c.raw.strip()),
        ("truncated", "a body without its end gives 500", _INVALID, lambda c: _is_broken(c) and _starts(c) == b"{" and not c.raw.rstrip().endswith(b"}")),
        ("multipart-as-json", "multipart sent as JSON gives 500", _INVALID, lambda c: _is_broken(c) and c.raw.startswith(b"--")),
        ("form", "a form gives 500", _INVALID, lambda c: "urlencoded" in _type(c)),
        ("multipart", "multipart gives 500", _INVALID, lambda c: "multipart" in _type(c)),
        ("duplicates", "a key that appears twice gives 500", _ODD, lambda c: c.asks_validly and len(re.findall(rb'"prompt"\s*:', c.raw)) > 1),
        ("deep", "a body nested deep gives 500", _ODD, lambda c: c.raw.count(b"[") > 100 or c.raw.count(b"{") > 100),
        ("utf-8", "a body that is not UTF-8 gives 500", _ODD, lambda c: _is_other_encoding(c.raw)),
        ("surrogate", "half of a surrogate pair gives 500", _ODD, lambda c: re.search(rb"\\u[dD]8", c.raw) is not None),
        ("no-type", "a body without a media type gives 500", _ODD, lambda c: c.method == "POST" and bool(c.raw) and not _type(c)),
        ("huge-number", "a number of 400 digits gives 500", _ODD, lambda c: re.search(rb"\d{300}", c.raw) is not None),
    )  # fmt: skip
    for name, claim, check, concerns in cases:
        yield breaking(f"raw-breaks-{name}", claim, check, concerns)


def _is_other_encoding(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return True
    return False


def _methods() -> Iterator[Mutant]:
    check = "method-refused"
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        yield breaking(f"method-{method.lower()}-500", f"{method} gives 500", check, _has_method(method))
    for method in ("PUT", "PATCH"):
        yield Mutant(f"method-{method.lower()}-accepted", f"{method} is accepted", check, accepts=_has_method(method))
    yield breaking("method-get-200", "GET gives 200", check, _has_method("GET"), 200)


def _has_method(method: str) -> Condition:
    return lambda call: call.method == method

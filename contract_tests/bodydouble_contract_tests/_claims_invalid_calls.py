"""Calls that break the contract, or Python's idea of an argument: one or two wrong arguments in an otherwise valid call."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

from bodydouble_spec import Contract, Operation, is_array, pointer_parts, resolve_pointer
from hypothesis import strategies as st

from bodydouble_contract_tests._boundary import BoundaryCase, boundary_cases
from bodydouble_contract_tests._choice import choice
from bodydouble_contract_tests._claims_calls import Call, Picture, boundary_calls, calls

__all__ = ["InvalidCall", "invalid_boundary_calls", "invalid_calls"]

_OPTIONAL = ("num_images", "aspect_ratio", "provider")
_URL = Picture("text", "https://example.com/a.png")
# What JSON has no word for, or what is no picture: a contract cannot speak of these.
_BEYOND_JSON: tuple[tuple[str, Any], ...] = (
    ("prompt", b"bytes"),
    ("prompt", "\ud800"),
    ("prompt", object()),
    ("images", None),
    ("images", b"\x89PNG\r\n\x1a\n"),
    ("images", _URL),
    ("images", (b"",)),
    ("images", (b"no picture",)),
    ("images", (_URL, Path("no-such-file.png"))),
    ("images", (_URL, object())),
    ("images", (StringIO("text"),)),
    ("images", ("data:image/png;base64,iVBORw0KGgo\n",)),
    ("aspect_ratio", ["1:1"]),
    ("aspect_ratio", object()),
    ("num_images", True),
    ("num_images", float("nan")),
    ("num_images", 2**70),
    ("provider", "\udfff"),
    ("provider", b"auto"),
    ("extra", ["a"]),
    ("extra", {"model": "another"}),
    ("extra", {"prompt": "another"}),
    ("extra", {1: "a"}),
    ("extra", {"a": float("nan")}),
    ("extra", {"a": float("inf")}),
    ("extra", {"a": {1, 2}}),
    ("extra", {"a": b"bytes"}),
    ("extra", {"a": "\ud800"}),
)


@dataclass(frozen=True, slots=True)
class InvalidCall:
    """A call with one or more wrong arguments, and the names of these."""

    call: Call
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Fault:
    argument: str
    value: Any


def invalid_calls(contract: Contract, operation: Operation | None = None) -> st.SearchStrategy[InvalidCall]:
    """Calls through the client that must not be served.

    Each is one of `calls` with one or two arguments replaced: by the value of an invalid `boundary_cases` case, or by what JSON cannot
    say (bytes for a text, lone surrogates, NaN, files that do not exist). Left out is what is no fault in a call: None means "not sent",
    the model is the client's own, and a URL with spaces or letters outside ASCII is percent-encoded, as a browser does.
    """
    faults = st.lists(choice(_faults(contract, operation)), min_size=1, max_size=2)
    return st.builds(_broken, calls(contract, operation), faults)


def invalid_boundary_calls(contract: Contract, operation: Operation | None = None) -> tuple[InvalidCall, ...]:
    """Each wrong argument of `invalid_calls` alone, in the same plain call: complete, and the same calls every time."""
    plain = boundary_calls(contract, operation)[0]
    return tuple(_broken(plain, [fault]) for fault in _faults(contract, operation))


def _faults(contract: Contract, operation: Operation | None) -> list[_Fault]:
    documented = (_of_case(case) for case in boundary_cases(contract, operation) if not case.valid)
    return [
        *(fault for fault in documented if fault is not None),
        *(_Fault(argument, value) for argument, value in _BEYOND_JSON),
    ]


def _broken(call: Call, faults: Sequence[_Fault]) -> InvalidCall:
    changes: dict[str, Any] = {}
    for fault in faults:
        is_property = isinstance(fault.value, _Property)
        changes[fault.argument] = {fault.value.name: fault.value.value} if is_property else fault.value
    return InvalidCall(replace(call, **changes), tuple(changes))


@dataclass(frozen=True, slots=True)
class _Property:
    """A property that no argument is for: it goes into ``extra``."""

    name: str
    value: Any


def _of_case(case: BoundaryCase) -> _Fault | None:
    """The fault as a wrong argument; None where no call can make it."""
    name = pointer_parts(case.pointer)[0] if case.pointer else ""
    if name in {"", "model"} or case.rule == "missing":
        return None
    value = resolve_pointer(case.body, [name])
    if name == "image_urls":
        if is_array(value):
            value = tuple(Picture("text", item) if isinstance(item, str) else item for item in value)
            if any(isinstance(item, Picture) and _is_mended(item.text) for item in value):
                return None
        return _Fault("images", value)
    if name == "prompt" or (name in _OPTIONAL and value is not None):
        return _Fault(name, value)
    return None if name in _OPTIONAL else _Fault("extra", _Property(name, value))


def _is_mended(text: str) -> bool:
    return text[:8].lower().startswith(("http://", "https://")) and (" " in text or not text.isascii())

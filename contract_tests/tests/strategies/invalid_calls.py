"""Calls of the client that must not be served: with arguments that break the contract, or that JSON cannot express."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

from bodydouble_contract_tests.claims.calls import ClientCall, InputPicture, boundary_calls, calls
from bodydouble_contract_tests.strategies import BoundaryCase, boundary_cases, choice
from bodydouble_spec import Contract, Evidence, Operation, is_array, pointer_parts, resolve_pointer
from hypothesis import strategies as st

__all__ = ["InvalidCall", "invalid_boundary_calls", "invalid_calls"]

_OPTIONAL = ("num_images", "aspect_ratio", "provider")
_URL = InputPicture("text", "https://example.com/a.png")
# Values that JSON cannot express, and pictures that are not pictures: a contract says nothing about these.
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
    """A call with one or more wrong arguments, and the names of these arguments."""

    call: ClientCall
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _WrongArgument:
    argument: str
    value: Any


def invalid_calls(contract: Contract, operation: Operation | None = None) -> st.SearchStrategy[InvalidCall]:
    """Return a strategy for calls of the client that must not be served.

    Each is one of `calls` with one or two arguments replaced, by the value of an invalid `boundary_cases` case or by a value that JSON cannot
    express (bytes for a text, lone surrogates, NaN, files that do not exist). Values that are not wrong in a call are left out: None means
    "not sent", the model is set by the client, and a URL with spaces or non-ASCII letters is percent-encoded, as in a browser.
    """
    wrong_arguments = st.lists(choice(_wrong_arguments(contract, operation)), min_size=1, max_size=2)
    return st.builds(_with_wrong_arguments, calls(contract, operation), wrong_arguments)


def invalid_boundary_calls(contract: Contract, operation: Operation | None = None) -> tuple[InvalidCall, ...]:
    """Return a fixed list of calls with each wrong argument of `invalid_calls` alone, in the same valid call."""
    baseline = boundary_calls(contract, operation)[0]
    return tuple(_with_wrong_arguments(baseline, [wrong]) for wrong in _wrong_arguments(contract, operation))


def _wrong_arguments(contract: Contract, operation: Operation | None) -> list[_WrongArgument]:
    # The mock answers a request that breaks an assumed rule only.
    invalid = (case for case in boundary_cases(contract, operation) if not case.valid)
    documented = (_wrong_argument_of(case) for case in invalid if case.evidence is not Evidence.ASSUMED)
    return [
        *(wrong for wrong in documented if wrong is not None),
        *(_WrongArgument(argument, value) for argument, value in _BEYOND_JSON),
    ]


def _with_wrong_arguments(call: ClientCall, wrong_arguments: Sequence[_WrongArgument]) -> InvalidCall:
    changes: dict[str, Any] = {}
    for wrong in wrong_arguments:
        is_property = isinstance(wrong.value, _ExtraProperty)
        changes[wrong.argument] = {wrong.value.name: wrong.value.value} if is_property else wrong.value
    return InvalidCall(replace(call, **changes), tuple(changes))


@dataclass(frozen=True, slots=True)
class _ExtraProperty:
    """A property without an argument of its own, to be put into ``extra``."""

    name: str
    value: Any


def _wrong_argument_of(case: BoundaryCase) -> _WrongArgument | None:
    """Return the fault of a boundary case as a wrong argument, or None where no call can contain it."""
    name = pointer_parts(case.pointer)[0] if case.pointer else ""
    if name in {"", "model"} or case.rule == "missing":
        return None
    value = resolve_pointer(case.body, [name])
    if name == "image_urls":
        if is_array(value):
            value = tuple(InputPicture("text", item) if isinstance(item, str) else item for item in value)
            if any(isinstance(item, InputPicture) and _is_encoded_by_the_client(item.text) for item in value):
                return None
        return _WrongArgument("images", value)
    if name == "prompt" or (name in _OPTIONAL and value is not None):
        return _WrongArgument(name, value)
    return None if name in _OPTIONAL else _WrongArgument("extra", _ExtraProperty(name, value))


def _is_encoded_by_the_client(text: str) -> bool:
    return text[:8].lower().startswith(("http://", "https://")) and (" " in text or not text.isascii())

"""How an impact is said: in the words of the client's API where the client can say it, else as a request, always by example."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, fields
from typing import Any

from bodydouble_spec import Evidence, Finding, Operation, Severity, is_array, is_object, pointer_parts, resolve_pointer

from bodydouble_contract_tests._alarm import EXECUTED
from bodydouble_contract_tests._claims_calls import Call
from bodydouble_contract_tests._impact_wording import Wording

__all__ = [
    "as_call",
    "as_request",
    "found",
    "listed",
    "named",
    "number_of",
    "reason",
    "shown",
    "spoken",
    "value_at",
    "what",
]

_SHOWN_CHARACTERS = 60
_LISTED = 24
_LONGEST_REQUEST = 20_000
_MISSING = object()
_BOUND = re.compile("-(?:max|min)")


def found(
    rule: str,
    severity: Severity,
    pointer: str,
    message: str,
    operation: Operation | None,
    *,
    direction: str | None = None,
    expected: Any = None,
    got: Any = None,
    request: Any = None,
    evidence: Evidence = Evidence.DOCUMENTED,
    covers: Sequence[Finding] = (),
) -> Finding:
    """A finding that was executed; a request too long to be read is left out of it."""
    return Finding(
        id=rule,
        severity=severity,
        evidence=evidence,
        pointer=pointer,
        message=message,
        expected=expected,
        got=got,
        direction=direction,
        operation=None if operation is None else operation.key,
        request=request if len(repr(request)) <= _LONGEST_REQUEST else None,
        witness=EXECUTED,
        covers=tuple(covers),
    )


def shown(value: Any) -> str:
    """A value as it stands in Python code, shortened when it is long."""
    if isinstance(value, str) and len(value) > _SHOWN_CHARACTERS:
        return f"{value[:_SHOWN_CHARACTERS]!r}… ({len(value):,} characters)"
    if is_array(value) and len(value) > 1:
        return f"[{shown(value[0])}, … {len(value)} items]"
    if is_array(value):
        return f"[{''.join(map(shown, value))}]"
    if is_object(value):
        text = ", ".join(f"{name!r}: {shown(item)}" for name, item in value.items())
        return f"{{{text}}}" if len(text) <= 2 * _SHOWN_CHARACTERS else f"{{… {len(value)} members}}"
    return repr(value)


def named(pointer: str, *, any_index: bool = False) -> str:
    """A place as code writes it: ``image_urls[0]``, or ``data[].url`` for any item."""
    parts = (f"[{'' if any_index else part}]" if part.isdecimal() else f".{part}" for part in pointer_parts(pointer))
    return "".join(parts).removeprefix(".")


def value_at(body: Any, pointer: str, default: Any = None) -> Any:
    """The value at a place of a body; the default when there is none."""
    try:
        return resolve_pointer(body, pointer_parts(pointer))
    except LookupError:
        return default


def what(body: Any, pointer: str) -> str:
    """What is special about a request: ``num_images=1.5``, ``no seed``; ``the whole body`` for no place of its own."""
    if not pointer:
        return "the whole body"
    value = value_at(body, pointer, _MISSING)
    return f"no {named(pointer)}" if value is _MISSING else f"{named(pointer)}={shown(value)}"


def as_request(body: Any, pointer: str) -> str:
    """A request by what is special about it: ``a request with num_images=1.5``."""
    return f"a request with {what(body, pointer)}" if pointer else "a request"


def as_call(wording: Wording, body: Any, pointer: str) -> str:
    """The same as a call of the client: ``edit(aspect_ratio='21:9')``; ``edit(…)`` when something is missing."""
    name = next(iter(pointer_parts(pointer)), None)
    call = wording.call(body)
    if name is None and call is not None:
        return spoken(call)
    if name is None or not is_object(body) or name not in body:
        return "edit(…)"
    if name in wording.constants:
        return f"edit(…), which sends {what(body, pointer)},"
    argument = wording.argument(name)
    value = shown(body[name])
    return f"edit({argument}={value})" if argument is not None else f"edit(extra={{{name!r}: {value}}})"


def spoken(call: Call) -> str:
    """A call with what it says beyond what every call must."""
    optional = (item.name for item in fields(Call) if item.default is not MISSING)
    told = {name: value for name in optional if (value := getattr(call, name)) is not None}
    return f"edit({', '.join(f'{name}={shown(value)}' for name, value in told.items()) or '…'})"


def reason(fault: Finding) -> str:
    """Why something is refused: the allowed values where there are some, else the sentence of the fault."""
    if _BOUND.search(fault.id):
        # The value was told already, and the sentence would tell it again at length.
        return fault.message.rpartition("; ")[2]
    if not fault.id.endswith(("-enum", "-const")):
        return fault.message
    options = fault.expected if is_array(fault.expected) else [fault.expected]
    return f"allowed {'are' if len(options) > 1 else 'is'} {listed(map(shown, options), _LISTED)}"


def listed(texts: Iterable[str], most: int) -> str:
    """Texts with commas between them; beyond ``most`` they are counted."""
    items = [*texts]
    rest = len(items) - most
    return ", ".join(items[:most]) + (f" and {rest} more" if rest > 0 else "")


def number_of(count: int, noun: str) -> str:
    """``1 request``, ``41 requests``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

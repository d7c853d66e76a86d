"""The wording of impact findings: as a call of the client where possible, else as a request, always by example."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, TypedDict, Unpack

from bodydouble_client import EditResult
from bodydouble_spec import Evidence, Finding, Operation, Severity, is_array, is_object, pointer_parts, resolve_pointer

from bodydouble_contract_tests.claims import ClientCall, Harness
from bodydouble_contract_tests.drift import EXECUTED

__all__ = [
    "ArgumentMap",
    "as_code",
    "call_as_code",
    "call_text",
    "counted",
    "impact_finding",
    "joined",
    "observe_arguments",
    "path_text",
    "place_text",
    "reason",
    "request_text",
    "value_at",
]

_PROBE: Mapping[str, Any] = {"prompt": "make it night", "images": ("https://example.com/a.png",)}
_OPTIONAL = {item.name for item in fields(ClientCall) if item.default is not MISSING} - {"extra"}


@dataclass(frozen=True, slots=True)
class ArgumentMap:
    """The client's argument for each required property, and the properties that the client sets itself."""

    required: Mapping[str, str]
    constants: Mapping[str, Any]

    def argument(self, name: str) -> str | None:
        """Return the argument of ``edit`` for a property, or None when it can only go into ``extra``."""
        return self.required.get(name, name if name in _OPTIONAL else None)

    def call(self, body: Any) -> ClientCall | None:
        """Return the call that sends this body, ignoring constants, or None when a required argument is missing."""
        if not is_object(body) or not self.required.keys() <= body.keys():
            return None
        arguments: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for name, value in body.items():
            argument = self.argument(name)
            if argument is not None:
                arguments[argument] = tuple(value) if is_array(value) else value
            elif name not in self.constants:
                extra[name] = value
        return ClientCall(**arguments, extra=extra or None)


def observe_arguments(harness: Harness, operation: Operation) -> ArgumentMap | None:
    """Observe the arguments for an operation, or return None when a simple call of the client goes elsewhere or is refused."""
    record = harness.run(ClientCall(**_PROBE))
    if not isinstance(record.outcome, EditResult) or record.received[-1].path != operation.path:
        return None
    body = json.loads(record.received[-1].body)
    arguments = {json.dumps(value): name for name, value in _PROBE.items()}
    required = {name: arguments[json.dumps(value)] for name, value in body.items() if json.dumps(value) in arguments}
    constants = {name: value for name, value in body.items() if name not in required}
    return ArgumentMap(required, constants) if len(required) == len(_PROBE) else None


_SHOWN_CHARACTERS = 60
_LISTED = 24
_LONGEST_REQUEST = 20_000
_MISSING = object()
_BOUND = re.compile("-(?:max|min)")


class FindingDetails(TypedDict, total=False):
    """The optional fields of an impact finding."""

    direction: str
    expected: Any
    got: Any
    request: Any
    evidence: Evidence
    covers: Sequence[Finding]
    is_executed: bool


def impact_finding(
    rule: str,
    severity: Severity,
    pointer: str,
    message: str,
    operation: Operation | None,
    **details: Unpack[FindingDetails],
) -> Finding:
    """Return a finding whose source is ``executed``, unless ``is_executed`` is false. A request that is too long to read is left out."""
    request = details.get("request")
    return Finding(
        id=rule,
        severity=severity,
        evidence=details.get("evidence", Evidence.DOCUMENTED),
        pointer=pointer,
        message=message,
        expected=details.get("expected"),
        got=details.get("got"),
        direction=details.get("direction"),
        operation=None if operation is None else operation.key,
        request=request if len(repr(request)) <= _LONGEST_REQUEST else None,
        source=EXECUTED if details.get("is_executed", True) else None,
        covers=tuple(details.get("covers", ())),
    )


def as_code(value: Any) -> str:
    """Return a value as Python code, shortened when it is long."""
    if isinstance(value, str) and len(value) > _SHOWN_CHARACTERS:
        return f"{value[:_SHOWN_CHARACTERS]!r}… ({len(value):,} characters)"
    if is_array(value) and len(value) > 1:
        return f"[{as_code(value[0])}, … {len(value)} items]"
    if is_array(value):
        return f"[{''.join(map(as_code, value))}]"
    if is_object(value):
        text = ", ".join(f"{name!r}: {as_code(item)}" for name, item in value.items())
        return f"{{{text}}}" if len(text) <= 2 * _SHOWN_CHARACTERS else f"{{… {len(value)} members}}"
    return repr(value)


def path_text(pointer: str, *, any_index: bool = False) -> str:
    """Return a place as code: ``image_urls[0]``, or ``data[].url`` for any item."""
    parts = (f"[{'' if any_index else part}]" if part.isdecimal() else f".{part}" for part in pointer_parts(pointer))
    return "".join(parts).removeprefix(".")


def value_at(body: Any, pointer: str, default: Any = None) -> Any:
    """Return the value at a place of a body, or the default."""
    try:
        return resolve_pointer(body, pointer_parts(pointer))
    except LookupError:
        return default


def place_text(body: Any, pointer: str) -> str:
    """Describe the special value of a request: ``num_images=1.5``, ``no seed``, or ``the whole body`` without a place."""
    if not pointer:
        return "the whole body"
    value = value_at(body, pointer, _MISSING)
    return f"no {path_text(pointer)}" if value is _MISSING else f"{path_text(pointer)}={as_code(value)}"


def request_text(body: Any, pointer: str) -> str:
    """Describe a request by its special value: ``a request with num_images=1.5``."""
    return f"a request with {place_text(body, pointer)}" if pointer else "a request"


def call_text(argument_map: ArgumentMap, body: Any, pointer: str) -> str:
    """Describe a request as a call of the client: ``edit(aspect_ratio='21:9')``, or ``edit(…)`` when something is missing."""
    name = next(iter(pointer_parts(pointer)), None)
    call = argument_map.call(body)
    if name is None and call is not None:
        return call_as_code(call)
    if name is None or not is_object(body) or name not in body:
        return "edit(…)"
    if name in argument_map.constants:
        return f"edit(…), which sends {place_text(body, pointer)},"
    argument = argument_map.argument(name)
    value = as_code(body[name])
    return f"edit({argument}={value})" if argument is not None else f"edit(extra={{{name!r}: {value}}})"


def call_as_code(call: ClientCall) -> str:
    """Return a call as code, with its optional arguments only."""
    optional = (item.name for item in fields(ClientCall) if item.default is not MISSING)
    arguments = {name: value for name in optional if (value := getattr(call, name)) is not None}
    return f"edit({', '.join(f'{name}={as_code(value)}' for name, value in arguments.items()) or '…'})"


def reason(fault: Finding) -> str:
    """Describe why a value is refused: the allowed values where there is a list, else the message of the fault."""
    if _BOUND.search(fault.id):
        # The value is in the message already, and the fault would repeat it at length.
        return fault.message.rpartition("; ")[2]
    if not fault.id.endswith(("-enum", "-const")):
        return fault.message
    options = fault.expected if is_array(fault.expected) else [fault.expected]
    return f"allowed {'are' if len(options) > 1 else 'is'} {joined(map(as_code, options), _LISTED)}"


def joined(texts: Iterable[str], most: int) -> str:
    """Join texts with commas. Beyond ``most``, the rest is only counted."""
    items = [*texts]
    rest = len(items) - most
    return ", ".join(items[:most]) + (f" and {rest} more" if rest > 0 else "")


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 request``, ``41 requests``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

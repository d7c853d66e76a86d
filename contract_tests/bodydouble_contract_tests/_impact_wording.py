"""The client's arguments for the properties of a request, observed in a request that it sent."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from bodydouble_client import EditResult
from bodydouble_spec import Operation, is_array, is_object

from bodydouble_contract_tests._claims_calls import ClientCall
from bodydouble_contract_tests._claims_stage import Harness

__all__ = ["ArgumentMap", "observe_arguments"]

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

"""In which words the client says a request: which argument became which property, observed in a request that it sent."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from bodydouble_client import EditResult
from bodydouble_spec import Operation, is_array, is_object

from bodydouble_contract_tests._claims_calls import Call
from bodydouble_contract_tests._claims_stage import Stage

__all__ = ["Wording", "observe_wording"]

_PROBE: Mapping[str, Any] = {"prompt": "make it night", "images": ("https://example.com/a.png",)}
_OPTIONAL = {item.name for item in fields(Call) if item.default is not MISSING} - {"extra"}


@dataclass(frozen=True, slots=True)
class Wording:
    """The property behind each argument that every call has, by property, and the properties that the client sets by itself."""

    required: Mapping[str, str]
    constants: Mapping[str, Any]

    def argument(self, name: str) -> str | None:
        """The argument of ``edit`` for a property; None when it has none but ``extra``."""
        return self.required.get(name, name if name in _OPTIONAL else None)

    def call(self, body: Any) -> Call | None:
        """The call that would send this body, whatever its constants; None when an argument is missing for it."""
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
        return Call(**arguments, extra=extra or None)


def observe_wording(stage: Stage, operation: Operation) -> Wording | None:
    """How the client says what this operation takes; None when a plain call of the client goes elsewhere or is refused."""
    encounter = stage.meet(Call(**_PROBE))
    if not isinstance(encounter.outcome, EditResult) or encounter.arrivals[-1].path != operation.path:
        return None
    body = json.loads(encounter.arrivals[-1].body)
    given = {json.dumps(value): name for name, value in _PROBE.items()}
    required = {name: given[json.dumps(value)] for name, value in body.items() if json.dumps(value) in given}
    constants = {name: value for name, value in body.items() if name not in required}
    return Wording(required, constants) if len(required) == len(_PROBE) else None

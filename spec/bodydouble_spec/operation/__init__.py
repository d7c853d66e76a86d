"""Operations of a contract: their bodies, answers, parameters, security and callbacks."""

from bodydouble_spec.operation.callbacks import Callback, read_callbacks
from bodydouble_spec.operation.operation import (
    EVENTS,
    Echo,
    Operation,
    Response,
    essence,
    is_json_media_type,
    is_success,
    operation_of,
    read_operations,
    unusable_schemas,
)
from bodydouble_spec.operation.parameters import Parameter, SentParameters, parameter_findings, undeclared_findings
from bodydouble_spec.operation.security import BEARER, KeyPlace, Security, read_security

__all__ = [
    "BEARER",
    "EVENTS",
    "Callback",
    "Echo",
    "KeyPlace",
    "Operation",
    "Parameter",
    "Response",
    "Security",
    "SentParameters",
    "essence",
    "is_json_media_type",
    "is_success",
    "operation_of",
    "parameter_findings",
    "read_callbacks",
    "read_operations",
    "read_security",
    "undeclared_findings",
    "unusable_schemas",
]

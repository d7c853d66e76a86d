"""The contract of a third party's API: what is promised, how well that is known, and whether a message keeps it."""

from importlib.metadata import version as _version

from bodydouble_spec._contract import Contract
from bodydouble_spec._errors import ContractError, OverlayError, SpecError, UnknownOperation, UnreadableDocument
from bodydouble_spec._finding import Evidence, Finding, Severity, exit_code, worst
from bodydouble_spec._fingerprint import fingerprint
from bodydouble_spec._json import is_array, is_object
from bodydouble_spec._operation import Operation, Response
from bodydouble_spec._overlay import Fact, Overlay
from bodydouble_spec._report import Report, ReportFormat, render
from bodydouble_spec._vendored import provenance

__all__ = [
    "Contract",
    "ContractError",
    "Evidence",
    "Fact",
    "Finding",
    "Operation",
    "Overlay",
    "OverlayError",
    "Report",
    "ReportFormat",
    "Response",
    "Severity",
    "SpecError",
    "UnknownOperation",
    "UnreadableDocument",
    "exit_code",
    "fingerprint",
    "is_array",
    "is_object",
    "provenance",
    "render",
    "worst",
]
__version__ = _version("bodydouble")

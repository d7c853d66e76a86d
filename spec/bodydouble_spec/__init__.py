"""The contract of a third party's API: its promises, the evidence for them, and checks of messages against it."""

from importlib.metadata import version as _version

from bodydouble_spec._contract import Contract
from bodydouble_spec._document import read_document
from bodydouble_spec._errors import ContractError, OverlayError, SpecError, UnknownOperation, UnreadableDocument
from bodydouble_spec._exchange import Exchange, RecordedAnswer
from bodydouble_spec._exchange_body import is_plain_json, record_body, record_value
from bodydouble_spec._exchange_filter import BadFilter, ExchangeFilter, parse_path, parse_status
from bodydouble_spec._exchange_picture import PixelSize, RecordedPicture, decode_picture, restore_pictures
from bodydouble_spec._exchange_read import ExchangeLog, MalformedExchange, parse_exchange, read_exchanges
from bodydouble_spec._finding import Evidence, Finding, Severity, exit_code, worst
from bodydouble_spec._fingerprint import fingerprint
from bodydouble_spec._json import is_array, is_object
from bodydouble_spec._operation import Operation, Response
from bodydouble_spec._overlay import Fact, Overlay
from bodydouble_spec._pointer import join_pointer, pointer_parts, resolve_pointer
from bodydouble_spec._redact import Redactor, credentials, may_hold_key
from bodydouble_spec._report import Report, ReportFormat, render
from bodydouble_spec._vendored import provenance

__all__ = [
    "BadFilter",
    "Contract",
    "ContractError",
    "Evidence",
    "Exchange",
    "ExchangeFilter",
    "ExchangeLog",
    "Fact",
    "Finding",
    "MalformedExchange",
    "Operation",
    "Overlay",
    "OverlayError",
    "PixelSize",
    "RecordedAnswer",
    "RecordedPicture",
    "Redactor",
    "Report",
    "ReportFormat",
    "Response",
    "Severity",
    "SpecError",
    "UnknownOperation",
    "UnreadableDocument",
    "credentials",
    "decode_picture",
    "exit_code",
    "fingerprint",
    "is_array",
    "is_object",
    "is_plain_json",
    "join_pointer",
    "may_hold_key",
    "parse_exchange",
    "parse_path",
    "parse_status",
    "pointer_parts",
    "provenance",
    "read_document",
    "read_exchanges",
    "record_body",
    "record_value",
    "render",
    "resolve_pointer",
    "restore_pictures",
    "worst",
]
__version__ = _version("bodydouble")

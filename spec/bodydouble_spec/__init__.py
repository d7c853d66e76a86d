"""The contract of a third party's API: its promises, the evidence for them, and checks of messages against it."""

from functools import cache
from typing import TYPE_CHECKING, Any

from bodydouble_spec.contract import Contract
from bodydouble_spec.document import Fact, read_document
from bodydouble_spec.errors import ContractError, OverlayError, SpecError, UnknownOperation, UnreadableDocument
from bodydouble_spec.exchange import (
    DUMMY_KEY,
    REDACTED,
    BadFilter,
    Exchange,
    ExchangeFilter,
    ExchangeLog,
    MalformedExchange,
    PlainRedactor,
    ReadBody,
    RecordedAnswer,
    RecordedPicture,
    Redactor,
    credentials,
    decode_picture,
    first_picture,
    has_secret_name,
    is_secret_name,
    may_hold_key,
    parse_exchange,
    parse_path,
    parse_status,
    picture_beginning,
    picture_key,
    read_exchanges,
    record_body,
    record_value,
    refer_to_file,
    refer_to_pictures,
    refer_to_text,
    restore_pictures,
)
from bodydouble_spec.finding import Evidence, Finding, Severity, exit_code, flattened, worst
from bodydouble_spec.operation import (
    BEARER,
    EVENTS,
    Callback,
    KeyPlace,
    Operation,
    Parameter,
    Response,
    Security,
    SentParameters,
    essence,
    is_json_media_type,
    is_success,
    operation_of,
    parameter_findings,
    undeclared_findings,
)
from bodydouble_spec.picture import PictureKind, file_format, picture_kind
from bodydouble_spec.values import is_array, is_object, join_pointer, members_of, pointer_parts, resolve_pointer
from bodydouble_spec.vendored import provenance

if TYPE_CHECKING:
    from bodydouble_spec.document import Overlay
    from bodydouble_spec.meaning import fingerprint
    from bodydouble_spec.report import Report, ReportFormat, render

    __version__: str

__all__ = [
    "BEARER",
    "DUMMY_KEY",
    "EVENTS",
    "REDACTED",
    "BadFilter",
    "Callback",
    "Contract",
    "ContractError",
    "Evidence",
    "Exchange",
    "ExchangeFilter",
    "ExchangeLog",
    "Fact",
    "Finding",
    "KeyPlace",
    "MalformedExchange",
    "Operation",
    "Overlay",
    "OverlayError",
    "Parameter",
    "PictureKind",
    "PlainRedactor",
    "ReadBody",
    "RecordedAnswer",
    "RecordedPicture",
    "Redactor",
    "Report",
    "ReportFormat",
    "Response",
    "Security",
    "SentParameters",
    "Severity",
    "SpecError",
    "UnknownOperation",
    "UnreadableDocument",
    "credentials",
    "decode_picture",
    "essence",
    "exit_code",
    "file_format",
    "fingerprint",
    "first_picture",
    "flattened",
    "has_secret_name",
    "is_array",
    "is_json_media_type",
    "is_object",
    "is_secret_name",
    "is_success",
    "join_pointer",
    "may_hold_key",
    "members_of",
    "operation_of",
    "parameter_findings",
    "parse_exchange",
    "parse_path",
    "parse_status",
    "picture_beginning",
    "picture_key",
    "picture_kind",
    "pointer_parts",
    "provenance",
    "read_document",
    "read_exchanges",
    "record_body",
    "record_value",
    "refer_to_file",
    "refer_to_pictures",
    "refer_to_text",
    "render",
    "resolve_pointer",
    "restore_pictures",
    "undeclared_findings",
    "worst",
]


def __getattr__(name: str) -> Any:
    """Import what a server does without when it is first used, so that it starts sooner."""
    if name == "__version__":
        return _version()
    if name == "fingerprint":
        from bodydouble_spec.meaning import fingerprint

        return fingerprint
    if name == "Overlay":
        from bodydouble_spec.document import Overlay

        return Overlay
    if name in {"Report", "ReportFormat", "render"}:
        from bodydouble_spec import report

        return getattr(report, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@cache
def _version() -> str:
    # Read from a file once: a server tells it with each look at its health.
    from importlib.metadata import version

    return version("bodydouble")

"""The one format for exchanges: reading, recording, filtering and redacting a request with its answer."""

from bodydouble_spec.exchange.exchange import Exchange, RecordedAnswer
from bodydouble_spec.exchange.filters import BadFilter, ExchangeFilter, parse_path, parse_status
from bodydouble_spec.exchange.pictures import (
    RecordedPicture,
    decode_picture,
    first_picture,
    restore_pictures,
)
from bodydouble_spec.exchange.reader import ExchangeLog, MalformedExchange, parse_exchange, read_exchanges
from bodydouble_spec.exchange.recorder import ReadBody, describe_body, has_secret_name, record_body, record_value
from bodydouble_spec.exchange.redaction import (
    DUMMY_KEY,
    REDACTED,
    PlainRedactor,
    Redactor,
    credentials,
    is_secret_name,
    may_hold_key,
)
from bodydouble_spec.exchange.references import (
    picture_beginning,
    picture_key,
    refer_to_file,
    refer_to_pictures,
    refer_to_text,
)

__all__ = [
    "DUMMY_KEY",
    "REDACTED",
    "BadFilter",
    "Exchange",
    "ExchangeFilter",
    "ExchangeLog",
    "MalformedExchange",
    "PlainRedactor",
    "ReadBody",
    "RecordedAnswer",
    "RecordedPicture",
    "Redactor",
    "credentials",
    "decode_picture",
    "describe_body",
    "first_picture",
    "has_secret_name",
    "is_secret_name",
    "may_hold_key",
    "parse_exchange",
    "parse_path",
    "parse_status",
    "picture_beginning",
    "picture_key",
    "read_exchanges",
    "record_body",
    "record_value",
    "refer_to_file",
    "refer_to_pictures",
    "refer_to_text",
    "restore_pictures",
]

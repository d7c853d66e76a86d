"""The one format for exchanges: reading, recording, filtering and redacting a request with its answer."""

from bodydouble_spec.exchange.exchange import Exchange, RecordedAnswer
from bodydouble_spec.exchange.filters import BadFilter, ExchangeFilter, parse_path, parse_status
from bodydouble_spec.exchange.reader import ExchangeLog, MalformedExchange, parse_exchange, read_exchanges
from bodydouble_spec.exchange.recorder import (
    RecordedPicture,
    decode_picture,
    is_plain_json,
    record_body,
    record_value,
    restore_pictures,
)
from bodydouble_spec.exchange.redaction import DUMMY_KEY, REDACTED, Redactor, credentials, is_secret_name, may_hold_key

__all__ = [
    "DUMMY_KEY",
    "REDACTED",
    "BadFilter",
    "Exchange",
    "ExchangeFilter",
    "ExchangeLog",
    "MalformedExchange",
    "RecordedAnswer",
    "RecordedPicture",
    "Redactor",
    "credentials",
    "decode_picture",
    "is_plain_json",
    "is_secret_name",
    "may_hold_key",
    "parse_exchange",
    "parse_path",
    "parse_status",
    "read_exchanges",
    "record_body",
    "record_value",
    "restore_pictures",
]

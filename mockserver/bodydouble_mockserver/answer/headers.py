"""The headers of an answer: those of the vendor, or those that another service's contract declares."""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from bodydouble_spec import Response, is_array
from bodydouble_spec.image_fields import CREDITS_HEADER, USD_HEADER
from bodydouble_spec.schema import SchemaValidator

from bodydouble_mockserver.answer.sample import NoSample, sample
from bodydouble_mockserver.asgi import Headers

__all__ = ["INFERENCE_ID", "REQUEST_ID", "AnswerHeaders"]

REQUEST_ID, INFERENCE_ID = b"x-request-id", b"x-inference-id"
# A usual value of each of the vendor's headers.
_USUAL: Headers = [
    (REQUEST_ID, b"8f14e45f-ceea-467f-a7d4-5c2b0a4e1f11"),
    (INFERENCE_ID, b"8f14e45f-ceea-467f-a7d4-5c2b0a4e1f11"),
    (CREDITS_HEADER.encode(), b"84000"),
    (USD_HEADER.encode(), b"0.042000000"),
]
# OpenAPI ignores a declared Content-Type; the others belong to the connection.
_OF_THE_SERVER = {
    "connection", "content-encoding", "content-length", "content-type", "date", "server", "trailer", "transfer-encoding", "upgrade",
}  # fmt: skip
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


class AnswerHeaders:
    """Chooses the headers of the answers of one response (None: an undocumented one)."""

    def __init__(self, response: Response | None, *, is_vendor: bool) -> None:
        self._response = response
        self._is_vendor = is_vendor

    def fit(self, own: Headers) -> Headers:
        """Return the headers to send, given those of the vendor: without what the contract of another service does not declare, with what is required.

        A value that breaks the declared schema is replaced by a sample of it.
        """
        return own if self._are_usual else [*self._fitted(own)]

    @cached_property
    def _are_usual(self) -> bool:
        return self._is_vendor and not self._required and all(self._allows(*header) for header in _USUAL)

    @property
    def _required(self) -> frozenset[str]:
        names = frozenset() if self._response is None else self._response.required_headers
        return names - _OF_THE_SERVER - {name.decode() for name, _ in _USUAL}

    def _fitted(self, own: Headers) -> Iterator[tuple[bytes, bytes]]:
        declared = {} if self._response is None else self._response.headers
        for name, value in own:
            if self._allows(name, value):
                yield name, value
            elif name.decode() in declared:
                yield from self._sampled(name.decode())
        for required in sorted(self._required):
            yield from self._sampled(required)

    def _allows(self, name: bytes, value: bytes) -> bool:
        declared = {} if self._response is None else self._response.headers
        if name.decode() not in declared:
            return self._is_vendor
        validator = declared[name.decode()]
        return validator is None or any(_keeps(validator, one) for one in _readings(value.decode("latin-1")))

    def _sampled(self, name: str) -> Iterator[tuple[bytes, bytes]]:
        validator = None if self._response is None else self._response.headers[name]
        try:
            text = "text" if validator is None else _as_text(sample(validator))
        except NoSample:
            return
        if _NAME.fullmatch(name) and _VALUE.fullmatch(text):
            yield name.encode(), text.encode()


def _keeps(validator: SchemaValidator, value: Any) -> bool:
    return validator.is_valid(value) and validator.keeps_formats(value)


def _readings(text: str) -> Iterator[Any]:
    """Yield the values that the text of a header may stand for."""
    yield text
    if text.isdigit() and len(text) < 16:
        yield int(text)
    elif re.fullmatch(r"[0-9]{1,15}\.[0-9]{1,15}", text):
        yield float(text)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_array(value):
        return ",".join(map(_as_text, value))
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""

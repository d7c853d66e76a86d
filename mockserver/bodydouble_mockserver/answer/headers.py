"""The headers of an answer: those of the vendor, or those that another service's contract declares."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from bodydouble_spec import Contract, Operation, Response, is_array, is_object
from bodydouble_spec.image_fields import CREDITS_HEADER, USD_HEADER
from bodydouble_spec.schema import SchemaValidator

from bodydouble_mockserver.answer.sample import NoSample, sample
from bodydouble_mockserver.asgi import Headers

__all__ = ["INFERENCE_ID", "REQUEST_ID", "AnswerHeaders", "exposed_headers"]

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


# Headers of directives, limits, pictures and notes, which the service was not seen to send.
_OWN_EXPOSED = ("retry-after", "preference-applied", "etag", "x-bodydouble-note")


def exposed_headers(contracts: Iterable[Contract]) -> Headers:
    """Return the CORS header with the names of the headers that pages may read.

    They are those that the contract says (``x-cors``), or else all that it declares, and the mock's own: a browser shows a page no other.
    """
    names = dict.fromkeys(
        name.lower() for contract in contracts for operation in contract.operations for name in _exposed(operation)
    )
    names |= dict.fromkeys(_OWN_EXPOSED)
    return [(b"access-control-expose-headers", ", ".join(names).encode())]


def _exposed(operation: Operation) -> Iterator[str]:
    stated = operation.extensions.get("x-cors")
    exposed = stated.get("exposed") if is_object(stated) else None
    if is_array(exposed):
        yield from (name for name in exposed if isinstance(name, str) and _NAME.fullmatch(name.lower()))
    else:
        yield from (name for one in operation.responses.values() for name in one.headers if _NAME.fullmatch(name))


class AnswerHeaders:
    """Chooses the headers of the answers of one response (None: an undocumented one)."""

    def __init__(self, response: Response | None, *, is_vendor: bool) -> None:
        self._declared: Mapping[str, SchemaValidator | None] = {} if response is None else response.headers
        required: frozenset[str] = frozenset() if response is None else response.required_headers
        self._required = required - _OF_THE_SERVER
        self._is_vendor = is_vendor

    def fit(self, own: Headers) -> Headers:
        """Return the headers to send, given those of the vendor: without what the contract of another service does not declare, with what is required.

        A value that breaks the declared schema is replaced by a sample of it.
        """
        return own if self._are_usual else [*self._fitted(own)]

    @cached_property
    def _are_usual(self) -> bool:
        others = self._required - {REQUEST_ID.decode()}
        return self._is_vendor and not others and all(self._allows(*header) for header in _USUAL)

    def _fitted(self, own: Headers) -> Iterator[tuple[bytes, bytes]]:
        for name, value in own:
            if self._allows(name, value):
                yield name, value
            elif name.decode() in self._declared:
                yield from self._sampled(name.decode())
        for required in sorted(self._required - {name.decode() for name, _ in own}):
            yield from self._sampled(required)

    def _allows(self, name: bytes, value: bytes) -> bool:
        if name.decode() not in self._declared:
            return self._is_vendor
        validator = self._declared[name.decode()]
        return validator is None or any(_keeps(validator, one) for one in _readings(value.decode("latin-1")))

    def _sampled(self, name: str) -> Iterator[tuple[bytes, bytes]]:
        validator = self._declared[name]
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

"""Refusals by the contract that is served: their status, and their body where the contract has a schema for it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import orjson
from bodydouble_spec import Contract, Operation, Response, is_array, is_object
from bodydouble_spec.schema import SchemaValidator

from bodydouble_mockserver.answer.content import content_of
from bodydouble_mockserver.answer.headers import AnswerHeaders
from bodydouble_mockserver.answer.sample import NoSample, sample
from bodydouble_mockserver.asgi import Answer, reason_phrase, write_json
from bodydouble_mockserver.errors import plain_problem, problem
from bodydouble_mockserver.request import Refusal

__all__ = ["RefusalWriter", "is_of_the_vendor"]

_HOST = "aimlapi.com"
# Where a contract has not the usual status for a refusal, one of these may be meant.
_ALTERNATIVES = {400: (422,), 401: (403,), 403: (402, 429), 404: (400,), 413: (400, 422), 415: (400, 422)}


def is_of_the_vendor(contract: Contract) -> bool:
    """Return whether a contract is one of the vendor's: by the host of its servers, or since the overlay applies to it."""
    servers = contract.document.get("servers")
    urls = [server.get("url") for server in servers if is_object(server)] if is_array(servers) else []
    return bool(contract.facts) or any(isinstance(url, str) and _host(url).endswith(_HOST) for url in urls)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


class RefusalWriter:
    """Writes the error answers of one operation, or of a route without one."""

    def __init__(self, operation: Operation | None, *, is_vendor: bool) -> None:
        self._operation = operation
        self.is_vendor = is_vendor
        self._headers: dict[int, AnswerHeaders] = {}

    def status(self, refusal: Refusal) -> int:
        """Return the status of a refusal: the usual one, unless the contract documents only another one for that case.

        Where the contract documents refusals only, it is one of these: no other answer would keep it.
        """
        if self._operation is None or self._operation.response(refusal.status) is not None:
            return refusal.status
        if not self._operation.documents_success:
            found = sorted(f"{key[0]}00" if key.endswith("XX") else key for key in self._operation.responses)
            return next((int(one) for one in found if "400" <= one <= "599"), refusal.status)
        documented = (one for one in _ALTERNATIVES.get(refusal.status, ()) if self._operation.response(one) is not None)
        return next(documented, refusal.status)

    def write(
        self, status: int, refusal: Refusal, instance: str, request_id: str, now: float, *, legacy: bool = False
    ) -> Answer:
        """Return the error answer: in the envelope of the service where it conforms to the contract, else a sample of the contract's schema.

        ``instance`` is the path, ``now`` seconds since the epoch; ``legacy`` selects the vendor's older envelope.
        """
        answer = self._written(status, refusal, instance, request_id, now, legacy=legacy)
        headers = self._headers.get(status)
        if headers is None:
            response = None if self._operation is None else self._operation.response(status)
            headers = self._headers[status] = AnswerHeaders(response, is_vendor=self.is_vendor)
        answer.headers = headers.fit(answer.headers)
        return answer

    def _written(
        self, status: int, refusal: Refusal, instance: str, request_id: str, now: float, *, legacy: bool
    ) -> Answer:
        if self.is_vendor:
            usual = problem(
                status, instance, request_id, now, message=refusal.message, data=refusal.data, legacy=legacy
            )
        else:
            usual = plain_problem(
                status, instance, request_id, message=refusal.detail or refusal.message, data=refusal.data
            )
        response = None if self._operation is None else self._operation.response(status)
        if response is None or not response.content:
            return usual
        body = orjson.loads(usual.body)
        key = _key_for(usual, response)
        if key is not None and _conforms(response.content[key], body):
            return usual
        for other, validator in response.content.items():
            content = content_of(other)
            if content.is_json:
                conforming = _conforming(validator, body, status)
                if conforming is not None:
                    usual.content_type, usual.body = content.header, write_json(conforming)
                    return usual
        first = content_of(next(iter(response.content)))
        if not first.is_json:
            text = body.get("detail") or body.get("message") or reason_phrase(status)
            usual.content_type, usual.body = first.header, first.encode(text)
        return usual


def _key_for(answer: Answer, response: Response) -> str | None:
    """Return the key of the content that an answer is, by its exact media type."""
    media_type = answer.content_type.decode().partition(";")[0]
    return next((key for key in response.content if key.partition(";")[0].strip().lower() == media_type), None)


def _conforms(validator: SchemaValidator | None, body: Any) -> bool:
    return validator is None or validator.is_valid(body)


def _conforming(validator: SchemaValidator | None, body: dict[str, Any], status: int) -> Any:
    """Return a body that conforms and says what the given one says; None when none is found."""
    if _conforms(validator, body):
        return body
    if validator is None:
        return None
    hints = [*_hints(body, status)]
    for is_refusal in (True, False):
        try:
            return sample(validator, hints, is_refusal=is_refusal)
        except NoSample:
            continue
    return None


def _hints(body: dict[str, Any], status: int) -> Iterator[dict[str, Any]]:
    """Yield the facts of a refusal under the names that error bodies have: first with an object for the error, then with a text."""
    text = body.get("detail") or body.get("message")
    facts = {
        **body,
        **dict.fromkeys(
            ("message", "detail", "description", "error_description", "error_message", "msg", "reason"), text
        ),
        **dict.fromkeys(("status", "code", "statusCode", "status_code", "error_code"), status),
        "title": reason_phrase(status),
        "name": reason_phrase(status),
    }
    texts = {name: str(status) for name in ("status", "code", "statusCode", "status_code", "error_code")}
    known = body.get("error")
    error = {**facts, **(known if is_object(known) else {})}
    yield {**facts, "error": error, "errors": [error], "success": False, "ok": False}
    yield {**texts, "error": text, "errors": [text], "detail": [error]}

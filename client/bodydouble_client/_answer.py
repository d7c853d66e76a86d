"""Turn status, headers and body into a result or an error; any answer gives one of the two.

Four success bodies are known: the contract's ``data`` with ``credits_used``, the documentation page's ``images``, a
transitional one that has both, and one with ``usd_spent``.
"""

import re
from dataclasses import dataclass
from typing import Any

from bodydouble_client import _json
from bodydouble_client._envelope import read_envelope, read_request_id
from bodydouble_client._errors import BodydoubleError, ErrorInAnswer, NoImageError, UnreadableAnswer
from bodydouble_client._failure import error_text, header_text, status_error, transport_error
from bodydouble_client._outcome import AttemptResult
from bodydouble_client._result import EditResult, Image
from bodydouble_client._secret import Secret
from bodydouble_client._text import describe, shorten

__all__ = ["RequestInfo", "read_answer"]

_DECIMAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")
_PICTURE_LISTS = ("data", "images")


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """The facts about a request that are needed to read its answer."""

    url: str
    key: Secret
    num_images: int | None = None
    client_request_id: str | None = None


def read_answer(attempt: AttemptResult, info: RequestInfo, now: float) -> EditResult | BodydoubleError:
    """Return the result, or the error to raise. ``now`` is in seconds since 1970."""
    if attempt.refused and attempt.status_code is not None:
        return status_error(attempt, attempt.status_code, now, info.key)
    if attempt.failure is not None:
        return transport_error(attempt, attempt.failure, info.url, info.key)
    return _read_success(attempt, info)


def _read_success(attempt: AttemptResult, info: RequestInfo) -> EditResult | BodydoubleError:
    body = _json.parse(attempt.body)
    if isinstance(body, _json.NotJson):
        media_type = header_text(attempt, "content-type", info.key)
        reason = f"is not JSON: {body.reason} (content type {media_type}, {len(attempt.body)} bytes)"
        return _answer_error(UnreadableAnswer, reason, attempt, info)
    if not _json.is_object(body):
        return _answer_error(UnreadableAnswer, f"is not a JSON object but {type(body).__name__}", attempt, info)
    if body.get("error"):
        return _answer_error(ErrorInAnswer, f"reports an error: {_message_of(body)}", attempt, info)
    images = _read_images(body)
    if isinstance(images, str):
        return _answer_error(NoImageError, images, attempt, info)
    return _edit_result(body, images, attempt, info)


def _read_images(body: dict[str, Any]) -> tuple[Image, ...] | str:
    """Return the pictures of an answer, or a sentence about the problem with them."""
    name = next((name for name in _PICTURE_LISTS if body.get(name)), None)
    if name is None:
        return f"has no picture: `data` is {_missing_data(body)}{_message_suffix(body)}"
    items = body[name]
    if not _json.is_array(items):
        return f"has no picture: `{name}` is not a list"
    images = [_read_image(item) for item in items]
    for index, image in enumerate(images):
        if image is None:
            return f"has a picture with neither URL nor Base64: {name}[{index}]"
    return tuple(image for image in images if image is not None)


def _read_image(item: object) -> Image | None:
    if not _json.is_object(item):
        return None
    url, b64 = _json.text(item.get("url")), _json.text(item.get("b64_json"))
    return Image(url, b64) if url or b64 else None


def _missing_data(body: dict[str, Any]) -> str:
    if "data" not in body:
        return "missing"
    return "null" if body["data"] is None else "empty"


def _message_suffix(body: dict[str, Any]) -> str:
    return f"; it says {_message_of(body)}" if _json.text(body.get("message")) else ""


def _message_of(body: dict[str, Any]) -> str:
    error = body.get("error")
    inner = error.get("message") if _json.is_object(error) else error
    return shorten(_json.text(inner) or _json.text(body.get("message")) or describe(error), 300)


def _answer_error(
    error_class: type[BodydoubleError], reason: str, attempt: AttemptResult, info: RequestInfo
) -> BodydoubleError:
    key = info.key
    text = f"the answer (status {attempt.status_code}) {reason}. It may have been charged"
    return error_class(
        key.redact(text),
        status_code=attempt.status_code,
        request_id=header_text(attempt, "x-request-id", key),
        body=read_envelope(error_text(attempt, key)).body,
        may_be_charged=True,
    )


def _edit_result(
    body: dict[str, Any], images: tuple[Image, ...], attempt: AttemptResult, info: RequestInfo
) -> EditResult:
    meta = body.get("meta")
    usage_value = meta.get("usage") if _json.is_object(meta) else None
    usage: dict[str, Any] = usage_value if _json.is_object(usage_value) else {}
    credit_values = (
        usage.get("credits_used"),
        usage.get("tokens_used"),
        _read_decimal(attempt, "x-aimlapi-credits-used"),
    )
    cost_values = (usage.get("usd_spent"), _read_decimal(attempt, "x-aimlapi-usd-spent"))
    cost_usd = next((value for value in map(_json.number, cost_values) if value is not None), None)
    return EditResult(
        images=images,
        credits_used=next((value for value in map(_json.number, credit_values) if value is not None), None),
        cost_usd=None if cost_usd is None else float(cost_usd),
        request_id=header_text(attempt, "x-request-id", info.key) or read_request_id(body),
        client_request_id=info.client_request_id,
        description=_json.text(body.get("description")),
        warnings=_count_warnings(len(images), info.num_images),
        raw=body,
    )


def _read_decimal(attempt: AttemptResult, name: str) -> int | float | None:
    value = attempt.headers.get(name, "").strip()
    if not _DECIMAL.fullmatch(value):
        return None
    return float(value) if "." in value else int(value)


def _count_warnings(received: int, requested: int | None) -> tuple[str, ...]:
    if requested is None or received == requested:
        return ()
    return (f"asked for {requested} images, but the answer holds {received}",)

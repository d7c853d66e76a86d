"""Reading an answer: status, headers and bytes in, a result or one of our errors out; nothing else ever comes out.

Four bodies are known: the contract's ``data`` with ``credits_used``, the documentation page's ``images``, a
transitional one that has both, and one with ``usd_spent``.
"""

import re
from dataclasses import dataclass
from typing import Any

from bodydouble_client import _json
from bodydouble_client._envelope import read_envelope, read_request_id
from bodydouble_client._errors import BodydoubleError, ErrorInAnswer, NoImageError, UnreadableAnswer
from bodydouble_client._failure import error_text, fault_error, header_text, status_error
from bodydouble_client._outcome import Outcome
from bodydouble_client._result import EditResult, Image
from bodydouble_client._secret import Secret
from bodydouble_client._text import describe, shorten

__all__ = ["Question", "read_answer"]

_DECIMAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")
_PICTURE_LISTS = ("data", "images")


@dataclass(frozen=True, slots=True)
class Question:
    """What is known about the request when its answer is read."""

    url: str
    key: Secret
    num_images: int | None = None
    client_request_id: str | None = None


def read_answer(outcome: Outcome, question: Question, now: float) -> EditResult | BodydoubleError:
    """The result, or the error to raise. ``now`` is the wall clock in seconds since 1970."""
    if outcome.refused and outcome.status_code is not None:
        return status_error(outcome, outcome.status_code, now, question.key)
    if outcome.fault is not None:
        return fault_error(outcome, outcome.fault, question.url, question.key)
    return _read_success(outcome, question)


def _read_success(outcome: Outcome, question: Question) -> EditResult | BodydoubleError:
    body = _json.parse(outcome.body)
    if isinstance(body, _json.NotJson):
        media_type = header_text(outcome, "content-type", question.key)
        reason = f"is not JSON: {body.reason} (content type {media_type}, {len(outcome.body)} bytes)"
        return _unusable(UnreadableAnswer, reason, outcome, question)
    if not _json.is_object(body):
        return _unusable(UnreadableAnswer, f"is not a JSON object but {type(body).__name__}", outcome, question)
    if body.get("error"):
        return _unusable(ErrorInAnswer, f"reports an error: {_said(body)}", outcome, question)
    images = _images(body)
    if isinstance(images, str):
        return _unusable(NoImageError, images, outcome, question)
    return _result(body, images, outcome, question)


def _images(body: dict[str, Any]) -> tuple[Image, ...] | str:
    """The pictures of an answer, or what is wrong with them."""
    name = next((name for name in _PICTURE_LISTS if body.get(name)), None)
    if name is None:
        return f"holds no picture: `data` is {_absence(body)}{_complaint(body)}"
    items = body[name]
    if not _json.is_array(items):
        return f"holds no picture: `{name}` is not a list"
    images = [_image(item) for item in items]
    for place, image in enumerate(images):
        if image is None:
            return f"holds a picture with neither URL nor Base64: {name}[{place}]"
    return tuple(image for image in images if image is not None)


def _image(item: object) -> Image | None:
    if not _json.is_object(item):
        return None
    url, b64 = _json.text(item.get("url")), _json.text(item.get("b64_json"))
    return Image(url, b64) if url or b64 else None


def _absence(body: dict[str, Any]) -> str:
    if "data" not in body:
        return "missing"
    return "null" if body["data"] is None else "empty"


def _complaint(body: dict[str, Any]) -> str:
    return f"; it says {_said(body)}" if _json.text(body.get("message")) else ""


def _said(body: dict[str, Any]) -> str:
    error = body.get("error")
    inner = error.get("message") if _json.is_object(error) else error
    return shorten(_json.text(inner) or _json.text(body.get("message")) or describe(error), 300)


def _unusable(kind: type[BodydoubleError], reason: str, outcome: Outcome, question: Question) -> BodydoubleError:
    key = question.key
    text = f"the answer (status {outcome.status_code}) {reason}. It may have been charged"
    return kind(
        key.redact(text),
        status_code=outcome.status_code,
        request_id=header_text(outcome, "x-request-id", key),
        body=read_envelope(error_text(outcome, key)).body,
        may_be_charged=True,
    )


def _result(body: dict[str, Any], images: tuple[Image, ...], outcome: Outcome, question: Question) -> EditResult:
    meta = body.get("meta")
    usage_value = meta.get("usage") if _json.is_object(meta) else None
    usage: dict[str, Any] = usage_value if _json.is_object(usage_value) else {}
    used = (usage.get("credits_used"), usage.get("tokens_used"), _decimal(outcome, "x-aimlapi-credits-used"))
    cost = (usage.get("usd_spent"), _decimal(outcome, "x-aimlapi-usd-spent"))
    cost_usd = next((found for found in map(_json.number, cost) if found is not None), None)
    return EditResult(
        images=images,
        credits_used=next((found for found in map(_json.number, used) if found is not None), None),
        cost_usd=None if cost_usd is None else float(cost_usd),
        request_id=header_text(outcome, "x-request-id", question.key) or read_request_id(body),
        client_request_id=question.client_request_id,
        description=_json.text(body.get("description")),
        warnings=_warnings(len(images), question.num_images),
        raw=body,
    )


def _decimal(outcome: Outcome, name: str) -> int | float | None:
    value = outcome.headers.get(name, "").strip()
    if not _DECIMAL.fullmatch(value):
        return None
    return float(value) if "." in value else int(value)


def _warnings(arrived: int, asked: int | None) -> tuple[str, ...]:
    if asked is None or arrived == asked:
        return ()
    return (f"asked for {asked} images, but the answer holds {arrived}",)

"""Comparing what was said with what was read, member by member; each difference is a finding."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from bodydouble_client import MODEL, EditResult
from bodydouble_spec import Evidence, Finding, Operation, Severity, is_array, is_object

from bodydouble_contract_tests._claims_calls import Call
from bodydouble_contract_tests._claims_reading import Reading
from bodydouble_contract_tests._claims_stage import Arrival, Encounter

__all__ = ["differences", "ending", "finding", "kind_of", "of_answer", "of_refusal", "of_result", "shown", "unequal"]

# Each attempt has a name of its own.
_OF_ONE_ATTEMPT = {"client_request_id"}


def differences(call: Call, arrival: Arrival) -> list[Finding]:
    """Where a request says something else than the call."""
    expected = {"model": MODEL, **call.body()}
    body = json.loads(arrival.body)
    texts, pictures = body.pop("image_urls", []), call.images
    expected.pop("image_urls")
    findings = unequal(body, expected, "request-differs-from-call")
    if len(texts) != len(pictures):
        findings.append(
            finding("request-differs-from-call", "pictures are missing", len(pictures), len(texts), "/image_urls")
        )
    return findings + [
        finding("request-differs-from-call", "this is another picture", repr(picture), text, f"/image_urls/{number}")
        for number, (picture, text) in enumerate(zip(pictures, texts, strict=False))
        if not picture.arrives_as(text)
    ]


def of_result(result: EditResult) -> dict[str, Any]:
    """What a result says, as far as the answer says it."""
    told = {name: getattr(result, name) for name in ("raw", "request_id", "credits_used")}
    return {**told, "images": _images(result)}


def _images(result: EditResult) -> list[tuple[str | None, str | None]]:
    return [(image.url, image.b64) for image in result.images]


def of_answer(arrival: Arrival, reading: Reading) -> dict[str, Any]:
    """What `of_result` must be for this answer with pictures."""
    body = reading.body
    meta = body.get("meta")
    usage = meta.get("usage") if is_object(meta) else None
    stated = {name: usage.get(name) if is_object(usage) else None for name in ("credits_used", "tokens_used")}
    used = [
        value for value in (*stated.values(), _header_number(arrival, "x-aimlapi-credits-used")) if _is_amount(value)
    ]
    return {
        "images": list(reading.images),
        "raw": body,
        "request_id": _request_id(arrival, body),
        "credits_used": used[0] if used else None,
    }


def of_refusal(arrival: Arrival, body: Mapping[str, Any]) -> dict[str, Any]:
    """What the attributes of the error must be for an answer that is no success, as far as its body says it."""
    error, message = body.get("error"), body.get("message")
    data = error.get("data") if is_object(error) else None
    return {
        "status_code": arrival.status,
        "issues": tuple(item for item in data if is_object(item)) if is_array(data) else (),
        **({"message": message} if isinstance(message, str) and message.strip() else {}),
    }


def ending(encounter: Encounter) -> dict[str, Any]:
    """All that an app sees of a call's end."""
    outcome = encounter.outcome
    if isinstance(outcome, EditResult):
        told = {item.name: getattr(outcome, item.name) for item in fields(EditResult)} | {"images": _images(outcome)}
    else:
        told = vars(outcome)
    downloads = [item if isinstance(item, bytes) else kind_of(item) for item in encounter.downloads]
    kind = "a result" if isinstance(outcome, EditResult) else kind_of(outcome)
    named = {name: value for name, value in told.items() if name not in _OF_ONE_ATTEMPT}
    return {"kind": kind, "downloads": downloads, **named}


def _request_id(arrival: Arrival, body: Mapping[str, Any]) -> str | None:
    return arrival.answer_headers.get("x-request-id") or body.get("requestId")


def _header_number(arrival: Arrival, name: str) -> int | None:
    text = arrival.answer_headers.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 16 else None


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e300


def unequal(got: Mapping[str, Any], expected: Mapping[str, Any], rule: str) -> list[Finding]:
    """A finding for each member that one of them lacks or that differs."""
    return [
        finding(rule, f"{name} differs", expected.get(name), got.get(name), f"/{name}")
        for name in {**expected, **got}
        if (name in got) != (name in expected) or got[name] != expected[name]
    ]


def kind_of(value: object) -> str:
    """The name of a value's type."""
    return type(value).__name__


def shown(data: bytes) -> str:
    """The beginning of a body, to be put into a finding."""
    return data[:2000].decode("utf-8", "replace")


def finding(
    rule: str,
    message: str,
    expected: Any = None,
    got: Any = None,
    pointer: str = "",
    *,
    request: Any = None,
    operation: Operation | None = None,
) -> Finding:
    """A claim that does not hold."""
    key = None if operation is None else operation.key
    return Finding(
        rule, Severity.ERROR, Evidence.DOCUMENTED, pointer, message, expected, got, operation=key, request=request
    )

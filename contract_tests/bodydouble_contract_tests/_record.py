"""Convert a call of a verification to an exchange of the common format, and back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

import orjson
from bodydouble_spec import (
    Evidence,
    Exchange,
    Finding,
    RecordedAnswer,
    Redactor,
    Severity,
    is_array,
    is_object,
    record_body,
)

from bodydouble_contract_tests._case import Case, Credential, ExpectedOutcome
from bodydouble_contract_tests._charge import NO_CHARGE, Charge
from bodydouble_contract_tests._observation import FetchedPicture, Observation, Trouble

__all__ = ["MEMBER", "CallState", "Entry", "entry_of", "finding_of", "json_bytes", "observation_of", "to_exchange"]

MEMBER = "verify"


class CallState(StrEnum):
    """The progress of a call. The last line with an id counts.

    ``reserved``: money is set aside, and the call is about to be sent. ``released``: the call had no effect and cost nothing (429, no connection).
    ``answered``: it was carried out, as far as can be known. ``checked``: its pictures were checked, and its findings are recorded.
    """

    RESERVED = "reserved"
    RELEASED = "released"
    ANSWERED = "answered"
    CHECKED = "checked"


@dataclass(frozen=True, slots=True)
class Entry:
    """The record of one call, apart from request and answer. ``run_identity`` names contract, plan and target of the run."""

    id: str
    time: str
    state: CallState
    case: str
    check: str
    number: int = 0
    repeats: int = 1
    credential: Credential = Credential.KEY
    expectation: ExpectedOutcome = ExpectedOutcome.ACCEPTED
    reserved_usd: float = 0.0
    charge: Charge = NO_CHARGE
    expires: str = ""
    run_identity: Mapping[str, str] = field(default_factory=dict[str, str])


def to_exchange(
    entry: Entry,
    method: str,
    path: str,
    key: str | None,
    observation: Observation,
    findings: tuple[Finding, ...],
    redactor: Redactor,
) -> Exchange:
    """Return the exchange to write. ``observation`` and ``findings`` are redacted already, ``key`` is a hash."""
    body, raw = record_body(observation.sent, redactor)
    answer = None
    if observation.status is not None:
        answer_body, answer_raw = record_body(observation.content, redactor)
        answer = RecordedAnswer(observation.status, observation.headers, answer_body, answer_raw)
    details = {
        **asdict(entry),
        "trouble": observation.trouble,
        "detail": observation.detail,
        "pictures": [_picture_dict(picture) for picture in observation.pictures],
    }
    del details["id"], details["time"]
    return Exchange(
        id=entry.id,
        time=entry.time,
        method=method,
        path=path,
        operation=f"{method} {path}",
        key=key,
        headers={"content-type": "application/json"} if observation.sent else {},
        body=body,
        raw=raw,
        findings=tuple(finding.to_dict() for finding in findings),
        answer=answer,
        duration_s=round(observation.elapsed_s, 6),
        extra={MEMBER: details},
    )


def entry_of(exchange: Exchange) -> Entry | None:
    """Return the record of a call from its exchange; None for an exchange from another source, or with wrong members."""
    details = exchange.extra.get(MEMBER)
    if not is_object(details):
        return None
    try:
        charge = details["charge"]
        return Entry(
            exchange.id,
            exchange.time,
            CallState(details["state"]),
            str(details["case"]),
            str(details["check"]),
            int(details["number"]),
            int(details["repeats"]),
            Credential(details["credential"]),
            ExpectedOutcome(details["expectation"]),
            float(details["reserved_usd"]),
            Charge(int(charge["images"]), float(charge["credits"]), float(charge["usd"])),
            str(details["expires"]),
            {str(name): str(value) for name, value in dict(details["run_identity"]).items()},
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def observation_of(exchange: Exchange, case: Case, number: int = 0) -> Observation:
    """Return the observation of a recorded call, for another check: with the descriptions of its pictures, without their bytes."""
    details = exchange.extra.get(MEMBER)
    known: Mapping[str, Any] = details if is_object(details) else {}
    answer = exchange.answer
    trouble = known.get("trouble")
    pictures = known.get("pictures")
    return Observation(
        case,
        b"" if exchange.body is None else json_bytes(exchange.body),
        exchange.status,
        {} if answer is None else {name.lower(): value for name, value in answer.headers.items()},
        b"" if answer is None else _content(answer),
        exchange.duration_s or 0.0,
        number,
        next((item for item in Trouble if item == trouble), None),
        str(known.get("detail", "")),
        tuple(_picture_of(item) for item in (pictures if is_array(pictures) else ()) if is_object(item)),
    )


def finding_of(value: Mapping[str, Any]) -> Finding | None:
    """Return the finding with these members, as `Finding.to_dict` writes them; None when they are not valid."""
    try:
        covers = [finding_of(item) for item in value.get("covers", ())]
        return Finding(
            id=str(value["id"]),
            severity=Severity(value["severity"]),
            evidence=Evidence(value["evidence"]),
            pointer=str(value["pointer"]),
            message=str(value["message"]),
            covers=tuple(item for item in covers if item is not None),
            **{
                name: value.get(name)
                for name in ("expected", "got", "repaired", "direction", "operation", "request", "source", "witness")
            },
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def json_bytes(body: Any) -> bytes:
    """Return a JSON value as bytes, also with texts that UTF-8 cannot hold (lone surrogates) and numbers beyond 64 bits."""
    try:
        return orjson.dumps(body)
    except TypeError:
        import json  # slower, and needed for unusual bodies only

        return json.dumps(body).encode()


def _content(answer: RecordedAnswer) -> bytes:
    if answer.raw is not None:
        return str(answer.raw.get("text", "")).encode("utf-8", "replace")
    return b"" if answer.body is None else json_bytes(answer.body)


def _picture_dict(picture: FetchedPicture) -> dict[str, Any]:
    values = asdict(replace(picture, content=b""))
    return {name: value for name, value in values.items() if name != "content"} | {"bytes": len(picture.content)}


def _picture_of(value: Mapping[str, Any]) -> FetchedPicture:
    status, kind, problem, pixels = (value.get(name) for name in ("status", "format", "problem", "pixels"))
    sides = [side for side in pixels if type(side) is int] if is_array(pixels) else []
    return FetchedPicture(
        str(value.get("pointer", "")),
        str(value.get("source", "")),
        status if type(status) is int else None,
        str(value.get("media_type", "")),
        kind if isinstance(kind, str) else None,
        (sides[0], sides[1]) if len(sides) == 2 else None,
        b"",
        problem if isinstance(problem, str) else None,
    )

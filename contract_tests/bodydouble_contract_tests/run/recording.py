"""Convert a call of a verification to an exchange of the common format, and back."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
from bodydouble_spec import (
    Exchange,
    Finding,
    RecordedAnswer,
    Redactor,
    is_array,
    is_object,
    is_success,
    read_exchanges,
    record_body,
)
from bodydouble_spec.recording import LineFile, latest

from bodydouble_contract_tests.errors import CannotVerify
from bodydouble_contract_tests.model import Case, Credential, ExpectedOutcome, FetchedPicture, Observation, Trouble
from bodydouble_contract_tests.run.charges import NO_CHARGE, Charge

__all__ = [
    "CallState",
    "Entry",
    "RecordedRun",
    "Recorder",
    "entry_of",
    "json_bytes",
    "observation_of",
    "read_recorded_run",
    "to_exchange",
]

MEMBER = "verify"


class CallState(StrEnum):
    """The progress of a call. The last line with an id counts.

    ``reserved``: money is set aside, and the call is about to be sent. ``released``: the call had no effect and cost nothing (429, no connection, no credits).
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
    return {name: value for name, value in values.items() if name not in {"content", "headers"}} | {
        "bytes": len(picture.content)
    }


def _picture_of(value: Mapping[str, Any]) -> FetchedPicture:
    names = ("status", "format", "problem", "damage", "pixels")
    status, kind, problem, damage, pixels = (value.get(name) for name in names)
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
        damage if isinstance(damage, str) else None,
    )


class Recorder:
    """Append exchanges to a file. `write` returns when the operating system has the exchange, or the disk when money depends on it.

    An incomplete last line, which a killed process left, is removed. Raises CannotVerify when the file cannot be opened, when another process
    writes it (where files can be locked), and when it is not empty although the run ``is_new``.
    """

    def __init__(self, path: Path, *, is_new: bool) -> None:
        try:
            self._lines = LineFile(path)
        except OSError as error:
            raise CannotVerify(f"{path}: {error.strerror or error}; name a file that can be written") from None
        try:
            self._lines.lock()
            is_taken = is_new and not self._lines.is_empty
            if not is_taken:
                self._lines.mend()
        except BlockingIOError:
            self.close()
            raise CannotVerify(
                f"{path}: another process is making this run, and both would pay for its calls; wait until it ends, or name another file"
            ) from None
        except OSError as error:
            self.close()
            raise CannotVerify(f"{path}: {error.strerror or error}; name a regular file") from None
        if is_taken:
            self.close()
            raise CannotVerify(f"{path} already contains a recording; resume that run, or name another file")

    def write(self, exchange: Exchange, *, is_money: bool = False) -> None:
        """Append one exchange, with ``is_money`` to be on the disk when this returns. Raises OSError when it cannot be written."""
        self._lines.append(exchange.to_line())
        if is_money:
            self._lines.sync()

    def close(self) -> None:
        """Close the file; may be called again."""
        self._lines.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call of an earlier run: its entry and its exchange."""

    entry: Entry
    exchange: Exchange

    @property
    def is_lost(self) -> bool:
        """True when the run ended while the call was being made, so that its outcome is unknown."""
        return self.entry.state is CallState.RESERVED

    def observation(self, case: Case) -> Observation:
        """Return the observation of the call; see `observation_of`."""
        return observation_of(self.exchange, case, self.entry.number)

    @property
    def is_unpaid_failure(self) -> bool:
        """True when the call had to be carried out, was not, and said that it cost nothing: it can be made again."""
        is_due = self.entry.expectation in {ExpectedOutcome.ACCEPTED, ExpectedOutcome.SURVIVED}
        status = self.exchange.status
        is_refused = status is not None and not is_success(status)
        is_known = self.entry.state in {CallState.ANSWERED, CallState.CHECKED}
        return is_known and is_due and is_refused and self.entry.charge == NO_CHARGE

    def findings(self) -> list[Finding]:
        """Return the findings of the call, if it was checked, without those that another program has made unreadable."""
        findings: list[Finding] = []
        for item in self.exchange.findings:
            with suppress(ValueError):
                findings.append(Finding.from_dict(item))
        return findings


class RecordedRun:
    """The calls of earlier runs, by case and repetition. ``charge`` are their charges; a lost call counts with its highest possible price."""

    def __init__(
        self, calls: Mapping[tuple[str, int], RecordedCall], requests: int = 0, charge: Charge = NO_CHARGE
    ) -> None:
        self._calls = calls
        self.requests = requests
        self.charge = charge

    def get(self, case: Case, number: int) -> RecordedCall | None:
        """Return the recorded call, which may be a lost one; None when it is still to be made."""
        return self._calls.get((case.id, number))

    @property
    def lost(self) -> list[Entry]:
        """The calls whose outcome is unknown."""
        return [item.entry for item in self._calls.values() if item.is_lost]


def read_recorded_run(path: Path, run_identity: Mapping[str, str]) -> RecordedRun:
    """Read a recording of the run that ``run_identity`` names.

    Raises CannotVerify when a part of it cannot be read, or when it was made with another contract, plan or target.
    """
    try:
        log = read_exchanges(path)
    except OSError as error:
        raise CannotVerify(f"{path}: {error.strerror or error}; name a recording to resume") from None
    unreadable = [finding for finding in log.findings if finding.id != "exchange-torn"]
    if unreadable:
        raise CannotVerify(f"{path}: {unreadable[0].message}; that call may have cost money, so start a new recording")
    calls: dict[tuple[str, int], RecordedCall] = {}
    requests, charge = 0, NO_CHARGE
    for exchange in latest(log.exchanges):
        entry = entry_of(exchange)
        if entry is None:
            raise CannotVerify(
                f"{path}: {exchange.id} is not a call of a verification; name a recording that `bodydouble verify` made"
            )
        changed = [name for name, value in run_identity.items() if entry.run_identity.get(name) != value]
        if changed:
            raise CannotVerify(
                f"{path} was recorded with another {' and another '.join(changed)}; "
                "use the same ones to resume it, or start a new recording"
            )
        requests += 1
        charge += entry.charge
        known = calls.get((entry.case, entry.number))
        # A call that failed unpaid may have been made again.
        if entry.state is not CallState.RELEASED and (known is None or known.is_unpaid_failure):
            calls[entry.case, entry.number] = RecordedCall(entry, exchange)
    return RecordedRun(calls, requests, charge)

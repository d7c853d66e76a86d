"""One call after the other: paid for, waited for, written down."""

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from bodydouble_spec import Finding

from bodydouble_contract_tests._budget import Budget
from bodydouble_contract_tests._case import Case, Credential
from bodydouble_contract_tests._charge import NO_CHARGE, Charge, charge_of, worst_images
from bodydouble_contract_tests._keeping import Keeper, parsed
from bodydouble_contract_tests._observation import Observation, Trouble
from bodydouble_contract_tests._progress import Progress
from bodydouble_contract_tests._record import Entry, State, to_exchange
from bodydouble_contract_tests._recording import Past, Recorder
from bodydouble_contract_tests._subject import Subject
from bodydouble_contract_tests._target import WRONG_KEY, Received, Target
from bodydouble_contract_tests._waiting import Patience, retry_after_s

__all__ = ["EXPIRES_DAYS", "Call", "Caller", "NoMoney", "Stopped", "Watch", "json_bytes", "sent_bytes"]

EXPIRES_DAYS = 90
_RECONNECT_S = 1.0


class Stopped(Exception):
    """The run cannot go on; the text says why and what to do."""


class NoMoney(Exception):
    """The price of a call does not fit into what is left of the budget; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was made: how it is recorded, and what came of it, without pictures as yet."""

    entry: Entry
    observation: Observation


@dataclass(slots=True)
class Watch:
    """The clock of a run (seconds since the epoch), its way to wait, and who watches it."""

    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    on_event: Callable[[Progress], None] | None = None
    total: int = 0
    findings: int = 0


class Caller:
    """Makes the calls of one run. ``requests`` counts them, ``charge`` is what they cost; both begin where earlier runs ended."""

    def __init__(
        self,
        subject: Subject,
        target: Target,
        keeper: Keeper,
        watch: Watch,
        *,
        budget: Budget | None,
        patience: Patience,
        recorder: Recorder | None,
        past: Past,
        identity: Mapping[str, str],
    ) -> None:
        self._subject = subject
        self._target = target
        self._keeper = keeper
        self._watch = watch
        self._budget = budget
        self._patience = patience
        self._recorder = recorder
        self._identity = identity
        self._run = secrets.token_hex(4)
        self._salt = secrets.token_bytes(8)
        self._written = 0
        self._was_reached = past.requests > 0
        self.requests = past.requests
        self.charge = past.charge

    def call(self, case: Case, number: int = 0) -> Call:
        """Make one call, as often as the server asks for patience. Raises Stopped, and NoMoney when its price does not fit."""
        is_second = False
        while True:
            call, received = self._once(case, number)
            if received.trouble is Trouble.UNREACHABLE:
                self._reconnect(case, received, is_second=is_second)
                is_second = True
                continue
            self._was_reached = True
            if received.status == 429 and case.credential is Credential.KEY:
                self._wait(case, received)
                continue
            if _is_out_of_credits(case, received):
                raise Stopped(
                    "the server says that the account has run out of credits (403); top it up and go on (resume)"
                )
            return call

    def judged(self, call: Call, observation: Observation, findings: list[Finding]) -> None:
        """Write a call down once its pictures were looked at. Raises Stopped when the recording cannot be written."""
        self._write(replace(call.entry, state=State.JUDGED), observation, tuple(findings))

    def _once(self, case: Case, number: int) -> tuple[Call, Received]:
        sent = sent_bytes(self._subject, case)
        reservation = None
        if self._budget is not None:
            reservation = self._budget.reserve(worst_images(case))
            if reservation is None:
                raise NoMoney
        self._say(case)
        entry = self._entry(case, number, 0.0 if reservation is None else reservation.usd)
        if entry.reserved_usd:
            self._write(entry, Observation(case, sent, None, number=number), (), is_money=True)
        charge = entry.charge
        try:
            received = self._target.send(
                self._subject.operation.method, self._subject.operation.path, sent, case.credential
            )
            charge = NO_CHARGE
            if self._budget is not None:
                answer = parsed(received.content)
                charge = charge_of(self._subject, case, received, answer, self._budget.usd_per_image)
        finally:
            # Whatever ended the call, what it may have cost counts.
            self.requests += 1
            self.charge = Charge(
                self.charge.images + charge.images, self.charge.credits + charge.credits, self.charge.usd + charge.usd
            )
            if self._budget is not None and reservation is not None:
                self._budget.settle(reservation, charge.usd)
        is_void = (
            received.trouble is Trouble.UNREACHABLE or received.status == 429 or _is_out_of_credits(case, received)
        )
        entry = replace(entry, state=State.RELEASED if is_void else State.ANSWERED, charge=charge)
        observation = Observation(
            case,
            sent,
            received.status,
            received.headers,
            received.content,
            received.elapsed_s,
            number,
            received.trouble,
            received.detail,
        )
        if is_void or entry.reserved_usd:
            kept = self._keeper.observation(observation)
            self._write(entry, kept, (), is_money=bool(entry.reserved_usd))
        return Call(entry, observation), received

    def _entry(self, case: Case, number: int, reserved_usd: float) -> Entry:
        started = datetime.fromtimestamp(self._watch.clock(), UTC)
        self._written += 1
        worst = NO_CHARGE
        if reserved_usd:
            images = worst_images(case)
            worst = Charge(images, images * (self._subject.credits or 0), reserved_usd)
        return Entry(
            f"{self._run}-{self._written}",
            _iso(started),
            State.RESERVED,
            case.id,
            case.check,
            number,
            case.repeats,
            case.credential,
            case.expectation,
            reserved_usd,
            worst,
            _iso(started + timedelta(days=EXPIRES_DAYS)),
            self._identity,
        )

    def _write(self, entry: Entry, kept: Observation, findings: tuple[Finding, ...], *, is_money: bool = False) -> None:
        if self._recorder is None:
            return
        operation = self._subject.operation
        key = {Credential.KEY: self._target.api_key, Credential.WRONG: WRONG_KEY, Credential.NONE: None}[
            entry.credential
        ]
        hashed = None if key is None else hashlib.sha256(self._salt + key.encode()).hexdigest()[:8]
        exchange = to_exchange(entry, operation.method, operation.path, hashed, kept, findings, self._keeper.redactor)
        try:
            self._recorder.write(exchange, is_money=is_money)
        except OSError as error:
            reason = error.strerror or "input or output error"
            raise Stopped(f"the recording cannot be written: {reason}; make room and go on (resume)") from None

    def _reconnect(self, case: Case, received: Received, *, is_second: bool) -> None:
        reason = self._keeper.text(received.detail)
        if not self._was_reached:
            raise Stopped(
                f"{self._keeper.text(self._target.base)} cannot be reached: {reason}; check the address, and that it is up"
            )
        if is_second:
            raise Stopped(f"the server cannot be reached any more: {reason}; what was done so far is kept")
        self._say(case, _RECONNECT_S)
        self._watch.sleep(_RECONNECT_S)

    def _wait(self, case: Case, received: Received) -> None:
        seconds = retry_after_s(received.headers, self._watch.clock())
        if not self._patience.take(seconds):
            raise Stopped(
                f"the server limits the rate of calls (429) and asks to wait {seconds:g} s, of which {self._patience.left_s:g} s "
                "are left; go on later (resume), or wait longer (max_wait_s)"
            )
        self._say(case, seconds)
        self._watch.sleep(seconds)

    def _say(self, case: Case, waiting_s: float = 0.0) -> None:
        watch, budget = self._watch, self._budget
        if watch.on_event is not None:
            spent, left = (None, None) if budget is None else (budget.spent_usd, budget.left_usd)
            watch.on_event(Progress(case.id, self.requests, watch.total, spent, left, waiting_s, watch.findings))


def sent_bytes(subject: Subject, case: Case) -> bytes:
    """The body of a case as it is sent; empty where the operation takes none."""
    return b"" if subject.operation.request is None else json_bytes(case.body)


def json_bytes(body: Any) -> bytes:
    """A JSON value as it is sent; what UTF-8 cannot hold (lone surrogates) and numbers beyond 64 bits are written too."""
    try:
        return orjson.dumps(body)
    except TypeError:
        import json  # slower, and wanted for the oddest bodies only

        return json.dumps(body).encode()


def _is_out_of_credits(case: Case, received: Received) -> bool:
    return received.status == 403 and case.credential is Credential.KEY and b"credit" in received.content.lower()


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

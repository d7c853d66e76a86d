"""Make the calls of a run one after the other: pay for them, wait for them, record them."""

import hashlib
import math
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import count

from bodydouble_spec import Finding, is_object

from bodydouble_contract_tests.model import (
    Case,
    Credential,
    ExpectedOutcome,
    Observation,
    OperationProfile,
    Progress,
    RequestForm,
    Trouble,
)
from bodydouble_contract_tests.run.beginning import beginning_of_answer
from bodydouble_contract_tests.run.charges import NO_CHARGE, Charge, charge_of, worst_images
from bodydouble_contract_tests.run.recording import CallState, Entry, RecordedRun, Recorder, json_bytes, to_exchange
from bodydouble_contract_tests.run.redaction import Redaction, parsed
from bodydouble_contract_tests.spending import Budget
from bodydouble_contract_tests.target import Received, RunLimits, Target, changed_key

__all__ = [
    "EXPIRES_DAYS",
    "AccountRefused",
    "BudgetExceeded",
    "Caller",
    "RunContext",
    "RunStopped",
    "SentCase",
    "WaitBudget",
    "form_headers",
    "retry_after_s",
    "sent_bytes",
]

_USUAL_S = 10.0
# Without this a Retry-After of 0 could repeat a call forever.
_SHORTEST_S = 1.0


def retry_after_s(headers: Mapping[str, str], now: float) -> float:
    """Return the seconds to wait by the Retry-After header (seconds, or an HTTP date), at least 1; 10 where it cannot be read.

    ``now`` is seconds since the epoch, ``headers`` are by lower-case name.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        # More digits than any real pause has; a longer int may not fit into a float.
        return max(_SHORTEST_S, float(int(text[:12])))
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return _USUAL_S
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(_SHORTEST_S, aware.timestamp() - now)


class WaitBudget:
    """The seconds that one run may wait, all pauses together."""

    def __init__(self, max_wait_s: float) -> None:
        self.left_s = max_wait_s

    def take(self, seconds: float) -> bool:
        """Take the seconds of one pause from the budget. Return False, and take nothing, when fewer are left."""
        if seconds > self.left_s:
            return False
        self.left_s -= seconds
        return True


EXPIRES_DAYS = 90
_RECONNECT_S = 1.0


class RunStopped(Exception):
    """The run cannot continue; the message gives the reason and the remedy."""


class AccountRefused(RunStopped):
    """The server refuses the account for every request; ``call`` is the one that showed it."""

    def __init__(self, message: str, call: "SentCase") -> None:
        super().__init__(message)
        self.call = call


class BudgetExceeded(Exception):
    """The price of a call is higher than what is left of the budget; nothing was sent."""


# The client's request id, and the answer to the call that was sent with it.
_Answer = tuple[str, Received]


@dataclass(frozen=True, slots=True)
class SentCase:
    """A case after its call: the record of the call, and the observation, still without pictures."""

    entry: Entry
    observation: Observation


@dataclass(slots=True)
class RunContext:
    """The state that the parts of one run share.

    ``profile``, ``target`` and ``redaction`` stay the same. ``clock`` gives seconds since the epoch, ``sleep`` waits, and ``on_event`` is called
    with each `Progress`, for which ``total`` counts the planned calls and ``findings`` the distinct findings so far. ``limits`` are those of the whole run.
    """

    profile: OperationProfile
    target: Target
    redaction: Redaction
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    on_event: Callable[[Progress], None] | None = None
    total: int = 0
    findings: int = 0
    limits: RunLimits = field(default_factory=lambda: RunLimits(math.inf, math.inf))


class Caller:
    """Make the calls of one run.

    ``requests`` counts the calls and ``charge`` is their cost. Both continue from ``recorded_run``, the part of the run that is already recorded.
    """

    def __init__(
        self,
        context: RunContext,
        recorded_run: RecordedRun,
        *,
        budget: Budget | None,
        wait_budget: WaitBudget,
        recorder: Recorder | None,
        run_identity: Mapping[str, str],
    ) -> None:
        self._context = context
        self._profile = context.profile
        self._target = context.target
        self._redaction = context.redaction
        self._budget = budget
        self._wait_budget = wait_budget
        self._recorder = recorder
        self._run_identity = run_identity
        self._run = secrets.token_hex(4)
        self._salt = secrets.token_bytes(8)
        self._written = 0
        self._client_ids = count(1)
        self._was_reached = recorded_run.requests > 0
        self.requests = recorded_run.requests
        self.charge = recorded_run.charge

    def call_together(self, cases: Sequence[Case]) -> list[SentCase]:
        """Send cases that cost nothing at the same time. Raises RunStopped."""
        self._check_limits()
        with ThreadPoolExecutor(max(1, len(cases))) as pool:
            answers = list(pool.map(self._send, cases))
        return [self.call(case, answer=answer) for case, answer in zip(cases, answers, strict=True)]

    def call(self, case: Case, number: int = 0, *, answer: _Answer | None = None) -> SentCase:
        """Send a case, and send it again after each pause that the server asks for. Raises RunStopped and BudgetExceeded.

        With ``answer``, the case was sent already.
        """
        is_second = False
        if answer is None:
            self._check_limits()
        while True:
            call, received = self._send_once(case, number, answer)
            answer = None
            if received.trouble is Trouble.UNREACHABLE:
                self._reconnect(case, received, is_second=is_second)
                is_second = True
                continue
            self._was_reached = True
            is_charged = call.entry.charge != NO_CHARGE
            if received.status == 429 and case.credential.holds_key and not is_charged:
                self._wait(case, received)
                continue
            if self._is_turned_away(case, received):
                said = self._redaction.text(_message(received))
                raise AccountRefused(
                    f"the account is out of credits, or is not allowed to make this call ({received.status}{said}); "
                    "top it up or get the permission, then resume the run",
                    call,
                )
            return call

    def record_checked(self, call: SentCase, observation: Observation, findings: list[Finding]) -> None:
        """Record a call after its pictures were checked. Raises RunStopped when the recording cannot be written."""
        self._write(replace(call.entry, state=CallState.CHECKED), observation, tuple(findings))

    def _check_limits(self) -> None:
        reason = self._context.limits.reason_to_stop()
        if reason is not None:
            raise RunStopped(f"{reason} ({self.requests} of {self._context.total} planned calls were made)")

    def _send(self, case: Case) -> _Answer:
        operation, sent = self._profile.operation, sent_bytes(self._profile, case)
        form = case.form or RequestForm()
        path, own = self._profile.target
        own_id = f"bodydouble:Verify_1.request-{self._run}-{next(self._client_ids)}"
        headers = {**own, _CLIENT_ID: own_id, **form_headers(self._profile, case, sent)}
        received = self._target.send(
            form.method or operation.method,
            form.target or path,
            iter((sent[:1], sent[1:])) if form.is_chunked else sent,
            case.credential,
            operation.security,
            headers,
        )
        return headers[_CLIENT_ID], received

    def _send_once(self, case: Case, number: int, answer: _Answer | None) -> tuple[SentCase, Received]:
        sent = sent_bytes(self._profile, case)
        reservation = None
        if self._budget is not None:
            reservation = self._budget.reserve(worst_images(case))
            if reservation is None:
                raise BudgetExceeded
        self._report(case)
        entry = self._entry(case, number, 0.0 if reservation is None else reservation.usd)
        if entry.reserved_usd:
            self._write(entry, Observation(case, sent, None, number=number), (), is_money=True)
        charge = entry.charge
        client_id = ""
        try:
            client_id, received = answer or self._send(case)
            self._context.limits.note_answer(len(received.content), is_late=received.trouble is Trouble.TIMEOUT)
            charge = NO_CHARGE
            if self._budget is not None:
                charge = charge_of(self._profile, case, received, parsed(received.content), self._budget.usd_per_image)
        finally:
            # A call that ended with an error may have cost money, and counts.
            self.requests += 1
            self.charge += charge
            if self._budget is not None and reservation is not None:
                self._budget.settle(reservation, charge.usd)
        is_void = received.trouble is Trouble.UNREACHABLE or (
            charge == NO_CHARGE and (received.status == 429 or self._is_turned_away(case, received))
        )
        entry = replace(entry, state=CallState.RELEASED if is_void else CallState.ANSWERED, charge=charge)
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
            client_id=client_id,
            time_s=self._context.clock(),
            has_headers=True,
            beginning=beginning_of_answer(received.content),
        )
        if is_void or entry.reserved_usd:
            kept = self._redaction.observation(observation)
            self._write(entry, kept, (), is_money=bool(entry.reserved_usd))
        return SentCase(entry, observation), received

    def _is_turned_away(self, case: Case, received: Received) -> bool:
        """Return whether a refusal is about the account. Where money is spent, a 403 to a valid request can be nothing else."""
        if not case.credential.holds_key or case.expectation is ExpectedOutcome.UNAUTHORIZED:
            return False
        if received.status == 403 and b"credit" in received.content.lower():
            return True
        is_valid = case.expectation in {ExpectedOutcome.ACCEPTED, ExpectedOutcome.SURVIVED}
        return self._budget is not None and (received.status == 402 or (received.status == 403 and is_valid))

    def _entry(self, case: Case, number: int, reserved_usd: float) -> Entry:
        started = datetime.fromtimestamp(self._context.clock(), UTC)
        self._written += 1
        worst = NO_CHARGE
        if reserved_usd:
            images = worst_images(case)
            worst = Charge(images, images * (self._profile.credits or 0), reserved_usd)
        return Entry(
            f"{self._run}-{self._written}",
            _iso(started),
            CallState.RESERVED,
            case.id,
            case.check,
            number,
            case.repeats,
            case.credential,
            case.expectation,
            reserved_usd,
            worst,
            _iso(started + timedelta(days=EXPIRES_DAYS)),
            self._run_identity,
        )

    def _write(self, entry: Entry, kept: Observation, findings: tuple[Finding, ...], *, is_money: bool = False) -> None:
        if self._recorder is None:
            return
        operation, is_keyless = self._profile.operation, entry.credential in {Credential.NONE, Credential.EMPTY}
        key = None if is_keyless else changed_key(entry.credential, self._target.api_key)
        hashed = None if key is None else hashlib.sha256(self._salt + key.encode()).hexdigest()[:8]
        method = (kept.case.form and kept.case.form.method) or operation.method
        exchange = to_exchange(entry, method, operation.path, hashed, kept, findings, self._redaction.redactor)
        try:
            self._recorder.write(exchange, is_money=is_money)
        except OSError as error:
            reason = error.strerror or "input or output error"
            raise RunStopped(f"the recording cannot be written: {reason}; free some space and resume the run") from None

    def _reconnect(self, case: Case, received: Received, *, is_second: bool) -> None:
        reason = self._redaction.text(received.detail)
        if not self._was_reached:
            raise RunStopped(
                f"{self._redaction.text(self._target.base)} cannot be reached: {reason}; check the address, and that the server runs"
            )
        if is_second:
            raise RunStopped(f"the server cannot be reached any more: {reason}; the results so far are kept")
        self._report(case, _RECONNECT_S)
        self._context.sleep(_RECONNECT_S)

    def _wait(self, case: Case, received: Received) -> None:
        seconds = retry_after_s(received.headers, self._context.clock())
        if not self._wait_budget.take(seconds):
            raise RunStopped(
                f"the server limits the rate of calls (429) and asks to wait {seconds:g} s; {self._wait_budget.left_s:g} s of the "
                "waiting time are left; resume the run later, or allow more time (max_wait_s)"
            )
        self._report(case, seconds)
        self._context.sleep(seconds)

    def _report(self, case: Case, waiting_s: float = 0.0) -> None:
        context, budget = self._context, self._budget
        if context.on_event is not None:
            spent, left = (None, None) if budget is None else (budget.spent_usd, budget.left_usd)
            context.on_event(Progress(case.id, self.requests, context.total, spent, left, waiting_s, context.findings))


def sent_bytes(profile: OperationProfile, case: Case) -> bytes:
    """Return the request body of a case; empty where the operation takes none."""
    if case.form is not None and case.form.content is not None:
        return case.form.content
    return b"" if profile.operation.request is None else json_bytes(case.body)


_CLIENT_ID = "x-client-request-id"


def form_headers(profile: OperationProfile, case: Case, sent: bytes) -> dict[str, str]:
    """Return the media type of a request, and the headers that its form has of its own; an empty one is not sent."""
    form = case.form or RequestForm()
    media_type = profile.operation.json_media_type if form.media_type == "" else form.media_type or ""
    return {**({"content-type": media_type} if sent else {}), **dict(form.headers)}


def _message(received: Received) -> str:
    """Return the message of an error answer as the end of a sentence; empty where it has none."""
    body = parsed(received.content)
    message = body.get("message") if is_object(body) else None
    return f": {' '.join(message.split())[:200]}" if isinstance(message, str) else ""


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

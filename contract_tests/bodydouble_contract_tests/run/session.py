"""Run a plan: make its calls in order, download the pictures of each answer, and check them."""

import contextlib
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from bodydouble_spec import Finding, is_success

from bodydouble_contract_tests.checks import check_observation, check_observations
from bodydouble_contract_tests.model import Case, Credential, ExpectedOutcome, FetchedPicture, Observation, Plan
from bodydouble_contract_tests.run.budget import payment_objection
from bodydouble_contract_tests.run.caller import (
    AccountRefused,
    BudgetExceeded,
    Caller,
    RunContext,
    RunStopped,
    SentCase,
)
from bodydouble_contract_tests.run.charges import charge_findings, purchase_objection
from bodydouble_contract_tests.run.recording import CallState, RecordedCall, RecordedRun
from bodydouble_contract_tests.run.redaction import parsed, without_bytes
from bodydouble_contract_tests.run.results import Results, curl_of
from bodydouble_contract_tests.target import Downloads

__all__ = ["Session"]

_AT_A_TIME = 3
# Calls that wait for their pictures; more would only hold more answers in memory.
_MOST_PENDING = 12
_ANSWERS_PER_PICTURE = 2
_ODD_PER_PICTURE = 6


@dataclass(frozen=True, slots=True)
class _Pending:
    call: SentCase
    pictures: Future[tuple[FetchedPicture, ...]]
    keeps_pictures: bool


class Session:
    """Run a plan. ``left_out`` maps each case that was not made to the reason.

    ``recorded_run`` is the part of the run that is already recorded: its calls are taken over and not made again.
    """

    def __init__(
        self, context: RunContext, plan: Plan, caller: Caller, recorded_run: RecordedRun, *, is_billed: bool
    ) -> None:
        self._context = context
        self._profile = context.profile
        self._redaction = context.redaction
        self._plan = plan
        self._caller = caller
        self._recorded_run = recorded_run
        self._is_billed = is_billed
        self._downloads = Downloads(context.target, context.redaction.text, context.limits)
        self._pool = ThreadPoolExecutor(_AT_A_TIME, "bodydouble-pictures")
        self._pending: deque[_Pending] = deque()
        self._turn = 0
        self._accepted: set[tuple[str, str]] = set()
        self._generated: dict[Finding, Finding] = {}
        self.results = Results(context.profile, plan.checks)
        self.left_out: dict[str, str] = {}

    def make_all(self) -> None:
        """Make every call of the plan: the free probes, then the paid calls, then those for servers that cost nothing. Raises RunStopped."""
        try:
            self._make_in_order()
        except AccountRefused as refused:
            self._settle(0)
            if self._key_statuses() <= {402, 403}:
                # Nothing was learnt about the server.
                self.results.clear()
            self._note_charge(refused.call)
            raise

    def _make_in_order(self) -> None:
        for case in self._plan.free:
            self._make(case)
        self._settle(0)
        if self._is_billed:
            reason = payment_objection(self.results.observations)
            if reason is not None:
                raise RunStopped(reason)
        for position, case in enumerate(self._plan.paid):
            self._make(case, keeps_pictures=True)
            if position == 0:
                self._settle(0)
                self._check_key()
        for case in self._plan.after:
            self._make(case)
        if not self._is_billed:
            for case in self._plan.unpaid:
                self._make(case)
            self._make_together(self._plan.parallel)
        self._settle(0)

    def make_generated(self, examples: int, seed: int) -> None:
        """Search for further deviations with generated requests. Raises RunStopped."""
        # Imports Hypothesis, which nothing else here needs.
        from bodydouble_contract_tests.run.fuzz import examine_generated

        def examine(case: Case) -> list[Finding]:
            call = self._caller.call(case)
            self.results.generated.append(case)
            pictures = self._download(call, self._next_turn())
            _, findings = self._check(call, pictures)
            # Kept in case the run ends before the requests are reduced.
            self._generated |= {finding: finding for finding in findings}
            return findings

        known = {finding.fingerprint for finding in self.results.found}
        found = examine_generated(self._profile, examine, examples=examples, seed=seed, known=known)
        self._generated = {finding: finding for finding in found}

    def compare(self) -> None:
        """Check the calls against each other."""
        found = check_observations(self._profile, self.results.observations)
        cases = {item.case.id: item.case for item in self.results.observations}
        self.results.add(self._with_request(finding, cases.get(finding.witness or "")) for finding in found)
        self.results.add(self._generated.values())

    def close(self) -> None:
        """End downloads; answers whose pictures did not arrive are checked without them."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._downloads.close()
        while self._pending:
            item = self._pending.popleft()
            future = item.pictures
            is_whole = future.done() and not future.cancelled() and future.exception() is None
            # The run has ended, perhaps because the recording cannot be written.
            with contextlib.suppress(RunStopped):
                self._store(item.call, future.result() if is_whole else (), keeps_pictures=False, writes=is_whole)

    def _note_charge(self, call: SentCase) -> None:
        """Check the charge of a call that was turned away; nothing else of it is about the server."""
        case = call.observation.case
        found = self.results.selected(charge_findings(self._profile, call.observation))
        findings = [self._with_request(finding, case) for finding in found]
        self._add(findings, case)
        if call.entry.state is CallState.ANSWERED:
            self._caller.record_checked(call, self._redaction.observation(call.observation), findings)

    def _check_key(self) -> None:
        """Stop the run when the server does not accept the key: one reason, instead of a finding for each call."""
        if self._key_statuses() == {401}:
            self.results.clear()
            raise RunStopped(
                "the server does not accept the API key: every call with it was answered with 401; check the key"
            )

    def _key_statuses(self) -> set[int | None]:
        with_key = (item for item in self.results.observations if item.case.credential is Credential.KEY)
        # Of another method, the route is unknown before the key matters.
        return {item.status for item in with_key if item.case.form is None or item.case.form.method is None}

    def _make(self, case: Case, *, keeps_pictures: bool = False) -> None:
        for number in range(case.repeats):
            recorded = self._recorded_run.get(case, number)
            if recorded is not None and self._is_billed and recorded.is_unpaid_failure:
                self._add(recorded.findings(), case)
            elif recorded is not None:
                self._take_over(recorded, case, keeps_pictures=keeps_pictures)
                continue
            if (case.check, _property_of(case)) in self._accepted:
                self.left_out[case.id] = "a similar invalid request was accepted, and cost money"
                return
            try:
                call = self._caller.call(case, number)
            except BudgetExceeded:
                if case.images and case.expectation is ExpectedOutcome.REFUSED:
                    self.left_out[case.id] = "the budget does not cover its price if the server accepts it"
                    return
                raise RunStopped(self._budget_message()) from None
            self._note_acceptance(call.observation)
            self._start_downloads(call, keeps_pictures=keeps_pictures)
            if self._is_billed:
                reason = purchase_objection(self._profile, call.observation, call.entry.charge)
                if reason is not None:
                    self._check_key()
                    raise RunStopped(reason)

    def _make_together(self, cases: Sequence[Case]) -> None:
        """Make calls at the same time; those that are recorded are taken over."""
        new: list[Case] = []
        for case in cases:
            recorded = self._recorded_run.get(case, 0)
            if recorded is None:
                new.append(case)
            else:
                self._take_over(recorded, case, keeps_pictures=False)
        for call in self._caller.call_together(new):
            self._start_downloads(call, keeps_pictures=False)

    def _budget_message(self) -> str:
        spent = f"{self._caller.charge.usd:.3f} USD"
        lost = self._recorded_run.lost
        if lost:
            usd, names = sum(entry.reserved_usd for entry in lost), ", ".join(entry.case for entry in lost)
            reason = (
                f"{usd:.3f} USD of that are for calls that an earlier run lost and that may have been charged: {names}"
            )
        else:
            reason = "it is too small, or the charges are higher than planned"
        return f"the budget does not cover the next call ({spent} charged): {reason}"

    def _start_downloads(self, call: SentCase, *, keeps_pictures: bool) -> None:
        turn = None if keeps_pictures or self._is_billed else self._next_turn()
        future = self._pool.submit(self._download, call, turn)
        self._pending.append(_Pending(call, future, keeps_pictures))
        # Where calls cost money, each one is finished, with its pictures, before the next.
        self._settle(0 if self._is_billed else _MOST_PENDING)

    def _download(self, call: SentCase, turn: int | None) -> tuple[FetchedPicture, ...]:
        """Download the pictures of an answer; with ``turn``, one of every second answer, and of fewer answers to odd requests.

        A picture costs a server more than all the rest of a call, and those of the calls that prove elements are downloaded anyway.
        """
        answer = parsed(call.observation.examined)
        if turn is None:
            return self._downloads.of_answer(self._profile, answer)
        is_odd = call.observation.case.expectation is ExpectedOutcome.SURVIVED
        number, rest = divmod(turn, _ODD_PER_PICTURE if is_odd else _ANSWERS_PER_PICTURE)
        return () if rest else self._downloads.of_answer(self._profile, answer, number)

    def _next_turn(self) -> int:
        self._turn += 1
        return self._turn

    def _settle(self, most_pending: int) -> None:
        """Check, in order, the calls whose pictures have arrived, and wait while more than ``most_pending`` calls lack theirs."""
        while self._pending and (len(self._pending) > most_pending or self._pending[0].pictures.done()):
            pictures = self._pending[0].pictures.result()
            item = self._pending.popleft()
            self._store(item.call, pictures, keeps_pictures=item.keeps_pictures)

    def _take_over(self, recorded: RecordedCall, case: Case, *, keeps_pictures: bool) -> None:
        """Use a recorded call instead of calling again."""
        if recorded.is_lost:
            self.left_out[case.id] = (
                "an earlier run ended during this call: it counts as charged, and is not made again"
            )
            return
        observation = recorded.observation(case)
        self._note_acceptance(observation)
        if recorded.entry.state is not CallState.CHECKED:
            self._start_downloads(SentCase(recorded.entry, observation), keeps_pictures=keeps_pictures)
            return
        self.results.observations.append(observation)
        self.results.note_tested(observation)
        self._add(recorded.findings(), case)

    def _note_acceptance(self, observation: Observation) -> None:
        is_accepted = is_success(observation.status)
        if self._is_billed and is_accepted and observation.case.expectation is ExpectedOutcome.REFUSED:
            self._accepted.add((observation.case.check, _property_of(observation.case)))

    def _store(
        self, call: SentCase, pictures: Sequence[FetchedPicture], *, keeps_pictures: bool, writes: bool = True
    ) -> None:
        kept, findings = self._check(call, pictures, writes=writes)
        self.results.observations.append(kept if keeps_pictures else without_bytes(kept))
        self._add(findings, call.observation.case)

    def _check(
        self, call: SentCase, pictures: Sequence[FetchedPicture], *, writes: bool = True
    ) -> tuple[Observation, list[Finding]]:
        observation = replace(call.observation, pictures=tuple(pictures))
        secrets = self._context.target.secrets(observation.case.credential)
        found = [
            *check_observation(self._profile, observation, is_live=self._is_billed, secrets=secrets),
            *charge_findings(self._profile, observation),
        ]
        findings = [self._with_request(finding, observation.case) for finding in self.results.selected(found)]
        kept = self._redaction.observation(observation)
        self.results.note_tested(kept)
        if writes:
            self._caller.record_checked(call, kept, findings)
        return kept, findings

    def _add(self, findings: Sequence[Finding], case: Case) -> None:
        self.results.add(findings, case.id)
        self._context.findings = len(self.results)

    def _with_request(self, finding: Finding, case: Case | None) -> Finding:
        """Redact a finding, and add the request that shows it."""
        kept = self._redaction.finding(finding)
        if case is None:
            return kept
        request = curl_of(self._profile, self._context.target.base, case, self._redaction)
        return replace(kept, request=request, witness=case.id)


def _property_of(case: Case) -> str:
    """Return the property of the body that a case is about."""
    return case.pointer.removeprefix("/").partition("/")[0]

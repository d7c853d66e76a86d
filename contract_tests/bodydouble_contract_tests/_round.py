"""The calls of a plan, made in their order, with the pictures of each answer, and judged."""

import contextlib
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from bodydouble_spec import Finding

from bodydouble_contract_tests._caller import Call, Caller, NoMoney, Stopped, Watch
from bodydouble_contract_tests._case import Case, Credential, Expectation
from bodydouble_contract_tests._downloads import Downloads
from bodydouble_contract_tests._gate import why_not_to_pay
from bodydouble_contract_tests._judge import judge, judge_all
from bodydouble_contract_tests._keeping import Keeper, parsed, without_bytes
from bodydouble_contract_tests._observation import FetchedPicture, Observation
from bodydouble_contract_tests._plan import Plan
from bodydouble_contract_tests._record import State
from bodydouble_contract_tests._recording import Past, PastCall
from bodydouble_contract_tests._subject import Subject
from bodydouble_contract_tests._tally import Tally, curl_of
from bodydouble_contract_tests._target import Target

__all__ = ["Round"]

_AT_A_TIME = 3
# Calls whose pictures are still under way; more would hold more answers in memory than anyone waits for.
_MOST_PENDING = 12


@dataclass(frozen=True, slots=True)
class _Pending:
    call: Call
    pictures: Future[tuple[FetchedPicture, ...]]
    keeps_pictures: bool


class Round:
    """One run of a plan. ``left_out`` says, for each case that was not made, why."""

    def __init__(
        self,
        subject: Subject,
        target: Target,
        plan: Plan,
        caller: Caller,
        downloads: Downloads,
        tally: Tally,
        past: Past,
        keeper: Keeper,
        watch: Watch,
        *,
        is_billed: bool,
    ) -> None:
        self._subject = subject
        self._target = target
        self._plan = plan
        self._caller = caller
        self._downloads = downloads
        self._tally = tally
        self._past = past
        self._keeper = keeper
        self._watch = watch
        self._is_billed = is_billed
        self._pool = ThreadPoolExecutor(_AT_A_TIME, "bodydouble-pictures")
        self._pending: deque[_Pending] = deque()
        self._accepted: set[tuple[str, str]] = set()
        self._generated: dict[Finding, Finding] = {}
        self.left_out: dict[str, str] = {}

    def make_all(self) -> None:
        """Make every call of the plan: free probes first, then what is paid, then what is sent only where nothing costs. Raises Stopped."""
        for case in self._plan.free:
            self._make(case)
        self._settle(0)
        if self._is_billed:
            reason = why_not_to_pay(self._tally.observations)
            if reason is not None:
                raise Stopped(reason)
        for position, case in enumerate(self._plan.paid):
            self._make(case, keeps_pictures=True)
            if position == 0:
                self._settle(0)
                self._doubt_the_key()
        for case in () if self._is_billed else self._plan.unpaid:
            self._make(case)
        self._settle(0)

    def make_generated(self, examples: int, seed: int) -> None:
        """Look for deviations that nobody thought of, with generated requests. Raises Stopped."""
        from bodydouble_contract_tests._generated import examine_generated  # it needs Hypothesis, and only this does

        def examine(case: Case) -> list[Finding]:
            call = self._caller.call(case)
            pictures = self._downloads.of_answer(self._subject, parsed(call.observation.content))
            _, findings = self._judge(call, pictures)
            # Should the run end before the smallest requests are known, these are kept.
            self._generated |= {finding: finding for finding in findings}
            return findings

        found = examine_generated(self._subject, examine, examples=examples, seed=seed)
        self._generated = {finding: finding for finding in found}

    def compare(self) -> None:
        """Judge the calls side by side."""
        found = judge_all(self._subject, self._tally.observations)
        cases = {item.case.id: item.case for item in self._tally.observations}
        self._tally.add(self._dressed(finding, cases.get(finding.witness or "")) for finding in found)
        self._tally.add(self._generated.values())

    def close(self) -> None:
        """End downloads; answers whose pictures did not come are judged without."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._downloads.close()
        while self._pending:
            item = self._pending.popleft()
            future = item.pictures
            is_whole = future.done() and not future.cancelled() and future.exception() is None
            # The run has ended, perhaps because nothing can be written any more.
            with contextlib.suppress(Stopped):
                self._keep(item.call, future.result() if is_whole else (), keeps_pictures=False, writes=is_whole)

    def _doubt_the_key(self) -> None:
        """A key that the server does not know is one reason to end, not a finding for each call."""
        statuses = {item.status for item in self._tally.observations if item.case.credential is Credential.KEY}
        if statuses == {401}:
            self._tally.forget()
            raise Stopped(
                "the server does not accept the API key: every call with it was answered with 401; check the key"
            )

    def _make(self, case: Case, *, keeps_pictures: bool = False) -> None:
        for number in range(case.repeats):
            past = self._past.get(case, number)
            if past is not None:
                self._recall(past, case, keeps_pictures=keeps_pictures)
                continue
            if (case.check, _property_of(case)) in self._accepted:
                self.left_out[case.id] = "a request like it was accepted although it is invalid, and cost money"
                return
            try:
                call = self._caller.call(case, number)
            except NoMoney:
                if case.images and case.expectation is Expectation.REFUSED:
                    self.left_out[case.id] = "what it costs when it is wrongly accepted is not left of the budget"
                    return
                raise Stopped(self._broke()) from None
            self._note_acceptance(call.observation)
            self._begin(call, keeps_pictures=keeps_pictures)

    def _broke(self) -> str:
        spent = f"{self._caller.charge.usd:.3f} USD"
        return f"the budget does not allow the next call ({spent} were charged); more than the plan said was charged, or it is too small"

    def _begin(self, call: Call, *, keeps_pictures: bool) -> None:
        answer = parsed(call.observation.content)
        future = self._pool.submit(self._downloads.of_answer, self._subject, answer)
        self._pending.append(_Pending(call, future, keeps_pictures))
        # Where money is spent, each call is settled to its last picture before the next.
        self._settle(0 if self._is_billed else _MOST_PENDING)

    def _settle(self, most_pending: int) -> None:
        """Judge, in order, what has its pictures, and wait while more calls than that are without."""
        while self._pending and (len(self._pending) > most_pending or self._pending[0].pictures.done()):
            pictures = self._pending[0].pictures.result()
            item = self._pending.popleft()
            self._keep(item.call, pictures, keeps_pictures=item.keeps_pictures)

    def _recall(self, past: PastCall, case: Case, *, keeps_pictures: bool) -> None:
        """Take over what an earlier run did, instead of calling again."""
        if past.is_lost:
            self.left_out[case.id] = (
                "an earlier run ended while it was made: it counts as charged, and is not made again"
            )
            return
        observation = past.observation(case)
        self._note_acceptance(observation)
        if past.entry.state is not State.JUDGED:
            self._begin(Call(past.entry, observation), keeps_pictures=keeps_pictures)
            return
        self._tally.observations.append(observation)
        self._tally.saw(observation)
        self._add(past.findings(), case)

    def _note_acceptance(self, observation: Observation) -> None:
        status = observation.status
        is_success = status is not None and 200 <= status < 300
        if self._is_billed and is_success and observation.case.expectation is Expectation.REFUSED:
            self._accepted.add((observation.case.check, _property_of(observation.case)))

    def _keep(
        self, call: Call, pictures: Sequence[FetchedPicture], *, keeps_pictures: bool, writes: bool = True
    ) -> None:
        kept, findings = self._judge(call, pictures, writes=writes)
        self._tally.observations.append(kept if keeps_pictures else without_bytes(kept))
        self._add(findings, call.observation.case)

    def _judge(
        self, call: Call, pictures: Sequence[FetchedPicture], *, writes: bool = True
    ) -> tuple[Observation, list[Finding]]:
        observation = replace(call.observation, pictures=tuple(pictures))
        found = judge(self._subject, observation, is_live=self._is_billed)
        findings = [self._dressed(finding, observation.case) for finding in self._tally.wanted(found)]
        kept = self._keeper.observation(observation)
        self._tally.saw(kept)
        if writes:
            self._caller.judged(call, kept, findings)
        return kept, findings

    def _add(self, findings: Sequence[Finding], case: Case) -> None:
        self._tally.add(findings, case.id)
        self._watch.findings = len(self._tally)

    def _dressed(self, finding: Finding, case: Case | None) -> Finding:
        """The finding without secrets, with the request that shows it."""
        kept = self._keeper.finding(finding)
        if case is None:
            return kept
        request = curl_of(self._subject, self._target.base, case, self._keeper)
        return replace(kept, request=request, witness=case.id)


def _property_of(case: Case) -> str:
    """The property of the body that a case is about."""
    return case.pointer.removeprefix("/").partition("/")[0]

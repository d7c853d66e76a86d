"""What a run has found so far, and what it comes to."""

from collections.abc import Iterable
from dataclasses import replace

from bodydouble_spec import Finding
from bodydouble_spec.curl import curl_command

from bodydouble_contract_tests._caller import sent_bytes
from bodydouble_contract_tests._case import Case, Credential, Expectation
from bodydouble_contract_tests._check import Check
from bodydouble_contract_tests._keeping import Keeper
from bodydouble_contract_tests._observation import Observation
from bodydouble_contract_tests._subject import Subject
from bodydouble_contract_tests._target import WRONG_KEY

__all__ = ["Tally", "curl_of"]

_OF_EVERY_ANSWER = frozenset(("answer-in-time", "answer-whole", "body-length", "content-encoding"))
_OF_SUCCESS = ("answer-", "image-", "credits-", "charge-")


class Tally:
    """Distinct findings with where they were seen, observations, and which checks were put to the test."""

    def __init__(self, subject: Subject, checks: tuple[Check, ...]) -> None:
        self._subject = subject
        self._checks = checks
        self._wanted = {check.id for check in checks}
        self._findings: dict[Finding, Finding] = {}
        self._witnesses: dict[Finding, set[str]] = {}
        self._tested: set[str] = set()
        self.observations: list[Observation] = []

    def __len__(self) -> int:
        return len(self._findings)

    def wanted(self, findings: Iterable[Finding]) -> list[Finding]:
        """Those of the checks that this run is about."""
        return [finding for finding in findings if finding.id.partition("/")[0] in self._wanted]

    def add(self, findings: Iterable[Finding], witness: str | None = None) -> None:
        """Take in findings: of those seen before only the witness counts."""
        for finding in self.wanted(findings):
            self._findings.setdefault(finding, finding)
            seen = self._witnesses.setdefault(finding, set())
            if witness is not None:
                seen.add(witness)

    def forget(self) -> None:
        """Drop everything: what was seen says nothing about the server."""
        self._findings.clear()
        self._witnesses.clear()
        self._tested.clear()
        self.observations.clear()

    def saw(self, observation: Observation) -> None:
        """Note which checks an observation put to the test."""
        case = observation.case
        is_success = observation.status is not None and 200 <= observation.status < 300
        is_refused = case.expectation is Expectation.REFUSED and not is_success
        for check in self._wanted:
            if check == case.check:
                is_tested = case.repeats == 1 or observation.number > 0
            elif check in _OF_EVERY_ANSWER:
                is_tested = True
            elif check.startswith("picture-"):
                is_tested = bool(observation.pictures)
            elif check.startswith(_OF_SUCCESS):
                is_tested = is_success and case.expectation in (Expectation.ACCEPTED, Expectation.SURVIVED)
            else:
                is_tested = check == "refusal-envelope" and is_refused
            if is_tested:
                self._tested.add(check)

    def findings(self) -> tuple[Finding, ...]:
        """All distinct findings, worst first, each with the first case that showed it and how many more did."""
        ranked = sorted(self._findings.values(), key=lambda finding: -finding.severity.rank)
        return tuple(self._witnessed(finding) for finding in ranked)

    def outcomes(self) -> dict[str, str]:
        """``passed``, ``failed`` or ``not run`` for each check."""
        failed = {finding.id.partition("/")[0] for finding in self._findings}
        return {
            check.id: "failed" if check.id in failed else "passed" if check.id in self._tested else "not run"
            for check in self._checks
        }

    def succeeded(self) -> list[Case]:
        """The case of each call that was carried out as it should be."""
        status = self._subject.operation.success_status
        return [item.case for item in self.observations if item.status == status and item.trouble is None]

    def _witnessed(self, finding: Finding) -> Finding:
        others = len(self._witnesses[finding] - {finding.witness})
        if not others or finding.witness is None:
            return finding
        return replace(finding, witness=f"{finding.witness} and {others} more")


def curl_of(subject: Subject, base: str | None, case: Case, keeper: Keeper) -> str:
    """The call of a case as a curl command without the key; without a ``base`` it goes to ``$AIMLAPI_BASE_URL``."""
    sent = sent_bytes(subject, case)
    headers = {"content-type": "application/json"} if sent else {}
    if case.credential is Credential.WRONG:
        headers["authorization"] = f"Bearer {WRONG_KEY}"
    body = keeper.own(sent.decode()) if sent else None
    return curl_command(
        subject.operation.method,
        subject.operation.path,
        origin=None if base is None else keeper.own(base),
        headers=headers,
        body=body,
        with_key=case.credential is Credential.KEY,
    )

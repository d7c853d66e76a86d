"""The results of a run."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from bodydouble_spec import Finding, Severity, is_success
from bodydouble_spec.snippets import curl_command, with_picture_file

from bodydouble_contract_tests.checks import grouped
from bodydouble_contract_tests.model import (
    Case,
    Check,
    Credential,
    ExpectedOutcome,
    Observation,
    OperationProfile,
    RequestForm,
)
from bodydouble_contract_tests.run.caller import form_headers, sent_bytes
from bodydouble_contract_tests.run.redaction import Redaction
from bodydouble_contract_tests.target import authorized, place_of

__all__ = ["Results", "curl_of"]

_OF_EVERY_ANSWER = frozenset(
    ("answer-in-time", "answer-whole", "body-length", "content-encoding", "key-secret", "cors-answer")
)
_OF_SUCCESS = ("answer-", "image-", "credits-", "charge-", "cost-", "client-id-echoed", "request-id-new")
# A recording has not all of the headers.
_OF_HEADERS = frozenset(
    ("answer-headers", "refusal-headers", "request-id-new", "client-id-echoed", "cors-answer", "key-secret")
)
_CHARGE = "charge-as-documented"
_OF_REFUSALS = ("refusal-", "request-id-matches")


class Results:
    """Distinct findings with the cases that showed them, the observations, the generated cases, and the checks that were put to the test."""

    def __init__(self, profile: OperationProfile, checks: tuple[Check, ...]) -> None:
        self._profile = profile
        self._checks = checks
        self._selected = {check.id for check in checks}
        self._findings: dict[Finding, Finding] = {}
        self._witnesses: dict[Finding, set[str]] = {}
        self._tested: set[str] = set()
        self.observations: list[Observation] = []
        self.generated: list[Case] = []

    @property
    def found(self) -> Collection[Finding]:
        """The distinct findings so far."""
        return self._findings.keys()

    def __len__(self) -> int:
        return len(self._findings)

    def selected(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return the findings that belong to the checks of this run."""
        return [finding for finding in findings if finding.id.partition("/")[0] in self._selected]

    def add(self, findings: Iterable[Finding], witness: str | None = None) -> None:
        """Add findings; of a known finding only the witness is added."""
        for finding in self.selected(findings):
            self._findings.setdefault(finding, finding)
            seen = self._witnesses.setdefault(finding, set())
            if witness is not None:
                seen.add(witness)

    def clear(self) -> None:
        """Drop all results, since they say nothing about the server, but those about a charge: money was spent."""
        self._findings = {one: one for one in self._findings if one.id.partition("/")[0] == _CHARGE}
        self._witnesses = {one: self._witnesses[one] for one in self._findings}
        self._tested.clear()
        self.observations.clear()

    def note_tested(self, observation: Observation) -> None:
        """Note the checks that an observation puts to the test."""
        case = observation.case
        is_accepted = is_success(observation.status)
        is_refused = case.expectation in (ExpectedOutcome.REFUSED, ExpectedOutcome.UNAUTHORIZED) and not is_accepted
        for check in self._selected if observation.has_headers else self._selected - _OF_HEADERS:
            if check == case.check:
                is_tested = case.repeats == 1 or observation.number > 0
            elif check in _OF_EVERY_ANSWER:
                is_tested = True
            elif check.startswith("picture-"):
                is_tested = bool(observation.pictures)
            elif check.startswith(_OF_SUCCESS):
                is_tested = is_accepted and case.expectation in (ExpectedOutcome.ACCEPTED, ExpectedOutcome.SURVIVED)
            else:
                is_tested = check.startswith(_OF_REFUSALS) and is_refused
            if is_tested:
                self._tested.add(check)

    def findings(self) -> tuple[Finding, ...]:
        """Return a finding for each cause, worst first, with the first case that showed it and the number of further ones."""
        cases = {case.id: case for case in (*(item.case for item in self.observations), *self.generated)}
        ranked = sorted(self._findings.values(), key=lambda finding: -finding.severity.rank)
        named = [self._with_witness(finding) for finding in ranked]
        own = (item for item in self.observations if item.case.form is None or item.case.form.method is None)
        return grouped(named, cases, self._witnesses, {item.status for item in own})

    def outcomes(self) -> dict[str, str]:
        """Return the outcome of each check: ``passed``, ``passed with remarks`` (information only), ``failed`` or ``not run``."""
        found: dict[str, bool] = {}
        for finding in self._findings:
            check = finding.id.partition("/")[0]
            found[check] = found.get(check, False) or finding.severity is not Severity.INFO
        outcomes = {True: "failed", False: "passed with remarks"}
        untroubled = {check.id: "passed" if check.id in self._tested else "not run" for check in self._checks}
        return {check: outcomes[found[check]] if check in found else usual for check, usual in untroubled.items()}

    def succeeded(self) -> list[Case]:
        """Return the case of each call that was carried out as expected."""
        status = self._profile.operation.success_status
        return [item.case for item in self.observations if item.status == status and item.trouble is None]

    def _with_witness(self, finding: Finding) -> Finding:
        others = len(self._witnesses[finding] - {finding.witness})
        if not others or finding.witness is None:
            return finding
        return replace(finding, witness=f"{finding.witness} and {others} more")


def curl_of(profile: OperationProfile, base: str | None, case: Case, redaction: Redaction) -> str:
    """Return the call of a case as a curl command without the key; without a ``base`` it goes to ``$AIMLAPI_BASE_URL``."""
    sent = sent_bytes(profile, case)
    form, credential = case.form or RequestForm(), case.credential
    path, own = profile.target
    path = path if case.form is None or case.form.target is None else case.form.target
    headers = {**own, **form_headers(profile, case, sent)}
    headers |= {"transfer-encoding": "chunked"} if form.is_chunked else {}
    is_literal = credential in {Credential.WRONG, Credential.UNISSUED, Credential.EMPTY}
    if is_literal:
        path, headers = authorized(credential, "", profile.operation.security, path, headers)
    is_keyless = is_literal or credential is Credential.NONE
    command = curl_command(
        form.method or profile.operation.method,
        path,
        origin=None if base is None else redaction.own(base),
        headers={name: value for name, value in headers.items() if value},
        body=redaction.own(sent.decode("utf-8", "replace")) if sent else None,
        security=None if is_keyless else place_of(credential, profile.operation.security),
    )
    return with_picture_file(command.replace("$AIMLAPI_KEY", _MADE_FROM_KEY.get(credential, "$AIMLAPI_KEY"), 1))


_MADE_FROM_KEY = {
    Credential.LONGER: "${AIMLAPI_KEY}0",
    Credential.LONGER_BEFORE: "0$AIMLAPI_KEY",
    Credential.SHORTER: "${AIMLAPI_KEY%?}",
    Credential.OTHER_CASE: """$(printf %s "$AIMLAPI_KEY" | tr 'A-Za-z' 'a-zA-Z')""",
}
"""The words of a shell for a key that is made from the caller's."""

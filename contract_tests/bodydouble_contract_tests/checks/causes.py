"""Group findings with one cause: a server that redirects every call has one fault, not one for each check."""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bodydouble_spec import Finding, is_success, pointer_parts

from bodydouble_contract_tests.checks.common import Trait, common_traits, traits
from bodydouble_contract_tests.checks.shapes import Shape, shapes
from bodydouble_contract_tests.checks.status import is_about_status
from bodydouble_contract_tests.model import Case, Credential, ExpectedOutcome

__all__ = ["grouped"]

# A status is the cause by itself when it shows in calls of so many kinds.
_KINDS = 2
_FEWEST = 3
# A server has its own status for refusals where so many of the refused requests got it, for one that got the documented one.
_SHARE = 9
_STEADY = "answers-steadily"
# Where every call has the wrong status, its price is no fault of its own.
_CHARGED_REFUSAL = "charge-as-documented/refusal"
# Findings of these checks name a case, or a kind of picture, in their id; the fault is the same for all.
_BY_CHECK = {"answer-whole", "answer-in-time", "client-id-dropped", "key-secret"}
# A picture without its end may be damaged for one reader and unreadable for another.
_BY_PICTURE = {"picture-whole", "picture-decodable"}
_BROKEN = 500
_OF_REFUSALS = ("invalid-refused", "malformed-refused")
_BY_ABSENCE = {"answer-headers", "refusal-headers", "client-id-echoed"}
# Rules of one set of middleware: where it is missing, all of them are broken.
_FOR_PAGES = {
    "cors-answer/origin-success",
    "cors-answer/origin-refusal",
    "cors-preflight/origin",
    "cors-preflight/headers",
}
_OF_BODIES = ("answer-conforms", "answer-strict", "answer-media-type")
# Of a service that gives one answer to every call, all of these say the same.
_OF_ONE_ANSWER = ("answer-", "cors-", "refusal-", "request-id-", "client-id-")
_ENVELOPE = "refusal-envelope"
# A body that cannot be parsed, or another method, is handled in one place of a server.
_BY_STATUS = {"malformed-refused", "method-refused"}


def grouped(
    findings: Sequence[Finding],
    cases: Mapping[str, Case],
    witnesses: Mapping[Finding, Collection[str]],
    statuses: Collection[int | None] = (),
) -> tuple[Finding, ...]:
    """Return one finding for each cause: the one with the shortest request of the most severe ones, which covers the others.

    Its message says how many calls showed the cause. ``cases`` has the cases by id, ``witnesses`` the ids of those that showed a finding, and
    ``statuses`` are those of all answers to the operation's method. Groups are in the order of their first finding. A finding that covers others already
    stays by itself.
    """
    cause_of = _Causes(findings, cases, witnesses, frozenset(statuses)).of
    groups: dict[Hashable, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding if finding.covers else cause_of(finding), []).append(finding)
    return tuple(_merged(cause, group, witnesses) for cause, group in groups.items())


def _merged(cause: Hashable, group: Sequence[Finding], witnesses: Mapping[Finding, Collection[str]]) -> Finding:
    if len(group) == 1:
        return group[0]
    first = min(
        group,
        key=lambda one: (
            -one.severity.rank,
            one.id.partition("/")[0] != _STEADY,
            not one.request,
            len(str(one.request)),
        ),
    )
    seen = {witness for finding in group for witness in witnesses.get(finding, ())}
    told = f": {cause.told}" if isinstance(cause, _Shared | _OneAnswer | Shape) else ""
    message = f"{first.message}; {max(len(seen), len(group))} calls have this cause{told}"
    return replace(first, message=message, covers=tuple(one for one in group if one is not first))


@dataclass(frozen=True, slots=True)
class _Shared:
    """A status that all requests with a trait get, and no others."""

    status: int
    trait: Trait

    @property
    def told(self) -> str:
        """The trait in words."""
        return " and ".join(sorted(self.trait))


@dataclass(frozen=True, slots=True)
class _OneAnswer:
    """A status that every request gets."""

    status: int | None

    @property
    def told(self) -> str:
        """The status in words."""
        return f"every call was answered with {self.status}"


class _Causes:
    """The cause of each finding, which depends on the others: a status in calls of every kind is one cause."""

    def __init__(
        self,
        findings: Sequence[Finding],
        cases: Mapping[str, Case],
        witnesses: Mapping[Finding, Collection[str]],
        statuses: frozenset[int | None],
    ) -> None:
        self._cases = cases
        self._witnesses = witnesses
        kinds: dict[int, set[ExpectedOutcome]] = {}
        counts: dict[int, int] = {}
        for finding in findings:
            status = _status(finding)
            if status is not None:
                kinds.setdefault(status, set()).update(case.expectation for case in self._cases_of(finding))
                counts[status] = counts.get(status, 0) + 1
        self._general = {
            status
            for status, found in kinds.items()
            if len(found) >= _KINDS and counts[status] >= _FEWEST and not is_success(status)
        }
        self._shapes = shapes(findings, witnesses)
        # A server that gives one status to every call does not look at them.
        only = next(iter(statuses)) if len(statuses) == 1 else None
        self._general |= {status for status in counts if status == only}
        self._is_one_answer = only in counts and (not is_success(only) or self._is_foreign(findings))
        self._only = only
        self._refusals = self._refusal_statuses(findings)
        self._rules = self._frequent_rules(findings)
        self._traits = {status: self._shared_traits(findings, status) for status in counts}

    def of(self, finding: Finding) -> Hashable:
        """Return a value that is the same for findings with one cause."""
        check, _, rule = finding.id.partition("/")
        status = _status(finding)
        if self._is_one_answer and (status == self._only or check.startswith(_OF_ONE_ANSWER)):
            return _OneAnswer(self._only)
        if check == _STEADY:
            listed = (one for one in self._general if f" x {one}" in str(finding.got))
            return next((("status", one) for one in listed), finding)
        if finding.id == _CHARGED_REFUSAL:
            told = (one for one in self._general if f" with {one} " in finding.message)
            return next((("status", one) for one in told), finding)
        if status is not None:
            return self._of_status(finding, check, status)
        return self._of_answer(finding, check, rule)

    def _of_answer(self, finding: Finding, check: str, rule: str) -> Hashable:
        """Return the cause of a finding that is not about a status."""
        if check in _BY_ABSENCE:
            return ("headers", "absent") if not finding.got else finding
        if check in _BY_CHECK:
            return check
        if finding.id in _FOR_PAGES:
            return "pages"
        if check == "answer-media-type" or (check == _ENVELOPE and rule.endswith("-media-type")):
            return ("media type", finding.got)
        if finding in self._shapes:
            return self._shapes[finding]
        if check in _BY_PICTURE:
            return ("picture", finding.pointer)
        if check == "picture-pixels":
            return (check, rule.partition("-")[2])
        return finding

    def _is_foreign(self, findings: Iterable[Finding]) -> bool:
        """Return whether a success has nothing of the documented body: another media type, another type of value, or other names."""
        bodies = (one for one in findings if one.id.partition("/")[0] in _OF_BODIES)
        return any(not one.pointer or (one in self._shapes and not self._shapes[one].place) for one in bodies)

    def _of_status(self, finding: Finding, check: str, status: int) -> Hashable:
        if status in self._general or (status in self._refusals and check in _OF_REFUSALS):
            return ("status", status)
        if check in _BY_STATUS:
            return (check, status)
        case = next(iter(self._cases_of(finding)), None)
        if case is None:
            return finding
        if case.expectation is ExpectedOutcome.UNAUTHORIZED:
            return ("credentials", status)
        trait = self._traits[status].get(case.id)
        if trait is not None:
            return _Shared(status, trait)
        rule = _rule(finding)
        if (check, status, rule) in self._rules:
            return (check, status, rule)
        # The pointer of a parameter has its location first.
        is_parameter = case.form is not None and case.form.target is not None
        place = case.pointer if is_parameter else next(iter(pointer_parts(case.pointer)), None)
        return finding if place is None else (check, status, place)

    def _refusal_statuses(self, findings: Sequence[Finding]) -> set[int]:
        """Return the statuses that all invalid requests of a check get, instead of the documented one."""
        wrong = {
            case.id: status
            for finding in findings
            if (status := _status(finding)) is not None
            for case in self._cases_of(finding)
        }
        found: set[int] = set()
        for check in _OF_REFUSALS:
            names = [name for name, case in self._cases.items() if case.check == check]
            counts = Counter(wrong[name] for name in names if name in wrong)
            enough = max(_FEWEST, _SHARE * (len(names) - counts.total()))
            found |= {status for status, count in counts.items() if count >= enough}
        return found

    def _shared_traits(self, findings: Sequence[Finding], status: int) -> dict[str, Trait]:
        """Map cases with a wrong status to what their requests have in common: valid ones, and invalid ones that broke the server like these."""
        failed = {case.id: case for one in findings if _status(one) == status for case in self._cases_of(one)}
        is_broken = status >= _BROKEN
        # An odd request may be refused without a finding.
        judged = {ExpectedOutcome.ACCEPTED, ExpectedOutcome.SURVIVED} if is_broken else {ExpectedOutcome.ACCEPTED}
        usual = {name: case for name, case in self._cases.items() if _is_usual(case) and case.expectation in judged}
        others = [case.body for name, case in usual.items() if name not in failed]
        found = common_traits({name: case.body for name, case in usual.items() if name in failed}, others)
        known = dict.fromkeys(found.values())
        for name, case in failed.items() if is_broken else ():
            if _is_usual(case) and case.expectation is ExpectedOutcome.REFUSED:
                having = traits(case.body)
                found |= dict.fromkeys([name], next((trait for trait in known if trait <= having), Trait()))
        return {name: trait for name, trait in found.items() if trait}

    def _frequent_rules(self, findings: Sequence[Finding]) -> set[tuple[str, int, str]]:
        """Return the rules that are broken in the same way at several properties, such as null for a value."""
        places: dict[tuple[str, int, str], set[str]] = {}
        for finding in findings:
            status, case = _status(finding), next(iter(self._cases_of(finding)), None)
            if status is not None and case is not None and case.pointer:
                key = (finding.id.partition("/")[0], status, _rule(finding))
                places.setdefault(key, set()).add(pointer_parts(case.pointer)[0])
        return {key for key, found in places.items() if len(found) >= _FEWEST}

    def _cases_of(self, finding: Finding) -> Iterable[Case]:
        names = self._witnesses.get(finding, ()) or ((finding.witness,) if finding.witness else ())
        return [self._cases[name] for name in names if name in self._cases]


def _is_usual(case: Case) -> bool:
    return case.credential is Credential.KEY and case.form is None


def _status(finding: Finding) -> int | None:
    """Return the wrong status that a finding is about; None where it is about something else."""
    is_status = is_about_status(finding.id.partition("/")[0]) and type(finding.got) is int
    return finding.got if is_status else None


def _rule(finding: Finding) -> str:
    return finding.id.rpartition("/")[2]

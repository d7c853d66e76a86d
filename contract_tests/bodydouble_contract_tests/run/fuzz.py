"""Send generated calls, and reduce the request of each finding."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any

from bodydouble_spec import Evidence, Finding, is_object
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from bodydouble_contract_tests.errors import UnsupportedSchema
from bodydouble_contract_tests.model import Case, ExpectedOutcome, OperationProfile
from bodydouble_contract_tests.plan import EXAMPLE_URL, CoveragePlan
from bodydouble_contract_tests.strategies import InvalidRequest, boundary_cases, invalid_requests, requests

__all__ = ["examine_generated"]

# The mock draws every picture; other cases test the maximum number.
_MOST_IMAGES = 2


def generated_cases(profile: OperationProfile, usual: Any) -> st.SearchStrategy[Case]:
    """Return a strategy of calls with valid, invalid and odd requests.

    The id of a case is derived from its body. ``usual`` is the body of the minimal request.
    """
    bodies = requests(profile.contract, profile.operation)
    # Most generated bodies have an odd value, which makes the outcome unspecified; some should have none.
    specified = bodies.map(lambda body: _valid_case(profile, _with_usual_values(profile, body, usual)))
    valid = bodies.map(lambda body: _valid_case(profile, body))
    evidence = {case.id: case.evidence for case in boundary_cases(profile.contract, profile.operation)}
    try:
        invalid = invalid_requests(profile.contract, profile.operation)
    except UnsupportedSchema:
        return st.one_of(specified, specified, valid)
    return st.one_of(
        specified, specified, valid, invalid.map(lambda request: _invalid_case(profile, request, evidence))
    )


def _with_usual_values(profile: OperationProfile, body: Any, usual: Any) -> Any:
    """Replace or drop each value that makes the outcome of the request unspecified."""
    if not is_object(body) or not is_object(usual) or not profile.is_unspecified(body):
        return body
    odd = {name for name, value in body.items() if profile.is_unspecified({**usual, name: value})}
    replaced = {
        name: usual[name] if name in odd else value for name, value in body.items() if name not in odd - usual.keys()
    }
    return body if profile.operation.validate_request(replaced) else replaced


def _valid_case(profile: OperationProfile, generated: Any) -> Case:
    body = _with_few_images(profile, generated)
    images = profile.images_asked(body)
    if profile.is_unspecified(body):
        return Case(_id(body), "odd-request-survived", body, ExpectedOutcome.SURVIVED, Evidence.DOCUMENTED, images)
    if is_object(body) and profile.properties and body.keys() - profile.properties.keys():
        return Case(_id(body), "unknown-key-tolerated", body, ExpectedOutcome.ACCEPTED, Evidence.INFERRED, images)
    return Case(_id(body), "valid-accepted", body, ExpectedOutcome.ACCEPTED, Evidence.DOCUMENTED, images)


def _invalid_case(profile: OperationProfile, request: InvalidRequest, evidence: dict[str, Evidence]) -> Case:
    """Return the case of an invalid body. Where it has several faults, the one with the best evidence counts."""
    best = min((evidence[fault] for fault in request.faults), key=list(Evidence).index)
    images, pointer = profile.images_asked(request.body), request.pointers[0]
    refused, statuses = ExpectedOutcome.REFUSED, profile.refusal_statuses(request.body)
    return Case(_id(request.body), "invalid-refused", request.body, refused, best, images, pointer, statuses=statuses)


def simpler_cases(profile: OperationProfile, case: Case, usual: Any) -> Iterator[Case]:
    """Return the call with fewer properties that differ from the usual request: only one of them first, then all but one.

    A valid call stays valid, an invalid one keeps its faults.
    """
    if not is_object(case.body) or not is_object(usual):
        return
    faults = {finding.pointer for finding in profile.operation.validate_request(case.body)}
    unusual = unusual_properties(case.body, usual)
    for kept in (*({name} for name in unusual), *(set(unusual) - {name} for name in unusual)):
        absent = kept - case.body.keys()
        body = {name: case.body[name] if name in kept else value for name, value in usual.items() if name not in absent}
        body |= {name: value for name, value in case.body.items() if name in kept}
        if len(kept) < len(unusual) and faults == {fault.pointer for fault in profile.operation.validate_request(body)}:
            changed = replace(case, id=_id(body), body=body, images=profile.images_asked(body))
            yield changed if faults else _valid_case(profile, body)


def unusual_properties(body: Any, usual: Any) -> list[str]:
    """Return the properties in which a request differs from the usual one."""
    if not is_object(usual):
        return []
    if not is_object(body):
        return list(usual)
    return [
        name
        for name in dict.fromkeys((*body, *usual))
        if name not in body or name not in usual or body_text(body[name]) != body_text(usual[name])
    ]


def _with_few_images(profile: OperationProfile, body: Any) -> Any:
    """Return the body with a small number of pictures, where the contract allows that."""
    name = profile.names.count
    if name is None or profile.images_asked(body) <= _MOST_IMAGES or not is_object(body):
        return body
    smaller = {**body, name: _MOST_IMAGES}
    return body if profile.operation.validate_request(smaller) else smaller


def _id(body: Any) -> str:
    return f"generated/{hashlib.sha256(body_text(body).encode()).hexdigest()[:12]}"


def body_text(body: Any) -> str:
    """Return the body as JSON text, the same for equal bodies."""
    return json.dumps(body, sort_keys=True)


# Calls for shrinking the request of one finding by Hypothesis, and further ones for simplifying the rest.
_SHRINKING_CALLS = 40
# Most draws lead to a call that was made already.
_MOST_DRAWN = 300
_SIMPLIFYING_CALLS = 20
# With more findings than this, the requests of the others are not reduced.
_SHRUNK_FINDINGS = 20
# Large or rare bodies are not a fault of the contract.
_NO_FAULTS = (
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
)


def examine_generated(
    profile: OperationProfile,
    examine: Callable[[Case], list[Finding]],
    *,
    examples: int,
    seed: int,
    known: Collection[str] = (),
) -> list[Finding]:
    """Make up to ``examples`` generated calls, valid, odd and invalid ones, and return each distinct finding once.

    ``examine`` makes a call and returns its findings; the same call is never made twice. All calls are made, whatever the first
    ones show. Then the request of each finding is reduced, towards the minimal request, with up to 60 further calls. The result is the findings of
    these reduced requests. Findings whose fingerprint is ``known`` keep the request that they have, and are not reduced. The same ``seed`` gives the same calls, as long as the server gives the same answers. Errors of ``examine`` are raised here.
    Raises UnsupportedSchema when the operation takes no JSON body.
    """
    if examples < 1:
        return []
    search = _Search(profile, examine, examples, seed)
    try:
        search.explore()
        search.reduce(known)
    except _ExaminationError as stopped:
        raise stopped.reason from stopped.reason.__cause__
    return [finding for finding, _ in search.found.values()]


class _Drawn:
    """A drawn case, whose body, of megabytes perhaps, Hypothesis does not write down."""

    def __init__(self, case: Case) -> None:
        self.case = case

    def __repr__(self) -> str:
        return self.case.id


class _FindingShown(Exception):
    """Tell Hypothesis that a call shows the finding in question."""


class _ShrunkEnough(BaseException):
    """End a search for a simpler call, in which Hypothesis would draw known calls again and again."""


class _ExaminationError(BaseException):
    """Carry an error out of Hypothesis, which would treat an Exception as a failure to reduce."""

    def __init__(self, reason: Exception) -> None:
        self.reason = reason


class _Search:
    """Make calls, remember the findings of each, and keep the simplest call for each finding."""

    def __init__(
        self, profile: OperationProfile, examine: Callable[[Case], list[Finding]], examples: int, seed: int
    ) -> None:
        self._profile = profile
        self._usual = CoveragePlan(profile, EXAMPLE_URL).minimal.value
        self._cases = generated_cases(profile, self._usual)
        self._examine = examine
        self._examples = examples
        self._seed = seed
        self._shown: dict[str, frozenset[str]] = {}
        self.found: dict[str, tuple[Finding, Case]] = {}

    def explore(self) -> None:
        """Make all generated calls."""
        self._run(self._fingerprints, Phase.generate)

    def reduce(self, known: Collection[str]) -> None:
        """Reduce the call of each finding that is not known, including findings that only the reduced calls show."""
        done = {*known}
        while len(done) < len(known) + _SHRUNK_FINDINGS and (
            fingerprint := next((one for one in self.found if one not in done), None)
        ):
            done.add(fingerprint)
            self._shrink(fingerprint)
            self._simplify(fingerprint)

    def _shrink(self, fingerprint: str) -> None:
        """Replay the calls, without sending them again, up to the one that shows the finding, and let Hypothesis shrink it."""
        most = len(self._shown) + _SHRINKING_CALLS
        drawn = 0

        def look(case: Case) -> None:
            nonlocal drawn
            drawn += 1
            if drawn > _MOST_DRAWN:
                raise _ShrunkEnough
            if (case.id in self._shown or len(self._shown) < most) and fingerprint in self._fingerprints(case):
                raise _FindingShown(fingerprint)

        try:
            self._run(look, Phase.generate, Phase.shrink)
        except (_FindingShown, _ShrunkEnough):
            return

    def _simplify(self, fingerprint: str) -> None:
        """Make the reduced call more like the usual one, as long as it shows the finding."""
        most = len(self._shown) + _SIMPLIFYING_CALLS
        tried: set[str] = set()
        while True:
            _, smallest = self.found[fingerprint]
            simpler = next(
                (case for case in simpler_cases(self._profile, smallest, self._usual) if case.id not in tried), None
            )
            if simpler is None or (simpler.id not in self._shown and len(self._shown) >= most):
                return
            tried.add(simpler.id)
            self._fingerprints(simpler)

    def _run(self, look: Callable[[Case], object], *phases: Phase) -> None:
        @seeded(self._seed)
        @settings(
            max_examples=self._examples,
            phases=phases,
            database=None,
            deadline=None,
            derandomize=False,
            report_multiple_bugs=False,
            print_blob=False,
            verbosity=Verbosity.quiet,
            suppress_health_check=_NO_FAULTS,
        )
        @given(self._cases.map(_Drawn))
        def run(drawn: _Drawn) -> None:
            look(drawn.case)

        run()

    def _fingerprints(self, case: Case) -> frozenset[str]:
        """Return the findings of a call by fingerprint; a new call is sent first."""
        if case.id not in self._shown:
            try:
                findings = self._examine(case)
            except Exception as error:
                raise _ExaminationError(error) from error
            self._shown[case.id] = frozenset(finding.fingerprint for finding in findings)
            for finding in findings:
                known = self.found.get(finding.fingerprint)
                if known is None or self._weight(finding, case) < self._weight(*known):
                    self.found[finding.fingerprint] = finding, case
        return self._shown[case.id]

    def _weight(self, finding: Finding, case: Case) -> tuple[int, int, int, str]:
        """Return the sort key of a request worth showing: the severity first, then the distance from the usual request, then the length."""
        text = body_text(case.body)
        return -finding.severity.rank, len(unusual_properties(case.body, self._usual)), len(text), text

"""Send generated calls, and reduce the request of each finding."""

from collections.abc import Callable

from bodydouble_spec import Finding
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded

from bodydouble_contract_tests._case import Case
from bodydouble_contract_tests._cases_generated import body_text, generated_cases, simpler_cases, unusual_properties
from bodydouble_contract_tests._planner_cover import CoveragePlan
from bodydouble_contract_tests._planner_picture import EXAMPLE_URL
from bodydouble_contract_tests._subject import OperationProfile

__all__ = ["examine_generated"]

# Calls for shrinking the request of one finding by Hypothesis, and further ones for simplifying the rest.
_SHRINKING_CALLS = 40
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
    profile: OperationProfile, examine: Callable[[Case], list[Finding]], *, examples: int, seed: int
) -> list[Finding]:
    """Make up to ``examples`` generated calls, valid, odd and invalid ones, and return each distinct finding once.

    ``examine`` makes a call and returns its findings; the same call is never made twice. All calls are made, whatever the first
    ones show. Then the request of each finding is reduced, towards the minimal request, with up to 60 further calls. The result is the findings of
    these reduced requests. The same ``seed`` gives the same calls, as long as the server gives the same answers. Errors of ``examine`` are raised here.
    Raises UnsupportedSchema when the operation takes no JSON body.
    """
    if examples < 1:
        return []
    search = _Search(profile, examine, examples, seed)
    try:
        search.explore()
        search.reduce()
    except _ExaminationError as stopped:
        raise stopped.reason from stopped.reason.__cause__
    return [finding for finding, _ in search.found.values()]


class _FindingShown(Exception):
    """Tell Hypothesis that a call shows the finding in question."""


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

    def reduce(self) -> None:
        """Reduce the call of each finding, including findings that only the reduced calls show."""
        done: set[str] = set()
        while len(done) < _SHRUNK_FINDINGS and (
            fingerprint := next((one for one in self.found if one not in done), None)
        ):
            done.add(fingerprint)
            self._shrink(fingerprint)
            self._simplify(fingerprint)

    def _shrink(self, fingerprint: str) -> None:
        """Replay the calls, without sending them again, up to the one that shows the finding, and let Hypothesis shrink it."""
        most = len(self._shown) + _SHRINKING_CALLS

        def look(case: Case) -> None:
            if (case.id in self._shown or len(self._shown) < most) and fingerprint in self._fingerprints(case):
                raise _FindingShown(fingerprint)

        try:
            self._run(look, Phase.generate, Phase.shrink)
        except _FindingShown:
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
        @given(self._cases)
        def run(case: Case) -> None:
            look(case)

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

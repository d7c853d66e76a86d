"""Generated calls: what nobody thought of, and of each finding the smallest call that shows it."""

from collections.abc import Callable

from bodydouble_spec import Finding
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded

from bodydouble_contract_tests._case import Case
from bodydouble_contract_tests._cases_generated import body_text, generated_cases, plainer_cases, unusual_properties
from bodydouble_contract_tests._planner_cover import Cover
from bodydouble_contract_tests._planner_picture import EXAMPLE_URL
from bodydouble_contract_tests._subject import Subject

__all__ = ["examine_generated"]

# Calls spent on making one finding's request smaller, and further ones on leaving out what Hypothesis did not come to.
_SHRINKING_CALLS = 40
_PARING_CALLS = 20
# A server that fails in more ways than these keeps some larger requests.
_SHRUNK_FINDINGS = 20
# A contract whose bodies are large or rare is not at fault for that.
_NO_FAULTS = (
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
)


def examine_generated(
    subject: Subject, examine: Callable[[Case], list[Finding]], *, examples: int, seed: int
) -> list[Finding]:
    """Make up to ``examples`` generated calls, valid ones, odd ones and invalid ones, and return each distinct finding once.

    ``examine`` makes a call and says what is wrong with its answer; the same call is never made twice. All calls are made, whatever the first
    ones give; then each finding's request is made smaller, and as like the plainest request as it can be, with up to 60 further calls.
    What is returned is what ``examine`` said of that request. The same ``seed`` gives the same calls, as long as the server gives the same
    answers. What ``examine`` raises is raised here. Raises UnsupportedSchema when the operation takes no JSON body.
    """
    if examples < 1:
        return []
    search = _Search(subject, examine, examples, seed)
    try:
        search.explore()
        search.reduce()
    except _Stopped as stopped:
        raise stopped.reason from stopped.reason.__cause__
    return [finding for finding, _ in search.found.values()]


class _Shown(Exception):
    """Tells Hypothesis that a call shows the finding that is looked for."""


class _Stopped(BaseException):
    """Carries an error out of Hypothesis, which would take an Exception for a failure to make smaller."""

    def __init__(self, reason: Exception) -> None:
        self.reason = reason


class _Search:
    """Makes calls, remembers what each one showed, and keeps the smallest for each finding."""

    def __init__(self, subject: Subject, examine: Callable[[Case], list[Finding]], examples: int, seed: int) -> None:
        self._subject = subject
        self._usual = Cover(subject, EXAMPLE_URL).plainest.value
        self._cases = generated_cases(subject, self._usual)
        self._examine = examine
        self._examples = examples
        self._seed = seed
        self._shown: dict[str, frozenset[str]] = {}
        self.found: dict[str, tuple[Finding, Case]] = {}

    def explore(self) -> None:
        """All generated calls."""
        self._run(self._fingerprints, Phase.generate)

    def reduce(self) -> None:
        """Smaller calls for each finding, those included that only the smaller calls bring to light."""
        done: set[str] = set()
        while len(done) < _SHRUNK_FINDINGS and (
            fingerprint := next((one for one in self.found if one not in done), None)
        ):
            done.add(fingerprint)
            self._shrink(fingerprint)
            self._pare(fingerprint)

    def _shrink(self, fingerprint: str) -> None:
        """The same calls up to the one that shows the finding, without making them again; then smaller ones."""
        most = len(self._shown) + _SHRINKING_CALLS

        def look(case: Case) -> None:
            if (case.id in self._shown or len(self._shown) < most) and fingerprint in self._fingerprints(case):
                raise _Shown(fingerprint)

        try:
            self._run(look, Phase.generate, Phase.shrink)
        except _Shown:
            return

    def _pare(self, fingerprint: str) -> None:
        """Make the smallest call that shows the finding more like the usual one, as far as it still shows it."""
        most = len(self._shown) + _PARING_CALLS
        tried: set[str] = set()
        while True:
            _, smallest = self.found[fingerprint]
            plainer = next(
                (case for case in plainer_cases(self._subject, smallest, self._usual) if case.id not in tried), None
            )
            if plainer is None or (plainer.id not in self._shown and len(self._shown) >= most):
                return
            tried.add(plainer.id)
            self._fingerprints(plainer)

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
        """What a call shows; the call is made when it was not made before."""
        if case.id not in self._shown:
            try:
                findings = self._examine(case)
            except Exception as error:
                raise _Stopped(error) from error
            self._shown[case.id] = frozenset(finding.fingerprint for finding in findings)
            for finding in findings:
                known = self.found.get(finding.fingerprint)
                if known is None or self._weight(finding, case) < self._weight(*known):
                    self.found[finding.fingerprint] = finding, case
        return self._shown[case.id]

    def _weight(self, finding: Finding, case: Case) -> tuple[int, int, int, str]:
        """What makes a request worth showing: how bad it is first, then how near to the usual one, then how short."""
        text = body_text(case.body)
        return -finding.severity.rank, len(unusual_properties(case.body, self._usual)), len(text), text

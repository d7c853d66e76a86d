"""Mutants found: `bodydouble verify` beside Schemathesis on servers with one deviation each.

    python benchmarks/mutants.py [--family NAME] [--every N] [--examples 25] [--schemathesis EXECUTABLE] [--max-examples 25]

Each mutant is the mock with one deviation, and names the check that must find it. Ours is the default run; ``found`` means that this check did,
``other`` that only another one did. Schemathesis, in an environment of its own, gets the document with our overlay (without it, it takes each 400 for a
failure), all its checks, and the same server on a port; ``found`` means a kind of failure, or of error, that it does not list for the unchanged mock.
Then both get the correct servers of the tests, where each finding above information is a false alarm.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bodydouble.fixture import BackgroundServer
from bodydouble_contract_tests.verification import OperationProfile, Target, VerifyOptions, verify
from bodydouble_spec import Contract, Severity, flattened

# The mutants are test code of the checkout, and not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from contract_tests.tests import correct
from contract_tests.tests.mutants import KEY, Mutant, families, serve, with_small_pictures


@dataclass
class Score:
    """The requests and seconds of one tool, and how many mutants of each family it found."""

    requests: int = 0
    seconds: float = 0.0
    found: Counter[str] = field(default_factory=Counter[str])

    def line(self, name: str, tried: Counter[str]) -> str:
        """Return the score in one line."""
        of, found = tried.total(), self.found.total()
        each = f"{self.requests / of:.0f} requests and {self.seconds / of:.2f} s each"
        return f"{name}: {found} of {of} mutants ({found / of:.0%}), {each}"


def ours(origin: str, key: str, profile: OperationProfile, examples: int) -> tuple[set[str], int]:
    """Return the checks with a finding above information, those with information in brackets, and the number of requests."""
    with Target(origin, key, timeout_s=3) as target:
        result = verify(profile, target, VerifyOptions(examples=examples))
    named = ((finding.id.partition("/")[0], finding.severity) for finding in flattened(result.findings))
    return {check if severity is not Severity.INFO else f"({check})" for check, severity in named}, result.requests


def theirs(executable: str, origin: str, key: str, document: Path, examples: int) -> tuple[set[str], int]:
    """Return the kinds of failure that Schemathesis lists, broken connections (its "errors") included, and the number of requests."""
    command = [executable, "run", str(document), "--url", origin, "--header", f"Authorization: Bearer {key}"]
    options = ["--max-examples", str(examples), "--seed", "1", "--request-timeout", "3", "--continue-on-failure"]
    done = subprocess.run(
        [*command, *options], cwd=document.parent, capture_output=True, text=True, check=False, timeout=300
    )
    kinds = re.findall(r"^- (ST\d+ .+)$|^ +🚫 (.+): \d+$", done.stdout, re.MULTILINE)
    sent = re.search(r"^ +(\d+) generated", done.stdout, re.MULTILINE)
    return {failure or error for failure, error in kinds}, int(sent[1]) if sent else 0


class Benchmark:
    """Both tools on one server after the other."""

    def __init__(self, options: argparse.Namespace, contract: Contract, document: Path) -> None:
        self._options = options
        self._contract = contract
        # A plan is made once for all servers.
        self._profile = OperationProfile(contract)
        self._document = document
        self._usual: set[str] = set()
        self.tried: Counter[str] = Counter()
        self.ours = Score()
        self.theirs = Score()

    def unchanged(self) -> None:
        """Note what the other tool lists for the unchanged mock, and print our false alarms."""
        with BackgroundServer(serve(None, self._contract)) as server:
            found, sent = ours(server.url, KEY, self._profile, self._options.examples)
            self._usual = self._beside(server.url, KEY)[0]
        print(f"{'the unchanged mock':44} {sent:4} requests, false alarms: {_listed(found)}")

    def correct(self) -> None:
        """Print the false alarms on the correct servers, whose pictures have their documented sizes."""
        profile = OperationProfile(Contract.load())
        for name, make in correct.SERVERS.items():
            with make() as origin:
                began = time.monotonic()
                found, sent = ours(origin, correct.KEY, profile, self._options.examples)
                seconds = time.monotonic() - began
                listed = self._beside(origin, correct.KEY)[0]
            beside = f"; beside it: {sorted(listed) or 'none'}" if self._options.schemathesis else ""
            print(f"{name:44} {sent:4} requests, {seconds:.1f} s, false alarms: {_listed(found)}{beside}", flush=True)

    def mutant(self, family: str, mutant: Mutant) -> None:
        """Try both tools on one mutant, and print a line."""
        with BackgroundServer(serve(mutant, self._contract)) as server:
            began = time.monotonic()
            found, sent = ours(server.url, KEY, self._profile, self._options.examples)
            ended = time.monotonic()
            listed, their_sent = self._beside(server.url, KEY)
            their_seconds = time.monotonic() - ended
        is_found = mutant.check in found or f"({mutant.check})" in found
        also = bool(listed - self._usual)
        self.tried[family] += 1
        self.ours.found[family] += is_found
        self.theirs.found[family] += also
        self.ours.requests += sent
        self.theirs.requests += their_sent
        self.ours.seconds += ended - began
        self.theirs.seconds += their_seconds
        verdict = "found" if is_found else "other" if found else "-"
        other = "" if not self._options.schemathesis else "found" if also else "-"
        print(f"{family:18} {mutant.id:44} {mutant.check:22} {verdict:6} {sent:4} {other}".rstrip(), flush=True)

    def _beside(self, origin: str, key: str) -> tuple[set[str], int]:
        executable = self._options.schemathesis
        if not executable:
            return set(), 0
        return theirs(executable, origin, key, self._document, self._options.max_examples)


def _listed(found: set[str]) -> str:
    alarms = sorted(check for check in found if not check.startswith("("))
    return ", ".join(alarms) or "none"


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--family", action="append", help="mutants of this family only; repeatable")
    parser.add_argument("--every", type=int, default=1, help="every n-th mutant only")
    parser.add_argument("--examples", type=int, default=25, help="generated calls of ours")
    parser.add_argument("--schemathesis", metavar="EXECUTABLE")
    parser.add_argument("--max-examples", type=int, default=25)
    options = parser.parse_args()
    contract = with_small_pictures(Contract.load())
    chosen = [(name, one) for name, family in families(contract).items() for one in family]
    chosen = [(name, one) for name, one in chosen if not options.family or name in options.family][:: options.every]
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "openapi.json"
        document.write_text(json.dumps(dict(contract.document)))
        benchmark = Benchmark(options, contract, document)
        benchmark.unchanged()
        for family, mutant in chosen:
            benchmark.mutant(family, mutant)
        benchmark.correct()
    tried = benchmark.tried
    print()
    for family, count in tried.items():
        beside = f"  Schemathesis {benchmark.theirs.found[family]}" if options.schemathesis else ""
        print(f"{family:18} {benchmark.ours.found[family]:3} of {count}{beside}")
    print(benchmark.ours.line("ours", tried))
    if options.schemathesis:
        shown = subprocess.run([options.schemathesis, "--version"], capture_output=True, text=True, check=False).stdout
        print(benchmark.theirs.line(shown.strip(), tried))


if __name__ == "__main__":
    main()

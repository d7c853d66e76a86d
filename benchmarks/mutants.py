"""Mutants found: `bodydouble verify` beside Schemathesis on the mutants of the mock.

    python benchmarks/mutants.py [--every N] [--schemathesis EXECUTABLE] [--max-examples 25]

Each mutant is the mock with one deviation. Ours runs the cases of the check that must find it; ``found`` means that this check did. Schemathesis, in an
environment of its own, gets the document with our overlay (without it, it takes each 400 for a failure), all its checks, and the same server on a port;
``found`` means a kind of failure, or of error, that it does not list for the unchanged mock.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bodydouble.fixture import BackgroundServer
from bodydouble_contract_tests.verification import OperationProfile, Target, VerifyOptions, verify
from bodydouble_spec import Contract

# The mutants are test code of the checkout, and not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from contract_tests.tests.mutants import Mutant, mutants, serve

KEY = "a-key"


def ours(origin: str, profile: OperationProfile, mutant: Mutant | None) -> tuple[bool, int]:
    """Tell if the mutant's own check finds it, or if anything is found where there is no mutant, and count the requests."""
    only = None if mutant is None else [mutant.check]
    with Target(origin, KEY, timeout_s=3) as target:
        result = verify(profile, target, VerifyOptions(only=only, examples=0))
    ids = [finding.id.partition("/")[0] for finding in result.findings]
    return (bool(ids) if mutant is None else mutant.check in ids), result.requests


def theirs(executable: str, origin: str, document: Path, examples: int) -> tuple[set[str], int]:
    """Return the kinds of failure that Schemathesis lists, broken connections (its "errors") included, and the number of requests."""
    command = [executable, "run", str(document), "--url", origin, "--header", f"Authorization: Bearer {KEY}"]
    options = ["--max-examples", str(examples), "--seed", "1", "--request-timeout", "3", "--continue-on-failure"]
    done = subprocess.run(
        [*command, *options], cwd=document.parent, capture_output=True, text=True, check=False, timeout=300
    )
    kinds = re.findall(r"^- (ST\d+ .+)$|^ +🚫 (.+): \d+$", done.stdout, re.MULTILINE)
    sent = re.search(r"^ +(\d+) generated", done.stdout, re.MULTILINE)
    return {failure or error for failure, error in kinds}, int(sent[1]) if sent else 0


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--every", type=int, default=1, help="every n-th mutant only")
    parser.add_argument("--schemathesis", metavar="EXECUTABLE")
    parser.add_argument("--max-examples", type=int, default=25)
    options = parser.parse_args()
    contract = Contract.load()
    profile = OperationProfile(contract)
    tried: list[Mutant | None] = [None, *mutants(contract)[:: options.every]]
    usual: set[str] = set()
    found, beside, requests, their_requests = 0, 0, 0, 0
    seconds, their_seconds = 0.0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "openapi.json"
        document.write_text(json.dumps(dict(contract.document)))
        for mutant in tried:
            with BackgroundServer(serve(mutant, contract, KEY)) as server:
                began = time.monotonic()
                is_found, sent = ours(server.url, profile, mutant)
                ended = time.monotonic()
                listed: set[str] = set()
                their_sent = 0
                if options.schemathesis:
                    listed, their_sent = theirs(options.schemathesis, server.url, document, options.max_examples)
                seconds, their_seconds = seconds + ended - began, their_seconds + time.monotonic() - ended
            usual = listed if mutant is None else usual
            also = bool(listed - usual)
            name, check = ("unchanged", "-") if mutant is None else (mutant.id, mutant.check)
            other = "" if options.schemathesis is None else "found" if also else "-"
            print(f"{name:52} {check:24} {'found' if is_found else '-':6} {sent:4} {other}", flush=True)
            if mutant is not None:
                found, beside = found + is_found, beside + also
                requests, their_requests = requests + sent, their_requests + their_sent
            elif is_found:
                print("ours: a false alarm on the unchanged mock")
    count = len(tried) - 1
    print(f"\nours: {found} of {count} mutants, {requests / count:.0f} requests each, {seconds:.0f} s in all")
    if options.schemathesis:
        version = subprocess.run(
            [options.schemathesis, "--version"], capture_output=True, text=True, check=False
        ).stdout
        print(
            f"{version.strip()}: {beside} of {count} mutants, {their_requests / count:.0f} requests each, {their_seconds:.0f} s in all, "
            f"with --max-examples {options.max_examples}; on the unchanged mock: {sorted(usual) or 'nothing'}"
        )


if __name__ == "__main__":
    main()

"""The worth of the proof: each client with one deviation gives the finding that is named for it.

The suite tries every third client, the same ones each time; ``BODYDOUBLE_MUTANTS=all`` tries all of them.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from bodydouble_contract_tests.claims import boundary_calls
from bodydouble_spec import Contract, Finding

from contract_tests.tests.client_mutants import ClientMutant, client_mutants, mutated
from contract_tests.tests.client_proof import REPEATED_ANSWERS, ClientProof
from contract_tests.tests.strategies.answers import boundary_answers
from contract_tests.tests.strategies.invalid_calls import invalid_boundary_calls

Examples = dict[str, tuple[Iterable[Any], Callable[[Any], list[Finding]]]]


@pytest.fixture(scope="module")
def examples(vendored: Contract, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examples]:
    """Return the deterministic examples and the claims for them, by the name of the proof."""
    # The calls made to show a client that tidies up are last; they show most deviations.
    calls = boundary_calls(vendored, folder=tmp_path_factory.mktemp("inputs"))[::-1]
    with ClientProof(vendored) as proof:
        yield {
            "calls": (calls, proof.of_valid_call),
            "invalid calls": (invalid_boundary_calls(vendored), proof.of_invalid_call),
            "answers": (boundary_answers(vendored), proof.of_answer),
            "downloads": (("url", "b64_json"), proof.of_downloads),
            **{name: ([name], proof.of_repetition) for name in REPEATED_ANSWERS},
        }


EVERY = 1 if os.environ.get("BODYDOUBLE_MUTANTS") == "all" else 3


@pytest.mark.parametrize("mutant", client_mutants()[::EVERY], ids=lambda mutant: mutant.id)
def test_each_deviation_of_the_client_gives_its_finding(mutant: ClientMutant, examples: Examples) -> None:
    cases, claim = examples[mutant.proof]
    with mutated(mutant):
        found = next((findings for case in cases if (findings := claim(case))), list[Finding]())
    assert mutant.finding in [f"{finding.id} {finding.pointer}".strip() for finding in found]


def test_the_client_itself_is_as_before_after_a_mutant(examples: Examples) -> None:
    cases, claim = examples["calls"]
    assert claim(next(iter(cases))) == []


def test_a_text_that_is_not_in_the_client_is_noticed() -> None:
    with pytest.raises(ValueError, match="is 0 times"), mutated(ClientMutant("a", "calls", "", "_request", "zzz", "")):
        pass

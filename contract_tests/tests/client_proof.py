"""The proof of the client: the claims for one call, answer or repetition, over a server for each of the two clients."""

from types import TracebackType
from typing import Any

from bodydouble_contract_tests.claims import ClientCall, Harness, RecordingServer
from bodydouble_contract_tests.claims.calls import InputPicture
from bodydouble_contract_tests.claims.claims import (
    CrossValidator,
    claim_clients_agree,
    claim_downloads_are_whole,
    claim_invalid_call_is_refused,
    claim_only_refused_attempts_are_repeated,
    claim_outcome_is_documented,
    claim_outcome_matches_the_answer,
    claim_request_arrives_conforming,
    claim_request_is_addressed_and_signed,
    claim_request_matches_the_call,
    claim_requests_have_their_own_ids,
    claim_temporary_refusal_is_repeated,
    claim_valid_call_is_served,
)
from bodydouble_contract_tests.claims.harness import CallRecord
from bodydouble_mockserver import Settings
from bodydouble_spec import Contract, Finding

from contract_tests.tests.strategies.invalid_calls import InvalidCall

__all__ = ["CALL", "REPEATED_ANSWERS", "ClientProof", "same_settings"]

CALL = ClientCall("make it night", (InputPicture("text", "https://example.com/a.png"),), num_images=2)
REPEATED_ANSWERS: dict[str, tuple[dict[str, Any], int]] = {
    "429": ({"status": 429}, 2),
    "408": ({"status": 408}, 2),
    "504": ({"status": 504}, 2),
    "400": ({"status": 400}, 1),
    "503": ({"status": 503, "fault": "truncated-json"}, 2),
    "500": ({"status": 500}, 1),
    "reset": ({"fault": "reset-mid-body"}, 1),
    "hang": ({"fault": "hang"}, 1),
    "retry-after": ({"status": 429, "retry-after": 10**9}, 1),
}
"""Answers that a server gives to every attempt, with the number of attempts that a client with one retry makes."""


def same_settings(**changes: Any) -> Settings:
    """Return settings with which servers give the same answers, ids and times included."""
    return Settings(seed=1, clock=lambda: 1_750_000_000.0, **changes)


class ClientProof:
    """The claims for the blocking and the asynchronous client, each with a server of its own for the contract."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._validator = CrossValidator(contract)
        self.harnesses = tuple(
            Harness(RecordingServer(contract, same_settings()), asynchronous=is_asynchronous)
            for is_asynchronous in (False, True)
        )

    def __enter__(self) -> "ClientProof":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for harness in self.harnesses:
            harness.close()
            harness.server.close()

    def of_valid_call(self, call: ClientCall) -> list[Finding]:
        """Return the claims that do not hold for a valid call."""
        first, second = (harness.run(call) for harness in self.harnesses)
        return [
            *claim_valid_call_is_served(first),
            *claim_request_arrives_conforming(first, self._validator),
            *claim_request_is_addressed_and_signed(first, self._validator.operation),
            *claim_request_matches_the_call(first),
            *claim_outcome_matches_the_answer(first),
            *claim_requests_have_their_own_ids(first, second),
            *claim_clients_agree(first, second),
        ]

    def of_invalid_call(self, invalid: InvalidCall) -> list[Finding]:
        """Return the claims that do not hold for a call that must be refused."""
        first, second = (harness.run(invalid.call) for harness in self.harnesses)
        return [*claim_invalid_call_is_refused(first, invalid.arguments), *claim_clients_agree(first, second)]

    def of_answer(self, answer: dict[str, Any]) -> list[Finding]:
        """Return the claims that do not hold when a server gives this answer."""
        for harness in self.harnesses:
            harness.server.reset()
            harness.server.play({"answers": [answer]})
        first, second = (harness.run(CALL) for harness in self.harnesses)
        return [
            *claim_only_refused_attempts_are_repeated(first),
            *claim_outcome_is_documented(first),
            *claim_outcome_is_documented(second),
            *claim_outcome_matches_the_answer(first),
            *claim_clients_agree(first, second),
        ]

    def of_downloads(self, images: str) -> list[Finding]:
        """Return the claims that do not hold for the pictures of an answer, which come as ``url``, ``b64_json`` or ``both``."""
        for harness in self.harnesses:
            harness.server.reset()
            harness.server.play({"answers": [{"images": images}]})
        first, second = (harness.run(CALL, downloads=True) for harness in self.harnesses)
        return [
            *claim_valid_call_is_served(first),
            *claim_outcome_is_documented(first),
            *claim_downloads_are_whole(first),
            *claim_downloads_are_whole(second),
            *claim_clients_agree(first, second),
        ]

    def of_repetition(self, name: str, *, is_asynchronous: bool = False) -> list[Finding]:
        """Return the claims that do not hold when a server gives one of `REPEATED_ANSWERS` to every attempt."""
        answer, attempts = REPEATED_ANSWERS[name]
        record = self._repeated(answer, is_asynchronous=is_asynchronous)
        return [
            *claim_only_refused_attempts_are_repeated(record),
            *claim_temporary_refusal_is_repeated(record, attempts),
        ]

    def _repeated(self, answer: dict[str, Any], *, is_asynchronous: bool) -> CallRecord:
        with Harness(RecordingServer(self._contract), asynchronous=is_asynchronous, retries=1) as harness:
            harness.server.play({"answers": [{**answer, "times": None}]})
            return harness.run(CALL)

"""Any interleaving of calls, scripts, limits, resets and changes of key leaves journal, credits and results as a small model has them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
from bodydouble_client import (
    BadGateway,
    BodydoubleError,
    Client,
    EditResult,
    NotFound,
    OutOfCredits,
    RateLimited,
    ServerError,
    Unauthorized,
)
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.transport import MockTransport
from bodydouble_spec import Contract
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

ORIGIN = "http://127.0.0.1"
KNOWN_KEYS = ("key-of-anna", "key-of-bela")
PRICE, CREDITS_PER_USD, UNLIMITED_USD = 84_000, 2_000_000, 10.0
ERRORS: dict[int, type[BodydoubleError]] = {
    401: Unauthorized,
    403: OutOfCredits,
    404: NotFound,
    429: RateLimited,
    500: ServerError,
    502: BadGateway,
}
CONTRACT = Contract.load()


@dataclass
class Model:
    """The state that the server should have."""

    limit: int | None = None
    spent: Counter[str] = field(default_factory=Counter[str])
    script: list[int] = field(default_factory=list[int])
    journal: list[tuple[str, str, int]] = field(default_factory=list[tuple[str, str, int]])

    def call(self, key: str, prompt: str, count: int) -> int:
        """Return the status of the answer: scripted, else by the key, else by the remaining credits."""
        fits = self.limit is None or self.spent[key] + count * PRICE <= self.limit
        status = self.script.pop(0) if self.script else 401 if key not in KNOWN_KEYS else 200 if fits else 403
        self.spent[key] += count * PRICE * (status == 200 and self.limit is not None)
        self.journal.append((key, prompt, status))
        return status

    def forget(self) -> None:
        """Forget scripts and limits, but not the journal."""
        self.limit, self.spent, self.script = None, Counter(), []


class Interleaving(RuleBasedStateMachine):
    """The server in process, its control routes over HTTP, and one client per key."""

    def __init__(self) -> None:
        super().__init__()
        self.server: MockServer = create_app(CONTRACT, Settings(api_keys=KNOWN_KEYS))
        self.http = httpx.Client(transport=MockTransport(self.server), base_url=ORIGIN, trust_env=False)
        self.model = Model()
        self.key = KNOWN_KEYS[0]

    def teardown(self) -> None:
        self.http.close()

    @rule(prompt=st.text(max_size=5), count=st.integers(1, 4))
    def edit(self, prompt: str, count: int) -> None:
        status = self.model.call(self.key, prompt, count)
        client = Client(self.key, ORIGIN, retries=0, http_client=self.http)
        outcome: EditResult | BodydoubleError
        try:
            outcome = client.edit(prompt, [], num_images=count)
        except BodydoubleError as error:
            outcome = error
        if isinstance(outcome, EditResult):
            told: tuple[Any, ...] = (200, len(outcome.images), outcome.credits_used)
            assert told == (status, count, count * PRICE)
        else:
            assert (outcome.status_code, type(outcome)) == (status, ERRORS[status])

    @rule(status=st.sampled_from([404, 429, 500, 502]), times=st.integers(1, 2))
    def script(self, status: int, times: int) -> None:
        self.control("POST", "scenarios", 201, {"answers": [{"status": status, "times": times}]})
        self.model.script += [status] * times

    @rule(pictures=st.integers(0, 6) | st.none())
    def limit(self, pictures: int | None) -> None:
        most = None if pictures is None else pictures * PRICE
        self.control("POST", "scenarios", 201, {"limits": {"credits": most}})
        self.model.limit, self.model.spent = most, Counter()

    @rule(key=st.sampled_from([*KNOWN_KEYS, "key-of-nobody"]))
    def change_key(self, key: str) -> None:
        self.key = key

    @rule()
    def clear_scenarios(self) -> None:
        self.control("DELETE", "scenarios", 204)
        self.model.forget()

    @rule()
    def reset(self) -> None:
        self.control("POST", "reset", 204)
        self.model.forget()
        self.model.journal.clear()

    @rule()
    def post_a_bad_scenario(self) -> None:
        self.control("POST", "scenarios", 400, {"limits": {"credits": 1}, "answers": [{"status": 1}]})

    @invariant()
    def the_journal_has_every_call_in_order(self) -> None:
        exchanges = [
            exchange
            for exchange in self.control("GET", "requests", 200)["requests"]
            if exchange["path"] == "/v1/images/generations"
        ]
        found = [(exchange["body"]["prompt"], exchange["answer"]["status"]) for exchange in exchanges]
        assert found == [(prompt, status) for _, prompt, status in self.model.journal]
        hashes = {(exchange["key"], key) for exchange, (key, _, _) in zip(exchanges, self.model.journal, strict=True)}
        assert len(hashes) == len({key for key, _, _ in self.model.journal})

    @invariant()
    def the_balance_of_every_key_is_what_it_has_not_spent(self) -> None:
        for key in KNOWN_KEYS:
            balance = self.http.get("/v2/billing", headers={"Authorization": f"Bearer {key}"}).json()["current_balance"]
            limit = self.model.limit
            left = UNLIMITED_USD if limit is None else (limit - self.model.spent[key]) / CREDITS_PER_USD
            assert balance == left

    @invariant()
    def the_script_is_used_up_answer_by_answer(self) -> None:
        answers = self.control("GET", "scenarios", 200)["answers"]
        assert sum(answer["times"] - answer["used"] for answer in answers) == len(self.model.script)

    def control(self, method: str, route: str, status: int, body: Any = None) -> Any:
        answer = self.http.request(method, f"/_bodydouble/{route}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None


# A step costs as much as an example elsewhere.
Interleaving.TestCase.settings = settings(max_examples=max(20, settings().max_examples // 3), stateful_step_count=25)
test_any_interleaving_leaves_the_server_as_the_model_has_it = Interleaving.TestCase

"""The fuzz run: several connections at once send a mock all that a client can send; ``--fuzz-seconds 600`` runs it for ten minutes."""

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from mockserver.tests.fuzzing import CANARY, MAX_BODY_BYTES, Answer, Plan, plans, read_answers, send
from spec.tests.servers import ServeProcess, run_serve

CONNECTIONS = 6
BATCH = 30
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
MAX_ENTRIES = 300
MAX_GROWTH_MB = 300
HEADERS = {"Authorization": "Bearer control"}


class Fuzzed:
    """A running mock, with what its clients have read and what its journal file says."""

    def __init__(self, process: ServeProcess, journal: Path) -> None:
        self.process = process
        self.port = httpx.URL(process.address).port or 0
        self.client = httpx.Client(base_url=process.address, headers=HEADERS, timeout=60)
        self.journal = journal
        self.read: dict[str, int] = {}
        self.recorded: dict[str, list[dict[str, Any]]] = {}
        self._clients = ThreadPoolExecutor(CONNECTIONS)
        self._running: list[Future[bytes]] = []
        self._place = 0
        self._picture = b"/generations/a/b.png"
        self._idle_mb = self.peak_mb

    @property
    def peak_mb(self) -> float:
        """The most memory that the process has had, in MB; 0 where the system does not tell."""
        if sys.platform != "linux":
            return 0.0
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0

    def follow(self, plan: Plan) -> None:
        """Begin to follow a plan, beside earlier ones; examine from time to time what came of them."""
        self._running.append(self._clients.submit(send, self.port, plan, self._picture))
        if len(self._running) == BATCH:
            self.examine()

    def examine(self) -> None:
        """Wait for the plans, and examine their answers and the mock."""
        running, self._running = self._running, []
        self._examine([answer for sent in running for answer in read_answers(sent.result())[0]])

    def _examine(self, answers: list[Answer]) -> None:
        health = self.client.get("/_bodydouble/health")
        assert (health.status_code, health.json()["status"]) == (200, "ok")
        unnamed = [answer.status for answer in answers if not answer.request_id and answer.status >= 500]
        assert not unnamed, "a control route answers 5xx"
        self.read.update((answer.request_id, answer.status) for answer in answers if answer.request_id)
        stored = self.client.get("/_bodydouble/requests?limit=1000").json()
        assert stored["total"] <= MAX_ENTRIES
        scenarios = self.client.get("/_bodydouble/scenarios")
        assert len(scenarios.json()["answers"]) <= 1000
        assert CANARY not in scenarios.text + json.dumps(stored)
        assert self.peak_mb - self._idle_mb < MAX_GROWTH_MB
        self.read_journal()

    def read_journal(self) -> None:
        """Read the new lines of the journal file, and compare them with the answers."""
        with self.journal.open("rb") as file:
            file.seek(self._place)
            lines = file.read()
        whole = lines[: lines.rfind(b"\n") + 1]
        self._place += len(whole)
        assert CANARY.encode() not in whole
        pictures = re.findall(rb"/generations/[^\"?]+\.png", whole)
        self._picture = pictures[-1] if pictures else self._picture
        for entry in map(json.loads, whole.splitlines()):
            answer = entry["answer"]
            self.recorded.setdefault(answer["headers"].get("x-request-id", ""), []).append(entry)
            if answer["status"] >= 500:
                is_limit = answer["status"] == 503 and "--max-pending-mb" in json.dumps(answer)
                assert entry["matched"] or entry["applied"] or is_limit, f"not asked for: {entry}"

    def conclude(self) -> None:
        """End the server, and compare everything that was read with the journal. The log has no traceback and no key."""
        self.examine()
        self._clients.shutdown()
        code, _, log = self.process.end()
        self.read_journal()
        self.client.close()
        wrong = {
            identifier: (status, [entry["answer"]["status"] for entry in self.recorded.get(identifier, [])])
            for identifier, status in self.read.items()
            if [entry["answer"]["status"] for entry in self.recorded.get(identifier, [])] != [status]
        }
        assert not wrong, "the journal says something else than the clients read"
        bad = next(
            (place for word in ("Traceback", "a bug in bodydouble", CANARY) if (place := log.find(word)) >= 0), -1
        )
        assert (code, bad) == (0, -1), log[max(0, bad - 500) : bad + 4000]


@pytest.fixture
def fuzzed(tmp_path: Path) -> Iterator[Fuzzed]:
    options = {
        "--journal": tmp_path / "journal.jsonl",
        "--journal-entries": MAX_ENTRIES,
        "--max-body-mb": MAX_BODY_BYTES / 1024 / 1024,
        "--max-pending-mb": 8,
        "--max-control-kb": 100,
        "--head-timeout": 1,
        "--idle-timeout": 1,
        "--api-key": CANARY,
        "--control-key": "control",
        "--latency": "0..0.01",
    }
    with run_serve("--intercept", *(str(item) for pair in options.items() for item in pair)) as process:
        httpx.get(f"{process.address}/_bodydouble/health", headers=HEADERS)
        yield Fuzzed(process, tmp_path / "journal.jsonl")


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be ended gracefully there")
def test_a_mock_withstands_what_clients_send(fuzzed: Fuzzed, request: pytest.FixtureRequest) -> None:
    option: Any = request.config.getoption("--fuzz-seconds")
    seconds = float(option)
    end = time.monotonic() + seconds

    # Without shrinking: what comes of a plan depends on those before it.
    @settings(
        max_examples=1000 if seconds else 150,
        deadline=None,
        derandomize=not seconds,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=SLOW,
    )
    @given(plans())
    def follow(plan: Plan) -> None:
        fuzzed.follow(plan)

    follow()
    while time.monotonic() < end:
        follow()
    peak_mb = fuzzed.peak_mb
    fuzzed.conclude()
    found = Counter(fuzzed.read.values())
    assert {200, 400, 401, 404} <= {*found}, f"the run reached too little: {found}"
    print(f"answers read: {dict(found)}; requests in the journal: {len(fuzzed.recorded)}; memory: {peak_mb:.0f} MB")

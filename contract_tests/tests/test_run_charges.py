"""Money against servers with a ledger of their own: dishonest answers, killed processes, and no call paid for twice."""

import base64
import json
import signal
import ssl
import subprocess
import sys
import textwrap
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from bodydouble_contract_tests.run.charges import charge_of
from bodydouble_contract_tests.schema import picture_bytes
from bodydouble_contract_tests.spending import Budget
from bodydouble_contract_tests.target.http import Received
from bodydouble_contract_tests.verification import (
    Case,
    ExpectedOutcome,
    OperationProfile,
    Target,
    Verification,
    VerifyOptions,
    plan_verification,
    verify,
)
from bodydouble_mockserver import MockServer
from bodydouble_spec import Evidence, is_object

KEY = "canary-4f1c9a7e2b"
PRICE = 0.042
CREDITS = 84_000
PICTURE = base64.b64encode(picture_bytes()["png"][0]).decode()

Serve = Callable[[MockServer], AbstractContextManager[str]]


@dataclass
class Reply:
    """The answer to a call that is carried out: what the server tells, and what it really takes for each picture, in dollars."""

    body: dict[str, Any] = field(default_factory=dict[str, Any])
    headers: dict[str, str] = field(default_factory=dict[str, str])
    status: int = 200
    usd: float = PRICE
    refusal_usd: float = 0.0
    is_silent: bool = False


def _used(credits_used: Any, **more: Any) -> Reply:
    return Reply({"meta": {"usage": {"credits_used": credits_used}}}, **more)


# Per picture; a number of credits is multiplied by the number of pictures.
DISHONEST = {
    "honest": _used(CREDITS),
    "understates": _used(1),
    "negative": _used(-CREDITS),
    "huge": _used(10**18),
    "text": _used("1"),
    "null": _used(None),
    "silent about the cost": Reply({"meta": {"usage": {}}}),
    "not a number": Reply({"meta": {"usage": {}}}, {"x-aimlapi-credits-used": "nan", "x-aimlapi-usd-spent": "NaN"}),
    "header understates": _used(CREDITS, headers={"x-aimlapi-credits-used": "1", "x-aimlapi-usd-spent": "0"}),
    "overcharges in the body": _used(5 * CREDITS, usd=5 * PRICE),
    "overcharges in a header": _used(1, headers={"x-aimlapi-usd-spent": str(20 * PRICE)}, usd=5 * PRICE),
    "charges refusals and says so": _used(CREDITS, refusal_usd=PRICE),
    "a job instead of a picture": _used(CREDITS, status=202),
    "an error that is charged": _used(CREDITS, status=500),
    "no answer": _used(CREDITS, is_silent=True),
}
WITHOUT_PICTURE = {"a job instead of a picture", "an error that is charged", "no answer"}


class Ledger:
    """An application that carries out valid calls, answers as its `Reply` says, and keeps the money of each key in a ledger."""

    def __init__(self, profile: OperationProfile, reply: Reply) -> None:
        self._profile = profile
        self._reply = reply
        self.bodies: dict[str, list[Any]] = {}
        self.taken: dict[str, list[float]] = {}

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        content = b""
        while True:
            message = await receive()
            content += message.get("body", b"")
            if not message.get("more_body"):
                break
        status, headers, answer = self._answer(dict(scope["headers"]), json.loads(content))
        if status is None:
            # Until the client gives up.
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        kind = b"application/json" if status < 400 else b"application/problem+json"
        listed = [(b"content-type", kind), *((name.encode(), value.encode()) for name, value in headers.items())]
        await send({"type": "http.response.start", "status": status, "headers": listed})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    def _answer(self, headers: dict[bytes, bytes], body: Any) -> tuple[int | None, dict[str, str], Any]:
        key = headers.get(b"authorization", b"").decode().removeprefix("Bearer ")
        if not key.startswith(KEY):
            return 401, {}, {}
        reply, images = self._reply, int(body.get("num_images", 1)) if is_object(body) else 1
        if self._profile.operation.validate_request(body):
            if not reply.refusal_usd:
                return 400, {}, {}
            self._take(key, body, reply.refusal_usd)
            return 400, {"x-aimlapi-usd-spent": str(reply.refusal_usd)}, {}
        self._take(key, body, reply.usd * images)
        if reply.is_silent:
            return None, {}, {}
        if reply.status != 200:
            return reply.status, reply.headers, reply.body
        told = json.loads(json.dumps(reply.body))
        used = told["meta"]["usage"]
        if isinstance(used.get("credits_used"), int):
            used["credits_used"] *= images
        return 200, reply.headers, {"data": [{"url": None, "b64_json": PICTURE}] * images, **told}

    def _take(self, key: str, body: Any, usd: float) -> None:
        self.bodies.setdefault(key, []).append(json.dumps(body, sort_keys=True))
        self.taken.setdefault(key, []).append(usd)


@pytest.fixture
def run(profile: OperationProfile, trusted: ssl.SSLContext, serve: Serve) -> Callable[..., tuple[Verification, Ledger]]:
    def start(reply: Reply, **options: Any) -> tuple[Verification, Ledger]:
        ledger = Ledger(profile, reply)
        with (
            serve(cast("MockServer", ledger)) as origin,
            Target(origin, KEY, verify=trusted, timeout_s=0.5 if reply.is_silent else 20) as target,
        ):
            return verify(profile, target, VerifyOptions(is_live=True, **options)), ledger

    return start


BUDGETS = [number / 20 for number in range(1, 21)]
# Each kind with two budgets, each budget with one kind at least.
RUNS = [(name, BUDGETS[place % 20]) for number, name in enumerate(DISHONEST) for place in (number * 3, number * 3 + 11)]


@pytest.mark.parametrize(("name", "max_usd"), RUNS)
def test_no_server_takes_more_than_one_call_over_the_budget(
    run: Callable[..., tuple[Verification, Ledger]], name: str, max_usd: float
) -> None:
    reply = DISHONEST[name]
    only = ["valid-accepted", "charge-as-documented", *(["invalid-refused"] if reply.refusal_usd else [])]
    result, ledger = run(reply, max_usd=max_usd, only=only)
    taken = ledger.taken.get(KEY, [])
    assert sum(taken) <= max_usd + max(taken, default=0) + 1e-9
    assert result.usd is not None
    assert sum(taken) <= result.usd + 1e-9
    if name in WITHOUT_PICTURE and taken:
        assert len(taken) == 1
        assert "no further paid call is made" in (result.incomplete or "")


@pytest.mark.parametrize("max_usd", BUDGETS)
@pytest.mark.parametrize("name", DISHONEST)
def test_what_is_charged_is_never_less_than_what_price_and_answer_say(
    profile: OperationProfile, name: str, max_usd: float
) -> None:
    reply, budget = DISHONEST[name], Budget(max_usd, PRICE)
    headers = {key.lower(): value for key, value in reply.headers.items()}
    taken: list[float] = []
    for images in (1, 2, 4, 1, 3, 1, 1, 4, 2, 1) * 4:
        case = Case("a", "b", {"num_images": images}, ExpectedOutcome.ACCEPTED, Evidence.DOCUMENTED, images)
        reservation = budget.reserve(images)
        if reservation is None:
            continue
        received = Received(None if reply.is_silent else reply.status, headers)
        taken.append(reply.usd * images if reply.status == 200 else PRICE * images)
        told = json.loads(json.dumps(reply.body))
        used = told["meta"]["usage"]
        if isinstance(used.get("credits_used"), int):
            used["credits_used"] *= images
        budget.settle(reservation, charge_of(profile, case, received, told, PRICE).usd)
    assert sum(taken) <= max_usd + max(taken, default=0) + 1e-6


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("understates", "charge-as-documented/less"),
        ("overcharges in the body", "charge-as-documented/more"),
        ("not a number", "charge-as-documented/x-aimlapi-credits-used"),
        ("header understates", "charge-as-documented/x-aimlapi-usd-spent"),
        ("charges refusals and says so", "charge-as-documented/refusal"),
    ],
)
def test_a_disagreement_about_the_cost_is_a_finding(
    run: Callable[..., tuple[Verification, Ledger]], name: str, rule: str
) -> None:
    only = ["charge-as-documented", *(["invalid-refused"] if "refusal" in rule else [])]
    result, _ = run(DISHONEST[name], max_usd=0.3, only=only)
    assert rule in {finding.id for finding in result.findings}


_KILLED = """
    import os, signal, ssl, sys
    from pathlib import Path

    import httpx
    from bodydouble_spec.recording import lines
    from bodydouble_contract_tests.verification import OperationProfile, Target, VerifyOptions, plan_verification, verify
    from bodydouble_spec import Contract

    origin, authority, folder, document, key, *moments = sys.argv[1:]
    profile = OperationProfile(Contract.load(document, overlay=None))
    limits = {"max_usd": 0.3, "only": ["valid-accepted"]}
    # The children share what takes long.
    plan_verification(profile, billed=True, **limits)
    profile.cross_validation
    left = 0

    def tick():
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    class Ticking(httpx.HTTPTransport):
        def handle_request(self, request):
            tick()
            response = super().handle_request(request)
            tick()
            return response

    write = lines.os.write

    def ticking_write(descriptor, data):
        tick()
        if left == 1 and len(data) > 40:
            # A line that is cut by the end of the process.
            write(descriptor, bytes(data[: len(data) // 2]))
            tick()
        written = write(descriptor, data)
        tick()
        return written

    def run(moment, **files):
        global left
        left = moment
        lines.os.write = ticking_write
        tls = ssl.create_default_context(cafile=authority)
        with Target(origin, f"{key}-{files.pop('name')}", transport=Ticking(verify=tls)) as target:
            return verify(profile, target, VerifyOptions(is_live=True, **limits, **files))

    for moment in moments:
        file = Path(folder) / moment
        for is_second in (False, True):
            child = os.fork()
            if child == 0:
                files = {"resume": file} if is_second and file.exists() else {"recording": file}
                result = run(0 if is_second else int(moment), name=moment, **files)
                print(moment, result.usd, result.incomplete, sep=";", flush=True)
                os._exit(0)
            _, status = os.waitpid(child, 0)
            assert is_second or os.WIFSIGNALED(status), f"{moment}: the run ended before it was killed"
"""


@pytest.fixture
def killed(
    profile: OperationProfile, serve: Serve, authority: Path, tmp_path: Path
) -> Callable[..., tuple[list[str], Ledger]]:
    """Run verifications that are killed at a moment, and resume each; return what the resumed runs print, and the ledger."""
    document = tmp_path / "contract.json"
    document.write_text(json.dumps(profile.contract.published))
    ledger = Ledger(profile, DISHONEST["honest"])

    def start(moments: list[int]) -> tuple[list[str], Ledger]:
        with serve(cast("MockServer", ledger)) as origin:
            arguments = [origin, str(authority), str(tmp_path), str(document), KEY, *map(str, moments)]
            ended = subprocess.run(
                [sys.executable, "-c", textwrap.dedent(_KILLED), *arguments], check=False, capture_output=True
            )
        assert ended.returncode == 0, ended.stderr.decode()
        return ended.stdout.decode().splitlines(), ledger

    return start


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs fork and kill -9")
def test_a_run_that_is_killed_at_any_of_20_moments_pays_for_nothing_twice(
    killed: Callable[..., tuple[list[str], Ledger]], profile: OperationProfile
) -> None:
    moments = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15, 17, 20, 22, 25, 28, 31, 34]
    printed, ledger = killed(moments)
    plan = plan_verification(profile, billed=True, max_usd=0.3, only=["valid-accepted"])
    assert len(printed) == len(moments)
    for moment, line in zip(moments, printed, strict=True):
        name, usd, incomplete = line.split(";")
        bodies, taken = ledger.bodies[f"{KEY}-{moment}"], ledger.taken[f"{KEY}-{moment}"]
        assert (name, incomplete) == (str(moment), "None")
        assert len(bodies) == len(set(bodies)) >= len(plan.paid) - 1, f"moment {moment}"
        assert sum(taken) <= float(usd) + 1e-9 <= plan.images * PRICE + 2e-9, f"moment {moment}"

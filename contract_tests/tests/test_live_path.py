"""A paid verification from end to end: TLS, key, budget, recording, a killed process, and the payments after it."""

import json
import os
import signal
import ssl
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, cast

import pytest
from bodydouble_contract_tests.verification import (
    OperationProfile,
    Progress,
    Target,
    Verification,
    VerifyOptions,
    plan_verification,
    verify,
)
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_spec import flattened

KEY = "canary-4f1c9a7e2b"
PRICE = 0.042

Serve = Callable[[MockServer], AbstractContextManager[str]]
Scope = dict[str, Any]


class Overcharging:
    """An application that states five times the cost, and changes nothing else."""

    def __init__(self, app: MockServer) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def dearer(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.body" and b"credits_used" in message.get("body", b""):
                message["body"] = message["body"].replace(b"84000", b"420000", 1)
            if message["type"] == "http.response.start":
                message["headers"] = [item for item in message["headers"] if item[0] not in DROPPED]
            await send(message)

        await self._app(scope, receive, dearer)


DROPPED = {b"content-length", b"x-aimlapi-credits-used", b"x-aimlapi-usd-spent"}


@pytest.fixture
def app(profile: OperationProfile) -> MockServer:
    return create_app(profile.contract, Settings(api_keys=(KEY,), seed=1))


@pytest.fixture
def origin(app: MockServer, serve: Serve) -> Iterator[str]:
    with serve(app) as address:
        yield address


@pytest.fixture
def run(profile: OperationProfile, trusted: ssl.SSLContext) -> Callable[..., Verification]:
    def start(origin: str, **options: Any) -> Verification:
        with Target(f"{origin}/v1", KEY, verify=trusted, timeout_s=20) as target:
            on_event = options.pop("on_event", None)
            return verify(profile, target, VerifyOptions(is_live=True, **options), on_event=on_event)

    return start


def paid(app: MockServer) -> list[dict[str, Any]]:
    """Return the bodies of the calls that the server charged for."""
    return [item.body for item in app.journal.exchanges() if item.status == 200 and item.method == "POST"]


def images(app: MockServer) -> int:
    """Return the number of pictures that the server charged for."""
    return sum(body.get("num_images", 1) for body in paid(app))


def shapes(bodies: list[dict[str, Any]]) -> list[str]:
    """Return a text for each call that distinguishes it from the others of a plan."""
    return sorted(f"{body.get('aspect_ratio')} {body.get('provider')} {body.get('num_images')}" for body in bodies)


def test_a_paid_run_finds_nothing_costs_what_the_plan_says_and_gives_the_key_to_the_api_alone(
    run: Callable[..., Verification], app: MockServer, origin: str, profile: OperationProfile, tmp_path: Path
) -> None:
    result = run(origin, recording=tmp_path / "r")
    plan = plan_verification(profile, billed=True)
    assert (result.findings, result.incomplete, images(app)) == ((), None, plan.images)
    assert result.usd == pytest.approx(plan.images * PRICE)
    downloads = [item for item in app.journal.exchanges() if item.route.startswith("/generations/")]
    assert {item.key for item in downloads} <= {None}
    assert sum(len(item.pictures) for item in result.observations if item.status == 200) == plan.images
    assert KEY.encode() not in (tmp_path / "r").read_bytes()


def test_overcharging_ends_the_run_before_the_budget_is_exceeded_by_more_than_a_call(
    run: Callable[..., Verification], app: MockServer, serve: Serve
) -> None:
    with serve(cast("MockServer", Overcharging(app))) as origin:
        result = run(origin, max_usd=0.3)
    assert "budget" in (result.incomplete or "")
    assert any(finding.id.startswith("charge-as-documented") for finding in result.findings)
    assert result.usd is not None
    assert 0.2 < result.usd < 0.3 + 5 * 4 * PRICE
    assert images(app) == result.paid_images


def test_an_interrupted_run_is_resumed_and_nothing_is_paid_twice(
    run: Callable[..., Verification], app: MockServer, origin: str, profile: OperationProfile, tmp_path: Path
) -> None:
    plan = plan_verification(profile, billed=True)
    stops = iter([3, len(plan.free) + 2, len(plan.free) + 6])
    results: list[Verification] = []
    for position, stop in enumerate(stops):

        def interrupt(event: Progress, at: int = stop) -> None:
            if event.number >= at:
                raise KeyboardInterrupt

        file = {"recording" if position == 0 else "resume": tmp_path / "r"}
        results.append(run(origin, on_event=interrupt, **file))
    assert {result.incomplete for result in results} == {"interrupted"}
    result = run(origin, resume=tmp_path / "r")
    assert (result.incomplete, result.findings, images(app)) == (None, (), plan.images)
    assert result.usd == pytest.approx(plan.images * PRICE)
    assert [item.case.id for item in result.observations] == [
        case.id for case in (*plan.free, *plan.paid, *plan.after) for _ in range(case.repeats)
    ]
    assert set(result.outcomes.values()) <= {"passed", "not run"}


_KILLED = """
    import os, signal, ssl, sys
    from pathlib import Path

    import httpx
    from bodydouble_contract_tests.verification import OperationProfile, Target, VerifyOptions, verify
    from bodydouble_spec import Contract

    origin, authority, recording, document, paid_calls = sys.argv[1:]

    class Dying(httpx.HTTPTransport):
        left = int(paid_calls)

        def handle_request(self, request):
            response = super().handle_request(request)
            if response.status_code == 200 and request.method == "POST":
                Dying.left -= 1
                if Dying.left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return response

    profile = OperationProfile(Contract.load(document, overlay=None))
    with Target(origin, "canary-4f1c9a7e2b", transport=Dying(verify=ssl.create_default_context(cafile=authority))) as target:
        verify(profile, target, VerifyOptions(is_live=True, recording=Path(recording)))
"""


def test_after_a_kill_within_a_paid_call_that_call_counts_and_is_not_made_again(
    run: Callable[..., Verification],
    app: MockServer,
    origin: str,
    profile: OperationProfile,
    authority: Path,
    tmp_path: Path,
) -> None:
    document = tmp_path / "contract.json"
    document.write_text(json.dumps(profile.contract.published))
    arguments = [origin, str(authority), str(tmp_path / "r"), str(document), "3"]
    killed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_KILLED), *arguments], check=False, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    plan = plan_verification(profile, billed=True)
    lost = plan.paid[2]
    result = run(origin, resume=tmp_path / "r")
    assert images(app) == plan.images
    assert result.usd == pytest.approx(plan.images * PRICE)
    assert "counts as charged" in result.unbought[lost.id]
    assert shapes(paid(app)) == shapes([case.body for case in plan.paid])
    assert lost.id not in {item.case.id for item in result.observations}


def test_the_request_of_a_finding_is_a_command_that_sends_it(
    run: Callable[..., Verification], app: MockServer, origin: str, profile: OperationProfile, authority: Path
) -> None:
    app.play({"answers": [{"status": 500, "times": len(plan_verification(profile, billed=True).free)}]})
    result = run(origin)
    # One cause covers the others, and its own call has no body.
    finding = next(item for item in flattened(result.findings) if str(item.witness).startswith("refusal/"))
    assert KEY not in finding.request
    app.reset()
    environment = {**os.environ, "AIMLAPI_KEY": KEY, "CURL_CA_BUNDLE": str(authority), "NO_PROXY": "*"}
    sent = subprocess.run(["sh", "-c", finding.request], env=environment, check=True, capture_output=True)
    (exchange,) = app.journal.exchanges()
    case = str(finding.witness).partition(" and ")[0]
    body = next(item.body for item in plan_verification(profile, billed=True).free if item.id == case)
    assert (exchange.body, json.loads(sent.stdout)["status"]) == (body, 400)

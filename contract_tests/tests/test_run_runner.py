"""A verification from its plan to its result, against the mock in this process and with changed answers."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from bodydouble_contract_tests.run.recording import json_bytes
from bodydouble_contract_tests.verification import (
    CannotVerify,
    ExpectedOutcome,
    OperationProfile,
    Progress,
    Target,
    Verification,
    VerifyOptions,
    plan_verification,
    verify,
)
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.transport import MockTransport
from bodydouble_spec import flattened, read_exchanges

KEY = "canary-4f1c9a7e2b"
PRICE = 0.042

Tamper = Callable[[httpx.Request, httpx.BaseTransport], httpx.Response]


class TamperingTransport(httpx.BaseTransport):
    """A network that may change requests and answers."""

    def __init__(self, app: MockServer, tamper: Tamper | None) -> None:
        self._inner = MockTransport(app)
        self._tamper = tamper

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._inner.handle_request(request) if self._tamper is None else self._tamper(request, self._inner)

    def close(self) -> None:
        self._inner.close()


@pytest.fixture
def app(profile: OperationProfile) -> Iterator[MockServer]:
    server = create_app(profile.contract, Settings(api_keys=(KEY,), seed=1))
    yield server
    server.close()


@pytest.fixture
def run(profile: OperationProfile, app: MockServer) -> Iterator[Callable[..., Verification]]:
    """Verify the mock, with ``tamper`` between."""
    transports: list[TamperingTransport] = []

    def start(tamper: Tamper | None = None, *, timeout_s: float = 20.0, **options: Any) -> Verification:
        transport = TamperingTransport(app, tamper)
        transports.append(transport)
        with Target("http://mock.test/v1", KEY, transport=transport, timeout_s=timeout_s) as target:
            hooks: dict[str, Any] = {"sleep": _no_sleep} | {
                name: options.pop(name) for name in ("sleep", "clock", "on_event") if name in options
            }
            options.setdefault("examples", 0)
            return verify(profile, target, VerifyOptions(**options), **hooks)

    yield start
    for transport in transports:
        transport.close()


def _no_sleep(_seconds: float) -> None:
    pytest.fail("no pause was requested")


def ids(verification: Verification) -> set[str]:
    return {finding.id for finding in verification.findings}


def carried_out(app: MockServer) -> list[dict[str, Any]]:
    """Return the bodies of the calls that the server carried out."""
    return [item.body for item in app.journal.exchanges() if item.status == 200 and item.method == "POST"]


def changed(answer: httpx.Response, change: Callable[[Any], None]) -> httpx.Response:
    """Return the answer with another JSON body."""
    answer.read()
    body = answer.json()
    change(body)
    content = json.dumps(body).encode()
    headers = {**answer.headers, "content-length": str(len(content))}
    return httpx.Response(answer.status_code, headers=headers, stream=httpx.ByteStream(content))


def test_the_unchanged_mock_passes_every_check_and_proves_every_element(
    run: Callable[..., Verification], app: MockServer, profile: OperationProfile
) -> None:
    events: list[Progress] = []
    result = run(examples=10, on_event=events.append)
    other = [
        case for case in plan_verification(profile).calls if case.form is not None and case.form.method is not None
    ]
    assert (result.findings, result.incomplete, set(result.outcomes.values())) == ((), None, {"passed"})
    assert min(result.coverage.values()) >= 1
    calls = [item for item in app.journal.exchanges() if item.method == "POST"]
    assert (result.requests, len(events)) == (len(calls) + len(other), len(calls) + len(other))
    assert [event.number for event in events] == list(range(len(events)))
    assert (result.paid_images, result.usd) == (0, 0)


def test_on_the_real_api_the_plan_is_bought_and_no_more(
    run: Callable[..., Verification], app: MockServer, profile: OperationProfile
) -> None:
    events: list[Progress] = []
    plan = plan_verification(profile, billed=True)
    result = run(is_live=True, on_event=events.append)
    assert (result.findings, result.incomplete) == ((), None)
    assert [item.case for item in result.observations if item.status == 200] == list(plan.paid)
    assert (result.paid_images, round(result.usd or 0, 6)) == (plan.images, round(plan.images * PRICE, 6))
    assert sum(body.get("num_images", 1) for body in carried_out(app)) == plan.images
    assert (events[0].spent_usd, events[0].left_usd) == (0, 0.75)
    assert result.usd is not None
    assert result.usd <= 0.75


@pytest.mark.parametrize(("max_usd", "images"), [(0.0, 0), (0.05, 1), (0.2, 4)])
def test_a_small_budget_buys_little(
    run: Callable[..., Verification], app: MockServer, max_usd: float, images: int
) -> None:
    result = run(is_live=True, max_usd=max_usd)
    assert sum(body.get("num_images", 1) for body in carried_out(app)) <= images
    assert result.findings == ()
    assert result.unbought


def overcharging(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    answer = inner.handle_request(request)

    def change(body: Any) -> None:
        body["meta"]["usage"]["credits_used"] *= 5

    return changed(answer, change) if request.method == "POST" and answer.status_code == 200 else answer


def test_overcharging_is_found_and_ends_the_run_when_the_budget_is_gone(
    run: Callable[..., Verification], app: MockServer
) -> None:
    result = run(overcharging, is_live=True)
    assert "budget" in (result.incomplete or "")
    assert any(finding.id.startswith("charge-as-documented") for finding in result.findings)
    # At 5 x 0.042 a picture the fourth call does not fit, or an earlier one with several pictures.
    assert len(carried_out(app)) <= 4
    assert result.usd is not None
    assert result.usd <= 0.75 + 4 * 5 * PRICE


def test_a_call_without_an_answer_is_a_finding_counts_as_charged_and_ends_the_buying(
    run: Callable[..., Verification], app: MockServer, profile: OperationProfile, tmp_path: Path
) -> None:
    plan = plan_verification(profile, billed=True)
    silent = plan.paid[1]

    def losing(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        answer = inner.handle_request(request)
        if request.method == "POST" and request.read() == json_bytes(silent.body):
            raise httpx.ReadTimeout("timed out")
        return answer

    result = run(losing, is_live=True, recording=tmp_path / "r")
    assert [(item.id.partition("/")[0], item.severity) for item in result.findings] == [("answer-in-time", "error")]
    assert result.paid_images == sum(body.get("num_images", 1) for body in carried_out(app))
    assert len(carried_out(app)) == 2
    assert f"{silent.id} was not answered in time; it may have been charged" in (result.incomplete or "")
    resumed = run(is_live=True, resume=tmp_path / "r")
    assert (resumed.incomplete, len(carried_out(app))) == (None, len(plan.paid))
    assert resumed.usd == pytest.approx(plan.images * PRICE)


def answered(status: int, body: dict[str, Any]) -> httpx.Response:
    """Return an answer as it comes from a network."""
    content = json.dumps(body).encode()
    headers = {"content-type": "application/problem+json", "content-length": str(len(content))}
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(content))


def failing_once(status: int, body: dict[str, Any], calls: int) -> Tamper:
    """Return a server that answers the valid call after a number of them with a status, and carries it out otherwise."""
    seen: list[int] = []

    def fail(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        if request.method == "POST":
            answer = inner.handle_request(request)
            if answer.status_code == 200:
                seen.append(200)
                if len(seen) == calls + 1:
                    return answered(status, body)
            return answer
        return inner.handle_request(request)

    return fail


def test_a_call_that_failed_unpaid_is_made_again_by_the_resumed_run_and_keeps_its_finding(
    run: Callable[..., Verification], profile: OperationProfile, tmp_path: Path
) -> None:
    plan = plan_verification(profile, billed=True)
    result = run(failing_once(500, {}, 2), is_live=True, recording=tmp_path / "r")
    assert f"{plan.paid[2].id} was answered with 500" in (result.incomplete or "")
    assert (result.paid_images, len(result.findings)) == (sum(case.images for case in plan.paid[:2]), 1)
    resumed = run(is_live=True, resume=tmp_path / "r")
    assert (resumed.incomplete, resumed.paid_images) == (None, plan.images)
    assert [item.id for item in resumed.findings] == [item.id for item in result.findings]
    again = run(is_live=True, resume=tmp_path / "r")
    assert again.requests == resumed.requests
    assert again.usd == pytest.approx(plan.images * PRICE)


@pytest.mark.parametrize("status", [402, 403])
def test_an_account_that_is_turned_away_ends_the_buying_and_is_no_finding(
    run: Callable[..., Verification], profile: OperationProfile, tmp_path: Path, status: int
) -> None:
    plan = plan_verification(profile, billed=True)
    result = run(failing_once(status, {"message": "not today"}, 2), is_live=True, recording=tmp_path / "r")
    assert f"out of credits, or is not allowed to make this call ({status}: not today)" in (result.incomplete or "")
    assert result.findings == ()
    resumed = run(is_live=True, resume=tmp_path / "r")
    assert (resumed.incomplete, resumed.findings, resumed.paid_images) == (None, (), plan.images)


@pytest.mark.parametrize("status", [402, 403])
def test_an_account_that_is_turned_away_from_the_start_is_one_reason(
    run: Callable[..., Verification], status: int
) -> None:
    def closed(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        answer = inner.handle_request(request)
        return answer if answer.status_code == 401 else answered(status, {"message": "no"})

    result = run(closed, is_live=True)
    assert f"not allowed to make this call ({status}: no)" in (result.incomplete or "")
    assert (result.findings, result.paid_images) == ((), 0)


@pytest.mark.parametrize("first", [0, 2])
def test_an_account_that_is_turned_away_and_charged_keeps_the_finding_about_the_charge(
    run: Callable[..., Verification], profile: OperationProfile, tmp_path: Path, first: int
) -> None:
    charged = {"message": "no", "meta": {"usage": {"credits_used": 84_000}}}
    result = run(failing_once(402, charged, first), is_live=True, recording=tmp_path / "r")
    assert "not allowed to make this call (402: no)" in (result.incomplete or "")
    assert [finding.id for finding in result.findings] == ["charge-as-documented/refusal"]
    assert result.outcomes["charge-as-documented"] == "failed"
    resumed = run(is_live=True, resume=tmp_path / "r")
    assert [finding.id for finding in resumed.findings] == ["charge-as-documented/refusal"]
    # What may have been paid for is not bought again.
    plan = plan_verification(profile, billed=True)
    assert resumed.paid_images == plan.images - plan.paid[first].images


def test_every_call_that_is_turned_away_and_charged_leaves_the_finding_about_the_charge(
    run: Callable[..., Verification],
) -> None:
    def closed(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        answer = inner.handle_request(request)
        charged = {"message": "no", "meta": {"usage": {"credits_used": 84_000}}}
        return answer if answer.status_code == 401 else answered(402, charged)

    result = run(closed, is_live=True)
    assert [finding.id for finding in result.findings] == ["charge-as-documented/refusal"]
    assert result.usd == pytest.approx(PRICE)


def test_a_403_to_an_invalid_request_is_a_finding(run: Callable[..., Verification]) -> None:
    def strict(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        answer = inner.handle_request(request)
        return answered(403, {"message": "no"}) if answer.status_code == 400 else answer

    result = run(strict, is_live=True)
    assert result.incomplete is None
    assert result.outcomes["invalid-refused"] == "failed"


def test_a_call_that_is_repeated_after_429_reserves_anew_and_is_paid_once(
    run: Callable[..., Verification], profile: OperationProfile, tmp_path: Path
) -> None:
    plan = plan_verification(profile, billed=True)
    pauses: list[float] = []
    result = run(failing_once(429, {}, 1), is_live=True, recording=tmp_path / "r", sleep=pauses.append)
    lines = [item.extra["verify"] for item in read_exchanges(tmp_path / "r").exchanges]
    states = [line["state"] for line in lines if line["case"] == plan.paid[1].id]
    assert states == ["reserved", "released", "reserved", "answered", "checked"]
    assert (result.incomplete, result.paid_images, result.findings) == (None, plan.images, ())


def test_a_lost_call_is_named_when_the_budget_runs_short(
    run: Callable[..., Verification], profile: OperationProfile, tmp_path: Path
) -> None:
    plan = plan_verification(profile, billed=True, max_usd=0.2)

    def lose(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        answer = inner.handle_request(request)
        if request.method == "POST" and answer.status_code == 200:
            raise KeyboardInterrupt
        return answer

    def dearer(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        answer = inner.handle_request(request)
        if request.method == "POST" and answer.status_code == 200:
            return changed(answer, lambda body: body["meta"]["usage"].update(credits_used=250_000))
        return answer

    run(lose, is_live=True, max_usd=0.2, recording=tmp_path / "r")
    result = run(dearer, is_live=True, max_usd=0.2, resume=tmp_path / "r")
    assert "0.042 USD of that are for calls that an earlier run lost" in (result.incomplete or "")
    assert plan.paid[0].id in (result.incomplete or "")


def accepting(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    """Return a server that takes any aspect ratio."""
    if request.method == "POST":
        try:
            body = json.loads(request.read())
        except ValueError:
            body = None
        if isinstance(body, dict) and "aspect_ratio" in body:
            content = json.dumps({**body, "aspect_ratio": "1:1"}).encode()  # pyright: ignore[reportUnknownArgumentType]
            headers = {name: value for name, value in request.headers.items() if name != "content-length"}
            request = httpx.Request("POST", request.url, headers=headers, content=content)
    return inner.handle_request(request)


def test_after_a_wrongly_accepted_probe_its_siblings_are_not_made(
    run: Callable[..., Verification], profile: OperationProfile
) -> None:
    probes = [
        case for case in plan_verification(profile, billed=True).free
        if case.expectation is ExpectedOutcome.REFUSED and case.pointer.startswith("/aspect_ratio")
    ]  # fmt: skip
    result = run(accepting, is_live=True)
    accepted = [item for item in result.observations if item.status == 200 and item.case.expectation == "refused"]
    assert [item.case.id for item in accepted] == [probes[0].id]
    assert {case.id for case in probes[1:]} <= result.unbought.keys()
    assert any(finding.id.startswith("invalid-refused") for finding in result.findings)
    assert result.paid_images >= 1


def test_where_nothing_costs_every_probe_is_made(run: Callable[..., Verification], profile: OperationProfile) -> None:
    result = run(accepting, only=["invalid-refused"])
    probes = [
        case for case in plan_verification(profile, only=["invalid-refused"]).free if "/aspect_ratio" in case.pointer
    ]
    assert {case.id for case in probes} <= {item.case.id for item in result.observations}


def test_no_money_is_spent_on_a_server_that_needs_no_key(profile: OperationProfile) -> None:
    app = create_app(profile.contract, Settings(require_key=False, seed=1))
    transport = MockTransport(app)
    with Target("http://mock.test", KEY, transport=transport) as target:
        result = verify(profile, target, VerifyOptions(is_live=True))
    transport.close()
    assert "without a valid key was carried out" in (result.incomplete or "")
    assert (result.paid_images, "no-key-refused" in {item.partition("/")[0] for item in ids(result)}) == (0, True)


def test_no_money_is_spent_on_a_server_that_refuses_nothing_rightly(run: Callable[..., Verification]) -> None:
    def broken(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        answer = inner.handle_request(request)
        return httpx.Response(500, text="oops") if answer.status_code == 400 else answer

    result = run(broken, is_live=True)
    assert "invalid requests were refused" in (result.incomplete or "")
    assert (result.paid_images, "valid-accepted" in result.outcomes) == (0, True)


@pytest.mark.parametrize("is_live", [False, True])
def test_a_rejected_key_ends_the_run_without_findings(profile: OperationProfile, is_live: bool) -> None:
    app = create_app(profile.contract, Settings(api_keys=("another-key-altogether",), seed=1))
    transport = MockTransport(app)
    with Target("http://mock.test", KEY, transport=transport) as target:
        result = verify(profile, target, VerifyOptions(is_live=is_live))
    transport.close()
    assert "does not accept the API key" in (result.incomplete or "")
    assert (result.findings, result.paid_images, set(result.outcomes.values())) == ((), 0, {"not run"})


def test_a_server_that_refuses_with_the_status_of_a_wrong_key_is_found_out(run: Callable[..., Verification]) -> None:
    def confused(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        answer = inner.handle_request(request)
        return httpx.Response(401, content=answer.read()) if answer.status_code == 400 else answer

    result = run(confused)
    assert (result.incomplete, result.outcomes["invalid-refused"]) == (None, "failed")


def test_without_credits_the_run_ends_with_the_reason(run: Callable[..., Verification], app: MockServer) -> None:
    app.play({"limits": {"credits": 2 * 84_000}})
    result = run(is_live=True)
    assert "run out of credits" in (result.incomplete or "")
    assert result.findings == ()
    assert result.paid_images <= 2


@pytest.mark.parametrize(("scripted", "slept"), [({}, 10.0), ({"retry-after": 7}, 7.0)])
def test_a_run_waits_for_a_rate_limit_which_is_neither_pass_nor_failure(
    run: Callable[..., Verification], app: MockServer, scripted: dict[str, Any], slept: float
) -> None:
    app.play({"answers": [{"status": 429, "times": 2, **scripted}]})
    pauses: list[float] = []
    events: list[Progress] = []
    result = run(only=["invalid-refused"], sleep=pauses.append, on_event=events.append)
    assert (pauses, result.findings, result.incomplete) == ([slept, slept], (), None)
    assert [event.waiting_s for event in events if event.waiting_s] == pauses
    assert 429 not in {item.status for item in result.observations}


@pytest.mark.parametrize(("scripted", "pauses"), [({}, 12), ({"retry-after": 0}, 120), ({"retry-after": 121}, 0)])
def test_a_rate_that_stays_limited_leaves_the_run_incomplete(
    run: Callable[..., Verification], app: MockServer, scripted: dict[str, Any], pauses: int
) -> None:
    app.play({"answers": [{"status": 429, "times": None, **scripted}]})
    slept: list[float] = []
    result = run(only=["invalid-refused"], sleep=slept.append)
    assert ("429" in (result.incomplete or ""), len(slept), result.findings) == (True, pauses, ())
    assert result.outcomes["invalid-refused"] == "not run"


def test_an_unreachable_server_ends_the_run_with_one_reason(profile: OperationProfile) -> None:
    with Target("http://127.0.0.1:1", KEY) as target:
        result = verify(profile, target)
    assert "http://127.0.0.1:1 cannot be reached" in (result.incomplete or "")
    assert (result.findings, set(result.outcomes.values()), result.requests) == ((), {"not run"}, 1)


def test_a_lost_network_is_tried_once_more_and_then_ends_the_run(run: Callable[..., Verification]) -> None:
    calls: list[str] = []
    pauses: list[float] = []

    def failing(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        calls.append(request.method)
        if len(calls) == 3 or len(calls) > 5:
            raise httpx.ConnectError("no route to host")
        return inner.handle_request(request)

    result = run(failing, sleep=pauses.append, only=["invalid-refused"])
    assert ("cannot be reached any more: no route" in (result.incomplete or ""), pauses) == (True, [1.0, 1.0])
    assert (len(result.observations), result.findings) == (4, ())


def test_ctrl_c_keeps_what_was_found(run: Callable[..., Verification], app: MockServer) -> None:
    app.play({"answers": [{"status": 500, "times": None}]})

    def interrupt(event: Progress) -> None:
        if event.number == 6:
            raise KeyboardInterrupt

    result = run(on_event=interrupt)
    assert (result.incomplete, len(result.observations), bool(result.findings)) == ("interrupted", 6, True)


def test_ctrl_c_within_a_paid_call_counts_it_as_charged(
    run: Callable[..., Verification], profile: OperationProfile
) -> None:
    def interrupted(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        answer = inner.handle_request(request)
        if request.method == "POST" and answer.status_code == 200:
            raise KeyboardInterrupt
        return answer

    first = plan_verification(profile, billed=True).paid[0]
    result = run(interrupted, is_live=True)
    assert (result.incomplete, result.paid_images) == ("interrupted", first.images)
    assert result.usd == pytest.approx(first.images * PRICE)


def test_a_finding_is_reported_once_with_its_request_and_the_number_of_cases(
    run: Callable[..., Verification], app: MockServer
) -> None:
    app.play({"answers": [{"body": {"surprise": 1}, "violation": True, "times": None}]})
    result = run(only=["valid-accepted", "answer-strict"])
    strict = [finding for finding in result.findings if finding.id.startswith("answer-strict")]
    assert len({finding.fingerprint for finding in result.findings}) == len(result.findings)
    assert strict
    assert all("curl" in finding.request and "$AIMLAPI_KEY" in finding.request for finding in strict)
    assert all(str(finding.witness).endswith(" more") for finding in strict)


def test_unselected_checks_report_nothing(run: Callable[..., Verification], app: MockServer) -> None:
    app.play({"answers": [{"status": 500, "times": None}]})
    assert {item.partition("/")[0] for item in ids(run(only=["refusal-envelope"]))} <= {"refusal-envelope"}


@pytest.mark.parametrize(
    "options",
    [{"max_usd": 1.0}, {"only": ["no-such-check"]}, {"examples": -1}, {"image_url": "ftp://a/b"},
     {"recording": Path("a"), "resume": Path("b")}],
)  # fmt: skip
def test_a_run_that_cannot_begin_is_rejected_before_anything_is_sent(
    run: Callable[..., Verification], app: MockServer, options: dict[str, Any]
) -> None:
    with pytest.raises(CannotVerify):
        run(**options)
    assert app.journal.exchanges() == []


def echoing(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
    """Return a server that repeats the key wherever it can."""
    if request.method != "POST":
        return httpx.Response(404, headers={"content-type": f"text/{KEY}"}, text=KEY)
    answer = inner.handle_request(request)
    answer.read()
    body: dict[str, Any] = answer.json()
    body[KEY] = {"message": f"your key is {KEY}", "list": [KEY]}
    for item in body.get("data", ()):
        item["url"] = f"http://mock.test/{KEY}/a.png?token={KEY}"
    headers = {"content-type": f"application/json; key={KEY}", "x-request-id": KEY, "x-echo": KEY, "location": KEY}
    if answer.status_code == 400 and b"num_images" in request.read():
        raise httpx.ReadError(f"connection with {KEY} reset")
    return httpx.Response(answer.status_code, headers=headers, content=json.dumps(body).encode())


@pytest.mark.parametrize("is_live", [False, True])
def test_the_key_is_in_no_file_finding_or_event_whatever_the_server_does_with_it(
    run: Callable[..., Verification], tmp_path: Path, is_live: bool
) -> None:
    events: list[Progress] = []
    result = run(echoing, is_live=is_live, recording=tmp_path / "r", on_event=events.append)
    assert len(flattened(result.findings)) > 5
    assert KEY not in repr(result)
    assert KEY not in repr(events)
    assert KEY.encode() not in (tmp_path / "r").read_bytes()


def test_a_key_in_the_reason_for_an_end_is_redacted(run: Callable[..., Verification]) -> None:
    def failing(_request: httpx.Request, _inner: httpx.BaseTransport) -> httpx.Response:
        raise httpx.ConnectError(f"no route for {KEY}")

    assert KEY not in repr(run(failing))


def test_every_call_is_recorded_with_what_it_was_for(run: Callable[..., Verification], tmp_path: Path) -> None:
    result = run(recording=tmp_path / "r", only=["invalid-refused"], clock=lambda: 1_750_000_000.0)
    exchanges = read_exchanges(tmp_path / "r").exchanges
    assert [item.extra["verify"]["case"] for item in exchanges] == [item.case.id for item in result.observations]
    assert {(item.time, item.extra["verify"]["expires"]) for item in exchanges} == {
        ("2025-06-15T15:06:40.000Z", "2025-09-13T15:06:40.000Z")
    }


def test_a_full_disk_ends_the_run_before_money_is_spent(
    run: Callable[..., Verification], app: MockServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(_descriptor: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bodydouble_spec.recording.lines.os.write", full)
    result = run(is_live=True, recording=tmp_path / "r")
    assert "No space left on device" in (result.incomplete or "")
    assert carried_out(app) == []


def test_pictures_are_fetched_while_further_calls_are_made(run: Callable[..., Verification]) -> None:
    fetched: list[float] = []
    called: list[float] = []

    def slow(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        (called if request.method == "POST" else fetched).append(time.monotonic())
        return inner.handle_request(request)

    run(slow, only=["picture-pixels"])
    assert any(first < picture < last for picture in fetched for first, last in [(called[0], called[-1])])


def test_a_recording_is_readable_as_exchanges_at_any_moment(run: Callable[..., Verification], tmp_path: Path) -> None:
    unread: list[int] = []

    def look(event: Progress) -> None:
        if event.number % 10 == 5:
            unread.append(len(read_exchanges(tmp_path / "r").findings))

    run(recording=tmp_path / "r", only=["invalid-refused"], on_event=look)
    assert (len(unread) > 3, set(unread)) == (True, {0})


def test_a_resumed_run_keeps_its_findings(run: Callable[..., Verification], app: MockServer, tmp_path: Path) -> None:
    app.play({"answers": [{"status": 500, "times": 3}]})

    def interrupt(event: Progress) -> None:
        if event.number == 5:
            raise KeyboardInterrupt

    before = run(only=["invalid-refused"], recording=tmp_path / "r", on_event=interrupt)
    after = run(only=["invalid-refused"], resume=tmp_path / "r")
    assert before.findings
    assert [(item, item.request, item.message) for item in after.findings] == [
        (item, item.request, item.message) for item in before.findings
    ]


@pytest.mark.parametrize(
    ("options", "changed"), [({"max_usd": 0.3}, "plan"), ({"max_usd": 0.0, "only": ["no-key-refused"]}, "plan")]
)
def test_a_recording_of_another_plan_is_not_resumed(
    run: Callable[..., Verification], app: MockServer, tmp_path: Path, options: dict[str, Any], changed: str
) -> None:
    run(is_live=True, recording=tmp_path / "r", max_usd=0.0)
    calls = len(app.journal.exchanges())
    with pytest.raises(CannotVerify, match=f"another {changed}"):
        run(is_live=True, resume=tmp_path / "r", **options)
    assert len(app.journal.exchanges()) == calls


def test_ctrl_c_during_downloads_keeps_the_paid_call(
    run: Callable[..., Verification], profile: OperationProfile, tmp_path: Path
) -> None:
    """The picture is fetched in another thread, so the interrupt comes while the run waits for it."""
    plan = plan_verification(profile, billed=True)

    def failing(request: httpx.Request, inner: httpx.BaseTransport) -> httpx.Response:
        # A method that the service does not have is tried with GET too.
        if request.method == "GET" and request.url.path.startswith("/generations/"):
            raise KeyboardInterrupt
        return inner.handle_request(request)

    result = run(failing, is_live=True, recording=tmp_path / "r")
    assert (result.incomplete, result.paid_images) == ("interrupted", plan.paid[0].images)
    assert result.observations[-1].case.id == plan.paid[0].id
    resumed = run(is_live=True, resume=tmp_path / "r")
    assert (resumed.findings, resumed.paid_images) == ((), plan.images)

"""The routes below ``/_bodydouble/``: access control and answers."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.control import refuse_control
from bodydouble_mockserver.faults import FAULTS
from bodydouble_spec import Contract
from hypothesis import given
from hypothesis import strategies as st

Call = Callable[..., httpx.Response]
Edit = Callable[..., dict[str, Any]]
HEALTH = "/_bodydouble/health"
ROUTES = [
    ("GET", HEALTH),
    ("GET", "/_bodydouble/faults"),
    ("GET", "/_bodydouble/violations"),
    ("GET", "/_bodydouble/scenarios"),
    ("POST", "/_bodydouble/scenarios"),
    ("DELETE", "/_bodydouble/scenarios"),
    ("POST", "/_bodydouble/reset"),
    ("GET", "/_bodydouble/nonsense"),
    ("OPTIONS", HEALTH),
]
NAMES = st.text("abcdeil.:[]12%@/-\\ _", max_size=12)


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost", "localhost:8000", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:", "[::1]", "[::1]:8000"],
)
def test_a_loopback_host_may_use_the_control_routes(app: MockServer, call: Call, host: str) -> None:
    assert call(app, HEALTH, method="GET", key=None, headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "127.0.0.1.evil.example",
        "127.0.0.1.evil.example:8000",
        "localhost.evil",
        "localhost.",
        "evil.localhost",
        "[::1]evil.example",
        "[::1",
        "::1",
        "[::2]",
        "[::1]:80:80",
        "localhost:evil",
        "localhost:8000:1",
        "user@localhost",
        "evil@127.0.0.1",
        "127.0.0.2",
        "127.1",
        "0.0.0.0",
        "2130706433",
        "localhost, evil.example",
        "localhost/",
        "lócalhost",
        "",
        " ",
        ":8000",
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", HEALTH), ("POST", "/_bodydouble/reset")])
def test_another_host_may_not_use_the_control_routes(
    app: MockServer, call: Call, host: str, method: str, path: str
) -> None:
    headers = [(b"host", host.encode("latin-1"))]
    assert call(app, path, method=method, key=None, headers=headers).status_code == 403


def test_a_request_without_host_may_not_use_the_control_routes() -> None:
    refusal = refuse_control(Settings(), {})
    assert refusal is not None
    assert refusal[0] == 403


@given(NAMES.map("localhost".__add__) | NAMES.map("127.0.0.1".__add__) | NAMES.map("[::1]".__add__))
def test_only_a_port_may_follow_a_loopback_name(host: str) -> None:
    name, _, port = host.rpartition(":") if host.rpartition(":")[2].strip("0123456789") == "" else (host, "", "")
    is_fine = (name if ":" in host else host) in {"localhost", "127.0.0.1", "[::1]"} and (not port or port.isdigit())
    assert (refuse_control(Settings(), {b"host": host.encode()}) is None) is (is_fine or host == "[::1]")


@pytest.mark.parametrize(
    ("host", "status"),
    [("mock", 200), ("MOCK:8000", 200), ("[fd00::1]:80", 200), ("mock.evil", 403), ("127.0.0.1", 200)],
)
def test_a_configured_host_may_use_the_control_routes(contract: Contract, call: Call, host: str, status: int) -> None:
    app = create_app(contract, Settings(control_hosts=("Mock", "[fd00::1]")))
    assert call(app, HEALTH, method="GET", key=None, headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:3000", 204),
        ("http://127.0.0.1:8000", 204),
        ("http://[::1]", 204),
        ("https://evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("null", 403),
        ("http://evil@localhost", 403),
    ],
)
def test_a_page_of_another_origin_can_change_nothing(app: MockServer, call: Call, origin: str, status: int) -> None:
    # A form, or fetch with mode no-cors, sends its request to 127.0.0.1 without a preflight.
    headers = {"origin": origin, "content-type": "text/plain"}
    assert call(app, "/_bodydouble/reset", key=None, headers=headers).status_code == status


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_without_control_the_control_routes_are_404(contract: Contract, call: Call, method: str, path: str) -> None:
    assert call(create_app(contract, Settings(control=False)), path, method=method, key=None).status_code == 404


def test_without_control_all_other_routes_work(contract: Contract, call: Call, edit: Edit) -> None:
    app = create_app(contract, Settings(control=False))
    assert [
        call(app, json=edit()).status_code,
        call(app, json=edit(), headers={"prefer": "code=429"}).status_code,
        call(app, "/v1/models", method="GET").status_code,
    ] == [200, 429, 200]


@pytest.fixture(scope="module")
def keyed(contract: Contract) -> MockServer:
    return create_app(contract, Settings(control_key="sésame", control_hosts=("mock",)))


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_configured_control_key_is_required(keyed: MockServer, call: Call, method: str, path: str) -> None:
    assert call(keyed, path, method=method, key=None).status_code == 401


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer sésame", 200),
        ("bearer sésame", 200),
        ("Bearer sesame", 401),
        ("Bearer sésame2", 401),
        ("Bearer", 401),
        ("sésame", 401),
        ("Basic sésame", 401),
    ],
)
def test_only_the_control_key_is_accepted(keyed: MockServer, call: Call, authorization: str, status: int) -> None:
    headers = [(b"authorization", authorization.encode())]
    assert call(keyed, HEALTH, method="GET", key=None, headers=headers).status_code == status


def test_the_control_key_does_not_help_another_host(keyed: MockServer, call: Call) -> None:
    headers = [(b"authorization", "Bearer sésame".encode()), (b"host", b"evil.example")]
    assert call(keyed, HEALTH, method="GET", key=None, headers=headers).status_code == 403


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer "])
def test_an_empty_control_key_accepts_no_key(contract: Contract, call: Call, authorization: str) -> None:
    app = create_app(contract, Settings(control_key=""))
    assert call(app, HEALTH, method="GET", headers={"authorization": authorization}).status_code == 401


def test_other_routes_require_neither_control_key_nor_host(keyed: MockServer, call: Call, edit: Edit) -> None:
    headers = {"host": "anything.example", "origin": "https://app.example"}
    assert call(keyed, json=edit(), headers=headers).status_code == 200
    assert call(keyed, "/v1/models", method="GET", headers=headers).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example"])
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_no_control_route_can_be_read_by_a_page_of_another_origin(
    app: MockServer, call: Call, method: str, path: str, host: str
) -> None:
    headers = {"host": host, "access-control-request-method": "POST"}
    answer = call(app, path, method=method, key=None, headers=headers)
    assert [name for name in answer.headers if name.startswith("access-control-")] == []


def test_health_names_contract_and_operations(app: MockServer, call: Call, contract: Contract) -> None:
    body = call(app, HEALTH, method="GET", key=None).json()
    assert (body["status"], body["fingerprint"], body["operations"]) == (
        "ok",
        contract.fingerprint,
        ["POST /v1/images/generations"],
    )


def test_the_faults_are_listed(app: MockServer, call: Call) -> None:
    assert call(app, "/_bodydouble/faults", method="GET", key=None).json() == FAULTS


def test_each_listed_violation_can_be_requested(app: MockServer, call: Call, edit: Edit) -> None:
    listed = call(app, "/_bodydouble/violations", method="GET", key=None).json()["POST /v1/images/generations"]
    assert listed
    assert [
        call(app, json=edit(), headers={"prefer": f"violation={item['id']}"}).headers["preference-applied"]
        for item in listed
    ] == [f"violation={item['id']}" for item in listed]


def test_no_key_is_logged_or_shown(
    contract: Contract, call: Call, edit: Edit, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    options = Settings(api_keys=("canary-one",), control_key="canary-two", log=True)
    app = create_app(contract, options)
    app.play({"answers": [{"status": 500}], "limits": {"credits": 0, "requests_per_minute": 1}})
    answers = [
        *(call(app, json=body, key=key) for body in (edit(), {}) for key in ("canary-one", "canary-three", None)),
        *(call(app, json=edit(), key="canary-one", headers={"prefer": asked}) for asked in ("code=502", "code=x")),
        call(app, HEALTH, method="GET", key="canary-two"),
        call(app, "/_bodydouble/scenarios", method="GET", key="canary-two"),
        call(app, "/_bodydouble/scenarios", method="GET", key="canary-one"),
        call(app, "/v2/billing", method="GET", key="canary-one"),
        call(app, "/nowhere", key="canary-one"),
    ]
    own = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("bodydouble"))
    assert "POST /v1/images/generations 500" in own
    assert "canary" not in "\n".join([caplog.text, repr(options), *(answer.text for answer in answers)])


def test_the_key_of_a_request_is_not_in_the_script_that_it_gets(app: MockServer, call: Call) -> None:
    key = "sk-canary-0123456789"
    good, bad = ({"answers": [{"match": {"prompt": f"my key is {key}"}, **more}]} for more in ({}, {key: 1}))
    answers = [call(app, "/_bodydouble/scenarios", json=scenario, key=key) for scenario in (good, bad)]
    answers.append(call(app, "/_bodydouble/scenarios", method="GET", key=key))
    assert [answer.status_code for answer in answers] == [201, 400, 200]
    assert [answer.text for answer in answers if key in answer.text] == []


def test_a_scenario_that_is_too_large_is_refused_before_it_is_read_whole(
    contract: Contract, call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(contract, Settings(max_control_bytes=100))
    small, large = b'{"answers": []}' + b" " * 85, b'{"answers": []}' + b" " * 86
    statuses = [call(app, "/_bodydouble/scenarios", content=body).status_code for body in (small, large)]
    assert statuses == [201, 413]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_health_tells_what_the_journal_lost(contract: Contract, call: Call, edit: Edit) -> None:
    app = create_app(contract, Settings(journal_file=Path("/dev/full")))
    healths: list[Any] = []
    for _ in range(2):
        healths.append(call(app, HEALTH, method="GET").json())
        call(app, json=edit())
        app.journal.close()
    assert [health["status"] for health in healths] == ["ok", "degraded"]
    assert healths[1]["problems"] == [app.journal.problem]

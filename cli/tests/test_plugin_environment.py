"""The environment variables of the mock, and the guard against calls of the real service."""

import socket
from collections.abc import Callable
from typing import Any

import pytest
from bodydouble.fixture.environment import mock_variables
from hypothesis import given
from hypothesis import strategies as st

pytest_plugins = ["pytester"]

Run = Callable[..., pytest.RunResult]
NAMES = ("AIMLAPI_BASE_URL", "AIML_API_BASE", "AIMLAPI_API_BASE")
KEYS = ("AIMLAPI_KEY", "AIML_API_KEY", "AIMLAPI_API_KEY")


def test_every_variable_points_at_the_mock_while_the_test_runs_and_not_after(
    run_tests: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*NAMES, *KEYS):
        monkeypatch.setenv(name, "mine")
    run_tests(
        f"""
def test_during(bodydouble):
    assert [os.environ[name] for name in {NAMES}] == [bodydouble.url] * 3
    assert [os.environ[name] for name in {KEYS}] == ["bodydouble-dummy-key"] * 3

def test_after():
    assert [os.environ[name] for name in {(*NAMES, *KEYS)}] == ["mine"] * 6
"""
    ).assert_outcomes(passed=2)


ASKS_FOR_OPENAI = """
def test_app(bodydouble):
    assert os.environ["OPENAI_BASE_URL"] == bodydouble.url + "/v1"
    assert os.environ["OPENAI_API_KEY"] == "bodydouble-dummy-key"
"""
LEAVES_OPENAI = """
def test_app(bodydouble):
    assert os.environ["OPENAI_BASE_URL"] == "mine"
"""


@pytest.mark.parametrize(
    ("tests", "options"),
    [
        (ASKS_FOR_OPENAI, ("-o", "bodydouble_openai=true")),
        ("@pytest.mark.bodydouble(openai=True)" + ASKS_FOR_OPENAI, ()),
        (LEAVES_OPENAI, ()),
        ("@pytest.mark.bodydouble(openai=False)" + LEAVES_OPENAI, ("-o", "bodydouble_openai=true")),
    ],
)
def test_the_openai_variables_are_set_on_request(
    run_tests: Run, monkeypatch: pytest.MonkeyPatch, tests: str, options: tuple[str, ...]
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "mine")
    run_tests(tests, *options).assert_outcomes(passed=1)


def test_the_mock_is_called_without_a_proxy(run_tests: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    run_tests("def test_app(bodydouble): assert send().status_code == 200").assert_outcomes(passed=1)


HOSTS = st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,4}){0,2}", fullmatch=True)


@given(st.lists(HOSTS).map(",".join), st.none() | st.lists(HOSTS).map(", ".join))
def test_no_proxy_keeps_its_hosts_and_gets_loopback(lower: str, upper: str | None) -> None:
    environ = {"no_proxy": lower} | ({} if upper is None else {"NO_PROXY": upper})
    variables = mock_variables("http://127.0.0.1:1", environ, no_proxy_hosts=["example.org"])
    for name, was in (("no_proxy", lower or upper or ""), ("NO_PROXY", upper or lower)):
        hosts = variables[name].split(",")
        wanted = {host.strip() for host in was.split(",") if host.strip()}
        assert wanted | {"127.0.0.1", "localhost", "::1", "example.org"} == set(hosts)


def test_no_proxy_for_every_host_is_not_changed() -> None:
    assert mock_variables("http://127.0.0.1:1", {"NO_PROXY": "*"})["no_proxy"] == "*"


REAL_CALLS = {
    "httpx": 'httpx.get("https://api.aimlapi.com/v1/models")',
    "pictures": 'httpx.get("https://CDN.aimlapi.com./generations/yak/1.png")',
    "urllib": 'urllib.request.urlopen("https://api.aimlapi.com")',
    "by-name": 'socket.gethostbyname("api.aimlapi.com")',
    "asyncio": 'asyncio.run(asyncio.open_connection("api.aimlapi.com", 443))',
    "uvloop": 'uvloop.run(asyncio.open_connection("api.aimlapi.com", 443))',
    "uvloop-look-up": "uvloop.run(look_up())",
    "bytes": 'socket.getaddrinfo(b"api.aimlapi.com", 443)',
}
IMPORTS = """
import asyncio, socket, threading, urllib.request, uvloop

async def look_up():
    await asyncio.get_running_loop().getaddrinfo("api.aimlapi.com", 443)
"""


@pytest.mark.parametrize("call", REAL_CALLS.values(), ids=REAL_CALLS)
def test_a_call_of_the_real_service_fails_the_test_even_if_the_app_catches_the_error(run_tests: Run, call: str) -> None:
    result = run_tests(
        IMPORTS
        + f"""
def test_app(bodydouble):
    with pytest.raises(RuntimeError, match=r"called the real (api|cdn).aimlapi.com; the mock is at http://127.0.0.1:.*allow_real_host=True"):
        {call}
"""
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "bodydouble: the app called the real service",
            "error * real-host-called *.aimlapi.com",
            "If the test means it: @pytest.mark.bodydouble(allow_real_host=True)",
        ]
    )


def test_a_call_in_a_thread_fails_the_test_too(run_tests: Run) -> None:
    run_tests(
        IMPORTS
        + """
def call():
    try:
        socket.create_connection(("api.aimlapi.com", 443))
    except RuntimeError:
        pass

def test_app(bodydouble):
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
"""
    ).assert_outcomes(passed=1, errors=1)


def test_a_proxy_does_not_hide_a_call_of_the_real_service(run_tests: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    result = run_tests(
        """
def test_app(bodydouble):
    with pytest.raises(RuntimeError):
        httpx.get("https://api.aimlapi.com/v1/models")
"""
    )
    result.assert_outcomes(passed=1, errors=1)


def test_the_marker_allows_calls_of_the_real_service(run_tests: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo

    def reach(host: str, *arguments: Any, **options: Any) -> object:
        return "reached" if host == "api.aimlapi.com" else look_up(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", reach)
    run_tests(
        IMPORTS
        + """
@pytest.mark.bodydouble(allow_real_host=True)
def test_app(bodydouble):
    assert socket.getaddrinfo("api.aimlapi.com", 443) == "reached"
"""
    ).assert_outcomes(passed=1)


def test_other_hosts_and_later_tests_are_not_guarded(run_tests: Run) -> None:
    run_tests(
        IMPORTS
        + """
BEFORE = socket.getaddrinfo, uvloop.Loop.create_connection

def test_app(bodydouble):
    assert socket.getaddrinfo("localhost", 80)
    assert socket.getaddrinfo(None, 80)

def test_later():
    assert (socket.getaddrinfo, uvloop.Loop.create_connection) == BEFORE
"""
    ).assert_outcomes(passed=2)

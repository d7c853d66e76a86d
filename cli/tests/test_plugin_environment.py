"""The environment variables of the mock, and the guard against calls of the real service."""

import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from bodydouble.fixture.environment import mock_variables
from bodydouble_spec import DUMMY_KEY
from hypothesis import given
from hypothesis import strategies as st

pytest_plugins = ["pytester"]

Run = Callable[..., pytest.RunResult]
NAMES = ("AIMLAPI_BASE_URL", "AIML_API_BASE", "AIMLAPI_API_BASE")
KEYS = ("AIMLAPI_KEY", "AIML_API_KEY", "AIMLAPI_API_KEY")


def test_addresses_lead_to_the_mock_while_the_test_runs_and_keys_stay_dummies_after_it(
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
    assert [os.environ[name] for name in {NAMES}] == ["mine"] * 3
    assert [os.environ[name] for name in {KEYS}] == ["bodydouble-dummy-key"] * 3
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
            "*operation  *.aimlapi.com",
            "*real-host-called, *",
            "If this is intended: @pytest.mark.bodydouble(allow_real_host=True)",
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


def test_other_hosts_are_not_guarded(run_tests: Run) -> None:
    run_tests(
        IMPORTS
        + """
def test_app(bodydouble):
    assert socket.getaddrinfo("localhost", 80)
    assert socket.getaddrinfo(None, 80)
"""
    ).assert_outcomes(passed=1)


def patched() -> tuple[object, ...]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    return environment, socket.getaddrinfo, threading.Thread.start, ThreadPoolExecutor.submit


def test_environment_and_look_ups_are_restored_after_the_run(run_tests: Run) -> None:
    before = patched()
    run_tests("def test_app(bodydouble): assert send().status_code == 200").assert_outcomes(passed=1)
    assert patched() == before


LATER = """
def call():
    try:
        socket.getaddrinfo("api.aimlapi.com", 443)
    except (RuntimeError, OSError):
        pass

def test_later(): call()
"""
LATE_THREAD = """
may_call, called = threading.Event(), threading.Event()

def call():
    may_call.wait(30)
    try:
        socket.getaddrinfo("api.aimlapi.com", 443)
    except RuntimeError:
        called.set()
"""


@pytest.mark.parametrize(
    ("tests", "options", "node_ids"),
    [
        ("def test_app(bodydouble): pass" + LATER, (), ["test_later"]),
        (LATER, (), []),
        (LATER, ("-o", "bodydouble_guard=all"), ["test_later"]),
        (
            LATER.replace("def test_later", "@pytest.mark.bodydouble(allow_real_host=True)\ndef test_later"),
            ("-o", "bodydouble_guard=all"),
            [],
        ),
        (
            LATE_THREAD
            + """
def test_app(bodydouble): threading.Thread(target=call).start()

def test_other():
    may_call.set()
    assert called.wait(30)
""",
            (),
            ["test_app"],
        ),
        (
            LATE_THREAD
            + """
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(1)

def test_first(bodydouble): pool.submit(len, "").result()

def test_app(bodydouble): pool.submit(call)

def test_last(bodydouble):
    may_call.set()
    pool.submit(called.wait, 30).result()
""",
            (),
            ["test_app"],
        ),
    ],
    ids=["after-the-fixture", "no-fixture", "all", "allowed", "thread", "pool"],
)
@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_a_call_that_a_verdict_missed_is_an_error_of_the_test_that_started_it(
    run_tests: Run,
    tests: str,
    options: tuple[str, ...],
    node_ids: list[str],
    workers: tuple[str, ...],
) -> None:
    # Where nothing is guarded, the real host must not be looked up.
    tests = tests.replace("    try:\n", "    if not hasattr(socket.getaddrinfo, '__wrapped__'): return\n    try:\n")
    result = run_tests(IMPORTS + tests, *options, *workers)
    passed = tests.count("def test_")
    result.assert_outcomes(passed=passed, errors=len(node_ids))
    result.stdout.fnmatch_lines([f"ERROR test_app.py::{name} - bodydouble: code that this test*" for name in node_ids])


@pytest.mark.parametrize("value", ["everything", ""])
def test_an_unknown_guard_ends_the_run_with_the_known_ones(run_tests: Run, value: str) -> None:
    result = run_tests("def test_app(): pass", "-o", f"bodydouble_guard={value}")
    assert (result.ret, "fixture, all" in str(result.stderr)) == (pytest.ExitCode.USAGE_ERROR, True)


URL = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("AIML_BASE_URL", "", URL),
        ("AIML_API_URL", "https://api.aimlapi.com/v1/images/generations", f"{URL}/v1/images/generations"),
        ("VITE_AIMLAPI_BASE_URL", "https://api.aimlapi.com/v1/", f"{URL}/v1"),
        ("MY_APP_AIML_ENDPOINT", "https://proxy.example.org/v1", f"{URL}/v1"),
        ("AIML_HOST", "api.aimlapi.com", "127.0.0.1:1"),
        ("IMAGE_SERVICE", "https://api.aimlapi.com", URL),
        ("OPENAI_BASE_URL", "https://api.aimlapi.com/v1", f"{URL}/v1"),
        ("NEXT_PUBLIC_AIML_API_KEY", "real", DUMMY_KEY),
        ("MY_AIMLAPI_TOKEN", "real", DUMMY_KEY),
        ("aiml_api_key", "real", DUMMY_KEY),
        ("AIML_SECRET", "real", DUMMY_KEY),
        ("GATSBY_AIMLAPI_KEY", "real", DUMMY_KEY),
        ("vite_aimlapi_key", "real", DUMMY_KEY),
        ("Next_Public_Aiml_Api_Key", "real", DUMMY_KEY),
        ("aimlApiKey", "real", DUMMY_KEY),
        ("NUXT_AIMLAPIKEY", "real", DUMMY_KEY),
        ("app.ai-ml-api.token", "real", DUMMY_KEY),
        ("AIMLAPI_KEY_2", "real", DUMMY_KEY),
        ("AIMLAPI", "real", DUMMY_KEY),
        ("AIML_AUTHORIZATION", "Bearer real", f"Bearer {DUMMY_KEY}"),
        ("aimlBaseUrl", "https://gateway.example.org/v1", f"{URL}/v1"),
        ("Expo_Public_Aiml_Host", "gateway.example.org", URL),
        ("AIMLAPI_API", "https://gateway.example.org", URL),
    ],
)
def test_every_name_of_key_or_address_of_the_vendor_is_set(name: str, value: str, wanted: str) -> None:
    assert mock_variables(URL, {name: value})[name] == wanted


@pytest.mark.parametrize(
    "name",
    [
        "AIML_MODEL",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "CLAIML_KEY",
        "AIMLESS_URL",
        "HOST",
        "KEY",
        "AIML_KEY_FILE",
        "AIML_MAX_TOKENS",
        "AIML_CALLBACK_URL",
        "claimLabKey",
    ],
)
def test_other_variables_are_left_alone(name: str) -> None:
    assert name not in mock_variables(URL, {name: "mine"})


@pytest.mark.parametrize("value", ["", "8", "True"])
def test_a_number_or_a_switch_is_no_key(value: str) -> None:
    assert ("AIML_TOKEN_BUDGET" in mock_variables(URL, {"AIML_TOKEN_BUDGET": value})) is (value == "")


BUILD_TOOLS = (
    "VITE_",
    "NEXT_PUBLIC_",
    "EXPO_PUBLIC_",
    "REACT_APP_",
    "NUXT_PUBLIC_",
    "VUE_APP_",
    "PUBLIC_",
    "GATSBY_",
    "NG_APP_",
)


@pytest.mark.parametrize("prefix", ["", *BUILD_TOOLS])
def test_the_known_names_are_set_with_the_prefixes_of_build_tools_also_where_nothing_is_set(prefix: str) -> None:
    variables = mock_variables(URL, {})
    names = [f"{prefix}{name}" for name in (*NAMES, "AIML_BASE_URL", "AIML_API_URL")]
    assert [variables[name] for name in names] == [URL] * len(names)
    assert [variables[f"{prefix}{name}"] for name in KEYS] == [DUMMY_KEY] * len(KEYS)


DOTENV = """
# what load_dotenv() would add
export MY_AIMLAPI_SECRET='real'
IMAGES_AT = "https://api.aimlapi.com/v1"  # the service
OTHER=kept
"""


def test_the_variables_of_a_dotenv_file_are_set_before_the_app_loads_it(
    run_tests: Run, pytester: pytest.Pytester
) -> None:
    (pytester.path / ".env").write_text(DOTENV, encoding="utf-8")
    run_tests("""
def test_app(bodydouble):
    assert os.environ["MY_AIMLAPI_SECRET"] == "bodydouble-dummy-key"
    assert os.environ["IMAGES_AT"] == bodydouble.url + "/v1"
    assert "OTHER" not in os.environ
""").assert_outcomes(passed=1)


def test_an_openai_client_of_the_real_service_gets_the_dummy_key_too() -> None:
    environ = {"OPENAI_BASE_URL": "https://api.aimlapi.com/v1", "OPENAI_API_KEY": "real"}
    assert mock_variables(URL, environ)["OPENAI_API_KEY"] == DUMMY_KEY


@given(st.dictionaries(st.from_regex(r"[A-Z_]{1,20}", fullmatch=True), st.text(max_size=40)))
def test_no_real_address_is_left_whatever_the_environment(environ: dict[str, str]) -> None:
    environ["X"] = "https://user@API.aimlapi.com:443/v1"
    left = {**environ, **mock_variables(URL, environ)}
    assert left["X"] == f"{URL}/v1"

"""The fixture ``bodydouble_recording``: replays without the network, records only when everything allows it."""

import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvloop
from bodydouble.fixture.guard import GuardedTest
from bodydouble_mockserver import MockServer, create_app
from bodydouble_mockserver.server import Server, server_config
from bodydouble_spec import read_exchanges

from spec.tests.servers import serve_asgi

pytest_plugins = ["pytester"]
Run = Callable[..., pytest.RunResult]
LIVE = ("--bodydouble-live", "--bodydouble-max-usd", "0.10")
TESTS = """
import os

def ask(prompt):
    return httpx.post(
        os.environ["AIMLAPI_BASE_URL"] + "/v1/images/generations",
        headers={"Authorization": "Bearer " + os.environ["AIMLAPI_KEY"]},
        json={"model": "google/gemini-2.5-flash-image-edit", "prompt": prompt, "image_urls": ["https://example.org/a.png"]},
    ).json()

def test_one(bodydouble_recording):
    picture = httpx.get(ask("a")["data"][0]["url"])
    assert picture.content.startswith(b"\\x89PNG")
    if os.environ.get("MORE"):
        ask("b")
"""


@pytest.fixture
def upstream(pytester: pytest.Pytester) -> Iterator[MockServer]:
    """Serve the real service's double, and name it in the settings of the inner run."""
    app = create_app()
    with serve_asgi(Server(server_config(app))) as origin:
        pytester.makeini(f"[pytest]\nbodydouble_upstream = {origin}\n")
        yield app


def folder(pytester: pytest.Pytester) -> Path:
    return pytester.path / "recordings" / "test_app" / "test_one"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIMLAPI_KEY", "sk-real-0123456789")


def test_a_bad_argument_of_the_marker_fails_its_test_and_no_other(run_tests: Run) -> None:
    bad = {
        "mod='all'": "did you mean mode",
        "folder=3": "not a path",
        "ignore='seed'": "not a list",
        "'all'": "needs a name",
    }
    tests = (
        f"@pytest.mark.bodydouble_recording({argument})\ndef test_{number}(bodydouble_recording): pass"
        for number, argument in enumerate(bad)
    )
    result = run_tests("\n".join(["import pytest", *tests, "def test_other(): pass"]))
    result.assert_outcomes(passed=1, errors=len(bad))
    result.stdout.fnmatch_lines(
        [f"*{words}*; @pytest.mark.bodydouble_recording takes mode, *" for words in bad.values()]
    )


def test_without_a_recording_a_test_fails_with_the_way_to_make_one(run_tests: Run) -> None:
    result = run_tests(TESTS)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*there is no such folder*--bodydouble-record once --bodydouble-live*"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "*needs --bodydouble-live on the command line and a cap (--bodydouble-max-usd USD)"),
        (("--bodydouble-live",), "*needs a cap (--bodydouble-max-usd USD)"),
    ],
)
def test_recording_needs_everything_that_allows_it(run_tests: Run, options: tuple[str, ...], words: str) -> None:
    result = run_tests(TESTS, "--bodydouble-record", "once", *options)
    result.stderr.fnmatch_lines([words])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_recording_needs_the_key(run_tests: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIMLAPI_KEY")
    result = run_tests(TESTS, "--bodydouble-record", "all", *LIVE)
    result.stderr.fnmatch_lines(["*needs the key in the environment (AIMLAPI_KEY)"])


def test_a_recorded_test_is_replayed_without_the_service(
    run_tests: Run, run_files: Run, pytester: pytest.Pytester, upstream: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run_tests(TESTS, "--bodydouble-record", "once", *LIVE)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["bodydouble: recording mode once calls the real service, and costs 0.100 USD at most"])
    (call,) = upstream.journal.exchanges()
    assert call.key is not None
    assert "sk-real" not in "".join(path.read_text("latin-1") for path in folder(pytester).rglob("*") if path.is_file())
    run_files().assert_outcomes(passed=1)
    run_files("--bodydouble-record", "once", *LIVE).assert_outcomes(passed=1)
    assert len(upstream.journal.exchanges()) == 1
    monkeypatch.setenv("MORE", "1")
    failed = run_files()
    failed.assert_outcomes(passed=1, errors=1)
    failed.stdout.fnmatch_lines(["*/prompt: recorded*", "*not-recorded*"])
    run_files("--bodydouble-record", "new_episodes", *LIVE).assert_outcomes(passed=1)
    assert [call.body["prompt"] for call in upstream.journal.exchanges()] == ["a", "b"]
    run_files().assert_outcomes(passed=1)


def test_all_records_anew_and_keeps_the_old_recording_until_the_new_one_is_there(
    run_tests: Run, run_files: Run, pytester: pytest.Pytester, upstream: MockServer
) -> None:
    for _ in range(2):
        run_tests(TESTS, "--bodydouble-record", "all", *LIVE).assert_outcomes(passed=1)
    assert len(upstream.journal.exchanges()) == 2
    assert [path.name for path in folder(pytester).parent.iterdir()] == ["test_one"]
    assert len((folder(pytester) / "exchanges.jsonl").read_bytes().splitlines()) == 2
    run_files().assert_outcomes(passed=1)


def test_the_cap_is_that_of_all_tests_together(run_tests: Run, upstream: MockServer) -> None:
    tests = TESTS + "def test_two(bodydouble_recording): ask('c'); ask('d')\n"
    result = run_tests(tests, "--bodydouble-record", "once", "--bodydouble-live", "--bodydouble-max-usd", "0.09")
    result.stdout.fnmatch_lines(["*spending-cap-reached*"])
    assert len(upstream.journal.exchanges()) == 2


ADDRESSES = """
import os

BODY = {"model": "google/gemini-2.5-flash-image-edit", "prompt": "x", "image_urls": ["https://example.org/a.png"]}
HEADERS = {"Authorization": "Bearer " + os.environ.get("AIMLAPI_KEY", "")}
ADDRESS = os.environ.get("AIMLAPI_BASE_URL", "")

def test_one(bodydouble_recording):
    for address in ("https://api.aimlapi.com", ADDRESS or bodydouble_recording.url):
        answer = httpx.post(address + "/v1/images/generations", headers=HEADERS, json=BODY)
        assert len(answer.headers.get_list("date")) == 1
        assert httpx.get(answer.json()["data"][0]["url"]).content.startswith(b"\\x89PNG")
    assert [call.status for call in bodydouble_recording.requests] == [200, 200]
    with bodydouble_recording.client() as client:
        assert client.edit("x", ["https://example.org/a.png"]).images

def test_two(bodydouble):
    assert httpx.post(bodydouble.url + "/v1/images/generations", headers=HEADERS, json=BODY).status_code == 200
"""


def test_the_options_of_the_run_hold_for_a_recording_too(
    run_tests: Run, run_files: Run, pytester: pytest.Pytester, upstream: MockServer
) -> None:
    ini = pytester.path / "tox.ini"
    ini.write_text(
        f"{ini.read_text()}\nbodydouble_session = true\nbodydouble_intercept = true\nbodydouble_fail_on = never\n"
    )
    journal = pytester.path / "journal.jsonl"
    options = ("--bodydouble-journal", str(journal))
    run_tests(ADDRESSES, "--bodydouble-record", "once", *LIVE, "--bodydouble-max-usd", "1", *options).assert_outcomes(
        passed=2
    )
    calls = len(upstream.journal.exchanges())
    assert calls == 3
    exchanges = pytester.path / "recordings" / "test_app" / "test_one" / "exchanges.jsonl"
    exchanges.write_text(re.sub(r'"time":"20\d\d', '"time":"2020', exchanges.read_text()))
    replayed = run_files(*options)
    replayed.assert_outcomes(passed=2)
    replayed.stdout.fnmatch_lines(["*bodydouble recordings*", "*3 of 3 calls are older than 90 days*"])
    assert len(upstream.journal.exchanges()) == calls
    tests = [exchange.extra["test"] for exchange in read_exchanges(journal).exchanges if exchange.kind is None]
    assert [name[-3:] for name in tests] == ["one", "one", "one", "two"] * 2


RESOLVER = """
import socket, uvloop

def resolving(look_up):
    def led(item):
        return "127.0.0.1" if item in ("api.aimlapi.com", b"api.aimlapi.com") else item

    def resolve(*arguments, **options):
        return look_up(*map(led, arguments), **{name: led(item) for name, item in options.items()})
    return resolve

for place, name in ((socket, "getaddrinfo"), (uvloop.Loop, "getaddrinfo"), (uvloop.Loop, "create_connection")):
    setattr(place, name, resolving(getattr(place, name)))
"""


@pytest.mark.parametrize("session", ["true", "false"])
def test_only_the_proxy_reaches_the_real_host_by_its_name(
    run_tests: Run, pytester: pytest.Pytester, upstream: MockServer, monkeypatch: pytest.MonkeyPatch, session: str
) -> None:
    ini = pytester.path / "tox.ini"
    settings = ini.read_text().replace("127.0.0.1", "api.aimlapi.com")
    ini.write_text(f"{settings}\nbodydouble_session = {session}\nbodydouble_intercept = true\n")
    # Put back at the end: the inner runs are in this process.
    for place, name in ((socket, "getaddrinfo"), (uvloop.Loop, "getaddrinfo"), (uvloop.Loop, "create_connection")):
        monkeypatch.setattr(place, name, getattr(place, name))
    pytester.makeconftest(RESOLVER)
    tests = """
def test_one(bodydouble_recording):
    body = {"model": "google/gemini-2.5-flash-image-edit", "prompt": "x", "image_urls": ["https://example.org/a.png"]}
    headers = {"Authorization": "Bearer " + os.environ["AIMLAPI_KEY"]}
    answer = httpx.post("https://api.aimlapi.com/v1/images/generations", headers=headers, json=body)
    assert answer.status_code == 200
"""
    run_tests(tests, "--bodydouble-record", "once", *LIVE).assert_outcomes(passed=1)
    assert len(upstream.journal.exchanges()) == 1


def test_a_test_that_is_recorded_can_script_nothing_and_has_no_transport(run_tests: Run, upstream: MockServer) -> None:
    tests = """
def test_one(bodydouble_recording):
    for use in (lambda: bodydouble_recording.answer(status=429), lambda: bodydouble_recording.transport):
        with pytest.raises((ValueError, RuntimeError), match="or replay"):
            use()
"""
    run_tests(tests, "--bodydouble-record", "once", *LIVE).assert_outcomes(passed=1)
    assert upstream.journal.exchanges() == []


def test_while_a_test_is_recorded_the_hosts_of_pictures_are_open_and_that_of_the_api_is_not() -> None:
    recorded = GuardedTest("test_one", guarded=("api.aimlapi.com",))
    assert [recorded.may_call(name) for name in ("cdn.aimlapi.com", "api.aimlapi.com")] == [True, False]

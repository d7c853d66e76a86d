"""The checks as pytest items: ``pytest --pyargs bodydouble_contract_tests``."""

import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bodydouble.fixture.server import BackgroundServer
from bodydouble_contract_tests.model import OperationProfile, catalogue
from bodydouble_contract_tests.plan import make_plan
from bodydouble_mockserver import Settings, create_app
from bodydouble_spec import Contract
from PIL import Image

from spec.tests.servers import unfitted_files

pytest_plugins = ["pytester"]

KEY = "sk-canary-90ab11"
DOCS = (Path(__file__).parents[2] / "docs" / "verify.md").read_text(encoding="utf-8")
PROFILE = OperationProfile(Contract.load())
CHECKS = [check.id for check in catalogue(PROFILE)]
Run = Callable[..., pytest.RunResult]


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return a mock whose pictures all have the same wrong size."""
    folder = tmp_path_factory.mktemp("pictures")
    Image.new("RGB", (8, 6), "teal").save(folder / "a.png")
    mock = create_app(settings=Settings(api_keys=(KEY,), pictures=folder))
    with unfitted_files(), BackgroundServer(mock) as server:
        yield server.url


@pytest.fixture
def run_contract(run_files: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in ("AIMLAPI_KEY", "AIML_API_KEY", "AIMLAPI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return lambda *options: run_files("--pyargs", "bodydouble_contract_tests", *options)


def test_the_command_of_the_docs_runs(run_files: Run, faulty: str) -> None:
    (shown,) = (line for line in DOCS.splitlines() if line.startswith("pytest "))
    words = shlex.split(shown.replace("http://127.0.0.1:8000", faulty).replace("demo", KEY))
    result = run_files(*words[1:])
    assert (result.ret, result.parseoutcomes()["passed"]) == (0, sum("refused" in check for check in CHECKS))


def test_each_check_is_an_item_that_passes_or_fails_as_the_server_does(run_contract: Run, faulty: str) -> None:
    result = run_contract("--base-url", faulty, "--api-key", KEY, "-k", "pixels or decodable")
    result.assert_outcomes(passed=1, failed=1, deselected=len(CHECKS) - 2)
    result.stdout.fnmatch_lines(["*picture-pixels*", "*curl --globoff*", "bodydouble: * requests"])
    assert KEY not in result.stdout.str() + result.stderr.str()


def test_only_the_calls_of_the_selected_checks_are_made(run_contract: Run, faulty: str) -> None:
    result = run_contract("--base-url", faulty, "--api-key", KEY, "-k", "no-key-refused")
    planned = make_plan(PROFILE, is_billed=False, only={"no-key-refused"}).calls
    # A key must be refused after a success too, so there is one.
    assert [call.id for call in planned if call.check != "no-key-refused"] == ["accepted/minimal"]
    result.stdout.fnmatch_lines([f"bodydouble: {len(planned)} requests"])


def test_a_finding_in_the_baseline_is_an_expected_failure(
    run_contract: Run, faulty: str, pytester: pytest.Pytester
) -> None:
    command = ("verify", "--base-url", faulty, "--api-key", KEY, "--check", "picture-pixels", "--quiet")
    pytester.run(sys.executable, "-m", "bodydouble", *command, "--write-baseline", "known.json")
    result = run_contract("--base-url", faulty, "--api-key", KEY, "--baseline", "known.json", "-k", "pixels")
    result.assert_outcomes(xfailed=1, deselected=len(CHECKS) - 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "*give --base-url URL, or --live*"),
        (("--base-url", ""), "*give --base-url URL, or --live*"),
        (("--base-url", "https://api.aimlapi.com"), "*is the real API, where calls cost money; add --live*"),
        (("--live",), "*no API key: set AIMLAPI_KEY*"),
        (("--base-url", "http://127.0.0.1:1", "--baseline", "nowhere.json"), "*nowhere.json*"),
    ],
)
def test_a_run_that_cannot_start_is_one_error_and_never_a_pass(
    run_contract: Run, options: tuple[str, ...], words: str
) -> None:
    result = run_contract(*options)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([words])


def test_a_check_that_an_unfinished_run_did_not_reach_fails(run_contract: Run) -> None:
    result = run_contract("--base-url", "http://127.0.0.1:1", "-k", "no-key-refused")
    result.assert_outcomes(failed=1, deselected=len(CHECKS) - 1)
    result.stdout.fnmatch_lines(["incomplete: *cannot be reached*"])


def test_a_live_run_is_refused_in_workers_because_each_would_pay(run_contract: Run, faulty: str) -> None:
    result = run_contract("--live", "--base-url", faulty, "--api-key", KEY, "-k", "no-key-refused", "-n1")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*leave out -n*"])


def test_options_of_the_same_names_in_other_projects_are_kept(pytester: pytest.Pytester, run_files: Run) -> None:
    pytester.makeconftest(
        "def pytest_addoption(parser):\n"
        "    for name in ('--live', '--base-url', '--seed', '--record'):\n"
        "        parser.addoption(name, default='theirs')\n"
    )
    pytester.makepyfile("def test_app(pytestconfig): assert pytestconfig.getoption('live') == 'theirs'")
    run_files().assert_outcomes(passed=1)


def test_the_options_exist_only_where_the_contract_tests_are_named(pytester: pytest.Pytester, run_files: Run) -> None:
    pytester.makepyfile("def test_app(pytestconfig): assert pytestconfig.getoption('max_usd', 'absent') == 'absent'")
    run_files().assert_outcomes(passed=1)


def test_a_base_url_that_another_plugin_has_is_read(pytester: pytest.Pytester, run_contract: Run, faulty: str) -> None:
    # As pytest-base-url does, in either order of the plugins.
    pytester.makepyfile(
        base_url_plugin="def pytest_addoption(parser): parser.addoption('--base-url', dest='base_url', default=None)"
    )
    pytester.syspathinsert()
    options = ("-p", "base_url_plugin", "--base-url", faulty, "--api-key", KEY)
    run_contract(*options, "-k", "no-key-refused").assert_outcomes(passed=1, deselected=len(CHECKS) - 1)

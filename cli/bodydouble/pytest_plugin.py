"""The pytest plugin: the fixture ``bodydouble``, its marker and options, and the options of ``pytest --pyargs bodydouble_contract_tests``.

pytest imports this module in every run of every project that has bodydouble installed, so it imports only pytest. The rest is imported
by the first test that uses the fixture.
"""

import os
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import argparse

    from bodydouble_spec import Contract

    from bodydouble.fixture import Bodydouble, LiveRun, MarkerOptions

__all__ = ["Bodydouble", "bodydouble", "bodydouble_recording", "bodydouble_server"]

_CONTRACT_TESTS = "bodydouble_contract_tests"
_GUARDED = ("fixture", "all")
_FAIL_ON = ("error", "warning", "info", "never")
_RECORD_MODES = ("none", "once", "new_episodes", "all")
_LIVE: "pytest.StashKey[LiveRun]" = pytest.StashKey()
_LATE_CALLS = "bodydouble_late_calls"
_NOTICE = "bodydouble_recording"
_WARNING = "bodydouble_warning"
_LOADER: "pytest.StashKey[Callable[[MarkerOptions], list[Contract]]]" = pytest.StashKey()


def __getattr__(name: str) -> Any:
    """Import the type of the fixture, for annotations: ``def test_app(bodydouble: Bodydouble)``."""
    if name == "Bodydouble":
        from bodydouble.fixture import Bodydouble

        return Bodydouble
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--bodydouble-journal``, ``--bodydouble-report``, the options for recording, and the settings ``bodydouble_openai`` and ``bodydouble_guard``."""
    parser.getgroup("bodydouble").addoption(
        "--bodydouble-journal",
        metavar="FILE",
        help="Append the exchanges of the app under test to this file, as JSON lines; bodydouble journal FILE shows them.",
    )
    group = parser.getgroup("bodydouble")
    group.addoption(
        "--bodydouble-report",
        action="append",
        default=[],
        metavar="FORMAT[:FILE]",
        help="Write what the requests of all tests break as text, json, markdown, junit, html or github; repeatable.",
    )
    group.addoption(
        "--bodydouble-record",
        choices=_RECORD_MODES,
        help="Mode of the fixture bodydouble_recording: none (the default) replays and never touches the network; once records what has no recording; "
        "new_episodes records the calls that are not in it; all records anew.",
    )
    group.addoption(
        "--bodydouble-live",
        action="store_true",
        help="Allow --bodydouble-record to call the real service, which costs money.",
    )
    group.addoption(
        "--bodydouble-max-usd", type=float, metavar="USD", help="Spending limit for the calls of all tests together."
    )
    parser.addini(
        "bodydouble_upstream",
        "Address of the service that the fixture bodydouble_recording records. Default: that of the contract.",
        default="",
    )
    parser.addini(
        "bodydouble_openai",
        "Also set OPENAI_BASE_URL and OPENAI_API_KEY in the fixture bodydouble.",
        type="bool",
        default=False,
    )
    parser.addini(
        "bodydouble_intercept",
        "Answer for the real host itself in the fixture bodydouble, for apps with its address in the code.",
        type="bool",
        default=False,
    )
    parser.addini(
        "bodydouble_session",
        "Run one mock for all tests, started before modules are imported, and check the requests of every test.",
        type="bool",
        default=False,
    )
    parser.addini(
        "bodydouble_guard",
        "The tests in which a call of the real service fails: fixture (from the first test with the fixture bodydouble on) or all.",
        default="fixture",
    )
    parser.addini(
        "bodydouble_contract",
        "Contracts that the fixture bodydouble serves, one per line: files, folders or URLs. Default: vendored.",
        type="linelist",
        default=[],
    )
    parser.addini(
        "bodydouble_overlay", "Overlay to apply to these contracts; none for the documents alone.", default=""
    )
    parser.addini(
        "bodydouble_fail_on",
        "The severity of a finding that fails a test with the fixture bodydouble: error, warning, info or never.",
        default="error",
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, args: list[str], parser: pytest.Parser
) -> Generator[None]:
    """Start the server of the run, if it is wanted, before the first module of the project is imported.

    Afterwards, when all other plugins have added their options, add those of the contract tests in a run that names them: they have common
    names (``--live``), which a project may use for its own options.
    """
    if early_config.getini("bodydouble_session"):
        from bodydouble_spec import DUMMY_KEY

        from bodydouble.fixture import MarkerOptions, SharedServer

        try:
            contracts = _loader(early_config)(MarkerOptions())
        except ValueError as error:
            raise pytest.UsageError(str(error)) from None
        live = _allow_live_calls(early_config, early_config.known_args_namespace)
        openai, intercept = early_config.getini("bodydouble_openai"), early_config.getini("bodydouble_intercept")
        key = DUMMY_KEY if live is None else live.key
        SharedServer.start(early_config, contracts, openai=openai, intercept=intercept, key=key)
    yield
    if any(_CONTRACT_TESTS in argument for argument in args):
        from bodydouble.pytest_verify import add_options

        add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, the journal when the option is given, and the guard when it is wanted for all tests."""
    config.addinivalue_line(
        "markers",
        "bodydouble(allow_invalid=False, allow_unused=False, allow_real_host=False, openai=False, intercept=False, allow=(), contract=None, overlay=None, fail_on=None): allow a test with the fixture "
        "bodydouble to send requests that break the contract, to leave scripted answers unused, to call the real service; "
        "openai also sets OPENAI_BASE_URL to the mock; intercept answers for the real host itself; allow lists ids of findings, models and routes that are not errors; contract (one or a list) and overlay are those to serve; fail_on is the severity that fails the test.",
    )
    config.addinivalue_line(
        "markers",
        "bodydouble_recording(mode='none', folder=..., ignore=()): the mode of the fixture bodydouble_recording (none, once, new_episodes, all), the folder of the recording beside the test, "
        "and JSON pointers of values in requests that do not count.",
    )
    _allow_live_calls(config, config.option)
    if config.getoption("bodydouble_journal") is not None:
        from bodydouble.fixture import JournalOption

        JournalOption.register(config)
    reports: list[str] = config.getoption("bodydouble_report") or []
    if reports:
        from bodydouble.fixture import ReportOption

        ReportOption.register(config, reports)
    guarded = config.getini("bodydouble_guard")
    fail_on = config.getini("bodydouble_fail_on")
    if fail_on not in _FAIL_ON:
        raise pytest.UsageError(f"bodydouble_fail_on = {fail_on!r:.60}: it is one of {', '.join(_FAIL_ON)}")
    if guarded not in _GUARDED:
        raise pytest.UsageError(f"bodydouble_guard = {guarded!r:.60}: it is one of {', '.join(_GUARDED)}")
    if guarded == "all":
        from bodydouble.fixture import SessionGuard

        SessionGuard.of(config)


def _allow_live_calls(config: pytest.Config, options: "argparse.Namespace") -> "LiveRun | None":
    """Read the key before it is replaced by a dummy, in a run that may call the real service. Raises UsageError when something is missing."""
    mode = options.bodydouble_record
    if mode in (None, "none"):
        return None
    from bodydouble.fixture import LiveRun

    if _LIVE not in config.stash:
        try:
            config.stash[_LIVE] = LiveRun.of(
                os.environ,
                is_live=options.bodydouble_live is True,
                max_usd=options.bodydouble_max_usd,
                is_worker=hasattr(config, "workerinput"),
            )
        except (ImportError, ValueError) as error:
            raise pytest.UsageError(f"--bodydouble-record {mode}: {error}") from None
    return config.stash[_LIVE]


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what recording may cost at most."""
    live = config.stash.get(_LIVE, None)
    return [] if live is None else [live.words(str(config.getoption("bodydouble_record")))]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the notices about recordings that were replayed, and the warnings about requests of tests that passed, with pytest-xdist too."""
    found: dict[str, dict[str, dict[str, None]]] = {_NOTICE: {}, _WARNING: {}}
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        for name, value in getattr(report, "user_properties", ()):
            if name in found:
                found[name].setdefault(str(value), {})[report.nodeid] = None
    if found[_NOTICE]:
        terminalreporter.section("bodydouble recordings")
        for notice in found[_NOTICE]:
            terminalreporter.line(notice)
    if found[_WARNING]:
        terminalreporter.section("bodydouble warnings")
        for warning, tests in found[_WARNING].items():
            more = f" and {len(tests) - 1} more" if len(tests) > 1 else ""
            terminalreporter.line(f"{next(iter(tests))}{more}: {warning}")
        terminalreporter.line(
            "Tests fail on these with bodydouble_fail_on = warning; @pytest.mark.bodydouble(allow=[…]) with their ids hides them."
        )


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Report the calls of the real service that a worker of pytest-xdist saw after their tests had ended."""
    output: dict[str, Any] | None = getattr(node, "workeroutput", None)
    if output is not None and _LATE_CALLS in output:
        from bodydouble.fixture import report_late_calls

        report_late_calls(node.config, output)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Use the server of the run in every test."""
    if config.getini("bodydouble_session"):
        for item in items:
            # The last one, so that fixtures of a wider scope are set up before it.
            names: list[str] = getattr(item, "fixturenames", [])
            if not {"bodydouble", "bodydouble_recording"} & {*names}:
                names.append("bodydouble")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test whose marker is not valid, with the fixture or without it."""
    marks = list(item.iter_markers("bodydouble"))
    if marks:
        from bodydouble.fixture import MarkerOptions

        try:
            MarkerOptions.from_marks(marks)
        except ValueError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None


@pytest.fixture(scope="session")
def _bodydouble_contracts(  # pyright: ignore[reportUnusedFunction] - pytest uses it
    pytestconfig: pytest.Config,
) -> "Callable[[MarkerOptions], list[Contract]]":
    """Return a function that loads the contracts of a test, each once in a run."""
    return _loader(pytestconfig)


def _loader(config: pytest.Config) -> "Callable[[MarkerOptions], list[Contract]]":
    from bodydouble.fixture import contract_loader

    known = config.stash.get(_LOADER, None)
    if known is None:
        sources: list[str] = config.getini("bodydouble_contract")
        folder = config.rootpath if config.inipath is None else config.inipath.parent
        known = config.stash[_LOADER] = contract_loader(sources, config.getini("bodydouble_overlay"), folder)
    return known


@pytest.fixture
def bodydouble(
    request: pytest.FixtureRequest, _bodydouble_contracts: "Callable[[MarkerOptions], list[Contract]]"
) -> "Generator[Bodydouble]":
    """Start a mock of the image API on a free port, and fail the test when the app breaks the contract.

    It has ``url``, ``requests`` (the exchanges of the app), ``answer(status=429, times=2)``, ``client()`` and ``transport``. During the test
    the environment's keys and base URLs are set to the mock, and the real service cannot be reached.
    """
    from bodydouble.fixture import MarkerOptions, run_mock

    try:
        contracts = _bodydouble_contracts(MarkerOptions.of(request.node))
    except ValueError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    with run_mock(contracts, request.node) as double:
        yield double


@pytest.fixture
def bodydouble_recording(
    request: pytest.FixtureRequest, _bodydouble_contracts: "Callable[[MarkerOptions], list[Contract]]"
) -> "Generator[Bodydouble]":
    """Replay the recorded calls of this test, and fail it when the app makes another call; never touches the network.

    With ``--bodydouble-record`` the calls are passed on to the real service and recorded, within the cap. The recording is a folder beside the test:
    ``recordings/<file>/<test>``.
    """
    from bodydouble.fixture import MarkerOptions, run_recording

    try:
        contracts = _bodydouble_contracts(MarkerOptions.of(request.node))
    except ValueError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    config = request.config
    mode, live = config.getoption("bodydouble_record"), config.stash.get(_LIVE, None)
    with run_recording(contracts, request.node, mode, live, config.getini("bodydouble_upstream")) as double:
        yield double


@pytest.fixture(scope="session")
def bodydouble_server(pytestconfig: pytest.Config) -> "Generator[Bodydouble]":
    """Return the mock of all tests, for fixtures of a module or of the run; it needs ``bodydouble_session = true``.

    It has what the fixture ``bodydouble`` has. ``requests`` are those of the current test, and an answer is for that test.
    """
    from bodydouble.fixture import Bodydouble, SharedServer

    shared = SharedServer.of(pytestconfig)
    if shared is None:
        pytest.fail(
            "bodydouble_server needs one mock for all tests: bodydouble_session = true in pytest's settings",
            pytrace=False,
        )
    double = Bodydouble(shared.app, shared.server)
    yield double
    double.close()

"""The pytest plugin: the fixture ``bodydouble``, its marker and its options, and the options of ``pytest --pyargs bodydouble_contract_tests``.

pytest imports this module in every run of every project that has bodydouble installed, so it imports pytest alone; whatever a test needs
is imported by the first test that asks for the fixture.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from bodydouble_spec import Contract

    from bodydouble._fixture import Bodydouble

__all__ = ["Bodydouble", "bodydouble"]

_JOURNAL = "bodydouble-journal"
_CONTRACT_TESTS = "bodydouble_contract_tests"


def __getattr__(name: str) -> Any:
    """The type of the fixture, for annotations: ``def test_app(bodydouble: Bodydouble)``."""
    if name == "Bodydouble":
        from bodydouble._fixture import Bodydouble

        return Bodydouble
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--bodydouble-journal`` and the setting ``bodydouble_openai``."""
    parser.getgroup("bodydouble").addoption(
        "--bodydouble-journal",
        metavar="FILE",
        help="Append what the app under test sent to this file, as JSON lines (bodydouble journal FILE reads it).",
    )
    parser.addini(
        "bodydouble_openai",
        "Whether the fixture bodydouble also sets OPENAI_BASE_URL and OPENAI_API_KEY.",
        type="bool",
        default=False,
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(args: list[str], parser: pytest.Parser) -> Generator[None]:
    """Add the options of the contract tests, in a run that names them and after everybody else has added theirs.

    They have plain names (``--live``), which a project may well use for options of its own.
    """
    yield
    if any(_CONTRACT_TESTS in argument for argument in args):
        from bodydouble._pytest_verify import add_options

        add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker, and set the journal up where one is wanted."""
    config.addinivalue_line(
        "markers",
        "bodydouble(allow_invalid=False, allow_unused=False, allow_real_host=False, openai=False): what a test with the fixture "
        "bodydouble means: requests that break the contract, scripted answers that are never used, calls of the real service; "
        "and whether OPENAI_BASE_URL points at the mock too.",
    )
    if config.getoption("bodydouble_journal") is not None:
        from bodydouble._fixture_journal import JournalOption

        config.pluginmanager.register(JournalOption.of(config), _JOURNAL)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse marker arguments that do not exist, before anything runs."""
    # A usage error in a worker of pytest-xdist takes the whole run down; the fixture refuses the test there.
    if hasattr(config, "workerinput"):
        return
    for item in items:
        marks = list(item.iter_markers("bodydouble"))
        if marks:
            from bodydouble._fixture_marker import MarkerOptions

            try:
                MarkerOptions.of(marks)
            except ValueError as error:
                raise pytest.UsageError(f"{item.nodeid}: {error}") from None


@pytest.fixture(scope="session")
def _bodydouble_contract() -> "Contract":  # pyright: ignore[reportUnusedFunction] - pytest uses it
    """The contract, loaded once."""
    from bodydouble_spec import Contract

    return Contract.load()


@pytest.fixture
def bodydouble(request: pytest.FixtureRequest, _bodydouble_contract: "Contract") -> "Generator[Bodydouble]":
    """A mock of the image API on a free port, which fails the test when the app breaks the contract.

    ``url``, ``requests`` (what the app sent), ``answer(status=429, times=2)``, ``client()``, ``transport``. The environment's keys and
    base URLs point at it for the duration of the test, and the real service cannot be reached.
    """
    from bodydouble._fixture import stand_in
    from bodydouble._fixture_marker import MarkerOptions

    try:
        options = MarkerOptions.of(request.node.iter_markers("bodydouble"))
    except ValueError as error:
        pytest.fail(str(error), pytrace=False)
    openai = request.config.getini("bodydouble_openai")
    journal = request.config.pluginmanager.get_plugin(_JOURNAL)
    with stand_in(_bodydouble_contract, request.node.nodeid, options, openai=openai, journal=journal) as double:
        yield double

"""Hypothesis profiles for all tests (``ci`` tries the same examples every time, ``--hypothesis-profile=long`` looks for new ones), and a browser."""

import os
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from spec.tests.browser import CHROMIUM, run_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile("ci", deadline=None, derandomize=True, max_examples=100, suppress_health_check=_SLOW)
settings.register_profile("long", deadline=None, derandomize=False, max_examples=2000, suppress_health_check=_SLOW)
settings.load_profile("ci")


def pytest_configure() -> None:
    """Give what the programs of the tests inherit its usual state: bytecode, and the signals of a terminal, which a shell in the background has ignored."""
    # Without bytecode, each of some hundred programs would compile the whole project, and each worker all tests.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for name in ("SIGINT", "SIGHUP", "SIGQUIT"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the length of the fuzz run."""
    parser.addoption(
        "--fuzz-seconds", type=float, default=0.0, help="seconds for the fuzz run of the mock (default: a few)"
    )


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """``-n auto``, which the settings ask for: none for the checks of a server, which one process must make; else xdist decides."""
    return 0 if config.option.pyargs else None


@pytest.fixture(scope="session")
def chromium() -> Iterator[str]:
    """Start Chromium once, and return the address that Playwright connects to."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed; .ci/run packages installs it on Debian")
    with run_chromium() as address:
        yield address


@pytest.fixture(scope="module")
def browser(chromium: str) -> "Iterator[Browser]":
    """Connect to Chromium for the tests of a module; Playwright runs an event loop in this thread as long as it is used."""
    from playwright.sync_api import sync_playwright  # here, since most runs of few tests need no browser

    with sync_playwright() as playwright:
        connected = playwright.chromium.connect_over_cdp(chromium)
        yield connected
        connected.close()

"""Hypothesis profiles for all tests: ``ci`` tries the same examples every time, ``--hypothesis-profile=long`` looks for new ones."""

import pytest
from hypothesis import HealthCheck, settings

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile("ci", deadline=None, derandomize=True, max_examples=100, suppress_health_check=_SLOW)
settings.register_profile("long", deadline=None, derandomize=False, max_examples=2000, suppress_health_check=_SLOW)
settings.load_profile("ci")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the length of the fuzz run."""
    parser.addoption(
        "--fuzz-seconds", type=float, default=0.0, help="seconds for the fuzz run of the mock (default: a few)"
    )


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """``-n auto``, which the settings ask for: none for the checks of a server, which one process must make; else xdist decides."""
    return 0 if config.option.pyargs else None

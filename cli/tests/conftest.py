"""Fixtures for tests of the pytest plugin: a project of a user, run by its own pytest."""

import importlib
from collections.abc import Callable

import pytest

# pytester removes the modules that its runs import; those imported here are not imported again by each run.
# Those of cryptography cannot be imported a second time.
for _name in (
    "bodydouble.fixture.stand_in",
    "bodydouble_client",
    "httpcore",
    "gevent.events",
    "trustme",
    "cryptography.hazmat.primitives.serialization.pkcs12",
):
    importlib.import_module(_name)

# The tests read the files under data/, and run some of them.
collect_ignore = ["data"]

# Without Hypothesis' plugin, which would import Hypothesis in each run for its summary.
_OPTIONS = ("-W", "error", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")
_APP = """\
import os

import httpx
import pytest

def send(**changes):
    body = {"model": "google/gemini-2.5-flash-image-edit", "prompt": "hello", "image_urls": ["https://example.org/a.png"]}
    headers = {"Authorization": "Bearer " + os.environ["AIMLAPI_KEY"]}
    url = os.environ["AIMLAPI_BASE_URL"] + "/v1/images/generations"
    return httpx.post(url, json=body | changes, headers=headers)

"""


@pytest.fixture
def run_files(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Run pytest, with warnings as errors and more options, in the test's folder."""
    return lambda *options: pytester.runpytest(*_OPTIONS, *options)


@pytest.fixture
def run_tests(pytester: pytest.Pytester, run_files: Callable[..., pytest.RunResult]) -> Callable[..., pytest.RunResult]:
    """Run pytest on the code of tests for a small app, `send` in the same file."""

    def run(tests: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(test_app=_APP + tests)
        return run_files(*options)

    return run

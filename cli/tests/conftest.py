"""What tests of the pytest plugin share: somebody else's project, run by a pytest of its own."""

import importlib
from collections.abc import Callable

import pytest

# pytester forgets what its runs import; what is imported here is not imported anew by each of them.
for _name in ("bodydouble._fixture", "bodydouble_client", "httpcore"):
    importlib.import_module(_name)

# What is under data/ is read by tests, and some of it is run by them.
collect_ignore = ["data"]

# Without Hypothesis' plugin, which imports Hypothesis anew in each run, for a summary.
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
    """Runs pytest, with warnings as errors and more options, over what is in the test's folder."""
    return lambda *options: pytester.runpytest(*_OPTIONS, *options)


@pytest.fixture
def run_tests(pytester: pytest.Pytester, run_files: Callable[..., pytest.RunResult]) -> Callable[..., pytest.RunResult]:
    """Runs pytest over tests, given as their code, of a small app: `send` in the same file."""

    def run(tests: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(test_app=_APP + tests)
        return run_files(*options)

    return run

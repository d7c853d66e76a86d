"""``pytest --bodydouble-report FORMAT[:FILE]``: what the requests of all tests break, in the formats of every other command."""

import json
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

pytest_plugins = ["pytester"]

Run = Callable[..., pytest.RunResult]
TESTS = """
@pytest.mark.parametrize("count", [1, 7, 8, 9])
def test_app(bodydouble, count):
    send(num_images=count)
"""


@pytest.mark.parametrize("processes", ["0", "2"])
def test_the_findings_of_all_tests_are_in_one_report(pytester: pytest.Pytester, run_tests: Run, processes: str) -> None:
    run_tests(TESTS, "--bodydouble-report=json:r.json", "--bodydouble-report=junit", "-n", processes)
    report = json.loads((pytester.path / "r.json").read_text(encoding="utf-8"))
    assert report["verdict"] == "1 thing breaks the contract in 3 places"
    assert (report["facts"], {item["source"] for item in report["findings"]}) == (
        {"tests": 4, "requests": 4},
        {f"test_app.py::test_app[{count}]" for count in (7, 8, 9)},
    )
    (suite,) = ElementTree.parse(pytester.path / "bodydouble-report.xml").getroot()
    assert suite.get("failures") == "3"


def test_a_run_without_findings_says_how_much_was_examined(pytester: pytest.Pytester, run_tests: Run) -> None:
    run_tests("def test_app(bodydouble): send()", "--bodydouble-report", "text:r.txt").assert_outcomes(passed=1)
    text = (pytester.path / "r.txt").read_text(encoding="utf-8")
    assert text.startswith("No findings in 1 request of 1 test\n")


def test_annotations_are_printed(run_tests: Run) -> None:
    result = run_tests("def test_app(bodydouble): send(num_images=9)", "--bodydouble-report", "github")
    result.stdout.fnmatch_lines(["::error title=request-maximum*"])


@pytest.mark.parametrize(
    "wanted", ["pdf", "html:", "html:missing/r.html", "json:r.json --bodydouble-report=text:./r.json"]
)
def test_a_report_that_cannot_be_written_ends_the_run_before_it_begins(run_tests: Run, wanted: str) -> None:
    result = run_tests("def test_app(bodydouble): send()", "--bodydouble-report", *wanted.split())
    result.stderr.fnmatch_lines(["ERROR: --bodydouble-report*"])

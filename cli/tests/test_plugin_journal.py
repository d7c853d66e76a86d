"""``pytest --bodydouble-journal FILE``: the exchanges of all tests, from one or several processes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from bodydouble_spec import Exchange, read_exchanges

pytest_plugins = ["pytester"]

Run = Callable[..., pytest.RunResult]
TESTS = """
@pytest.mark.parametrize("prompt", ["one", "two", "three", "four"])
def test_app(bodydouble, prompt):
    send(prompt=prompt)
"""


def sent(file: Path) -> list[Exchange]:
    log = read_exchanges(file)
    assert log.findings == ()
    return list(log.exchanges)


def test_each_exchange_is_kept_with_its_test(pytester: pytest.Pytester, run_tests: Run) -> None:
    run_tests(TESTS, "--bodydouble-journal", "journal.jsonl").assert_outcomes(passed=4)
    kept = {exchange.extra["test"]: exchange.body["prompt"] for exchange in sent(pytester.path / "journal.jsonl")}
    assert kept == {f"test_app.py::test_app[{prompt}]": prompt for prompt in ("one", "two", "three", "four")}


def test_a_test_that_fails_is_kept_too(pytester: pytest.Pytester, run_tests: Run) -> None:
    run_tests("def test_app(bodydouble): send(num_images=9); 1 / 0", "--bodydouble-journal", "journal.jsonl")
    assert [exchange.status for exchange in sent(pytester.path / "journal.jsonl")] == [400]


def test_neither_key_nor_picture_is_kept(pytester: pytest.Pytester, run_tests: Run) -> None:
    run_tests(
        """
def test_app(bodydouble):
    os.environ["AIMLAPI_KEY"] = "sk-secret-of-a-user"
    send(prompt="with sk-secret-of-a-user", image_urls=["data:image/png;base64," + "iVBORw0KGgoA" * 9])
""",
        "--bodydouble-journal",
        "journal.jsonl",
    ).assert_outcomes(passed=1)
    text = (pytester.path / "journal.jsonl").read_text(encoding="utf-8")
    assert [word for word in ("sk-secret-of-a-user", "iVBORw0KGgoA" * 2) if word in text] == []


def test_a_second_run_is_appended_after_an_incomplete_line(pytester: pytest.Pytester, run_tests: Run) -> None:
    file = pytester.path / "journal.jsonl"
    run_tests(TESTS, "--bodydouble-journal", str(file))
    file.write_bytes(file.read_bytes()[:-1])
    run_tests(TESTS, "--bodydouble-journal", str(file))
    assert [exchange.body["prompt"] for exchange in sent(file)] == ["one", "two", "three", "four"] * 2


def test_without_the_option_nothing_is_written(pytester: pytest.Pytester, run_tests: Run) -> None:
    run_tests(TESTS)
    assert {path.name for path in pytester.path.iterdir() if path.suffix != ".py"} - {"__pycache__"} == set()


def test_a_file_that_cannot_be_written_is_a_usage_error(run_tests: Run) -> None:
    result = run_tests(TESTS, "--bodydouble-journal", "missing/journal.jsonl")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --bodydouble-journal *missing/journal.jsonl: No such file or directory; *"])


XDIST = ("-p", "xdist", "-n", "2", "-p", "no:hypothesispytest", "-p", "no:cacheprovider")


def test_the_files_of_xdist_workers_are_merged(pytester: pytest.Pytester, run_tests: Run) -> None:
    file = pytester.path / "journal.jsonl"
    run_tests(TESTS, *XDIST, "--bodydouble-journal", str(file)).assert_outcomes(passed=4)
    prompts = [exchange.body["prompt"] for exchange in sent(file)]
    assert sorted(prompts) == ["four", "one", "three", "two"]
    assert [path.name for path in pytester.path.glob("journal*")] == ["journal.jsonl"]


def test_the_exchanges_of_a_crashed_worker_are_kept(pytester: pytest.Pytester, run_tests: Run) -> None:
    file = pytester.path / "journal.jsonl"
    tests = TESTS + "def test_crash(): os._exit(3)\n"
    run_tests(tests, *XDIST, "--bodydouble-journal", str(file)).assert_outcomes(passed=4, failed=1)
    assert len(sent(file)) == 4


def test_under_xdist_a_bad_marker_argument_fails_its_test(run_tests: Run) -> None:
    result = run_tests("@pytest.mark.bodydouble(allowed=True)\ndef test_app(bodydouble): pass", *XDIST)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["unknown argument 'allowed'; did you mean allow?; @pytest.mark.bodydouble takes *"])

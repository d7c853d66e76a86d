"""The command in its own process: exit codes, errors in one line, no tracebacks."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from bodydouble import __main__, __version__
from bodydouble import app as _app


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bodydouble", *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )


def test_the_version_is_that_of_the_distribution() -> None:
    result = run("--version")
    assert (result.returncode, result.stdout) == (0, f"bodydouble {__version__}\n")


def test_the_version_needs_neither_the_contract_nor_rich() -> None:
    code = "import sys, bodydouble.app; print([name for name in ('bodydouble_spec', 'rich', 'httpx') if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout == "[]\n"


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("contract", "check", "--fail-on", "nonsense"), ("contract", "show", "a", "b")]
)
def test_bad_usage_is_exit_code_2_without_a_traceback(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert (result.returncode, "Traceback" in result.stderr) == (2, False)


def test_findings_are_exit_code_1() -> None:
    assert run("contract", "check", "--fail-on", "warning").returncode == 1


def test_output_that_is_not_unicode_is_still_printed() -> None:
    result = run("contract", "show", PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert (result.returncode, "84,000 credits" in result.stdout) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("contract", "show"), 0), (("--help",), 0), (("contract", "check", "--fail-on", "warning"), 1)],
)
def test_a_closed_pipe_does_not_change_the_exit_code(arguments: tuple[str, ...], code: int) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with subprocess.Popen(
        [sys.executable, "-m", "bodydouble", *arguments], stdout=write_end, stderr=subprocess.PIPE
    ) as process:
        os.close(write_end)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (code, b"")


def _fail(*_arguments: object, **_options: object) -> None:
    raise ZeroDivisionError("not\nexpected \x1b[2J")


def _main(monkeypatch: pytest.MonkeyPatch, *arguments: str, app: object = _fail) -> int:
    monkeypatch.setattr(_app, "app", app)
    monkeypatch.setattr(sys, "argv", ["bodydouble", *arguments])
    with pytest.raises(SystemExit) as end:
        __main__.main()
    assert isinstance(end.value.code, int)
    return end.value.code


def test_an_unexpected_exception_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _main(monkeypatch) == 2
    assert capsys.readouterr().err == (
        "bodydouble: ZeroDivisionError: not expected \\x1b[2J "
        "(this should not happen; --traceback shows where it did)\n"
    )


def test_the_traceback_is_shown_with_the_option(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _main(monkeypatch, "contract", "show", "--traceback") == 2
    assert "Traceback" in capsys.readouterr().err


def test_the_traceback_is_shown_with_the_environment_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BODYDOUBLE_TRACEBACK", "1")
    assert _main(monkeypatch) == 2
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_ends_quietly_with_the_exit_code_of_shells(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    assert _main(monkeypatch, app=interrupt) == 128 + signal.SIGINT
    assert capsys.readouterr().err == ""


def test_a_missing_extra_is_one_line_that_names_the_package_to_install(tmp_path: Path) -> None:
    # A package of that name that cannot be imported hides the installed one.
    (tmp_path / "openapi_spec_validator.py").write_text("raise ImportError\n", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    result = run("contract", "check", PYTHONPATH=path)
    assert (result.returncode, result.stderr) == (
        2,
        "bodydouble: this check needs openapi-core; install it with: pip install 'bodydouble[contract]'\n",
    )

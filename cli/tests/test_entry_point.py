"""The command in its own process: exit codes, errors in one line, no tracebacks."""

import json
import os
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from bodydouble import __main__, __version__
from bodydouble import app as _app
from bodydouble.commands import COMMANDS
from typer.main import get_command


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


def imported_by(*arguments: str) -> set[str]:
    """Return the modules that a command has imported when it ends."""
    code = (
        "import json, sys; from bodydouble.__main__ import main; sys.argv[0] = 'bodydouble'\n"
        "try: main()\n"
        "finally: print(json.dumps([*sys.modules]), file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    return {*json.loads(result.stderr.splitlines()[-1])}


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("nonsense",)])
def test_only_an_invoked_command_needs_its_imports(arguments: tuple[str, ...]) -> None:
    modules = imported_by(*arguments)
    loaded = {name for name in modules if name.startswith("bodydouble.commands.")}
    assert (loaded, modules & {"bodydouble_spec", "rich", "httpx"}) == (set[str](), set[str]())


def test_serve_imports_only_what_a_server_needs(tmp_path: Path) -> None:
    # A certificate that does not exist is the last thing that stops a server before it listens.
    missing = str(tmp_path / "missing.pem")
    modules = imported_by("serve", "--port", "0", "--tls-cert", missing, "--tls-key", missing)
    loaded = {name for name in modules if name.startswith("bodydouble.commands.")}
    others = {
        "httpx",
        "openapi_core",
        "apprise",
        "bodydouble_client",
        "bodydouble_contract_tests",
        "hypothesis",
        "rich",
        "bodydouble_spec.meaning",
    }
    own = {"bodydouble.commands.serve"}
    assert ("uvicorn" in modules, loaded, modules & others) == (True, own, set[str]())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_summary_of_a_command_is_the_first_sentence_of_its_help(name: str) -> None:
    command = get_command(import_module(f"bodydouble.commands.{name}").app)
    assert command.get_short_help_str(1_000) == COMMANDS[name]


def test_every_module_that_is_a_command_is_listed() -> None:
    folder = Path(_app.__file__).parent / "commands"
    assert {path.stem for path in folder.glob("*.py") if "\napp = " in path.read_text("utf-8")} == {*COMMANDS}


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


@pytest.mark.parametrize("name", ["verify", "drift"])
def test_the_help_needs_no_extra_and_the_command_names_it(name: str, tmp_path: Path) -> None:
    # A package that cannot be imported hides the installed one.
    (tmp_path / "bodydouble_contract_tests.py").write_text("raise ImportError('install the extra')\n", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    shown, result = run(name, "--help", PYTHONPATH=path), run(name, PYTHONPATH=path)
    assert (shown.returncode, shown.stderr, result.returncode, result.stderr) == (
        0,
        "",
        2,
        "bodydouble: install the extra\n",
    )


def test_a_missing_extra_is_one_line_that_names_the_package_to_install(tmp_path: Path) -> None:
    # A package of that name that cannot be imported hides the installed one.
    (tmp_path / "openapi_spec_validator.py").write_text("raise ImportError\n", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    result = run("contract", "check", PYTHONPATH=path)
    assert (result.returncode, result.stderr) == (
        2,
        "bodydouble: this check needs openapi-core; install it with: pip install 'bodydouble[contract]'\n",
    )


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit for the size of files")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_output_that_does_not_fit_on_the_disk_is_exit_code_2(unbuffered: str, tmp_path: Path) -> None:
    limited = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048)); os.execv(sys.executable, sys.argv[1:])"
    command = [
        sys.executable,
        "-c",
        limited,
        sys.executable,
        "-m",
        "bodydouble",
        "contract",
        "show",
        "--format",
        "json",
    ]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with (tmp_path / "out.json").open("wb") as file:
        done = subprocess.run(command, stdout=file, stderr=subprocess.PIPE, text=True, env=environment, check=False)
    said = "bodydouble: the output cannot be written: File too large; free some space\n"
    assert (done.returncode, done.stderr) == (2, said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_output_that_does_not_fit_on_the_disk_is_one_line_and_exit_code_2(unbuffered: str) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "bodydouble", "contract", "fingerprint"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )  # fmt: skip
    words = "bodydouble: the output cannot be written: No space left on device; free some space\n"
    assert (ended.returncode, ended.stderr) == (2, words)

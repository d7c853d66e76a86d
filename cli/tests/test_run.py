"""``bodydouble run -- COMMAND…``: a program against a mock, and the report about its requests."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from bodydouble.app import app
from bodydouble_spec import read_exchanges

Run = Callable[..., int]
SEND = """
import json, os, urllib.request

def send(**changes):
    body = {"model": "google/gemini-2.5-flash-image-edit", "prompt": "hello", "image_urls": ["https://example.org/a.png"]}
    request = urllib.request.Request(
        os.environ["AIMLAPI_BASE_URL"] + "/v1/images/generations",
        json.dumps(body | changes).encode(),
        {"Authorization": "Bearer " + os.environ["AIMLAPI_KEY"], "Content-Type": "application/json"},
    )
    try:
        urllib.request.urlopen(request).close()
    except OSError as error:
        error.close()

"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run ``bodydouble run`` with a Python script, in this process, and return its exit code."""

    def run(script: str, *options: str, arguments: tuple[str, ...] = ()) -> int:
        file = tmp_path / "app.py"
        file.write_text(SEND + script, encoding="utf-8")
        with pytest.raises(SystemExit) as end:
            app(args=["run", *options, "--", sys.executable, str(file), *arguments], prog_name="bodydouble")
        assert isinstance(end.value.code, int)
        return end.value.code

    return run


@pytest.mark.parametrize(
    ("script", "options", "code"),
    [
        ("send()", (), 0),
        ("send(num_images=9)", (), 1),
        ("send(num_images=9)", ("--fail-on", "never"), 0),
        ("raise SystemExit(7)", (), 7),
        ("send(num_images=9); raise SystemExit(7)", ("--fail-on", "never"), 7),
        ("import signal; os.kill(os.getpid(), signal.SIGTERM)", (), 143),
        ("", (), 1),
        ("", ("--at-least", "0"), 0),
        ("", ("--fail-on", "never"), 0),
        ("send()", ("--at-least", "2"), 1),
        ("send(); send()", ("--at-least", "2"), 0),
    ],
)
def test_the_exit_code_is_the_commands_own_or_1_when_it_asked_for_nothing_or_broke_the_contract(
    run: Run, script: str, options: tuple[str, ...], code: int
) -> None:
    assert run(script, *options) == code


@pytest.mark.parametrize("command", ["no-such-program-anywhere", "/", "a\0b"])
def test_a_command_that_cannot_be_started_is_exit_code_2_in_one_line(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    with pytest.raises(SystemExit) as end:
        app(args=["run", "--", command], prog_name="bodydouble")
    assert (end.value.code, capsys.readouterr().err.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--scenario", "missing.json"), "missing.json"),
        (("--journal", "missing/journal.jsonl"), "missing/journal.jsonl"),
    ],
)
def test_an_option_that_cannot_be_used_is_exit_code_2_and_the_command_is_not_run(
    run: Run, capfd: pytest.CaptureFixture[str], options: tuple[str, ...], message: str
) -> None:
    code = run("print('was run')", *options)
    out, err = capfd.readouterr()
    assert (code, out, message in err) == (2, "", True)


def test_a_port_that_is_taken_is_exit_code_2(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run("", "--port", str(taken.getsockname()[1])) == 2
    assert "cannot listen" in capfd.readouterr().err


def test_the_report_is_printed_to_standard_error_beside_the_output_of_the_command(
    run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    run("print('from the app'); send(num_images=9)")
    out, err = capfd.readouterr()
    assert (out, "request.num_images" in err, "from the app" in err) == ("from the app\n", True, False)


def test_the_command_reads_the_standard_input(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "bodydouble",
        "run",
        "--at-least",
        "0",
        "--",
        sys.executable,
        "-c",
        "print(input()[::-1])",
    ]
    done = subprocess.run(command, input="olleh\n", capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "hello\n"


def test_the_arguments_of_the_command_are_its_own(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ("--format", "x", "--help", "--", "-p", "a b")
    run("import sys; print(json.dumps(sys.argv[1:]))", arguments=arguments)
    assert json.loads(capfd.readouterr().out) == list(arguments)


def test_the_report_does_not_repeat_arguments_which_may_hold_a_secret(
    run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    run("", arguments=("--token", "sk-secret"))
    assert "sk-secret" not in capfd.readouterr().err


SHOW = "print(json.dumps({name: os.environ.get(name) for name in ('AIML_API_BASE', 'OPENAI_BASE_URL', 'MINE')}))"


@pytest.mark.parametrize("is_openai", [False, True])
def test_the_variables_are_added_to_the_environment_of_the_command(
    run: Run, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, is_openai: bool
) -> None:
    monkeypatch.setenv("MINE", "kept")
    monkeypatch.setenv("OPENAI_BASE_URL", "kept")
    run(SHOW, *(["--openai"] if is_openai else []))
    variables = json.loads(capfd.readouterr().out)
    assert variables["AIML_API_BASE"].startswith("http://127.0.0.1:")
    openai = f"{variables['AIML_API_BASE']}/v1" if is_openai else "kept"
    assert (variables["MINE"], variables["OPENAI_BASE_URL"]) == ("kept", openai)


def test_the_variables_of_a_dotenv_file_are_set_before_the_command_loads_it(
    run: Run, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("AIML_API_BASE=https://api.aimlapi.com/v2\nMINE=kept\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    run(SHOW)
    variables = json.loads(capfd.readouterr().out)
    assert variables["AIML_API_BASE"].startswith("http://127.0.0.1:")
    assert (variables["AIML_API_BASE"][-3:], variables["MINE"]) == ("/v2", None)


def test_the_journal_has_the_requests_of_the_command(run: Run, tmp_path: Path) -> None:
    run("send(prompt='one'); send(prompt='two')", "--journal", str(tmp_path / "journal.jsonl"))
    exchanges = read_exchanges(tmp_path / "journal.jsonl").exchanges
    assert [exchange.body["prompt"] for exchange in exchanges] == ["one", "two"]


def test_a_command_that_calls_something_else_is_told_so(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    run("urllib.request.urlopen(os.environ['AIMLAPI_BASE_URL'] + '/_bodydouble/health').close()")
    err = capfd.readouterr().err
    assert err.startswith("The command made no request to the mock, so nothing was examined\n")
    assert "no-request" in err
    assert "AIMLAPI_BASE_URL" in err


@pytest.mark.parametrize(("fail_on", "code"), [("error", 1), ("never", 0)])
def test_a_scripted_answer_that_is_never_used_is_an_error(
    run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str], fail_on: str, code: int
) -> None:
    script = {"answers": [{"status": 429}, {"status": 500, "times": None}]}
    (tmp_path / "scenario.json").write_text(json.dumps(script), encoding="utf-8")
    options = ("--scenario", str(tmp_path / "scenario.json"), "--fail-on", fail_on)
    assert run("send()", *options) == code
    assert "answers[1]" in capfd.readouterr().err


WAITS = """
import signal, time
signal.signal(signal.{name}, lambda number, frame: (os.write(1, b"got it\\n"), os._exit(0)))
print("ready", flush=True)
while True:
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to pass on")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"])
def test_a_signal_is_relayed_and_the_report_is_still_printed(tmp_path: Path, name: str) -> None:
    (tmp_path / "app.py").write_text(f"import os\n{WAITS.format(name=name)}", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "bodydouble",
        "run",
        "--at-least",
        "0",
        "--",
        sys.executable,
        str(tmp_path / "app.py"),
    ]
    number = signal.Signals[name]
    # In a new session, without a terminal that would send the signal to both.
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            os.kill(process.pid, number)
            out, err = process.communicate(timeout=60)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert (process.returncode, out, "No findings" in err) == (0, "got it\n", True)


INTERCEPTED = """
import urllib.error

def post(url):
    request = urllib.request.Request(url, b"{}", {"Authorization": "Bearer x", "Content-Type": "application/json"})
    try:
        urllib.request.urlopen(request).close()
    except urllib.error.URLError as error:
        print(error)

"""


def test_a_program_with_the_address_in_it_is_checked_with_intercept(
    run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    script = f"{INTERCEPTED}post('https://api.aimlapi.com/v1/images/generations'); post('https://example.org/')"
    assert run(script, "--intercept") == 1
    out, err = capfd.readouterr()
    assert "HTTP Error 400" in out
    assert "403 Forbidden" in out
    assert "request-required" in err
    assert "other-host-called" in err


@pytest.mark.parametrize(
    ("options", "words"),
    [((), "reaches the mock only with --intercept"), (("--intercept",), "lists the clients that need more")],
)
def test_a_command_that_asked_for_nothing_is_told_where_the_mock_was(
    run: Run, capfd: pytest.CaptureFixture[str], options: tuple[str, ...], words: str
) -> None:
    run("", *options)
    assert words in capfd.readouterr().err


WITHOUT_PROXY = """
import http.client

for connect in (http.client.HTTPSConnection, http.client.HTTPConnection):
    connection = connect("api.aimlapi.com")
    connection.request("POST", "/v1/images/generations", b"{}", {"Authorization": "Bearer x", "Content-Type": "application/json"})
    print(connection.getresponse().status)
    connection.close()
"""


def test_a_library_of_python_that_knows_no_proxy_is_intercepted_and_the_users_own_sitecustomize_stays(
    run: Run, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "sitecustomize.py").write_text("print('mine')", encoding="utf-8")
    path = os.pathsep.join(filter(None, (str(tmp_path / "own"), os.environ.get("PYTHONPATH"))))
    monkeypatch.setenv("PYTHONPATH", path)
    run(WITHOUT_PROXY, "--intercept")
    assert capfd.readouterr().out.splitlines() == ["mine", "400", "400"]


def test_calls_of_other_hosts_are_no_requests_to_the_mock(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(f"{INTERCEPTED}post('https://example.org/')", "--intercept") == 1
    assert "no-request" in capfd.readouterr().err


def test_a_contract_without_a_host_is_not_intercepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = {
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a": {"get": {"responses": {"200": {"description": "d"}}}}},
    }
    (tmp_path / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        app(
            args=["run", "--contract", str(tmp_path / "openapi.json"), "--intercept", "--", "true"],
            prog_name="bodydouble",
        )
    error = capsys.readouterr().err
    assert (end.value.code, error.count("\n"), "names no host" in error) == (2, 1, True)

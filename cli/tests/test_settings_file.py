"""Options from ``[tool.bodydouble.COMMAND]`` of a project's pyproject.toml."""

from pathlib import Path

import httpx
import pytest
from bodydouble.app import app
from typer.testing import CliRunner, Result

from spec.tests.servers import run_serve

ROUTE = "/v1/images/generations"
BODY = {"model": "google/gemini-2.5-flash-image-edit", "prompt": "hat", "image_urls": ["https://example.org/a.png"]}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the settings file of a project, and work in a folder below it."""
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path / "src")
    return tmp_path / "pyproject.toml"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


def planned(*arguments: str) -> str:
    result = run("verify", "--dry-run", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_setting_is_the_default_of_an_option_and_the_command_line_wins(project: Path) -> None:
    usual = planned("--live", "--max-usd", "0.1")
    project.write_text("[tool.bodydouble.verify]\nmax-usd = 0.1\n")
    assert planned("--live") == usual
    assert planned("--live", "--max-usd", "0.3") != usual


def test_a_file_without_settings_changes_nothing(project: Path) -> None:
    usual = planned()
    project.write_text("[tool.other]\nname = 'bodydouble'\n")
    assert planned() == usual


def test_serve_takes_flags_lists_and_numbers(project: Path) -> None:
    project.write_text(
        "[tool.bodydouble.serve]\nport = 1\nquiet = true\napi-key = ['one', 'two']\nmax-body-mb = 0.01\n"
    )
    with run_serve() as served, httpx.Client(base_url=served.address) as client:
        statuses = {
            key: client.post(ROUTE, json=BODY, headers={"Authorization": f"Bearer {key}"}).status_code
            for key in ("one", "two", "three")
        }
        large = client.post(ROUTE, content=b" " * 20_000, headers={"Authorization": "Bearer one"})
    assert (statuses, large.status_code) == ({"one": 200, "two": 200, "three": 401}, 413)


@pytest.mark.parametrize(
    ("settings", "command", "message"),
    [
        ("[tool.bodydouble.serve]\nprot = 1", "serve", "[tool.bodydouble.serve] has 'prot', and serve has no such option; did you mean 'port'?"),
        ("[tool.bodydouble.serve]\njournal_mb = 1", "serve", "did you mean 'journal-mb'?"),
        ("[tool.bodydouble.vrify]\nport = 1", "serve", "[tool.bodydouble] has 'vrify', and there is no such command; did you mean 'verify'?"),
        ("[tool.bodydouble.serve]\nwatch = 1", "serve", "watch is 1; it must be true or false"),
        ("[tool.bodydouble.serve]\napi-key = 'a'", "serve", "api-key is 'a'; it must be a list"),
        ("[tool.bodydouble.serve]\nport = [1]", "serve", "port is [1]; it must be one text or number"),
        ("[tool.bodydouble.serve]\nport = 70000", "serve", "Invalid value for '--port'"),
        ("[tool.bodydouble.verify]\nlive = true", "verify", "has 'live': it costs money; give --live on the command line"),
        ("[tool.bodydouble.drift]\nremind = 1", "drift", "drift has no such option"),
        ("[tool]\nbodydouble = 1", "serve", "[tool.bodydouble] must be a table of commands"),
        ("[tool.bodydouble]\nserve = 1", "serve", "tool.bodydouble.serve must be a table of options"),
        ("tool = 'bodydouble'", "serve", "[tool.bodydouble] must be a table of commands"),
        ("bodydouble = ", "serve", "is not TOML"),
    ],
)  # fmt: skip
def test_a_bad_setting_ends_with_its_file_and_place(project: Path, settings: str, command: str, message: str) -> None:
    project.write_text(settings)
    result = run(command)
    assert (result.exit_code, message in result.output, str(project) in result.output) == (2, True, True), result.output
    assert "Traceback" not in result.output


def test_a_table_below_a_command_is_left_to_its_reader(project: Path) -> None:
    project.write_text(
        '[tool.bodydouble.drift]\nfail-on = "never"\n[tool.bodydouble.drift.severities]\nfoo = "error"\n'
    )
    assert "there is no such rule" in run("drift", "--upstream", "vendored").output

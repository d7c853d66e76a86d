"""The contract options: one bundle folder, accepted alike by every command and by the fixture."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bodydouble_spec
import httpx
import pytest
from bodydouble.app import app
from bodydouble.fixture import BackgroundServer
from bodydouble_mockserver import create_app
from bodydouble_spec import Contract, read_exchanges
from typer.testing import CliRunner, Result

from spec.tests.servers import run_serve

pytest_plugins = ["pytester"]

SPEC = Path(bodydouble_spec.__file__).parent
DATA = Path(__file__).resolve().parents[2] / "spec" / "tests" / "data"
AUGUST = DATA / "revision-2026-08-14-87ef44bd.json"
BODY = {"model": "google/gemini-2.5-flash-image-edit", "prompt": "hat", "image_urls": ["https://example.org/a.png"]}
PRICE = 4321
SEND = f"import json, os, urllib.request as u; u.urlopen(u.Request(os.environ['AIMLAPI_BASE_URL'] + '/v1/images/generations', json.dumps({BODY}).encode(), {{'Authorization': 'Bearer k', 'Content-Type': 'application/json'}}))"
TEST = f"""
import httpx, pytest

def send(bodydouble):
    answer = httpx.post(bodydouble.url + "/v1/images/generations", json={BODY}, headers={{"Authorization": "Bearer k"}})
    return answer.headers["x-aimlapi-credits-used"]
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Return a folder with the vendored document, its provenance, and an overlay with another price."""
    folder = tmp_path / "ours"
    folder.mkdir()
    for name in ("openapi.json", "provenance.json"):
        shutil.copy(SPEC / name, folder)
    overlay = (SPEC / "overlay.yaml").read_text(encoding="utf-8")
    assert "credits: 84000" in overlay
    (folder / "overlay.yaml").write_text(overlay.replace("credits: 84000", f"credits: {PRICE}"), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def server() -> Iterator[BackgroundServer]:
    """Serve the vendored contract."""
    with BackgroundServer(create_app()) as served:
        yield served


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


def commands(folder: Path, url: str) -> dict[str, tuple[str | Path, ...]]:
    """Return a call of each command with a contract, apart from `serve`, which does not end."""
    published = folder.parent / "openapi.json"
    if not published.exists():
        shutil.copy(SPEC / "openapi.json", published)
    return {
        "show": ("contract", "show", folder),
        "check": ("contract", "check", folder),
        "fingerprint": ("contract", "fingerprint", folder),
        "update": ("contract", "update", folder, "--spec-dir", SPEC, "--dry-run"),
        "update to": ("contract", "update", AUGUST, "--spec-dir", folder, "--dry-run"),
        "diff old": ("diff", folder, "vendored"),
        "diff new": ("diff", "vendored", folder),
        "drift": ("drift", "--contract", folder, "--upstream", published),
        "drift to": ("drift", "--contract", "vendored", "--upstream", folder),
        "verify": ("verify", "--contract", folder, "--base-url", url, "--check", "no-key-refused", "--quiet"),
        "run": ("run", "--contract", folder, "--", sys.executable, "-c", SEND),
    }


@pytest.mark.parametrize("name", commands(DATA, ""))
def test_every_command_accepts_a_folder(bundle: Path, server: BackgroundServer, name: str) -> None:
    result = run(*commands(bundle, server.url)[name])
    assert result.exit_code == 0, result.output


BAD: dict[str, Callable[[Path], object]] = {
    "no document": lambda folder: (folder / "openapi.json").unlink(),
    "two documents": lambda folder: shutil.copy(AUGUST, folder / "august.json"),
    "a broken overlay": lambda folder: (folder / "overlay.yaml").write_text("{"),
    "a provenance of another document": lambda folder: shutil.copy(AUGUST, folder / "openapi.json"),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", [name for name in commands(DATA, "") if not name.startswith(("update", "drift to"))])
def test_every_command_refuses_a_bad_folder_in_one_line(
    bundle: Path, server: BackgroundServer, name: str, bad: str
) -> None:
    BAD[bad](bundle)
    result = run(*commands(bundle, server.url)[name])
    assert (result.exit_code, result.stderr.count("\n"), str(bundle) in result.stderr) == (2, 1, True), result.output


@pytest.mark.parametrize("bad", BAD)
def test_serve_refuses_a_bad_folder_in_one_line(bundle: Path, bad: str) -> None:
    BAD[bad](bundle)
    result = run("serve", "--port", "0", "--contract", bundle)
    assert (result.exit_code, result.stderr.count("\n"), str(bundle) in result.stderr) == (2, 1, True)


def test_what_update_wrote_is_served_with_the_overlay_of_the_folder(bundle: Path) -> None:
    assert run("contract", "update", DATA / "revision-2026-06-12-4cd011cd.json", "--spec-dir", bundle).exit_code == 0
    for source in (bundle, bundle / "openapi.json"):
        with run_serve("--contract", str(source), "--quiet") as served:
            answer = httpx.post(
                f"{served.address}/images/generations", json=BODY, headers={"Authorization": "Bearer k"}
            )
        assert answer.headers["x-aimlapi-credits-used"] == str(PRICE)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), PRICE),
        (("--overlay", "none"), None),
        (("--overlay", str(SPEC / "overlay.yaml")), 84000),
        (("--overlay", str(SPEC / "missing.yaml")), "exit 2"),
    ],
)
def test_an_overlay_option_replaces_that_of_the_folder(
    bundle: Path, options: tuple[str, ...], expected: object
) -> None:
    result = run("contract", "show", bundle, "--format", "json", *options)
    price: Any = "exit 2"
    if result.exit_code != 2:
        (operation,) = json.loads(result.stdout)["facts"]["operations"]
        price = None if operation["price"] is None else operation["price"]["credits"]
    assert price == expected


def test_show_names_the_provenance_of_a_folder(bundle: Path) -> None:
    assert "4cd011cd of 2026-06-12" in run("contract", "show", bundle).stdout


def test_drift_reads_the_address_in_the_provenance_of_the_folder(bundle: Path) -> None:
    published = bundle.parent / "published.json"
    shutil.copy(AUGUST, published)
    facts = json.loads((bundle / "provenance.json").read_bytes())
    (bundle / "provenance.json").write_text(json.dumps(facts | {"document": str(published)}))
    result = run("drift", "--contract", bundle, "--no-impact")
    assert (result.exit_code, str(published) in result.stdout, "model-identity-replaced" in result.stdout) == (
        1,
        True,
        True,
    )


@pytest.mark.parametrize("by", ["marker", "setting"])
def test_the_fixture_stands_in_for_a_folder(
    pytester: pytest.Pytester, run_files: Callable[..., pytest.RunResult], bundle: Path, by: str
) -> None:
    shutil.copytree(bundle, pytester.path / "contracts" / "ours")
    mark = "@pytest.mark.bodydouble(contract='contracts/ours')" if by == "marker" else ""
    pytester.makepyfile(
        test_app=f"{TEST}\n{mark}\ndef test_price(bodydouble):\n    assert send(bodydouble) == '{PRICE}'\n"
    )
    pytester.makeini("[pytest]\n" + ("bodydouble_contract = contracts/ours\n" if by == "setting" else ""))
    run_files().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("mark", "words"),
    [("contract='gone.json'", "*gone.json*"), ("contract=3", "*names no file*"), ("contract=[]", "*names no file*")],
)
def test_a_marker_with_a_bad_contract_fails_the_test_with_the_reason(
    pytester: pytest.Pytester, run_files: Callable[..., pytest.RunResult], mark: str, words: str
) -> None:
    pytester.makepyfile(
        test_app=f"{TEST}\n@pytest.mark.bodydouble({mark})\ndef test_price(bodydouble):\n    send(bodydouble)\n"
    )
    result = run_files()
    assert result.ret != 0
    (result.stdout if result.ret == 1 else result.stderr).fnmatch_lines([words])


def test_verify_and_drift_take_one_operation_of_a_contract_with_several(
    tmp_path: Path, server: BackgroundServer
) -> None:
    document = json.loads((SPEC / "openapi.json").read_bytes())
    document["paths"]["/v1/other"] = {"get": {"responses": {"200": {"description": "ok"}}}}
    source = tmp_path / "two.json"
    source.write_text(json.dumps(document))
    one = ("--operation", "POST /v1/images/generations")
    verify = ("verify", "--contract", source, "--base-url", server.url, "--check", "no-key-refused", "--quiet")
    drift = ("drift", "--contract", source, "--upstream", SPEC / "openapi.json")
    codes = [run(*call).exit_code for call in (verify, (*verify, *one), drift, (*drift, *one))]
    assert codes == [2, 0, 1, 0]


def test_verify_takes_one_model_of_an_operation(tmp_path: Path) -> None:
    document = json.loads((SPEC / "openapi.json").read_bytes())
    schema = document["paths"]["/v1/images/generations"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    model = schema["properties"]["model"]["enum"][0]
    schema["properties"]["model"]["enum"].append("an-alias")
    source = tmp_path / "two.json"
    source.write_text(json.dumps(document))
    sent: list[set[str]] = []
    with BackgroundServer(create_app(Contract.load(source))) as served:
        call = ("verify", "--contract", source, "--base-url", served.url, "--check", "valid-accepted", "--quiet")
        for number, options in enumerate(((), ("--model", model))):
            recording = tmp_path / f"{number}.jsonl"
            assert run(*call, "--examples", "0", "--record", recording, *options).exit_code == 0
            sent.append({exchange.body["model"] for exchange in read_exchanges(recording).exchanges})
        unknown = run(*call, "--model", "other")
    assert sent == [{model, "an-alias"}, {model}]
    assert (unknown.exit_code, "an-alias" in unknown.stderr) == (2, True)


def test_the_help_needs_no_extra_and_names_the_folder() -> None:
    out = subprocess.run(
        [sys.executable, "-m", "bodydouble", "serve", "--help"], capture_output=True, text=True, check=True
    )
    assert "FILE|FOLDER|URL|vendored" in out.stdout
    assert Contract.load("vendored").is_vendored

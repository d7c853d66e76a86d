"""``bodydouble serve`` as a process: output, exit codes, and errors in one line."""

import base64
import contextlib
import io
import json
import os
import re
import shlex
import signal
import socket
import ssl
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from PIL import Image

from spec.tests.servers import SERVE, Quiet, ServeProcess, run_serve, serve_http

BODY = {"model": "google/gemini-2.5-flash-image-edit", "prompt": "x", "image_urls": ["https://example.com/a.png"]}
PATH = "/v1/images/generations"
KEY = {"authorization": "Bearer k"}


Start = Callable[..., ServeProcess]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start ``bodydouble serve`` on a free port."""
    with contextlib.ExitStack() as started:
        yield lambda *options: started.enter_context(run_serve(*options))


def refused(*options: str) -> str:
    """Return the standard error of a ``bodydouble serve`` that cannot start with exit code 2."""
    run = subprocess.run([*SERVE, "--port", "0", *options], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (2, "")
    return run.stderr


def test_the_banner_has_the_model_the_address_the_contract_and_the_variables(start: Start) -> None:
    served = start()
    _, rest, _ = served.end()
    banner = served.banner + rest
    for variable in ("AIMLAPI_BASE_URL", "AIML_API_BASE", "AIMLAPI_API_BASE"):
        assert f"export {variable}={served.address}\n" in banner
    assert f"export OPENAI_BASE_URL={served.address}/v1\n" in banner
    assert "export AIMLAPI_KEY=" in banner
    assert banner.startswith("bodydouble stands in for google/gemini-2.5-flash-image-edit\n")
    assert f"  page       {served.address}/_bodydouble/\n" in banner
    # What is wrong with the published contract is for `contract show`.
    assert ("  contract   vendored contract\n" in banner, "defect" in banner) == (True, False)


def test_the_variables_that_it_prints_with_intercept_lead_programs_to_it_until_it_ends(start: Start) -> None:
    served = start("--intercept")
    lines = served.read_until("JAVA_TOOL_OPTIONS").splitlines()
    words = [shlex.split(line)[1] for line in lines if line.startswith("  export ")]
    variables = dict(word.split("=", 1) for word in words)
    command = ["curl", "-sS", "https://api.aimlapi.com/v1/models"]
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=True)
    assert "google/gemini-2.5-flash-image-edit" in done.stdout
    assert served.end()[0] == 0
    assert not Path(variables["SSL_CERT_FILE"]).exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_after_a_request_ends_it_cleanly(start: Start, number: signal.Signals) -> None:
    served = start()
    with httpx.Client(base_url=served.address, headers=KEY) as client:
        assert client.post(PATH, json=BODY).status_code == 200
        code, _, err = served.end(number)
    assert (code, "Traceback" in err) == (0, False)


def test_a_second_ctrl_c_cuts_a_call_that_hangs_without_a_traceback(start: Start) -> None:
    served = start()
    place = httpx.URL(served.address)
    head = f"POST {PATH} HTTP/1.1\r\nhost: x\r\nprefer: fault=hang\r\nauthorization: Bearer key\r\n"
    body = json.dumps(BODY)
    with socket.create_connection((place.host, place.port or 0)) as client:
        client.sendall(f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
        while not httpx.get(f"{served.address}/_bodydouble/requests").json()["total"]:
            pass
        os.kill(served.pid, signal.SIGINT)
        with contextlib.suppress(OSError):
            # It listens no longer when the first one was taken.
            while True:
                socket.create_connection((place.host, place.port or 0)).close()
        code, _, err = served.end(signal.SIGINT)
    assert (code, "Traceback" in err) == (0, False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_right_after_the_banner_ends_it_cleanly(start: Start, number: signal.Signals) -> None:
    assert start("--quiet").end(number) == (0, "", "")


def test_every_request_is_one_line_without_control_characters(start: Start) -> None:
    served = start()
    with httpx.Client(base_url=served.address, headers=KEY) as client:
        client.post(PATH, json=BODY)
        client.post(PATH, json={**BODY, "num_images": 9, "aspect_ratio": "\x1b[2J"})
        client.get("/%1b[31mred%0d%0anew")
    lines = [line.partition(" ")[2] for line in served.end()[2].splitlines()]
    assert re.fullmatch(rf'POST {PATH} 200 \d+ ms "x" http://\S+\.png', lines[0])
    assert re.fullmatch(
        rf'POST {PATH} 400 \d+ ms "x" request\.(num_images|aspect_ratio): .+ \(request-\S+\) \(and 1 more\)', lines[1]
    )
    (unknown,) = lines[2:]
    start_of_line, _, reason = unknown.partition(" ms ")
    assert start_of_line.startswith(r"GET /\x1b[31mred\r\nnew 404 ")
    assert reason.startswith("request: the contract has no GET ")
    assert unknown.isprintable()


def test_quiet_prints_only_the_free_port(start: Start) -> None:
    served = start("--quiet")
    assert httpx.post(f"{served.address}{PATH}", json=BODY, headers=KEY).status_code == 200
    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9][0-9]*\n", served.banner)
    assert served.end()[1:] == ("", "")


def test_the_options_reach_the_mock(start: Start, tmp_path: Path) -> None:
    Image.new("RGB", (3, 2)).save(tmp_path / "a.png")
    served = start(
        *("--quiet", "--api-key", "one", "--api-key", "two", "--seed", "7", "--dialect", "observed-2026"),
        *(
            "--images",
            "both",
            "--public-url",
            "http://localhost:1/",
            "--pictures",
            str(tmp_path),
            "--max-body-mb",
            "0.001",
            "--max-json-values",
            "20",
            "--max-json-levels",
            "3",
            *("--max-pending-mb", "1", "--idle-timeout", "5", "--max-connections", "99", "--inputs-mb", "0"),
            *("--inputs-disk-mb", "0", "--max-head-kb", "2"),
        ),
    )
    url = f"{served.address}{PATH}"
    keys = [httpx.post(url, json=BODY, headers={"authorization": f"Bearer {key}"}) for key in ("one", "two", "k")]
    assert [answer.status_code for answer in keys] == [200, 200, 401]
    assert httpx.post(url, content=b" " * 1100, headers={"authorization": "Bearer one"}).status_code == 413
    assert httpx.get(served.address, headers={"x": "a" * 2048}).status_code == 431
    nested: list[list[Any]] = [[0] * 20, [[[]]]]
    for value in nested:
        answer = httpx.post(url, json={**BODY, "x": value}, headers={"authorization": "Bearer one"})
        assert answer.status_code == 413
    assert keys[0].json()["meta"]["usage"]["usd_spent"] == 0.042
    assert keys[0].json()["data"][0]["url"].startswith("http://localhost:1/generations/")
    assert keys[0].json()["data"][0]["b64_json"]
    picture = httpx.get(f"{served.address}{httpx.URL(keys[0].json()['data'][0]['url']).path}")
    assert picture.headers["x-bodydouble-note"] == "a.png: padded from 3x2 to 1024x1024"


def test_a_contract_at_a_url_is_served_as_it_is(start: Start) -> None:
    document = Path(__file__).parents[2] / "spec" / "tests" / "data" / "revision-2026-08-14-87ef44bd.json"

    class Publisher(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(document.read_bytes())

    with serve_http(HTTPServer(("127.0.0.1", 0), Publisher)) as origin:
        served = start("--contract", f"{origin}/contract.json")
    url = served.address + PATH
    answer = httpx.post(url, json={**BODY, "model": "google/nano-banana-edit"}, headers=KEY).json()
    assert "usd_spent" in answer["meta"]["usage"]
    assert httpx.post(url, json=BODY, headers=KEY).status_code == 400


def test_pictures_that_are_kept_outlive_a_killed_server_and_have_one_server_at_a_time(
    start: Start, tmp_path: Path
) -> None:
    options = ("--keep", str(tmp_path))
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "teal").save(file, "PNG")
    picture = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    first = start(*options)
    body = {**BODY, "image_urls": [picture]}
    url = httpx.URL(httpx.post(f"{first.address}{PATH}", json=body, headers=KEY).json()["data"][0]["url"])
    assert "another process keeps its pictures in this folder" in refused(*options)
    before = httpx.get(url)
    first.end(signal.SIGKILL)
    second = start(*options)
    after = httpx.get(f"{second.address}{url.path}")
    assert (after.status_code, after.content) == (200, before.content)
    assert f"Pictures of 1 request are kept in {tmp_path}" in second.banner + second.end()[1]


def test_every_address_of_the_machine_is_served_on_request(start: Start) -> None:
    served = start("--quiet", "--host", "0.0.0.0")
    port = served.address.rpartition(":")[2]
    # An address that works everywhere; the one that it listens on may use the control routes as well.
    assert served.address == f"http://127.0.0.1:{port}"
    health = httpx.get(f"{served.address}/_bodydouble/health", headers={"host": f"0.0.0.0:{port}"})
    assert health.status_code == 200
    answer = httpx.post(f"http://127.0.0.2:{port}{PATH}", json=BODY, headers=KEY)
    assert answer.json()["data"][0]["url"].startswith(f"http://127.0.0.2:{port}/")


def test_a_decompression_bomb_becomes_a_tile_without_being_decoded(start: Start) -> None:
    # A header of 10,000 megapixels; decoding it would take 40 GB.
    header = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 6, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    uri = f"data:image/png;base64,{base64.b64encode(bomb).decode()}"
    served = start("--quiet")
    with httpx.Client(base_url=served.address, headers=KEY, timeout=60) as client:
        answer = client.post(PATH, json={**BODY, "image_urls": [uri]}).json()
        assert Image.open(io.BytesIO(client.get(answer["data"][0]["url"]).content)).size == (1024, 1024)
    peak_kb = int(re.findall(r"VmHWM:\s+([0-9]+) kB", Path(f"/proc/{served.pid}/status").read_text())[0])
    assert peak_kb < 300_000


def test_no_auth_accepts_requests_without_a_key(start: Start) -> None:
    served = start("--quiet", "--no-auth")
    assert httpx.post(f"{served.address}{PATH}", json=BODY).status_code == 200


@pytest.fixture
def pems(tmp_path: Path) -> tuple[Path, Path, ssl.SSLContext]:
    """Return a certificate for 127.0.0.1, its key, and an SSL context that trusts it."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    trust = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    return certificate, key, trust


def test_https_serves_answers_and_pictures(start: Start, pems: tuple[Path, Path, ssl.SSLContext]) -> None:
    certificate, key, trust = pems
    served = start("--tls-cert", str(certificate), "--tls-key", str(key))
    with httpx.Client(base_url=served.address, headers=KEY, verify=trust) as client:
        url = client.post(PATH, json=BODY).json()["data"][0]["url"]
        assert url.startswith("https://127.0.0.1:")
        assert client.get(url).headers["content-type"] == "image/png"
    code, _, err = served.end()
    assert (code, "Traceback" in err) == (0, False)


def test_a_port_in_use_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refused("--port", port)
    assert re.fullmatch(
        rf"bodydouble serve: cannot listen on 127\.0\.0\.1 port {port}: .+; choose another port.*\n", said
    )


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        pytest.param(["--contract", "nowhere.json"], "nowhere.json", id="no contract"),
        pytest.param(["--contract", "{}/text.txt"], "text.txt", id="an unreadable contract"),
        pytest.param(
            ["--contract", "{}/empty.json"], "it has no operation to serve", id="a contract without operations"
        ),
        pytest.param(["--contract", "http://127.0.0.1:9/x.json"], "127.0.0.1:9", id="a contract behind a closed port"),
        pytest.param(
            ["--pictures", "{}"],
            "contains no JPEG, PNG, GIF, WebP, BMP, TIFF or AVIF file",
            id="a folder without pictures",
        ),
        pytest.param(["--pictures", "nowhere"], "is not a folder", id="no folder"),
        pytest.param(["--dialect", "klingon"], "it has documented, quick-example", id="an unknown dialect"),
        pytest.param(
            ["--tls-cert", "{}/text.txt", "--tls-key", "{}/text.txt"],
            "name a PEM certificate",
            id="an unreadable certificate",
        ),
        pytest.param(["--host", "no such host"], "--host no such host", id="an unknown host"),
    ],
)
def test_a_wrong_contract_or_option_is_one_line(tmp_path: Path, options: list[str], reason: str) -> None:
    (tmp_path / "text.txt").write_text("neither contract\n\tnor: [certificate")
    (tmp_path / "empty.json").write_text("{}")
    said = refused(*(option.format(tmp_path) for option in options))
    assert said.startswith("bodydouble serve: ")
    assert (said.count("\n"), reason in said) == (1, True)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--images", "gif"], "url"),
        (["--public-url", "localhost:8000"], "http(s)://host:port"),
        (["--public-url", "http://"], "http(s)://host:port"),
        (["--api-key", ""], "--no-auth"),
        (["--port", "65536"], "65535"),
    ],
)
def test_bad_usage_is_exit_code_2_with_the_allowed_values(options: list[str], reason: str) -> None:
    said = refused(*options)
    assert reason in said
    assert "Traceback" not in said

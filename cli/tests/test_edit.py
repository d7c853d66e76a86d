"""``bodydouble edit`` against the real mock on a port: files, reports, errors, and a key that is never shown."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bodydouble import __main__
from bodydouble.commands.edit import CannotSave, check_output, error_line, save
from bodydouble_client import BadRequest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.server import Server, server_config
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from spec.tests.servers import Quiet, serve_asgi, serve_http

KEY = "sk-canary-77aa31"
URL = "https://example.com/cat.png"


@dataclass
class Ended:
    """Exit code and output of a command."""

    code: int
    out: bytes
    err: str


def png(width: int = 1024, height: int = 1024) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> MockServer:
    """Return a mock that serves one file of the right size, which is faster than drawing."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "a.png").write_bytes(png())
    return create_app(settings=Settings(pictures=folder, api_keys=(KEY,)))


@pytest.fixture(scope="module")
def origin(app: MockServer) -> Iterator[str]:
    with serve_asgi(Server(server_config(app))) as address:
        yield address


@pytest.fixture
def edit(
    app: MockServer,
    origin: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Callable[..., Ended]:
    """Run ``edit("a prompt", image, …)`` in an empty folder, with the key in the environment."""
    app.reset()
    monkeypatch.chdir(tmp_path)
    for name in ("AIMLAPI_KEY", "AIML_API_KEY", "AIMLAPI_API_KEY", "AIML_API_BASE", "AIMLAPI_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AIMLAPI_KEY", KEY)
    monkeypatch.setenv("AIMLAPI_BASE_URL", origin)

    def run(*arguments: str, stdin: bytes | None = None) -> Ended:
        monkeypatch.setattr(sys, "argv", ["bodydouble", "edit", *arguments])
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as end:
            __main__.main()
        out, err = capfdbinary.readouterr()
        return Ended(int(end.value.code or 0), out, err.decode())

    return run


def test_the_picture_is_saved_and_its_size_and_cost_are_printed(edit: Callable[..., Ended], tmp_path: Path) -> None:
    ended = edit("make it night", URL)
    data = (tmp_path / "out.png").read_bytes()
    line, cost = ended.out.decode().splitlines()
    assert (ended.code, data, line) == (0, png(), f"out.png  1024x1024 pixels  {len(data):,} bytes")
    assert cost.startswith("cost: 84,000 credits, 0.042 USD (request id ")


def test_nothing_is_printed_to_standard_error_without_a_terminal(edit: Callable[..., Ended]) -> None:
    assert edit("make it night", URL).err == ""


def test_the_options_reach_the_api(edit: Callable[..., Ended], app: MockServer) -> None:
    edit("night", URL, "--aspect-ratio", "16:9", "-n", "2", "--provider", "google")
    (exchange,) = app.journal.exchanges()
    assert exchange.body == {
        "model": "google/gemini-2.5-flash-image-edit",
        "prompt": "night",
        "image_urls": [URL],
        "aspect_ratio": "16:9",
        "num_images": 2,
        "provider": "google",
    }


def test_several_pictures_are_numbered(edit: Callable[..., Ended], tmp_path: Path) -> None:
    edit("night", URL, "-n", "2", "-o", "cat.hat.png")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["cat.hat-1.png", "cat.hat-2.png"]


def test_base_url_goes_before_the_environment(
    edit: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch, origin: str
) -> None:
    monkeypatch.setenv("AIMLAPI_BASE_URL", "http://127.0.0.1:9")
    assert edit("night", URL, "--base-url", f"{origin}/v1").code == 0


def test_standard_input_is_a_picture(edit: Callable[..., Ended], app: MockServer) -> None:
    edit("night", "-", stdin=png())
    (exchange,) = app.journal.exchanges()
    assert exchange.body["image_urls"][0]["$picture"]["pixels"] == [1024, 1024]


def test_a_closed_standard_input_is_an_error(edit: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert "standard input, which is empty; write < picture.png" in edit("night", "-").err


def test_a_file_is_sent_as_a_picture(edit: Callable[..., Ended], app: MockServer, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(png(3, 2))
    edit("night", "cat.png")
    assert app.journal.exchanges()[0].body["image_urls"][0]["$picture"]["pixels"] == [3, 2]


def test_standard_output_gets_the_picture_and_nothing_else(edit: Callable[..., Ended], tmp_path: Path) -> None:
    ended = edit("night", URL, "-o", "-")
    assert (ended.code, ended.out, list(tmp_path.iterdir())) == (0, png(), [])
    assert ended.err.startswith("standard output  1024x1024 pixels")


def test_the_json_report_has_the_same_facts(edit: Callable[..., Ended]) -> None:
    report = json.loads(edit("night", URL, "--format", "json").out)
    (image,) = report["images"]
    assert (image["file"], image["pixels"], image["bytes"], report["credits_used"], report["cost_usd"]) == (
        "out.png", [1024, 1024], len(png()), 84000, 0.042,
    )  # fmt: skip


def test_an_existing_file_is_kept_and_nothing_is_bought(
    edit: Callable[..., Ended], app: MockServer, tmp_path: Path
) -> None:
    (tmp_path / "out-2.png").write_bytes(b"mine")
    ended = edit("night", URL, "-n", "2")
    assert (ended.code, len(app.journal.exchanges()), (tmp_path / "out-2.png").read_bytes()) == (2, 0, b"mine")
    assert ended.err == (
        "bodydouble: out-2.png exists already; name another file with -o, or overwrite it with --force\n"
    )


def test_force_overwrites(edit: Callable[..., Ended], tmp_path: Path) -> None:
    (tmp_path / "out.png").write_bytes(b"mine")
    assert (edit("night", URL, "--force").code, (tmp_path / "out.png").read_bytes()) == (0, png())


def test_a_missing_key_says_which_variable_to_set(edit: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIMLAPI_KEY")
    ended = edit("night", URL)
    assert (ended.code, ended.err) == (
        2,
        "bodydouble: no API key: set AIMLAPI_KEY (or AIML_API_KEY or AIMLAPI_API_KEY); a mock server takes any text as key\n",
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("night", "no-such.png"), "IMAGE 1 (no-such.png) is neither an http(s) URL"),
        (("night", URL, "--aspect-ratio", "7:1"), "--aspect-ratio must be one of '21:9', '1:1'"),
        (("night", URL, "--base-url", "nonsense"), "--base-url must begin with http:// or https://"),
        (("night", URL, "-o", "missing/out.png"), "the folder missing does not exist"),
        (("night", URL, "-o", "."), "is a folder; name a file in it"),
        (("night", URL, "-o", "-", "-n", "2"), "-o - takes one picture, not 2"),
        (("night", URL, "-o", "-", "--format", "json"), "would both write to standard output"),
        (("night", "-", "-"), "can be read once only"),
        (("night", URL, "-n", "5"), "should be less than or equal to 4"),
        (("night",), "Missing argument 'IMAGE"),
        (("night", URL, "--base-url", "http://127.0.0.1:1"), "cannot connect to http://127.0.0.1:1"),
    ],
)
def test_a_wrong_argument_is_one_line_and_exit_code_2(
    edit: Callable[..., Ended], app: MockServer, arguments: tuple[str, ...], words: str
) -> None:
    ended = edit(*arguments)
    last = ended.err.splitlines()[-1]
    assert (ended.code, words in last, len(app.journal.exchanges()), ended.out) == (2, True, 0, b"")


def failing(**answer: Any) -> Any:
    return pytest.param(answer, id="-".join(map(str, answer.values())))


@pytest.mark.parametrize(
    "answer",
    [
        *(failing(status=status) for status in (400, 401, 402, 403, 404, 413, 429, 500, 302, 204)),
        *(failing(violation=name) for name in ("null-data", "empty-data", "missing-data", "error-beside-data")),
        *(failing(fault=name) for name in ("truncated-json", "reset-mid-body", "garbage", "empty", "broken-gzip")),
        failing(status=401, body=f"<html><title>who is {KEY}?</title>"),
        failing(status=400, body={"message": f"bad\nkey {KEY} \x1b[2J"}),
    ],
)
def test_every_failure_is_one_line_and_exit_code_2_without_the_key(
    edit: Callable[..., Ended], app: MockServer, answer: dict[str, Any], tmp_path: Path
) -> None:
    app.play({"answers": [{**answer, "times": None, **({"violation": True} if "body" in answer else {})}]})
    ended = edit("night", URL)
    assert (ended.code, ended.err.count("\n"), ended.out, list(tmp_path.iterdir())) == (2, 1, b"", [])
    assert [word for word in (KEY, "Traceback", "\x1b") if word in ended.err] == []


def test_an_error_has_status_message_issues_and_request_id(edit: Callable[..., Ended], app: MockServer) -> None:
    issue = {"code": "custom", "path": ["image_urls", 0], "message": "No cat in it"}
    body = {"message": "Invalid payload provided", "error": {"name": "B", "message": "m", "data": [issue]}}
    headers = {"x-request-id": "the-request"}
    app.play({"answers": [{"status": 400, "body": body, "violation": True, "headers": headers}]})
    line = edit("night", URL).err
    assert "400 Bad Request: Invalid payload provided; image_urls/0: No cat in it [request id the-request" in line


def test_a_wrong_key_is_not_repeated(edit: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIMLAPI_KEY", "sk-wrong-canary")
    ended = edit("night", URL)
    assert ("401 Unauthorized" in ended.err, "sk-wrong-canary" in ended.err) == (True, False)


def test_a_picture_that_cannot_be_fetched_is_reported_with_its_url_and_the_others_are_saved(
    edit: Callable[..., Ended], app: MockServer, origin: str, tmp_path: Path
) -> None:
    good = {"b64_json": "iVBORw0KGgo="}
    lost = {"url": f"{origin}/generations/fox/lost.png"}
    app.play({"answers": [{"body": {"data": [lost, good]}, "violation": True}]})
    ended = edit("night", URL, "-n", "2")
    assert (ended.code, [file.name for file in tmp_path.iterdir()]) == (2, ["out-2.png"])
    assert "picture 1 of 2 was not saved" in ended.err
    assert f"it is at {lost['url']}" in ended.err


def test_fewer_pictures_than_asked_for_is_a_warning(edit: Callable[..., Ended], app: MockServer) -> None:
    app.play({"answers": [{"body": {"data": [{"b64_json": "iVBORw0KGgo="}]}, "violation": True}]})
    ended = edit("night", URL, "-n", "2")
    assert (ended.code, ended.err) == (0, "bodydouble: asked for 2 images, but the answer holds 1\n")


def test_more_pictures_than_asked_for_overwrite_no_other_file(
    edit: Callable[..., Ended], app: MockServer, tmp_path: Path
) -> None:
    (tmp_path / "out-1.png").write_bytes(b"mine")
    app.play({"answers": [{"body": {"data": [{"b64_json": "iVBORw0KGgo="}] * 2}, "violation": True}]})
    edit("night", URL)
    names = sorted(file.name for file in tmp_path.iterdir())
    assert (names, (tmp_path / "out-1.png").read_bytes()) == (["out-1.png", "out-2.png", "out-3.png"], b"mine")


def test_a_terminal_shows_progress(edit: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("bodydouble.progress._DELAY_S", 0.0)
    edit("night", URL)
    assert "waiting for the picture" in screen.getvalue()


def test_a_picture_is_not_written_to_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(isatty=lambda: True))
    with pytest.raises(CannotSave, match="to the terminal"):
        check_output("-", 1, force=False)


@given(st.text(), st.text(max_size=300), st.lists(st.text(), max_size=12))
def test_the_error_line_is_one_line_with_the_request_id(text: str, name: str, issues: list[str]) -> None:
    error = BadRequest("\n- ".join([text, *issues]), request_id=f"request-{name}")
    line = error_line(error)
    assert ("\n" in line, "[request id request-" in line, len(line) < 600) == (False, True, True)


@given(st.integers(1, 4), st.sets(st.integers(1, 6)))
def test_every_picture_gets_a_file_of_its_own(
    tmp_path_factory: pytest.TempPathFactory, count: int, taken: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("pictures")
    for number in taken:
        (folder / f"a-{number}.png").write_bytes(b"mine")
    files = [save(b"new", str(folder / "a.png"), number, count, force=False) for number in range(1, count + 1)]
    written = [file for file in folder.iterdir() if file.read_bytes() == b"new"]
    assert sorted(written) == sorted(set(filter(None, files)))
    assert len(written) == count


class HalfServed(Quiet, BaseHTTPRequestHandler):
    """Answers a call with two pictures, sends the first one, and waits with what ``HalfServer.waits_for`` names."""

    def do_POST(self) -> None:
        """Answer with the URLs of two pictures."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.wait("answer")
        origin = f"http://{self.headers['Host']}"
        data = [{"url": f"{origin}/{number}.png"} for number in (1, 2)]
        usage = {"credits_used": 168000, "usd_spent": 0.084}
        body = json.dumps({"data": data, "meta": {"usage": usage}}).encode()
        self.send(body, "application/json")

    def do_GET(self) -> None:
        """Send a picture."""
        if self.path == "/2.png":
            self.wait("picture")
        self.send(png(), "image/png")

    def wait(self, for_what: str) -> None:
        """Tell the test, and wait for it."""
        assert isinstance(self.server, HalfServer)
        if self.server.waits_for == for_what:
            self.server.has_come.set()
            self.server.may_go_on.wait(60)

    def send(self, body: bytes, media_type: str) -> None:
        """Send a 200."""
        with contextlib.suppress(OSError):  # the client may be gone
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Request-Id", "the-request")
            self.end_headers()
            self.wfile.write(body)


class HalfServer(ThreadingHTTPServer):
    """A server of `HalfServed`."""

    def __init__(self, waits_for: str) -> None:
        super().__init__(("127.0.0.1", 0), HalfServed)
        self.waits_for = waits_for
        self.has_come, self.may_go_on = threading.Event(), threading.Event()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals for processes")
@pytest.mark.parametrize(
    ("waits_for", "number"),
    [("picture", signal.SIGINT), ("picture", signal.SIGHUP), ("answer", signal.SIGINT), ("answer", signal.SIGTERM)],
)
def test_an_interruption_tells_what_was_paid_for(number: signal.Signals, waits_for: str, tmp_path: Path) -> None:
    server = HalfServer(waits_for)
    with serve_http(server) as origin:
        environment = {**os.environ, "AIMLAPI_KEY": KEY, "AIMLAPI_BASE_URL": origin}
        command = [sys.executable, "-m", "bodydouble", "edit", "night", URL, "-n", "2"]
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert server.has_come.wait(60)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        server.may_go_on.set()
    files = [file.name for file in tmp_path.iterdir()]
    assert process.returncode == 2
    if waits_for == "answer":
        assert (out, files) == ("", [])
        assert err.startswith("bodydouble: interrupted before the answer came; if the request was sent, it may have")
    else:
        assert files == ["out-1.png"]
        assert "cost: 168,000 credits" in out
        assert "request id the-request" in out
        assert err == f"bodydouble: picture 2 of 2 was not saved: interrupted; it is at {origin}/2.png\n"


PICTURES = {"path": "/generations/*"}
BAD_FILES: dict[str, tuple[dict[str, Any], str]] = {
    "expired": ({"limits": {"expires_after_s": 0}}, "could not be fetched: status 404"),
    "gone": ({"answers": [{"match": PICTURES, "status": 403}]}, "could not be fetched: status 403"),
    "cut off": ({"answers": [{"match": PICTURES, "fault": "truncated-json"}]}, "is cut off: its "),
    "HTML": (
        {"answers": [{"match": PICTURES, "body": "<html>no</html>", "headers": {"content-type": "text/html"}}]},
        "is not a picture but 15 bytes of text/html",
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_is_no_whole_picture_is_told_and_not_saved(
    edit: Callable[..., Ended], app: MockServer, tmp_path: Path, name: str
) -> None:
    scenario, words = BAD_FILES[name]
    app.play(scenario)
    ended = edit("night", URL)
    assert (ended.code, [*tmp_path.iterdir()], words in ended.err) == (2, [], True), ended.err


@pytest.mark.parametrize("trouble", [{"fault": "reset-mid-body"}, {"delay": 0.05}])
def test_a_picture_whose_download_breaks_once_or_is_slow_is_saved(
    edit: Callable[..., Ended], app: MockServer, tmp_path: Path, trouble: dict[str, Any]
) -> None:
    app.play({"answers": [{"match": PICTURES, **trouble}]})
    assert (edit("night", URL).code, (tmp_path / "out.png").read_bytes()) == (0, png())
    assert app.journal.pictures()[0].matched is not None


def test_the_key_is_not_sent_with_the_download(edit: Callable[..., Ended], app: MockServer) -> None:
    edit("night", URL)
    (picture,) = app.journal.pictures()
    assert (picture.kind, picture.key, picture.findings) == ("picture", None, ())

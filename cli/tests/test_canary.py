"""A key, wherever an app puts it, leaves the mock through no exit: log, journal, events, scripted answers, fixture, commands."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from bodydouble_contract_tests.proxy import ProxyOptions, ProxyServer
from bodydouble_contract_tests.spending import Budget, SpendingCap
from bodydouble_mockserver import Settings, create_app
from bodydouble_mockserver.server import Server, server_config
from bodydouble_spec import Contract

from spec.tests.servers import ServeProcess, run_serve, serve_asgi

KEY = "sk-canary-0123456789-abcdef"
PATH = "/v1/images/generations"
BODY = {"model": "google/gemini-2.5-flash-image-edit", "prompt": "x", "image_urls": ["https://example.org/a.png"]}
Send = Callable[[str], httpx.Response]
# Each with the key as the API's key as well, so that the mock knows it.
PLACES: dict[str, Callable[[httpx.Client], httpx.Response]] = {
    "header": lambda client: client.post(PATH, json=BODY),
    "path": lambda client: client.post(f"/v1/{KEY}/generations", json=BODY),
    "encoded path": lambda client: client.post(f"/v1/{quote(KEY).replace('-', '%2D')}/generations", json=BODY),
    "query": lambda client: client.post(f"{PATH}?api_key={KEY}&other={KEY}", json=BODY),
    "value": lambda client: client.post(PATH, json={**BODY, "prompt": f"use {KEY}", "aspect_ratio": KEY}),
    "name": lambda client: client.post(PATH, json={**BODY, KEY: 1, "num_images": {KEY: KEY}}),
    "not JSON": lambda client: client.post(
        PATH, content=b'{"prompt": "' + KEY.encode(), headers={"content-type": "application/json"}
    ),
    "another header": lambda client: client.post(PATH, json=BODY, headers={"x-client-request-id": KEY, "x-key": KEY}),
    "a directive": lambda client: client.post(PATH, json=BODY, headers={"prefer": f"code={KEY}, {KEY}=1"}),
    "a media type": lambda client: client.post(PATH, json=BODY, headers={"content-type": f"text/{KEY}"}),
    "a method": lambda client: client.request(KEY.replace("-", "").upper(), PATH),
    "a picture": lambda client: client.get(f"/generations/fox/{KEY}.png"),
}


APP = """\
import json, os, sys, urllib.error, urllib.request

key, body = sys.argv[1], json.loads(sys.argv[2])
request = urllib.request.Request(
    os.environ["AIMLAPI_BASE_URL"] + "/v1/images/generations?token=" + key,
    json.dumps({**body, "prompt": "use " + key, "aspect_ratio": key, key: key}).encode(),
    {"Authorization": "Bearer " + key, "Content-Type": "application/json"},
)
try:
    urllib.request.urlopen(request)
except urllib.error.HTTPError:
    pass
"""


@pytest.mark.parametrize("format_", ["text", "json"])
def test_the_report_about_an_app_does_not_show_its_key(format_: str, tmp_path: Path) -> None:
    app = [sys.executable, "-c", APP, KEY, json.dumps(BODY)]
    command = [sys.executable, "-m", "bodydouble", "run", "--format", format_, "--", *app]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1, done.stderr
    assert "request-enum" in done.stderr
    assert KEY not in done.stdout + done.stderr


def test_the_fixture_does_not_show_the_key_in_an_answer_that_was_not_used(tmp_path: Path) -> None:
    answer = f"body={{'token': '{KEY}'}}, headers={{'authorization': 'Bearer {KEY}'}}, violation=True"
    test = f"def test_of_an_app(bodydouble):\n    bodydouble.answer({answer})\n"
    (tmp_path / "test_app.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1, done.stdout
    assert "was never used" in done.stdout
    assert KEY not in done.stdout + done.stderr


def test_no_exit_of_the_server_shows_the_key(tmp_path: Path) -> None:
    seen: dict[str, str] = {}
    journal = tmp_path / "journal.jsonl"
    with run_serve("--journal", str(journal), "--api-key", KEY) as server, client_of(server) as client:
        for place, send in PLACES.items():
            response = send(client)
            # What a client sent may be named in its own answer, but the key in its header is not what it asks about.
            if place == "header":
                seen["answer"] = response.text
        script = {"status": 418, "body": {"said": KEY}, "headers": {"x-said": KEY}, "match": {"prompt": KEY}}
        client.post("/_bodydouble/scenarios", json={"answers": [script]}).raise_for_status()
        seen["bad scenario"] = client.post("/_bodydouble/scenarios", json={"answers": [{KEY: KEY}]}).text
        for route in ("scenarios", "requests", "health", ""):
            seen[route] = client.get(f"/_bodydouble/{route}").text
        count = json.loads(seen["requests"])["total"]
        # The id of another run: events from the first exchange on.
        with client.stream("GET", "/_bodydouble/events", headers={"last-event-id": "other-1"}) as events:
            lines = (line for line in events.iter_lines() if line.startswith("data:"))
            seen["events"] = "\n".join(next(lines) for _ in range(count))
        assert count >= len(PLACES) - 1
        end(server, journal, seen)
    assert seen["log"].count("\n") >= count


def test_no_exit_shows_a_key_that_only_the_request_itself_tells(tmp_path: Path) -> None:
    seen: dict[str, str] = {}
    journal = tmp_path / "journal.jsonl"
    with run_serve("--journal", str(journal)) as server, client_of(server) as client:
        for send in PLACES.values():
            send(client)
        for route in ("requests", ""):
            seen[route] = client.get(f"/_bodydouble/{route}").text
        end(server, journal, seen)


def client_of(server: ServeProcess) -> httpx.Client:
    return httpx.Client(base_url=server.address, headers={"authorization": f"Bearer {KEY}"}, timeout=30)


def end(server: ServeProcess, journal: Path, seen: dict[str, str]) -> None:
    """End a server; nothing that it has written, and nothing in ``seen``, may have the key in it."""
    code, seen["output"], seen["log"] = server.end()
    assert code == 0
    seen["file"] = journal.read_text(encoding="utf-8")
    shown = subprocess.run(
        [sys.executable, "-m", "bodydouble", "journal", str(journal)], capture_output=True, text=True, check=False
    )
    seen["command"] = shown.stdout + shown.stderr
    assert {exit_: text.count(KEY) for exit_, text in seen.items() if KEY in text} == {}


def test_no_recording_has_the_key_wherever_the_app_put_it(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    with serve_asgi(Server(server_config(create_app()))) as upstream:
        options = ProxyOptions(upstream, folder, SpendingCap(Budget(1.0)), passes_unpriced=True)
        proxy = ProxyServer([Contract.load()], Settings(journal_file=tmp_path / "journal.jsonl"), options)
        with (
            serve_asgi(Server(server_config(proxy))) as origin,
            httpx.Client(base_url=origin, headers={"authorization": f"Bearer {KEY}"}) as client,
        ):
            for send in PLACES.values():
                send(client)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len((folder / "exchanges.jsonl").read_bytes().splitlines()) >= len(PLACES)
    found = [path.name for path in files if KEY.encode() in path.read_bytes() or KEY in path.name]
    assert found == []
    assert KEY not in str(proxy.findings)

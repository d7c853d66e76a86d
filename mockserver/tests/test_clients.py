"""Third-party clients, unchanged except for the host, over a real port."""

import base64
import contextlib
import io
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import openai
import pytest
import requests
from bodydouble_mockserver import Settings, create_app
from bodydouble_spec import Contract
from PIL import Image
from playwright.sync_api import Browser

from spec.tests.servers import Quiet, serve_http

MODEL = "google/gemini-2.5-flash-image-edit"
INPUTS = ["https://example.com/dress.png", "https://example.com/woman.jpg"]
PROMPT = "Put the dress on the woman"
NODE = shutil.which("node")


def size_of(picture: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(picture)).size


def test_a_script_with_requests_gets_its_picture(origin: str) -> None:
    with requests.Session() as session:
        session.headers["Authorization"] = "Bearer AIMLAPI_KEY"
        body = {"model": MODEL, "image_urls": INPUTS, "prompt": PROMPT}
        answer = session.post(f"{origin}/v1/images/generations", json=body, timeout=30)
        answer.raise_for_status()
        picture = session.get(answer.json()["data"][0]["url"], timeout=30)
    assert size_of(picture.content) == (1024, 1024)


SCRIPT = """
const [origin, body] = process.argv.slice(-2);
const answer = await fetch(`${origin}/v1/images/generations`, {
  method: 'POST',
  headers: { Authorization: 'Bearer AIMLAPI_KEY', 'Content-Type': 'application/json' },
  body,
});
const parsed = await answer.json();
const picture = parsed.data ? await (await fetch(parsed.data[0].url)).arrayBuffer() : new ArrayBuffer(0);
console.log(JSON.stringify({ status: answer.status, body: parsed, picture: Buffer.from(picture).toString('base64') }));
"""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Any], dict[str, Any]]:
    """Return a function that runs a script on Node with its own fetch."""
    program = NODE
    if program is None:
        pytest.skip("Node.js is not installed")
    script = tmp_path_factory.mktemp("node") / "ask.mjs"
    script.write_text(SCRIPT)

    def run(origin: str, body: Any) -> dict[str, Any]:
        done = subprocess.run([program, script, origin, json.dumps(body)], capture_output=True, text=True, check=True)
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    return run


def test_a_script_with_nodes_fetch_gets_its_picture(origin: str, node: Callable[[str, Any], dict[str, Any]]) -> None:
    result = node(origin, {"model": MODEL, "image_urls": INPUTS, "prompt": PROMPT, "aspect_ratio": "16:9"})
    assert result["status"] == 200
    assert size_of(base64.b64decode(result["picture"])) == (1344, 768)


def test_a_script_with_nodes_fetch_reads_the_faults(origin: str, node: Callable[[str, Any], dict[str, Any]]) -> None:
    result = node(origin, {"model": MODEL, "prompt": PROMPT})
    assert [issue["path"] for issue in result["body"]["error"]["data"]] == [["image_urls"]]


@pytest.fixture
def sdk(origin: str) -> Iterator[Callable[..., openai.OpenAI]]:
    """Return a function that creates clients of the OpenAI package without retries."""
    with contextlib.ExitStack() as clients:

        def make(base: str = "/v1") -> openai.OpenAI:
            client = openai.OpenAI(base_url=f"{origin}{base}", api_key="k", max_retries=0)
            return clients.enter_context(client)

        yield make


@pytest.mark.parametrize("base", ["/v1", "/v1/", ""])
def test_the_openai_package_gets_urls_it_can_read(sdk: Callable[..., openai.OpenAI], base: str) -> None:
    answer = sdk(base).images.generate(model=MODEL, prompt=PROMPT, extra_body={"image_urls": INPUTS})
    assert answer.data is not None
    assert answer.data[0].url is not None
    assert size_of(httpx.get(answer.data[0].url).content) == (1024, 1024)


def test_the_openai_package_gets_base64_when_it_asks_for_it(sdk: Callable[..., openai.OpenAI]) -> None:
    answer = sdk().images.generate(
        model=MODEL, prompt=PROMPT, response_format="b64_json", extra_body={"image_urls": INPUTS}
    )
    assert answer.data is not None
    assert answer.data[0].b64_json is not None
    assert size_of(base64.b64decode(answer.data[0].b64_json)) == (1024, 1024)


def test_the_openai_package_raises_the_error_of_a_bad_request(sdk: Callable[..., openai.OpenAI]) -> None:
    with pytest.raises(openai.BadRequestError, match="Invalid payload provided") as caught:
        sdk().images.generate(model=MODEL, prompt=PROMPT)
    body = caught.value.body
    assert isinstance(body, dict)
    assert body["data"][0]["path"] == ["image_urls"]
    assert caught.value.request_id


def test_the_openai_package_raises_the_error_of_a_bad_key(
    contract: Contract, serve: Callable[..., contextlib.AbstractContextManager[str]]
) -> None:
    with (
        serve(create_app(contract, Settings(api_keys=("right",)))) as origin,
        openai.OpenAI(base_url=f"{origin}/v1", api_key="wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError, match="requires a valid API key"),
    ):
        client.images.generate(model=MODEL, prompt=PROMPT, extra_body={"image_urls": INPUTS})


PAGE = """<!doctype html><title>app</title><img id=picture><script>
async function ask(origin, body) {
  const headers = { Authorization: 'Bearer k', 'Content-Type': 'application/json', 'X-Client-Request-Id': 'page-1' };
  const answer = await fetch(`${origin}/v1/images/generations`, { method: 'POST', headers, body: JSON.stringify(body) });
  const parsed = await answer.json();
  if (!answer.ok) return { status: answer.status, paths: parsed.error.data.map(issue => issue.path) };
  const picture = document.getElementById('picture');
  picture.crossOrigin = 'anonymous';
  picture.src = parsed.data[0].url;
  await picture.decode();
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  canvas.getContext('2d').drawImage(picture, 0, 0);
  return {
    status: answer.status,
    size: [picture.naturalWidth, picture.naturalHeight],
    readable: canvas.toDataURL().startsWith('data:image/png'),
    echo: answer.headers.get('x-client-request-id'),
    credits: answer.headers.get('x-aimlapi-credits-used'),
  };
}
</script>"""


class Page(Quiet, BaseHTTPRequestHandler):
    """A server of one page, on another origin than the mock."""

    def do_GET(self) -> None:
        content = PAGE.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture(scope="module")
def ask_from_page(browser: Browser) -> Iterator[Callable[[str, Any], dict[str, Any]]]:
    """Return a function that calls the API from a page in a browser."""
    with serve_http(ThreadingHTTPServer(("127.0.0.1", 0), Page)) as address:
        page = browser.new_page()
        page.goto(address)
        yield lambda origin, body: page.evaluate("([origin, body]) => ask(origin, body)", [origin, body])
        page.close()


def test_a_page_on_another_origin_sends_a_data_uri_and_shows_the_picture(
    origin: str, ask_from_page: Callable[[str, Any], dict[str, Any]], png: bytes
) -> None:
    uri = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    body = {"model": MODEL, "image_urls": [uri], "prompt": PROMPT, "aspect_ratio": "9:16"}
    assert ask_from_page(origin, body) == {
        "status": 200,
        "size": [768, 1344],
        "readable": True,
        "echo": "page-1",
        "credits": "84000",
    }


def test_a_page_on_another_origin_reads_the_faults(
    origin: str, ask_from_page: Callable[[str, Any], dict[str, Any]]
) -> None:
    assert ask_from_page(origin, {"model": MODEL, "prompt": PROMPT}) == {"status": 400, "paths": [["image_urls"]]}

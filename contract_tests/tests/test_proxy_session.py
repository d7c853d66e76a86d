"""A session of three clients with the real API's double over TLS: recorded through the proxy, replayed when the service is gone."""

import json
import os
import ssl
import subprocess
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import requests
import trustme
from bodydouble_contract_tests.proxy import ProxyOptions, ProxyServer
from bodydouble_contract_tests.spending import Budget, SpendingCap
from bodydouble_mockserver import Settings, create_app
from bodydouble_mockserver.interception import Authority, ContractHosts, Interception
from bodydouble_mockserver.replay import ReplaySettings
from bodydouble_mockserver.server import Server, server_config
from bodydouble_spec import Contract
from bodydouble_spec.recording import read_recording_folder

from spec.tests.servers import serve_asgi

KEY = "sk-session-0123456789"
MODEL = "google/gemini-2.5-flash-image-edit"
INPUT = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
NODE = """
const [url, key, input, model] = process.argv.slice(1);
const body = {image_urls: [input], prompt: "from Node", num_images: 2, model};
fetch(url + "/v1/images/generations", {method: "POST", headers: {"Authorization": "Bearer " + key, "Content-Type": "application/json"},
  body: JSON.stringify(body)}).then(answer => answer.text()).then(text => console.log(text));
"""


def session(url: str) -> list[str]:
    """Call the API with requests, openai and Node, and return the URLs of the pictures in order."""
    body = {"model": MODEL, "prompt": "from requests", "image_urls": [INPUT, "https://example.org/cat.png"]}
    own = requests.post(
        f"{url}/v1/images/generations", json=body, headers={"Authorization": f"Bearer {KEY}"}, timeout=60
    )
    with openai.OpenAI(api_key=KEY, base_url=f"{url}/v1", max_retries=0) as client:
        edited = client.images.generate(model=MODEL, prompt="from openai", extra_body={"image_urls": [INPUT]})
    answer = subprocess.run(
        ["node", "-e", NODE, url, KEY, INPUT, MODEL], capture_output=True, text=True, timeout=60, check=True
    )
    items: list[Any] = [*own.json()["data"], *json.loads(answer.stdout)["data"]]
    return [*(str(item["url"]) for item in items), *(str(item.url) for item in edited.data or ())]


@contextmanager
def serve_over_tls(authority: trustme.CA) -> Generator[str]:
    config = server_config(create_app(settings=Settings(seed=7)))
    config.load()
    config.ssl = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate: Any = authority.issue_cert("localhost")
    certificate.configure_cert(config.ssl)
    with serve_asgi(Server(config)) as origin:
        yield f"https://localhost:{origin.rpartition(':')[2]}"


def test_a_recorded_session_is_replayed_without_the_service_and_every_picture_is_byte_equal(tmp_path: Path) -> None:
    authority, file, folder = trustme.CA(), tmp_path / "ca.pem", tmp_path / "recording"
    authority.cert_pem.write_to_path(str(file))
    contract = Contract.load()
    with serve_over_tls(authority) as upstream:
        options = ProxyOptions(upstream, folder, SpendingCap(Budget(1.0)), authorities=file)
        proxy = ProxyServer([contract], Settings(), options)
        with serve_asgi(Server(server_config(proxy))) as origin:
            urls = session(origin)
        context = ssl.create_default_context(cafile=str(file))
        originals = [httpx.get(url, verify=context).content for url in urls]
    assert [url.startswith(upstream) for url in urls] == [True] * 4
    assert proxy.cap.run.spent_usd == pytest.approx(4 * 0.042)
    recording = read_recording_folder(folder)
    assert recording.findings == ()
    # The service is gone; only the recording is left.
    app = create_app(contract, Settings(), ReplaySettings([recording], is_only=True))
    with serve_asgi(Server(server_config(app))) as origin:
        replayed = session(origin)
        assert [httpx.get(url).content for url in replayed] == originals
        assert [url.startswith(origin) for url in replayed] == [True] * 4
    assert len({*originals}) == 4
    assert all(KEY.encode() not in path.read_bytes() for path in folder.rglob("*") if path.is_file())


@contextmanager
def intercepting(proxy: ProxyServer) -> Generator[tuple[Interception, str]]:
    """Serve a proxy at the hosts of its contracts too."""
    hosts = ContractHosts.of(proxy.contracts)
    with Authority({}) as own, closing(Interception(lambda: hosts, own, forwards=True)) as front:
        config = server_config(proxy, protocol=front.protocol)
        with serve_asgi(Server(config), front.listener) as origin:
            front.port = httpx.URL(origin).port or 0
            yield front, origin


def test_apps_with_the_real_address_in_their_code_are_recorded_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, file, folder = trustme.CA(), tmp_path / "ca.pem", tmp_path / "recording"
    authority.cert_pem.write_to_path(str(file))
    real = "https://api.aimlapi.com"
    with serve_over_tls(authority) as upstream:
        options = ProxyOptions(upstream, folder, SpendingCap(Budget(1.0)), authorities=file)
        proxy = ProxyServer([Contract.load()], Settings(), options)
        with intercepting(proxy) as (front, origin):
            for name, value in front.variables(origin, dict(os.environ)).items():
                monkeypatch.setenv(name, value)
            urls = session(real)
            trusted = ssl.create_default_context(cafile=str(file))
            # As for the host of the real pictures, which no contract names: through the proxy, and not looked at.
            with httpx.Client(proxy=origin, verify=trusted, trust_env=False) as client:
                pictures = [client.get(url).content for url in urls]
                with pytest.raises(httpx.ProxyError, match="502"):
                    client.get("https://nowhere.invalid/a.png")
    assert [url.startswith(upstream) for url in urls] == [True] * 4
    assert proxy.calls == 3
    recording = read_recording_folder(folder)
    assert recording.findings == ()
    assert {path.read_bytes() for path in recording.files.path.iterdir()} >= {*pictures}
    assert len({*pictures}) == 4

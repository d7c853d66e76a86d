"""The older major version of the openai package, which uses another HTTP library than the installed one.

Two major versions cannot share an environment, so the older one is installed once into its own folder and used by another process.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bodydouble_mockserver.faults import FAULTS

Edit = Callable[..., dict[str, Any]]
SCRIPT = """
import json, sys
import openai

origin, body, faults = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
images = {"image_urls": body.pop("image_urls")}

def outcome(key="a-key", prefer="", timeout=30.0, **changes):
    with openai.OpenAI(base_url=origin + "/v1", api_key=key, max_retries=0, timeout=timeout) as client:
        try:
            answer = client.images.generate(**{**body, **changes}, extra_body=images, extra_headers={"Prefer": prefer})
            return answer.data[0].url
        except openai.APIStatusError as error:
            return [type(error).__name__, str(error)]
        except Exception as error:
            return [type(error).__name__, ""]

silent = ("slow-drip", "hang")
print(json.dumps({
    "version": openai.VERSION,
    "usual": outcome(),
    "wrong model": outcome(model="other/model"),
    "busy": outcome(prefer="code=429"),
    "faults": {name: outcome(prefer="fault=" + name, timeout=0.09 if name in silent else 30.0)[0] for name in faults},
}))
"""


@pytest.fixture(scope="module")
def openai_2(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install openai 2.x into a folder, with pip the first time, and keep it in pytest's cache where that is on."""
    cache: pytest.Cache | None = getattr(pytestconfig, "cache", None)
    folder = tmp_path_factory.mktemp("openai-2") if cache is None else cache.mkdir("openai-2")
    if not (folder / "openai").is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), "openai>=2,<3"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"openai 2.x could not be installed beside the tests:\n{done.stderr}"
    return folder


@pytest.fixture(scope="module")
def seen(openai_2: Path, origin: str, edit: Edit) -> dict[str, Any]:
    """Run openai 2.x against the mock in another process, and return its view of the answers."""
    arguments = [origin, json.dumps(edit()), json.dumps(list(FAULTS))]
    environment = {**os.environ, "PYTHONPATH": str(openai_2)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


def test_the_installed_package_is_the_older_major_version(seen: dict[str, Any]) -> None:
    assert seen["version"].startswith("2.")


def test_openai_2_reads_the_url_of_the_picture(seen: dict[str, Any], origin: str) -> None:
    assert seen["usual"].startswith(f"{origin}/generations/")


def test_openai_2_raises_the_error_of_a_bad_request(seen: dict[str, Any]) -> None:
    kind, text = seen["wrong model"]
    assert (kind, "Invalid enum value" in text) == ("BadRequestError", True)


def test_openai_2_distinguishes_a_busy_service(seen: dict[str, Any]) -> None:
    assert seen["busy"][0] == "RateLimitError"


def test_openai_2_sees_each_fault_as_its_own_kind_of_error(seen: dict[str, Any]) -> None:
    connection, timeout, body = "APIConnectionError", "APITimeoutError", "JSONDecodeError"
    assert seen["faults"] == {
        "reset-before-headers": connection,
        "reset-mid-body": connection,
        "truncated-json": body,
        "wrong-length": connection,
        "empty": body,
        "garbage": connection,
        "slow-drip": timeout,
        "broken-gzip": connection,
        "hang": timeout,
    }

"""The container's files, as far as they can be tried without a container engine."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from spec.tests.servers import ServeProcess, run_serve

ROOT = Path(__file__).resolve().parents[2]
INSTRUCTIONS = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8")).splitlines()
COMPOSE: Any = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]


def listed(instruction: str) -> list[str]:
    """Return the list that an instruction of the Dockerfile has."""
    found = [line[line.index("[") :] for line in INSTRUCTIONS if line.startswith(instruction)]
    assert len(found) == 1, found
    items: list[str] = json.loads(found[0])
    return items


@pytest.fixture(scope="module")
def served() -> Iterator[ServeProcess]:
    """Run the command of the compose file, on a free port."""
    command = COMPOSE["bodydouble"]["command"]
    assert command[: len(listed("CMD"))] == listed("CMD")
    assert (listed("ENTRYPOINT"), command[0]) == (["bodydouble"], "serve")
    with run_serve(*command[1:]) as process:
        yield process


def test_what_the_build_copies_is_in_the_project_and_not_ignored() -> None:
    copies = [line.split()[1:-1] for line in INSTRUCTIONS if line.startswith("COPY ") and "--from" not in line]
    copied = {name for names in copies for name in names}
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").split() if line.startswith("!")}
    assert copied == kept
    assert {name for name in copied if not (ROOT / name).exists()} == set()


def test_the_health_check_fails_where_no_server_answers(served: ServeProcess) -> None:
    python, option, code = listed("HEALTHCHECK")

    def status(address: str) -> int:
        here = code.replace("http://127.0.0.1:8000", address)
        assert (python, here == code) == ("python", False)
        return subprocess.run([sys.executable, option, here], stderr=subprocess.DEVNULL, check=False).returncode

    # A port that is bound and not listened at refuses connections.
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        free = f"http://127.0.0.1:{unused.getsockname()[1]}"
        assert (status(served.address), status(free)) == (0, 1)


def test_the_app_beside_it_gets_its_pictures(served: ServeProcess) -> None:
    service = COMPOSE["app"]
    assert service["command"] == ["python", "/app/app.py"]
    assert service["volumes"] == ["./examples/compose:/app:ro"]
    assert service["environment"]["AIMLAPI_BASE_URL"] == "http://bodydouble:8000"
    environment = {**os.environ, **service["environment"], "AIMLAPI_BASE_URL": served.address}
    result = subprocess.run(
        [sys.executable, ROOT / "examples" / "compose" / "app.py"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert len(result.stdout.splitlines()) == 2
    assert all(line.startswith(served.address) and line.endswith(" bytes") for line in result.stdout.splitlines())


def test_the_app_may_use_the_control_routes_by_the_name_of_the_service(served: ServeProcess) -> None:
    statuses = {
        host: httpx.get(f"{served.address}/_bodydouble/requests", headers={"Host": host}).status_code
        for host in ("bodydouble:8000", "elsewhere:8000")
    }
    assert statuses == {"bodydouble:8000": 200, "elsewhere:8000": 403}

"""Right and wrong requests to mocks: how many get the status that the contract documents, and whether a picture comes back.

    python benchmarks/peers.py

bodydouble as it starts, Prism on the same contract, WireMock and aimock with one stub each, as their first pages show them; those that are installed join
(npm install --global @stoplight/prism-cli wiremock @copilotkit/aimock). A figure says how much a mock does *without further work*: stubs for refusals can be
written in each of them.
"""

import io
import json
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from throughput import BODY, PATH, Contestant, mock_contestant, peer_contestants, serving

VALID: dict[str, Any] = json.loads(BODY)
PIXELS = (1344, 768)


@dataclass(frozen=True)
class Case:
    """A request, the statuses that the contract documents for it, and whether it has a key."""

    name: str
    body: bytes
    statuses: tuple[int, ...]
    has_key: bool = True


def changed(name: str, statuses: tuple[int, ...] = (400,), **changes: Any) -> Case:
    """Make a case of the valid request with other values; None takes a property away."""
    body = {key: value for key, value in {**VALID, **changes}.items() if value is not None}
    return Case(name, json.dumps(body).encode(), statuses)


CASES = (
    changed("a valid request", (200,), aspect_ratio="16:9"),
    changed("num_images 9", num_images=9),
    changed("num_images as text", num_images="2"),
    changed("a ratio that does not exist", aspect_ratio="7:5"),
    changed("another model", (400, 404), model="gemini"),
    changed("no prompt", prompt=None),
    changed("a path as picture", image_urls=["./cat.png"]),
    changed("a text instead of a list", image_urls="https://example.org/cat.png"),
    Case("malformed JSON", b'{"model": ', (400,)),
    Case("no key", BODY.encode(), (401,), has_key=False),
)


def aimock_contestant(folder: Path) -> list[Contestant]:
    """Describe aimock with one stub, if it is installed."""
    if shutil.which("llmock") is None:
        return []
    stub = {"match": {"endpoint": "image"}, "response": {"image": {"url": "https://x.example/p.png"}}}
    (folder / "fixtures").mkdir()
    (folder / "fixtures" / "image.json").write_text(json.dumps({"fixtures": [stub]}))
    return [Contestant("aimock", lambda port: ["llmock", "-p", str(port), "-f", str(folder / "fixtures")])]


def send(port: int, case: Case) -> tuple[int, bytes]:
    """Send a request; return status and body."""
    headers = {"Content-Type": "application/json", **({"Authorization": "Bearer benchmark"} if case.has_key else {})}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{PATH}", case.body, headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read()


def has_picture(body: bytes) -> bool:
    """Return whether the URL in an answer leads to a picture of the documented size."""
    try:
        with urllib.request.urlopen(json.loads(body)["data"][0]["url"], timeout=10) as answer:
            return Image.open(io.BytesIO(answer.read())).size == PIXELS
    except (OSError, ValueError, LookupError, TypeError):
        return False


def main() -> None:
    """Ask each mock, and print a line for each."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        peers = [peer for peer in peer_contestants(folder) if peer.name in ("Prism", "WireMock")]
        for contestant in (mock_contestant("bodydouble"), *peers, *aimock_contestant(folder)):
            begun = time.perf_counter()
            with serving(contestant, core=None) as port:
                started_s = time.perf_counter() - begun
                answers = {case.name: send(port, case) for case in CASES}
                shown = "a picture" if has_picture(answers[CASES[0].name][1]) else "no picture"
            wrong = [case.name for case in CASES if answers[case.name][0] not in case.statuses]
            right = f"{len(CASES) - len(wrong)} of {len(CASES)} as documented"
            print(
                f"{contestant.name:12} first answer after {started_s:4.1f} s, {right}, {shown}; not: {', '.join(wrong) or '-'}"
            )


if __name__ == "__main__":
    main()

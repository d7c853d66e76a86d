"""Requests a second of the mock beside a bare ASGI app and a plain route, in turns, each pinned to a core beside the load generator.

    python benchmarks/throughput.py [--body small|photo|large|all] [--rounds 5] [--seconds 5] [--peers]

The bodies: one with two URLs, and two with a JPEG as a data URI of 1.2 and of 6.5 MB; each small request has another prompt than all before it, so
that nothing is known already, and there are a few large ones in turns. Needs wrk (Debian: apt-get install wrk) and two
cores. With ``--peers``, Prism, WireMock, Mockoon and openapi-backend join when they are installed (npm install --global
@stoplight/prism-cli wiremock; npm install --prefix benchmarks @mockoon/cli openapi-backend). Machines drift, so the figure to read is the
ratio to the bare app within a round; medians are printed.
"""

import argparse
import base64
import contextlib
import io
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
PATH = "/v1/images/generations"
LARGE_BYTES = 4_000_000
BODY = json.dumps(
    {
        "model": "google/gemini-2.5-flash-image-edit",
        "prompt": "Put the dinosaur into a suit, at a table of a small café, the mug before it.",
        "image_urls": ["https://pictures.example.org/dinosaur.png", "https://pictures.example.org/mug.jpg"],
        "num_images": 1,
        "aspect_ratio": "16:9",
    }
)
SCRIPT = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer benchmark"
local before, after = [==[%s]==], [==[%s]==]
local number, pool, made = %d, %d, {}
function request()
   number = number + 1
   local place = number %% pool
   local text = made[place]
   if text == nil then
      text = wrk.format(nil, nil, nil, before .. string.format("%%012d", number) .. after)
      if #text > 65536 then made[place] = text end
   end
   return text
end
"""


def jpeg(size: int) -> bytes:
    """Make a JPEG of noise of about so many bytes."""

    def encoded(pixels: float) -> bytes:
        file = io.BytesIO()
        side = round((pixels / 12) ** 0.5)
        Image.effect_noise((4 * side, 3 * side), 20).convert("RGB").save(file, "JPEG", quality=88)
        return file.getvalue()

    sample = 1_000_000
    return encoded(size * sample / len(encoded(sample)))


def photo_body(megabytes: float) -> str:
    """Return a request with one photo, a data URI of about that many megabytes."""
    uri = f"data:image/jpeg;base64,{base64.b64encode(jpeg(int(megabytes * 750_000))).decode()}"
    return json.dumps({**json.loads(BODY), "image_urls": [uri]})


BODIES: dict[str, Callable[[], str]] = {
    "small": lambda: BODY,
    "photo": lambda: photo_body(1.2),
    "large": lambda: photo_body(6.5),
}


@dataclass(frozen=True)
class Contestant:
    """A server to measure: its name, and the command that serves on a port."""

    name: str
    command: Callable[[int], list[str]]


@dataclass(frozen=True)
class Result:
    """One run: requests a second, latencies in milliseconds, and the number of requests that were not answered with a success."""

    rate: float
    p50_ms: float
    p99_ms: float
    failures: int = 0


def bare_contestant(name: str = "bare app", app: str = "app") -> Contestant:
    """Describe the bare ASGI app, or the other one of bare_app.py."""
    options = ["--log-level", "warning", "--no-access-log", "--lifespan", "off"]
    module = [sys.executable, "-m", "uvicorn", "--app-dir", str(HERE), f"bare_app:{app}"]
    return Contestant(name, lambda port: [*module, "--port", str(port), *options])


def mock_contestant(name: str, *options: str) -> Contestant:
    """Describe the mock with options."""
    command = [sys.executable, "-m", "bodydouble", "serve", "--quiet", *options]
    return Contestant(name, lambda port: [*command, "--port", str(port)])


def own_contestants(folder: Path) -> list[Contestant]:
    """List the bare app, a route that only parses, and the mock in the ways it is run."""
    return [
        bare_contestant(),
        bare_contestant("Starlette route", "route"),
        mock_contestant("bodydouble"),
        mock_contestant("with a journal file", "--journal", str(folder / "journal.jsonl")),
    ]


def prism_contestant(name: str, document: Path, level: str | None = None) -> Contestant:
    """Describe Prism, which logs each call by default, or with another level of logging."""
    options = [] if level is None else ["--verboseLevel", level]
    return Contestant(name, lambda port: ["prism", "mock", "--port", str(port), *options, str(document)])


def peer_contestants(folder: Path) -> list[Contestant]:
    """List the peers that are installed, each on the same operation."""
    document = folder / "openapi.json"
    source = json.loads((HERE.parent / "spec" / "bodydouble_spec" / "merged.json").read_text())["document"]
    document.write_text(json.dumps(source))
    peers: list[Contestant] = []
    if shutil.which("prism"):
        peers += [prism_contestant("Prism", document), prism_contestant("Prism, silent", document, "silent")]
    if shutil.which("wiremock"):
        mappings = folder / "mappings"
        mappings.mkdir()
        answer = {"status": 200, "jsonBody": {"data": [{"url": "https://x.example/p.png", "b64_json": None}]}}
        (mappings / "edit.json").write_text(
            json.dumps({"request": {"method": "POST", "urlPath": PATH}, "response": answer})
        )
        stubs = ["--root-dir", str(folder), "--no-request-journal", "--disable-banner"]
        peers.append(Contestant("WireMock", lambda port: ["wiremock", "--port", str(port), *stubs]))
    mockoon = shutil.which("mockoon-cli", path=f"{HERE / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}")
    if mockoon:
        options = [
            "--data",
            str(document),
            "--disable-log-to-file",
            "--max-request-body-size",
            "100mb",
            "--disable-admin-api",
        ]
        peers.append(Contestant("Mockoon", lambda port: [mockoon, "start", "--port", str(port), *options]))
    if shutil.which("node") and (HERE / "node_modules" / "openapi-backend").is_dir():
        script = str(HERE / "openapi_backend_server.mjs")
        peers.append(Contestant("openapi-backend", lambda port: ["node", script, str(port), str(document)]))
    return peers


@contextlib.contextmanager
def serving(contestant: Contestant, core: int | None = 1) -> Generator[int]:
    """Run a contestant on one core (None: on any); gives its port once it answers."""
    port = free_port()
    command = [*([] if core is None else ["taskset", "-c", str(core)]), *contestant.command(port)]
    # As it is installed: with bytecode, which pip compiles, and not in the folder of this project, whose settings would be read.
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**environ, "NODE_ENV": "production"},
        cwd=tempfile.gettempdir(),
    )
    try:
        wait_until_answering(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def free_port() -> int:
    """Find a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until_answering(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Return when the operation answers; raise when the process ends or 30 s pass."""
    deadline = time.monotonic() + 30
    headers = {"Content-Type": "application/json", "Authorization": "Bearer benchmark"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{PATH}", BODY.encode(), headers)
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, urllib.error.URLError), urllib.request.urlopen(request, timeout=5):
            return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args!r} does not answer")


def write_script(file: Path, body: str, place: str = '"prompt": "', pool: int = 4) -> Path:
    """Write the script of wrk that sends a body with twelve digits behind the first ``place``, other ones in each request of any run.

    Large bodies take wrk longer to make than a server to read, so a ``pool`` of them is made, and sent in turns.
    """
    before, after = body.split(place, 1)
    file.write_text(SCRIPT % (before + place, after, time.time_ns() // 1_000_000 % 10**11, pool))
    return file


def wrk_command(port: int, script: Path, connections: int, seconds: int, *options: str) -> list[str]:
    """Return the command of a run of wrk on the first core."""
    command = ["taskset", "-c", "0", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script)]
    # Some peers take longer than wrk waits by itself for a large body.
    return [*command, "--timeout", "30s", *options, f"http://127.0.0.1:{port}{PATH}"]


def measure(port: int, seconds: int, script: Path) -> Result:
    """Run wrk once, with sixteen connections, or fewer for large bodies. Raises RuntimeError where not every answer was a success."""
    connections = 4 if script.stat().st_size > LARGE_BYTES else 16
    command = wrk_command(port, script, connections, seconds)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    result = read_wrk(text)
    if result.failures:
        raise RuntimeError(f"not every answer was 2xx:\n{text}")
    return result


def read_wrk(text: str) -> Result:
    """Return the figures of what wrk printed."""
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", text)
    if rate is None:
        raise RuntimeError(f"wrk said nothing of a rate:\n{text}")
    counts = re.findall(r"(?:Non-2xx or 3xx responses|connect|read|write|timeout):? (\d+)", text)
    return Result(float(rate[1]), latency_ms(text, "50%"), latency_ms(text, "99%"), sum(map(int, counts)))


def latency_ms(text: str, percentile: str) -> float:
    """Return a latency of wrk's table in milliseconds."""
    match = re.search(rf"{percentile}\s+([0-9.]+)(us|ms|s)", text)
    return float("nan") if match is None else float(match[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[match[2]]


def main() -> None:
    """Measure all contestants in turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--body", choices=[*BODIES, "all"], default="small")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--peers", action="store_true")
    options = parser.parse_args()
    for tool in ("wrk", "taskset"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is not installed (Debian: apt-get install wrk util-linux)")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        contestants = own_contestants(folder) + (peer_contestants(folder) if options.peers else [])
        with contextlib.ExitStack() as stack:
            ports = {contestant.name: stack.enter_context(serving(contestant)) for contestant in contestants}
            for body in BODIES if options.body == "all" else [options.body]:
                script = write_script(folder / f"{body}.lua", BODIES[body]())
                print_table(body, race(ports, script, options.rounds, options.seconds))


def race(ports: dict[str, int], script: Path, rounds: int, seconds: int) -> dict[str, list[Result]]:
    """Measure each server on its port in turns, after a warm-up."""
    results: dict[str, list[Result]] = {name: [] for name in ports}
    for name in results:
        measure(ports[name], 2, script)
    for _ in range(rounds):
        for name, runs in results.items():
            runs.append(measure(ports[name], seconds, script))
    return results


def print_table(body: str, results: dict[str, list[Result]]) -> None:
    """Medians over the rounds, and the ratio to the bare app round by round."""
    bare = results["bare app"]
    print(f"{body:24} {'req/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'ratio':>7}  (least..most)")
    for name, runs in results.items():
        ratios = [run.rate / yardstick.rate for run, yardstick in zip(runs, bare, strict=True)]
        rate, p50, p99 = (
            statistics.median(values)
            for values in zip(*((run.rate, run.p50_ms, run.p99_ms) for run in runs), strict=True)
        )
        print(
            f"{name:24} {rate:8.0f} {p50:8.2f} {p99:8.2f} {statistics.median(ratios):7.2f}  ({min(ratios):.2f}..{max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()

"""Seconds and peak memory of loading large documents, and of the first answer of a mock that serves them.

    python benchmarks/loading.py [--operations 2000] [--components 200] [--cpu]

Two documents are made: many operations without a reference between them, and few operations over components that all refer to each other. Each
is loaded at a quarter of its size and at its full size, in a process of its own; what is linear takes about four times as long at the full size
(sixteen times the references where every component refers to each other one).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from throughput import free_port

# Run in a process of its own: loading, the fingerprint, the mock's application, and calls of the first twenty operations.
MEASURED = """
import asyncio, resource, sys, time
import httpx
from bodydouble_mockserver import create_app
from bodydouble_spec import Contract
clock = time.process_time if sys.argv[2] == "cpu" else time.perf_counter
def since(begun): return clock() - begun
begun = clock()
contract = Contract.load(sys.argv[1])
loaded = since(begun)
contract.fingerprint
fingerprinted = since(begun) - loaded
app = create_app(contract)
created = since(begun) - loaded - fingerprinted
async def call():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        for operation in contract.operations[:20]:
            answer = await client.request(operation.method, operation.path, json={"size": 1}, headers={"Authorization": "Bearer a"})
            assert answer.status_code == 200, answer.text
asyncio.run(call())
called = since(begun) - loaded - fingerprinted - created
print(loaded, fingerprinted, created, called, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def operation_of(schema: dict[str, Any]) -> dict[str, Any]:
    """Return an operation that takes and answers JSON of one schema."""
    content = {"application/json": {"schema": schema}}
    refusals = {status: {"description": "refused", "content": content} for status in ("400", "401", "429")}
    responses = {"200": {"description": "done", "content": content}, **refusals}
    return {"requestBody": {"required": True, "content": content}, "responses": responses}


def flat_document(operations: int) -> dict[str, Any]:
    """Return a document with that many operations, each with its own few properties."""
    paths: dict[str, Any] = {}
    for number in range(operations):
        properties = {
            f"text{number}": {"type": "string", "maxLength": 100},
            "size": {"type": "integer", "minimum": 1},
            "kind": {"$ref": f"#/components/schemas/Kind{number % 50}"},
        }
        schema = {"type": "object", "properties": properties, "required": ["size"]}
        paths[f"/v1/thing/{number}"] = {"post": operation_of(schema)}
    kinds = {f"Kind{number}": {"type": "string", "enum": ["a", "b", f"c{number}"]} for number in range(50)}
    return _document(paths, kinds)


def mutual_document(components: int) -> dict[str, Any]:
    """Return a document with that many components, each with a property for every one, and an operation for each."""
    names = [f"Part{number}" for number in range(components)]
    links = {f"to{name}": {"$ref": f"#/components/schemas/{name}"} for name in names}
    schemas = {name: {"type": "object", "properties": {"name": {"type": "string"}, **links}} for name in names}
    paths = {f"/v1/{name}": {"post": operation_of({"$ref": f"#/components/schemas/{name}"})} for name in names}
    return _document(paths, schemas)


def _document(paths: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    info = {"title": "large", "version": "1"}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def measure(file: Path, clock: str) -> list[float]:
    """Return the seconds of loading, fingerprint, application and twenty calls, and the peak memory in MB, of one document."""
    command = [sys.executable, "-c", MEASURED, str(file), clock]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [float(figure) for figure in done.stdout.split()]


def first_answer_s(file: Path, path: str) -> float:
    """Return the seconds from starting ``bodydouble serve --contract`` to an answer of one operation, whatever its status."""
    port = free_port()
    command = [sys.executable, "-m", "bodydouble", "serve", "--contract", str(file), "--port", str(port), "--quiet"]
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while True:
            headers = {"Content-Type": "application/json", "Authorization": "Bearer benchmark"}
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", b'{"size": 1}', headers)
            try:
                with urllib.request.urlopen(request, timeout=60):
                    return time.perf_counter() - begun
            except urllib.error.HTTPError as error:
                error.close()
                raise
            except OSError:
                if process.poll() is not None:
                    raise
                time.sleep(0.02)
    finally:
        process.terminate()
        process.wait(10)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--operations", type=int, default=2000)
    parser.add_argument("--components", type=int, default=200)
    parser.add_argument("--cpu", action="store_true", help="count the seconds of the processor, for a busy machine")
    options = parser.parse_args()
    for name, make, size in (
        ("flat operations", flat_document, options.operations),
        ("mutual components", mutual_document, options.components),
    ):
        with tempfile.TemporaryDirectory() as folder:
            files = {count: Path(folder, f"{count}.json") for count in (size // 4, size)}
            figures: list[list[float]] = []
            for count, file in files.items():
                file.write_text(json.dumps(make(count)), encoding="utf-8")
                figures.append(measure(file, "cpu" if options.cpu else "wall"))
                load, fingerprint, application, calls, peak = figures[-1]
                print(
                    f"{count:5} {name:18} load {load:.2f} s, fingerprint {fingerprint:.2f} s, "
                    f"application {application:.2f} s, 20 calls {calls:.2f} s, peak {peak:.0f} MB"
                )
            small, large = (sum(row[:3]) for row in figures)
            print(f"      {name:18} {large / small:.1f} times as long at four times the size")
            path = next(iter(make(1)["paths"]))
            print(f"      {name:18} serve to its first answer: {first_answer_s(files[size], path):.2f} s")


if __name__ == "__main__":
    main()

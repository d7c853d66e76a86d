"""Memory under load: many small requests, then many photos, against one server.

    python benchmarks/soak.py [--small 200000] [--photos 5000]

Prints the server's memory (PSS, Linux) along the way; the journal is on, in memory and to a file in a temporary folder. Each photo is a JPEG as
a data URI of 1.2 MB, unlike the ninety-nine before it, which is more than the server keeps. Needs wrk.
"""

import argparse
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from startup import MEGABYTE, pss_mb, server_pid
from throughput import BODY, mock_contestant, photo_body, read_wrk, serving, write_script, wrk_command

__all__ = ["soak"]

STEPS = 8
RUN_S = 3
# The photos differ by digits in their Base64, behind the header of the JPEG.
KINDS = {"small": '"prompt": "', "photos": "data:image/jpeg;base64,"}
HEADER_CHARACTERS = 4000
POOL = 100


def soak(small: int, photos: int) -> Iterator[tuple[str, int, float]]:
    """Send both kinds; yield after each eighth the kind, the number of requests so far, and the memory in MB."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        journal = folder / "journal.jsonl"
        with serving(mock_contestant("bodydouble", "--journal", str(journal))) as port:
            process = server_pid(port)
            for name, body, total in (("small", BODY, small), ("photos", photo_body(1.2), photos)):
                script = write_script(folder / f"{name}.lua", body, place_in(body, KINDS[name]), POOL)
                yield name, 0, pss_mb(process)
                sent = 0
                for step in range(1, STEPS + 1):
                    while sent < total * step // STEPS:
                        sent += send(port, script)
                    yield name, sent, pss_mb(process)
        yield "journal file", journal.read_bytes().count(b"\n"), journal.stat().st_size / MEGABYTE


def place_in(body: str, beginning: str) -> str:
    """Return the text in a body behind which requests differ: the prompt, or the header of the photo."""
    start = body.index(beginning)
    return beginning if beginning == KINDS["small"] else body[start : start + HEADER_CHARACTERS]


def send(port: int, script: Path) -> int:
    """Send requests for some seconds and return their number. Raises RuntimeError where one failed."""
    text = subprocess.run(wrk_command(port, script, 16, RUN_S), capture_output=True, text=True, check=True).stdout
    if read_wrk(text).failures:
        raise RuntimeError(f"not every answer was 2xx:\n{text}")
    found = re.search(r"(\d+) requests in", text)
    return 0 if found is None else int(found[1])


def main() -> None:
    """Run the soak against the mock with a journal file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--small", type=int, default=200_000)
    parser.add_argument("--photos", type=int, default=5_000)
    options = parser.parse_args()
    for name, count, megabytes in soak(options.small, options.photos):
        print(f"{name:12} {count:8} requests: {megabytes:6.1f} MB", flush=True)


if __name__ == "__main__":
    main()

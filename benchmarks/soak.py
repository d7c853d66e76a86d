"""Memory under load: many small requests, then many photos, against one server.

    python benchmarks/soak.py [--small 200000] [--photos 5000]

Prints the server's memory (PSS and resident set, Linux) along the way; the journal is on, in memory and to a file in a temporary folder.
Each photo is a JPEG as a data URI of 1.2 MB, unlike the others.
"""

import argparse
import base64
import json
import tempfile
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from startup import pss_mb, server_pid
from throughput import BODY, PATH, Contestant, jpeg, mock_contestant, serving

MEGABYTE = 1024 * 1024
STEPS = 8
SENDERS = 2
PHOTO = jpeg(900_000)


def send(port: int, payload: bytes) -> None:
    """Send one request and read its answer."""
    headers = {"Content-Type": "application/json", "Authorization": "Bearer benchmark"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{PATH}", payload, headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        response.read()


def small_payload(number: int) -> bytes:
    """Make a request without pictures in it, unlike the others."""
    return json.dumps({**json.loads(BODY), "prompt": f"number {number}"}).encode()


def photo_payload(number: int) -> bytes:
    """Make a request with a photo, unlike the others by what follows its end."""
    uri = f"data:image/jpeg;base64,{base64.b64encode(PHOTO + number.to_bytes(4)).decode()}"
    return json.dumps({**json.loads(BODY), "image_urls": [uri]}).encode()


def send_all(port: int, make: Callable[[int], bytes], numbers: Iterable[int]) -> None:
    """Send the requests of these numbers, one after the other."""
    for number in numbers:
        send(port, make(number))


def run(contestant: Contestant, small: int, photos: int) -> None:
    """Send both kinds, and print the memory after each eighth."""
    with serving(contestant) as port:
        pid = server_pid(port)
        for name, make, total in (("small", small_payload, small), ("photos", photo_payload, photos)):
            print(f"{name:6} {0:8} requests: {pss_mb(pid):6.1f} MB")
            for step in range(STEPS):
                numbers = range(step * total // STEPS, (step + 1) * total // STEPS)
                shares = [numbers[index::SENDERS] for index in range(SENDERS)]
                with ThreadPoolExecutor(SENDERS) as senders:
                    for sent in [senders.submit(send_all, port, make, share) for share in shares]:
                        sent.result()
                print(f"{name:6} {numbers.stop:8} requests: {pss_mb(pid):6.1f} MB")


def main() -> None:
    """Run the soak against the mock with a journal file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--small", type=int, default=200_000)
    parser.add_argument("--photos", type=int, default=5_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "journal.jsonl"
        run(mock_contestant("bodydouble", "--journal", str(journal)), options.small, options.photos)
        print(f"journal file: {journal.stat().st_size / MEGABYTE:.0f} MB")


if __name__ == "__main__":
    main()

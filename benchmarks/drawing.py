"""Milliseconds until a picture behind a large photo is drawn, and of `/health` while eight are drawn.

    python benchmarks/drawing.py [--rounds 5]

Every photo is unlike the others, so nothing is drawn or decoded before it is measured.
"""

import argparse
import base64
import http.client
import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from throughput import BODY, PATH, jpeg, mock_contestant, serving

__all__ = ["Drawing", "drawing"]

HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer benchmark"}
PICTURES = 8
HEALTH_EVERY_S = 0.005


@dataclass(frozen=True)
class Drawing:
    """The milliseconds of a picture behind a photo of 6.5 MB (median and most), and of `/health` while eight are drawn (p99 and median)."""

    picture_ms: float
    most_ms: float
    health_p99_ms: float
    health_ms: float


def drawing(rounds: int) -> Drawing:
    """Ask for pictures in some rounds."""
    photo = jpeg(int(6.5 * 750_000))
    with serving(mock_contestant("bodydouble"), core=None) as port:
        times = [fetch_ms(port, ask(port, photo, number)) for number in range(rounds)]
        waits: list[float] = []
        for number in range(rounds):
            waits += health_while_drawing(port, photo, number)
    waits.sort()
    p99 = waits[min(len(waits) - 1, len(waits) * 99 // 100)]
    return Drawing(statistics.median(times), max(times), p99, statistics.median(waits))


def ask(port: int, photo: bytes, number: int) -> str:
    """Send a photo unlike the others, by what follows its end, and return the path of the picture that was made of it."""
    uri = f"data:image/jpeg;base64,{base64.b64encode(photo + number.to_bytes(4)).decode()}"
    body = json.dumps({**json.loads(BODY), "image_urls": [uri]})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", PATH, body, HEADERS)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    url: str = answer["data"][0]["url"]
    return urlsplit(url).path


def fetch_ms(port: int, path: str) -> float:
    """Fetch a file, and return the milliseconds."""
    begun = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"GET {path} was answered with {answer.status}")
    return (time.perf_counter() - begun) * 1000


def health_while_drawing(port: int, photo: bytes, number: int) -> list[float]:
    """Ask for eight pictures of a photo at once, and return the milliseconds of each `/health` meanwhile."""
    paths = [ask(port, photo, 1000 * (number + 1) + index) for index in range(PICTURES)]
    waits: list[float] = []
    with ThreadPoolExecutor(PICTURES) as clients:
        drawn = [clients.submit(fetch_ms, port, path) for path in paths]
        while not all(one.done() for one in drawn):
            waits.append(fetch_ms(port, "/_bodydouble/health"))
            time.sleep(HEALTH_EVERY_S)
        for one in drawn:
            one.result()
    return waits


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    seen = drawing(parser.parse_args().rounds)
    print(f"a picture behind a 6.5-MB photo: {seen.picture_ms:.0f} ms (at most {seen.most_ms:.0f})")
    print(f"/health while {PICTURES} are drawn: p99 {seen.health_p99_ms:.1f} ms (median {seen.health_ms:.1f})")


if __name__ == "__main__":
    main()

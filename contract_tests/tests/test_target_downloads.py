"""Downloads of the pictures of an answer: without the key, within limits, and with every format inspected."""

import base64
import io
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest
from bodydouble_contract_tests.checks.images import inspect_picture
from bodydouble_contract_tests.target import RunLimits
from bodydouble_contract_tests.target.downloads import Downloads
from bodydouble_contract_tests.verification import FetchedPicture, OperationProfile, Target
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

KEY = "canary-4f1c9a7e2b"
URL = "http://api.test/generations/fox.png"


def encoded(kind: str, size: tuple[int, int] = (5, 3)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "teal").save(file, kind)
    return file.getvalue()


PNG = encoded("PNG")


def fetch(
    profile: OperationProfile, answer: Callable[[httpx.Request], httpx.Response], *urls: str
) -> list[FetchedPicture]:
    with Target("http://api.test", KEY, transport=httpx.MockTransport(answer)) as target:
        downloads = Downloads(target, lambda text: text.replace(KEY, "***"), RunLimits(60, 1000))
        body = {"data": [{"url": url, "b64_json": None} for url in urls]}
        try:
            return list(downloads.of_answer(profile, body))
        finally:
            downloads.close()


def noting(seen: list[httpx.Request]) -> Callable[[httpx.Request], httpx.Response]:
    """Return a server of pictures that keeps its requests."""

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return picture(request)

    return answer


def picture(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=PNG, headers={"content-type": "image/PNG; charset=x"})


def test_a_picture_is_fetched_without_the_key_even_from_the_api_s_own_host(profile: OperationProfile) -> None:
    seen: list[httpx.Request] = []
    (found,) = fetch(profile, noting(seen), URL)
    assert ("authorization" in seen[0].headers, KEY in str(seen[0].headers.raw)) == (False, False)
    assert found == FetchedPicture("/data/0", URL, 200, "image/png", "image/png", (5, 3), PNG)


def test_the_same_url_is_fetched_once(profile: OperationProfile) -> None:
    seen: list[httpx.Request] = []
    found = fetch(profile, noting(seen), URL, URL, f"{URL}?2")
    assert [item.pointer for item in found] == ["/data/0", "/data/1", "/data/2"]
    assert [str(request.url) for request in seen] == [URL, f"{URL}?2"]


def test_several_threads_that_want_one_url_fetch_it_once(profile: OperationProfile) -> None:
    seen: list[httpx.Request] = []
    transport = httpx.MockTransport(noting(seen))
    with Target("http://api.test", KEY, transport=transport) as target, ThreadPoolExecutor(4) as pool:
        downloads = Downloads(target, str, RunLimits(60, 1000))
        answer = {"data": [{"url": URL}]}
        found = [*pool.map(downloads.of_answer, [profile] * 20, [answer] * 20)]
        downloads.close()
    # One of them has the bytes; a run keeps none for all of its pictures.
    assert (len(seen), {replace(one, content=b"") for (one,) in found}) == (
        1,
        {FetchedPicture("/data/0", URL, 200, "image/png", "image/png", (5, 3))},
    )
    assert [one.content for (one,) in found if one.content] == [PNG]


def test_a_redirect_is_followed_to_where_the_picture_is(profile: OperationProfile) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        moved = httpx.Response(302, headers={"location": "https://cdn.test/fox.png"})
        return picture(request) if request.url.host == "cdn.test" else moved

    (found,) = fetch(profile, answer, URL)
    assert (found.status, found.problem) == (200, None)


@pytest.mark.parametrize(
    ("location", "said"), [(URL, "TooManyRedirects"), ("file:///etc/passwd", "UnsupportedProtocol")]
)
def test_a_redirect_neither_loops_nor_leaves_http(profile: OperationProfile, location: str, said: str) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(302, headers={"location": location})

    (found,) = fetch(profile, answer, URL)
    assert (found.content, said in str(found.problem), set(seen), len(seen) <= 6) == (b"", True, {URL}, True)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "//cdn.test/a.png", "/a.png", "", "data:image/png;base64,", "http://[::1", "http://"])  # fmt: skip
def test_a_url_other_than_http_is_not_fetched(profile: OperationProfile, url: str) -> None:
    (found,) = fetch(profile, lambda _: pytest.fail("it was fetched"), url)
    assert (found.status, found.problem) == (None, "the URL is not an absolute http(s) URL")


def test_a_picture_without_end_is_given_up(profile: OperationProfile) -> None:
    class Endless(httpx.SyncByteStream):
        given = 0

        def __iter__(self) -> "Endless":
            return self

        def __next__(self) -> bytes:
            Endless.given += 1
            return bytes(1024 * 1024)

    (found,) = fetch(profile, lambda _: httpx.Response(200, stream=Endless()), URL)
    assert (found.problem, Endless.given, found.content) == ("it is longer than 32 MB", 33, b"")


@pytest.mark.parametrize(("status", "said"), [(404, "the download was answered with 404"), (500, "the download was answered with 500")])  # fmt: skip
def test_a_failed_status_is_reported(profile: OperationProfile, status: int, said: str) -> None:
    (found,) = fetch(profile, lambda _: httpx.Response(status, content=PNG), URL)
    assert (found.status, found.problem) == (status, said)


def test_a_server_that_puts_the_key_into_everything_finds_it_in_no_description(profile: OperationProfile) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError(f"reset by {KEY}")

    found = fetch(profile, answer, f"{URL}?k={KEY}", f"ftp://{KEY}")
    found += fetch(profile, lambda _: httpx.Response(200, headers={"content-type": f"image/{KEY}"}, content=b"x"), URL)
    assert KEY not in repr(found)


def test_base64_is_inspected_like_a_download(profile: OperationProfile) -> None:
    with Target("http://api.test", KEY, transport=httpx.MockTransport(picture)) as target:
        downloads = Downloads(target, str, RunLimits(60, 1000))
        texts = [base64.b64encode(PNG).decode(), "data:image/jpeg;base64," + base64.b64encode(PNG).decode(), "%%%"]
        found = downloads.of_answer(profile, {"data": [{"b64_json": text} for text in texts]})
        downloads.close()
    assert [(item.format, item.media_type, item.pixels) for item in found] == [
        ("image/png", "", (5, 3)),
        ("image/png", "image/jpeg", (5, 3)),
        (None, "", None),
    ]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_each_format_is_recognised_with_its_pixels_and_broken_when_it_is_cut(kind: str) -> None:
    data = encoded(kind, (40, 30))
    assert inspect_picture(data) == (f"image/{kind.lower()}", (40, 30), None)
    cut = inspect_picture(data[: len(data) // 2])
    assert (cut[0], cut[2] is not None) == (f"image/{kind.lower()}", True)


def test_a_picture_that_would_fill_the_memory_is_not_decoded() -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    bomb += struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    kind, _, problem = inspect_picture(bomb)
    assert (kind, "60000x60000 pixels" in str(problem)) == ("image/png", True)


def test_a_gif_that_would_fill_the_memory_is_refused_by_its_header() -> None:
    kind, pixels, problem = inspect_picture(b"GIF89a" + struct.pack("<HHBBB", 20_000, 10_000, 0, 0, 0))
    assert (kind, pixels, problem) == ("image/gif", (20_000, 10_000), "it has 20000x10000 pixels, too many to decode")


@settings(deadline=None, max_examples=100)
@given(st.sampled_from([b"", PNG, encoded("GIF"), encoded("WEBP"), encoded("BMP"), encoded("JPEG")]), st.data())
def test_any_bytes_are_a_picture_or_have_a_problem(start: bytes, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(start)))
    kind, pixels, problem = inspect_picture(start[:position] + data.draw(st.binary(max_size=30)) + start[position:])
    assert (problem is None) <= (kind is not None and pixels is not None)

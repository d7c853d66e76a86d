import asyncio
import base64
import gzip
import json
import pickle
import re
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import pytest
from bodydouble_client import (
    ArgumentError,
    AsyncClient,
    BodydoubleError,
    Client,
    DownloadError,
    Image,
    SaveError,
    SyncEditResult,
)
from bodydouble_client._download import DownloadPlan, locate_picture
from hypothesis import given
from hypothesis import strategies as st

GOOD = {"data": [{"url": "http://a.test/1.png"}]}
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rrest"


def _download(twin: Any, image: Image, **setup: Any) -> Any:
    return twin.call("download", image, **setup)


def _answering(*responses: httpx.Response) -> Callable[[httpx.Request], httpx.Response]:
    """Make a handler that gives these answers in turn."""
    left = list(responses)

    def answer(_: httpx.Request) -> httpx.Response:
        return left.pop(0)

    return answer


def _picture(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=PNG, headers={"Content-Type": "image/png"})


def test_a_picture_is_fetched_from_its_url(twin: Any, server: Any) -> None:
    server.enqueue(server.answer(200, PNG, Content_Type="image/png"))
    assert _download(twin, Image(f"{server.url}/cat.png?signature=1")) == PNG
    assert server.requests[0].line == "GET /cat.png?signature=1 HTTP/1.1"


def test_the_key_is_not_sent_with_a_download(twin: Any, server: Any, key: str) -> None:
    server.enqueue(server.answer(200, PNG))
    _download(twin, Image(server.url), base_url=server.url)
    assert "authorization" not in server.requests[0].headers
    assert key not in str(server.requests)


@given(st.binary(min_size=1))
def test_a_picture_in_base64_is_decoded_without_the_network(data: bytes) -> None:
    text = base64.b64encode(data).decode()
    assert [locate_picture(Image("http://a.test", text)), locate_picture(Image(f"data:image/png;base64,{text}"))] == [
        data
    ] * 2


@pytest.mark.parametrize(
    "b64", ["A", "AAA", "é", "\ud800", "AA-_", "data:image/png,abc", "data:image/png;base64,", "===="]
)
def test_broken_base64_is_a_download_error(twin: Any, b64: str) -> None:
    with pytest.raises(DownloadError):
        _download(twin, Image(None, b64))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/a.png",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "//host/a.png",
        "a.png",
        "http://",
        "http://[::1",
        "http://\ud800",
        "\x00",
    ],
)
def test_only_http_pictures_are_fetched(twin: Any, url: str) -> None:
    with pytest.raises(DownloadError):
        _download(twin, Image(url))


@given(st.none() | st.text(), st.none() | st.text())
def test_any_image_gives_a_picture_a_url_or_our_error(url: str | None, b64: str | None) -> None:
    assert isinstance(locate_picture(Image(url, b64)), (bytes, httpx.URL, DownloadError))


def test_redirects_are_followed(twin: Any, server: Any) -> None:
    server.enqueue(server.answer(302, b"", Location="/elsewhere.png"), server.answer(200, PNG))
    _download(twin, Image(server.url))
    assert server.requests[1].line == "GET /elsewhere.png HTTP/1.1"


def test_a_circle_of_redirects_ends(twin: Any, server: Any) -> None:
    server.enqueue(*[server.answer(302, b"", Location="/again")] * 20)
    with pytest.raises(DownloadError, match="redirects"):
        _download(twin, Image(server.url))


def test_a_redirect_away_from_http_is_refused(twin: Any) -> None:
    def away(_: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "gopher://host/a"})

    with pytest.raises(DownloadError, match="gopher"):
        _download(twin, Image("http://a.test/1.png"), pictures=away)


@pytest.mark.parametrize("status", [400, 403, 404, 410, 500, 304, 204])
def test_a_status_without_a_picture_is_a_download_error(twin: Any, status: int) -> None:
    with pytest.raises(DownloadError) as caught:
        _download(twin, Image("http://a.test/1.png"), pictures=_answering(httpx.Response(status)))
    assert caught.value.status_code == status


@pytest.mark.parametrize("media_type", ["text/html", "application/json", "application/problem+json", "application/xml"])
def test_a_page_in_place_of_a_picture_is_refused(twin: Any, media_type: str) -> None:
    def page(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"<html>gone</html>", headers={"Content-Type": media_type})

    with pytest.raises(DownloadError, match=re.escape(media_type)):
        _download(twin, Image("http://a.test/1.png"), pictures=page)


@pytest.mark.parametrize("media_type", ["application/octet-stream", "binary/octet-stream", "image/avif", ""])
def test_a_picture_of_an_unknown_format_is_accepted(twin: Any, media_type: str) -> None:
    def picture(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"new format", headers={"Content-Type": media_type})

    assert _download(twin, Image("http://a.test/1.png"), pictures=picture) == b"new format"


@pytest.mark.parametrize("fault", ["reset", "cut short", "hang", "drip", "huge", "gzip"])
def test_a_download_that_fails_is_a_download_error(twin: Any, server: Any, fault: str) -> None:
    server.enqueue(
        {
            "reset": server.reset(server.head()),
            "cut short": server.raw(server.head() + PNG),
            "hang": server.hang(),
            "drip": server.drip(server.head(length=10_000)),
            "huge": server.raw(server.head(length=10**12)),
            "gzip": server.answer(200, b"no gzip", Content_Encoding="gzip"),
        }[fault]
    )
    with pytest.raises(DownloadError):
        _download(twin, Image(server.url), timeout_s=0.3, retries=0)


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_a_temporary_failure_is_retried(twin: Any, fake_time: Any, status: int) -> None:
    answers = [httpx.Response(status), httpx.Response(200, content=PNG)]
    image = Image("http://a.test/1.png")
    assert _download(twin, image, pictures=_answering(*answers), _clock=fake_time.clock()) == PNG


def test_a_lost_download_is_retried_since_it_costs_nothing(twin: Any, server: Any, fake_time: Any) -> None:
    server.enqueue(server.reset(server.head()), server.answer(200, PNG))
    assert _download(twin, Image(server.url), _clock=fake_time.clock()) == PNG


def test_the_deadline_limits_all_redirects_and_attempts_together(twin: Any, fake_time: Any) -> None:
    def slow(_: httpx.Request) -> httpx.Response:
        fake_time.now += 60
        return httpx.Response(302, headers={"Location": "/on"})

    with pytest.raises(DownloadError, match="deadline_s"):
        _download(twin, Image("http://a.test/1.png"), pictures=slow, deadline_s=100, _clock=fake_time.clock())


def _edit_in_30_s(fake_time: Any, body: Any) -> Any:
    def handler(_: httpx.Request) -> httpx.Response:
        fake_time.now += 30
        return httpx.Response(200, json=body)

    return handler


def test_the_deadline_counts_an_edit_and_the_downloads_of_its_pictures_together(fake_time: Any) -> None:
    def slow(_: httpx.Request) -> httpx.Response:
        fake_time.now += 30
        return httpx.Response(200, content=PNG)

    edits, pictures = httpx.MockTransport(_edit_in_30_s(fake_time, GOOD)), httpx.MockTransport(slow)
    with (
        httpx.Client(transport=edits) as http,
        httpx.Client(transport=pictures) as downloads,
        Client("k", http_client=http, download_client=downloads, deadline_s=80, _clock=fake_time.clock()) as client,
    ):
        (image,) = client.edit("p", []).images
        fake_time.now += 1000  # time spent outside the client
        assert image.bytes() == PNG
        with pytest.raises(DownloadError, match=r"time ran out"):
            image.bytes()  # 20 s were left, and the body comes after 30


def test_a_download_fails_when_its_edit_used_up_the_deadline(fake_time: Any) -> None:
    async def use() -> bytes:
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(_edit_in_30_s(fake_time, GOOD))) as http,
            httpx.AsyncClient(transport=httpx.MockTransport(_picture)) as downloads,
            AsyncClient(
                "k", http_client=http, download_client=downloads, deadline_s=30, _clock=fake_time.clock()
            ) as client,
        ):
            return await client.download((await client.edit("p", [])).images[0])

    with pytest.raises(DownloadError, match="deadline_s"):
        asyncio.run(use())


def test_a_signature_in_a_url_is_not_shown(twin: Any) -> None:
    with pytest.raises(DownloadError) as caught:
        _download(twin, Image("http://u:hunter2@a.test/1.png?sig=hunter2"), pictures=_answering(httpx.Response(404)))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("image", [None, "http://a.test/1.png", b"bytes", {"url": "http://a.test"}])
def test_anything_but_an_image_of_a_result_is_refused(twin: Any, image: Any) -> None:
    with pytest.raises(ArgumentError, match="image"):
        _download(twin, image)


@pytest.mark.parametrize("form", [str, Path])
def test_save_writes_the_picture_and_returns_its_path(twin: Any, tmp_path: Path, form: Any) -> None:
    path = form(tmp_path / "out.png")
    saved = twin.call("save", Image("http://a.test/1.png"), path, pictures=_picture)
    assert (saved, Path(path).read_bytes()) == (Path(path), PNG)


@pytest.mark.parametrize("path", ["no/such/folder/out.png", "\x00", "", "x" * 5000, 5])
def test_a_file_that_cannot_be_written_is_a_save_error(twin: Any, tmp_path: Path, path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SaveError):
        twin.call("save", Image("http://a.test/1.png"), path, pictures=_picture)


def _edited(server: Any, body: Any, **setup: Any) -> SyncEditResult:
    server.enqueue(server.answer(200, body))
    with Client("sk-canary-5f2b81", server.url, **setup) as client:
        return client.edit("p", [])


def test_images_of_a_blocking_result_download_themselves_after_the_client_is_closed(server: Any) -> None:
    result = _edited(server, {"data": [{"url": f"{server.url}/1.png"}]})
    server.enqueue(server.answer(200, PNG))
    assert result.images[0].bytes() == PNG


def test_images_of_a_blocking_result_save_themselves(server: Any, tmp_path: Path) -> None:
    result = _edited(server, {"data": [{"b64_json": base64.b64encode(PNG).decode()}]})
    assert result.images[0].save(tmp_path / "a.png").read_bytes() == PNG


def test_images_of_a_blocking_result_use_the_limits_of_the_client(server: Any) -> None:
    result = _edited(server, {"data": [{"url": f"{server.url}/1.png"}]}, timeout_s=0.3, retries=0)
    server.enqueue(server.hang())
    with pytest.raises(DownloadError, match=r"0\.3 s"):
        result.images[0].bytes()


def test_a_pickled_result_still_fetches_its_pictures(server: Any) -> None:
    result = pickle.loads(pickle.dumps(_edited(server, {"data": [{"url": f"{server.url}/1.png"}]})))
    server.enqueue(server.answer(200, PNG))
    assert result.images[0].bytes() == PNG


def test_a_pickled_result_equals_the_original_and_holds_no_key(server: Any) -> None:
    result = _edited(server, {"data": [{"url": "http://a.test/1.png"}]})
    pickled = pickle.dumps(result)
    assert pickle.loads(pickled) == result
    assert b"canary" not in pickled


def test_a_result_becomes_json_by_way_of_asdict(server: Any) -> None:
    result = _edited(server, {"data": [{"url": "http://a.test/1.png"}]}, deadline_s=5)
    assert json.loads(json.dumps(asdict(result)))["images"] == [{"url": "http://a.test/1.png", "b64": None}]


def test_the_repr_of_a_result_shows_neither_pictures_nor_downloader(server: Any) -> None:
    shown = repr(_edited(server, {"data": [{"url": "http://a.test/1.png", "b64_json": "QUJD"}]}))
    assert ("QUJD" in shown, "ownloader" in shown) == (False, False)


def test_many_pictures_are_fetched_at_once_from_several_threads(server: Any) -> None:
    image, failures = Image(f"{server.url}/1.png"), list[BaseException]()
    server.enqueue(*[server.answer(200, PNG)] * 8)
    with Client("key", server.url) as client:

        def fetch() -> None:
            try:
                assert client.download(image) == PNG
            except (AssertionError, BodydoubleError) as error:
                failures.append(error)

        threads = [threading.Thread(target=fetch) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert failures == []


def test_a_compressed_picture_is_unpacked_within_the_limit(twin: Any, server: Any) -> None:
    server.enqueue(server.answer(200, gzip.compress(PNG), Content_Encoding="gzip"))
    assert _download(twin, Image(server.url)) == PNG


def test_a_picture_may_not_be_larger_than_the_limit() -> None:
    assert DownloadPlan().limit_bytes == 64 * 2**20

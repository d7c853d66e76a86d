"""The downloads of both clients against the mock's own files of pictures, on a port: expired, cut off, slow, a page in their place."""

import asyncio
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import PIL.Image
import pytest
from bodydouble_client import AsyncClient, Client, DownloadError, Image
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.server import Server, server_config

from spec.tests.servers import serve_asgi

CAT = "https://example.org/cat.png"
FILES = {"path": "/generations/*"}
Download = Callable[..., bytes]


def _png() -> bytes:
    file = BytesIO()
    PIL.Image.new("RGB", (1024, 1024), "teal").save(file, "PNG")
    return file.getvalue()


# Of the documented size: served byte for byte.
PNG = _png()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> MockServer:
    """Return a mock whose pictures are files, on another host than the API."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "a.png").write_bytes(PNG)
    return create_app(settings=Settings(pictures=folder, picture_host="localhost"))


@pytest.fixture(scope="module")
def origin(app: MockServer) -> Iterator[str]:
    with serve_asgi(Server(server_config(app))) as address:
        yield address


def _edit_and_download(origin: str, options: dict[str, Any]) -> bytes:
    with Client("any-key", origin) as client:
        (image,) = client.edit("night", [CAT]).images
    # A picture of its own, since that of a result has the deadline of its call.
    with Client("any-key", origin, **options) as client:
        return client.download(Image(image.url))


async def _edit_and_download_async(origin: str, options: dict[str, Any]) -> bytes:
    async with AsyncClient("any-key", origin) as client:
        (image,) = (await client.edit("night", [CAT])).images
    async with AsyncClient("any-key", origin, **options) as client:
        return await client.download(Image(image.url))


@pytest.fixture(params=["blocking", "asynchronous"])
def download(request: pytest.FixtureRequest, app: MockServer, origin: str) -> Download:
    """Edit a picture and download the result, with the options of a client."""
    app.reset()
    is_blocking = request.param == "blocking"

    def edit_and_download(**options: Any) -> bytes:
        if is_blocking:
            return _edit_and_download(origin, options)
        return asyncio.run(_edit_and_download_async(origin, options))

    return edit_and_download


def files(**answer: Any) -> dict[str, Any]:
    """Return a script with one answer to every request for the file of a picture."""
    return {"answers": [{"match": FILES, "times": None, **answer}]}


PAGE = {"content-type": "text/html"}
BAD_FILES = {
    "expired": ({"limits": {"expires_after_s": 0}}, "could not be fetched: status 404"),
    "forbidden": (files(status=403, body="<Error>Expired</Error>"), "could not be fetched: status 403"),
    "cut-off": (files(fault="truncated-json"), "is cut off"),
    "shorter-than-it-says": (files(fault="wrong-length"), "connection"),
    "reset": (files(fault="reset-mid-body"), "ReadError"),
    "empty": (files(fault="empty"), "is not a picture but 0 bytes"),
    "html": (files(body="<!doctype html><h1>Sign in</h1>", headers=PAGE), "is not a picture but 31 bytes of text/html"),
    "not-gzip": (files(fault="broken-gzip"), "compress"),
}


@pytest.mark.parametrize(("scenario", "words"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_is_no_whole_picture_is_an_error_in_words(
    app: MockServer, download: Download, scenario: dict[str, Any], words: str
) -> None:
    app.play(scenario)
    with pytest.raises(DownloadError, match=words):
        download(retries=0)


def test_a_file_that_comes_too_slowly_ends_with_the_deadline(app: MockServer, download: Download) -> None:
    app.play(files(fault="slow-drip"))
    with pytest.raises(DownloadError, match="no complete answer within"):
        download(deadline_s=0.3)


@pytest.mark.parametrize(
    "trouble", [{"status": 503}, {"fault": "reset-mid-body"}, {"fault": "wrong-length"}, {"delay": 0.05}]
)
def test_a_file_that_fails_once_or_is_late_is_downloaded(
    app: MockServer, download: Download, trouble: dict[str, Any]
) -> None:
    app.play({"answers": [{"match": FILES, **trouble}]})
    assert download() == PNG
    # A late answer is waited for; any other is asked for again, and the API is not.
    statuses = [exchange.status for exchange in app.journal.pictures()]
    assert (len(app.journal.exchanges()), len(statuses)) == (1, 1 if "delay" in trouble else 2)


def test_the_key_is_not_sent_to_the_host_of_the_pictures(app: MockServer, download: Download) -> None:
    download()
    (picture,) = app.journal.pictures()
    assert (picture.key, picture.findings) == (None, ())

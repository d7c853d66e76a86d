"""The pictures of calls: links to them, and their files, whole or as thumbnails.

They have routes of their own, since the journal has each request for the file of a picture: reading must not change what is read.
"""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bodydouble_spec import RecordedPicture, picture_kind
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bodydouble_mockserver.answer import Gallery, ServedImage
from bodydouble_mockserver.page.access import PageAccess
from bodydouble_mockserver.pictures import ContentStore, Workers, thumbnail

if TYPE_CHECKING:
    from bodydouble_mockserver.replay import Replay

__all__ = ["AnswerPictures", "PictureLinks", "picture_routes"]

_INPUTS, _OUTPUTS = "/_bodydouble/pictures/inputs", "/_bodydouble/pictures/outputs"
_THUMBNAIL, _THUMBNAIL_SIDE = "thumbnail", 128
_NOTHING = {"cache-control": "no-store"}
# A picture of a request may be a document with scripts; what is not one of five formats is not sent, and nothing in a file may run.
_HEADERS = {
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "private, max-age=31536000, immutable",
}


class AnswerPictures:
    """The pictures of answers by the paths of their URLs: those that the mock draws, and those of recordings that it replays."""

    def __init__(self, gallery: Gallery, replay: "Replay | None") -> None:
        self._gallery = gallery
        self._replay = replay
        self._workers = Workers[bytes | None](1, "bodydouble-thumbnail")

    def has(self, path: str) -> bool:
        """Return whether a path leads to a picture that can be shown."""
        return self._gallery.has_picture(path) or (self._replay is not None and self._replay.has_picture(path))

    def path_of(self, sha256: str) -> str | None:
        """Return the path of a picture by the hash of its bytes; None where none is known."""
        path = self._gallery.path_of(sha256)
        return self._replay.path_of(sha256) if path is None and self._replay is not None else path

    async def large(self, path: str) -> bytes | None:
        """Return the file of a picture; None for an unknown path."""
        image = await self._gallery.picture(path) or self._recorded(path)
        return None if image is None else image.data

    async def small(self, path: str, side: int) -> bytes | None:
        """Return a thumbnail; None for an unknown path, and for a file that cannot be decoded."""
        recorded = self._recorded(path)
        if recorded is None:
            return await self._gallery.thumbnail(path, side)
        return await self._workers.run(path, lambda: thumbnail(recorded.data, side))

    def _recorded(self, path: str) -> ServedImage | None:
        return None if self._replay is None else self._replay.picture(path)


class PictureLinks:
    """The links to pictures' files on the page, None where there is no file to show: inputs of ``store``, and ``pictures`` of answers."""

    def __init__(self, access: PageAccess, store: ContentStore, pictures: AnswerPictures) -> None:
        self._link = access.link
        self.store = store
        self.pictures = pictures

    def of_input(self, picture: RecordedPicture) -> str | None:
        """Return the link to a picture that was sent."""
        return self._link(f"{_INPUTS}/{picture.sha256}") if picture.sha256 in self.store else None

    def of_output(self, picture: RecordedPicture) -> str | None:
        """Return the link to a picture that was in an answer in Base64."""
        path = self.pictures.path_of(picture.sha256)
        return None if path is None else self._link(f"{_OUTPUTS}{path}")

    def of_url(self, url: str) -> str | None:
        """Return the link to a picture of this server by its URL or path, whatever the host."""
        try:
            path = urlsplit(url).path
        except ValueError:
            return None
        return self._link(f"{_OUTPUTS}{path}") if self.pictures.has(path) else None


def picture_routes(links: PictureLinks) -> list[Route]:
    """Return the routes of the files; ``?thumbnail=1`` asks for a small picture of the same shape."""
    store, pictures = links.store, links.pictures
    workers = Workers[bytes | None](1, "bodydouble-thumbnail")

    def sent(data: bytes | None) -> Response:
        kind = None if data is None else picture_kind(data)
        if data is None or kind is None:
            return Response("there is no such picture, or it cannot be shown", 404, _NOTHING, "text/plain")
        return Response(data, 200, _HEADERS, kind.media_type)

    async def show_input(request: Request) -> Response:
        key: str = request.path_params["sha256"]
        data = store.get(key)
        if data is None or _THUMBNAIL not in request.query_params:
            return sent(data)
        return sent(await workers.run(key, lambda: thumbnail(data, _THUMBNAIL_SIDE)))

    async def show_output(request: Request) -> Response:
        path = request.url.path.removeprefix(_OUTPUTS)
        if _THUMBNAIL in request.query_params:
            return sent(await pictures.small(path, _THUMBNAIL_SIDE))
        return sent(await pictures.large(path))

    return [
        Route(f"{_INPUTS}/{{sha256}}", show_input, methods=["GET"]),
        Route(f"{_OUTPUTS}/generations/{{name}}/{{file}}", show_output, methods=["GET"]),
    ]

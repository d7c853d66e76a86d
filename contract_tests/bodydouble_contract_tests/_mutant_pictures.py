"""Servers with wrong pictures."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING

from bodydouble_contract_tests._mutant import Mutant, MutantReply, MutatedCall
from bodydouble_contract_tests._mutant_calls import has
from bodydouble_contract_tests.checks import OperationProfile

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["picture_mutants"]

_HTML = b"<html><body><h1>Something went wrong</h1></body></html>"


def picture_mutants(profile: OperationProfile) -> Iterator[Mutant]:
    """Yield the mutants that show in a picture, for an operation with pictures."""
    yield from _delivered()
    if profile.sizes:
        yield _on_picture("half-size", "pictures have half of the pixels each way", "picture-pixels", _half)
        yield _on_picture("column-missing", "pictures lack their last column", "picture-pixels", _narrower)
    if profile.names.ratio is not None:
        for ratio in list(profile.sizes)[-2:]:
            yield _misshapen(ratio, has(profile.names.ratio, ratio))


def _delivered() -> Iterator[Mutant]:
    gone = "picture-downloadable"
    yield _on_picture("gone", "pictures are gone", gone, lambda r: replace(r, status=404))
    yield _on_picture("broken-server", "pictures give 500", gone, lambda r: replace(r, status=500))
    yield Mutant("picture-needs-key", "pictures need the key", gone, pictures=_locked)
    unread = "picture-decodable"
    yield _on_picture("page", "an HTML page for a picture", unread, lambda r: replace(r, body=_HTML))
    yield _on_picture(
        "honest-page",
        "an HTML page for a picture, sent as HTML",
        unread,
        lambda r: replace(r, body=_HTML, headers={"content-type": "text/html"}),
    )
    yield _on_picture("cut", "pictures are cut off", unread, lambda r: replace(r, body=r.body[: len(r.body) // 2]))
    yield _on_picture("empty", "pictures are empty", unread, lambda r: replace(r, body=b""))
    yield _on_picture(
        "type", "a PNG is sent as JPEG", "picture-media-type", lambda r: r.with_header("content-type", "image/jpeg")
    )


def _misshapen(ratio: str, concerns: Callable[[MutatedCall], bool]) -> Mutant:
    return Mutant(
        f"picture-wrong-for-{ratio}",
        f"only pictures of {ratio} have another shape",
        "picture-pixels",
        prefers=lambda call: "violation=wrong-aspect-ratio" if concerns(call) else None,
    )


def _on_picture(name: str, claim: str, check: str, make: Callable[[MutantReply], MutantReply]) -> Mutant:
    return Mutant(
        f"picture-{name}", claim, check, pictures=lambda _call, reply: make(reply) if reply.status == 200 else reply
    )


def _locked(call: MutatedCall, reply: MutantReply) -> MutantReply:
    return reply if call.is_known else replace(reply, status=401)


def _half(reply: MutantReply) -> MutantReply:
    return _redrawn(reply, lambda picture: picture.reduce(2))


def _narrower(reply: MutantReply) -> MutantReply:
    return _redrawn(reply, lambda picture: picture.crop((0, 0, picture.width - 1, picture.height)))


def _redrawn(reply: MutantReply, change: "Callable[[Image.Image], Image.Image]") -> MutantReply:
    from PIL import Image  # slow to import, and few servers need it

    file = BytesIO()
    with Image.open(BytesIO(reply.body)) as picture:
        change(picture).save(file, "png")
    return replace(reply, body=file.getvalue())

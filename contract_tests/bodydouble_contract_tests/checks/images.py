"""Check the pictures of an answer: their place, format and size."""

import base64
import binascii
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from bodydouble_spec import (
    Evidence,
    Finding,
    essence,
    is_object,
    is_success,
    picture_kind,
    pointer_parts,
    resolve_pointer,
)
from bodydouble_spec.image_fields import BASE64, MEDIA_TYPES, URL

from bodydouble_contract_tests.checks.headers import check_picture_headers
from bodydouble_contract_tests.model import (
    AnswerPicture,
    FetchedPicture,
    Observation,
    OperationProfile,
    deviation,
    generic_pointer,
    shortened,
)

__all__ = ["check_pictures", "inspect_picture", "normalised"]

# The tolerance for width divided by height: sides are rounded to multiples of 8 or 32.
_SAME_RATIO = 0.025
_ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/x-ms-bmp": "image/bmp",
}


def check_pictures(profile: OperationProfile, observation: Observation, answer: Any) -> Iterator[Finding]:
    """Yield every deviation of the pictures in an answer. Of a picture that was not downloaded, only its URL or Base64 text is checked."""
    fetched = {_key(picture): picture for picture in observation.pictures}
    ratio = profile.ratio_asked(observation.case.body)
    yield from _distinct(profile, answer)
    for item in profile.pictures(answer):
        # The strict validation reports an item with an empty URL and no Base64.
        if item.url is not None and (item.url or item.base64):
            yield from _linked(profile, answer, item, fetched.get((item.pointer, False)), ratio)
        if item.base64:
            yield from _inline(profile, answer, item, fetched.get((item.pointer, True)), ratio)


def _distinct(profile: OperationProfile, answer: Any) -> Iterator[Finding]:
    """Yield a finding when two pictures of one list have one URL."""
    seen: dict[tuple[str, str], str] = {}
    for item in profile.pictures(answer):
        if not item.url or not _is_absolute(item.url):
            continue
        list_of = item.pointer.rpartition("/")[0]
        other = seen.setdefault((list_of, item.url), item.pointer)
        if other != item.pointer:
            message = f"the pictures {other} and {item.pointer} of an answer share one URL"
            pointer = generic_pointer(answer, f"{item.pointer}/{URL}")
            yield deviation(profile, "picture-distinct", message, "a URL for each", item.url, pointer=pointer)


def _key(picture: FetchedPicture) -> tuple[str, bool]:
    """Return the pointer of the item that a picture belongs to, and whether the picture is its Base64 text."""
    pointer = picture.pointer.removesuffix(f"/{URL}").removesuffix(f"/{BASE64}")
    return pointer, picture.source == "base64"


def _linked(
    profile: OperationProfile, answer: Any, item: AnswerPicture, picture: FetchedPicture | None, ratio: str | None
) -> Iterator[Finding]:
    pointer = generic_pointer(answer, f"{item.pointer}/{URL}")
    if not _is_absolute(item.url or ""):
        message = "the URL of a picture is not an absolute http(s) URL with a host and without spaces"
        yield deviation(profile, "picture-url-absolute", message, "an absolute http(s) URL", item.url, pointer=pointer)
        return
    if picture is None:
        return
    if picture.status is None:
        message = f"a picture could not be downloaded: {picture.problem or 'no answer'}"
        yield deviation(profile, "picture-downloadable/no-answer", message, "200", picture.problem, pointer=pointer)
    elif not is_success(picture.status):
        message = f"the download of a picture, without the key, was answered with {picture.status}"
        finding_id = f"picture-downloadable/status-{picture.status}"
        yield deviation(profile, finding_id, message, 200, picture.status, pointer=pointer)
    else:
        yield from _looked_at(profile, answer, item, picture, ratio, pointer)


def _inline(
    profile: OperationProfile, answer: Any, item: AnswerPicture, picture: FetchedPicture | None, ratio: str | None
) -> Iterator[Finding]:
    pointer = generic_pointer(answer, f"{item.pointer}/{BASE64}")
    if not _is_base64(item.base64 or ""):
        yield deviation(
            profile,
            "picture-decodable/base64",
            "a picture is not valid Base64 (RFC 4648)",
            "Base64",
            (item.base64 or "")[:40],
            pointer=pointer,
        )
    elif picture is not None:
        yield from _looked_at(profile, answer, item, picture, ratio, pointer)


def _looked_at(
    profile: OperationProfile,
    answer: Any,
    item: AnswerPicture,
    picture: FetchedPicture,
    ratio: str | None,
    pointer: str,
) -> Iterator[Finding]:
    yield from check_picture_headers(profile, picture, pointer)
    if picture.damage is not None:
        message = f"a picture is damaged: {picture.damage}"
        yield deviation(profile, "picture-whole", message, "a whole picture", picture.damage, pointer=pointer)
        if "checksum" in picture.damage:
            return
    if picture.format is None or picture.problem:
        reason = picture.problem or f"{len(picture.content)} bytes that are not a picture"
        yield deviation(
            profile, "picture-decodable", f"a picture cannot be read: {reason}", "a picture", reason, pointer=pointer
        )
        return
    if picture.source != "base64" and not picture.media_type:
        message = "a picture was sent without a media type, so that a client has to guess it (RFC 9110, section 8.3)"
        yield deviation(
            profile,
            "picture-media-type/absent",
            message,
            picture.format,
            None,
            pointer=pointer,
            evidence=Evidence.INFERRED,
        )
    if picture.media_type and normalised(picture.media_type) != normalised(picture.format):
        message = f"a picture is {picture.format}, but was sent as {shortened(picture.media_type)}"
        yield deviation(profile, "picture-media-type", message, picture.format, picture.media_type, pointer=pointer)
    yield from _stated(profile, answer, item, picture.format)
    if ratio is not None and ratio in profile.sizes and picture.pixels is not None:
        yield from _pixels(profile, ratio, picture.pixels, pointer)


def _stated(profile: OperationProfile, answer: Any, item: AnswerPicture, is_really: str) -> Iterator[Finding]:
    """Compare the media type that the item itself states for its picture."""
    holder = resolve_pointer(answer, pointer_parts(item.pointer))
    for name in MEDIA_TYPES:
        stated = holder.get(name) if is_object(holder) else None
        if isinstance(stated, str) and normalised(stated) != normalised(is_really):
            message = f"a picture is {is_really}, but its {name} is {shortened(stated)}"
            pointer = generic_pointer(answer, f"{item.pointer}/{name}")
            yield deviation(profile, "picture-media-type", message, is_really, stated, pointer=pointer)


def _pixels(profile: OperationProfile, ratio: str, pixels: tuple[int, int], pointer: str) -> Iterator[Finding]:
    expected = profile.sizes[ratio]
    if pixels == expected:
        return
    got = list(pixels)
    width, height = expected
    if _is_like(pixels, width / height) or any(_is_like(pixels, shape) for shape in _named_shape(ratio)):
        message = f"a picture of {ratio} has {pixels[0]}x{pixels[1]} pixels; the documented size is {width}x{height}"
        rule, evidence = f"{ratio}-other-size", Evidence.INFERRED
    else:
        message = (
            f"the request asked for {ratio} ({width}x{height}); the picture has another shape: {pixels[0]}x{pixels[1]}"
        )
        rule, evidence = f"{ratio}-other-ratio", profile.evidence("x-sizes")
    yield deviation(profile, f"picture-pixels/{rule}", message, list(expected), got, pointer=pointer, evidence=evidence)


def _is_like(pixels: tuple[int, int], shape: float) -> bool:
    width, height = pixels
    return height > 0 and abs(width / height / shape - 1) <= _SAME_RATIO


def _named_shape(ratio: str) -> Iterator[float]:
    """Yield width divided by height as a ratio's name gives them; nothing for any other name."""
    width, _, height = ratio.partition(":")
    if width.isdecimal() and height.isdecimal() and int(width) and int(height):
        yield int(width) / int(height)


def normalised(media_type: str) -> str:
    """Return the usual name of a media type, without parameters."""
    name = essence(media_type)
    return _ALIASES.get(name, name)


def _is_absolute(url: str) -> bool:
    """Return whether a URL has http(s), a host and no character that RFC 3986 forbids (spaces, control characters)."""
    if any(character <= " " or character == "\x7f" for character in url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


_LARGEST_PIXELS = 64_000_000


def inspect_picture(data: bytes) -> tuple[str | None, tuple[int, int] | None, str | None]:
    """Return the format (``image/png``), the size in pixels, and the problem, in words; each is None where there is none.

    The header is read first, and no picture beyond 64 million pixels is decoded. JPEG, PNG, GIF, WebP, BMP, TIFF and AVIF are supported.
    """
    kind = picture_kind(data)
    if kind is None:
        return None, None, "no bytes" if not data else "the bytes are not JPEG, PNG, GIF, WebP, BMP, TIFF or AVIF"
    problem = None if kind.pixels is None else _size_problem(*kind.pixels)
    if problem is not None:
        return kind.media_type, kind.pixels, problem
    try:
        return _decoded(data, kind.media_type)
    except Exception as error:  # noqa: BLE001 - decoders raise many kinds of errors on broken bytes
        return kind.media_type, None, f"it cannot be decoded: {type(error).__name__}: {error}"[:200]


def _size_problem(width: int, height: int) -> str | None:
    return None if width * height <= _LARGEST_PIXELS else f"it has {width}x{height} pixels, too many to decode"


def _decoded(data: bytes, kind: str) -> tuple[str | None, tuple[int, int] | None, str | None]:
    # The classes themselves, not Image.open: its warning about large images is global to the process.
    from PIL import (
        AvifImagePlugin,
        BmpImagePlugin,
        GifImagePlugin,
        ImageFile,
        JpegImagePlugin,
        PngImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    )

    openers: dict[str, type[ImageFile.ImageFile]] = {
        "image/avif": AvifImagePlugin.AvifImageFile,
        "image/bmp": BmpImagePlugin.BmpImageFile,
        "image/gif": GifImagePlugin.GifImageFile,
        "image/jpeg": JpegImagePlugin.JpegImageFile,
        "image/png": PngImagePlugin.PngImageFile,
        "image/tiff": TiffImagePlugin.TiffImageFile,
        "image/webp": WebPImagePlugin.WebPImageFile,
    }
    with openers[kind](BytesIO(data)) as image:
        pixels = (image.width, image.height)
        # The first frame may be larger than the header says.
        problem = _size_problem(*pixels)
        if problem is None:
            image.load()
    return kind, pixels, problem

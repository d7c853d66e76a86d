"""What is wrong with the pictures of an answer: where they are, whether they are any, and of what size."""

import base64
import binascii
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from bodydouble_spec import Evidence, Finding, is_object, pointer_parts, resolve_pointer

from bodydouble_contract_tests._deviation import deviation, place, short
from bodydouble_contract_tests._observation import FetchedPicture, Observation
from bodydouble_contract_tests._subject import AnswerPicture, Subject

__all__ = ["judge_pictures"]

# By how much the shape of another size may differ and still be the same ratio: sides are rounded to multiples of 8 or 32.
_SAME_RATIO = 0.025
# How an item may say of what type its picture is, beside what the download says.
_STATED = ("mime_type", "content_type")
_ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/x-ms-bmp": "image/bmp",
}


def judge_pictures(subject: Subject, observation: Observation, answer: Any) -> Iterator[Finding]:
    """Every deviation of the pictures that an answer names; of one that nobody fetched, only what its URL or Base64 shows."""
    fetched = {_key(picture): picture for picture in observation.pictures}
    ratio = subject.ratio_asked(observation.case.body)
    for item in subject.pictures(answer):
        # A URL that is empty with nothing in its place is found by the strict reading.
        if item.url is not None and (item.url or item.base64):
            yield from _linked(subject, answer, item, fetched.get((item.pointer, False)), ratio)
        if item.base64:
            yield from _inline(subject, answer, item, fetched.get((item.pointer, True)), ratio)


def _key(picture: FetchedPicture) -> tuple[str, bool]:
    """The item that a picture belongs to, and whether it stood there as Base64."""
    pointer = picture.pointer.removesuffix("/url").removesuffix("/b64_json")
    return pointer, picture.source == "base64"


def _linked(
    subject: Subject, answer: Any, item: AnswerPicture, picture: FetchedPicture | None, ratio: str | None
) -> Iterator[Finding]:
    pointer = place(answer, f"{item.pointer}/url")
    if not _is_absolute(item.url or ""):
        message = "the URL of a picture cannot be fetched by itself; it needs http(s), a host, and no spaces"
        yield deviation(subject, "picture-url-absolute", message, "an absolute http(s) URL", item.url, pointer=pointer)
        return
    if picture is None:
        return
    if picture.status is None:
        message = f"a picture could not be downloaded: {picture.problem or 'no answer'}"
        yield deviation(
            subject, "picture-downloadable", message, "200", picture.problem, rule="no-answer", pointer=pointer
        )
    elif not 200 <= picture.status < 300:
        message = f"a picture was asked for without the key, and gave {picture.status}"
        rule = f"status-{picture.status}"
        yield deviation(subject, "picture-downloadable", message, 200, picture.status, rule=rule, pointer=pointer)
    else:
        yield from _looked_at(subject, answer, item, picture, ratio, pointer)


def _inline(
    subject: Subject, answer: Any, item: AnswerPicture, picture: FetchedPicture | None, ratio: str | None
) -> Iterator[Finding]:
    pointer = place(answer, f"{item.pointer}/b64_json")
    if not _is_base64(item.base64 or ""):
        yield deviation(
            subject,
            "picture-decodable",
            "a picture is not Base64 (RFC 4648)",
            "Base64",
            (item.base64 or "")[:40],
            rule="base64",
            pointer=pointer,
        )
    elif picture is not None:
        yield from _looked_at(subject, answer, item, picture, ratio, pointer)


def _looked_at(
    subject: Subject, answer: Any, item: AnswerPicture, picture: FetchedPicture, ratio: str | None, pointer: str
) -> Iterator[Finding]:
    if picture.format is None or picture.problem:
        what = picture.problem or f"{len(picture.content)} bytes that are no picture"
        yield deviation(
            subject, "picture-decodable", f"a picture cannot be read: {what}", "a picture", what, pointer=pointer
        )
        return
    if picture.media_type and _plain(picture.media_type) != _plain(picture.format):
        message = f"a picture is {picture.format}, and is sent as {short(picture.media_type)}"
        yield deviation(subject, "picture-media-type", message, picture.format, picture.media_type, pointer=pointer)
    yield from _stated(subject, answer, item, picture.format)
    if ratio is not None and ratio in subject.sizes and picture.pixels is not None:
        yield from _pixels(subject, ratio, picture.pixels, pointer)


def _stated(subject: Subject, answer: Any, item: AnswerPicture, is_really: str) -> Iterator[Finding]:
    """What the item itself says of its picture's type, where it does."""
    holder = resolve_pointer(answer, pointer_parts(item.pointer))
    for name in _STATED:
        said = holder.get(name) if is_object(holder) else None
        if isinstance(said, str) and _plain(said) != _plain(is_really):
            message = f"a picture is {is_really}, and its {name} says {short(said)}"
            pointer = place(answer, f"{item.pointer}/{name}")
            yield deviation(subject, "picture-media-type", message, is_really, said, pointer=pointer)


def _pixels(subject: Subject, ratio: str, pixels: tuple[int, int], pointer: str) -> Iterator[Finding]:
    expected = subject.sizes[ratio]
    if pixels == expected:
        return
    got = list(pixels)
    width, height = expected
    if _is_like(pixels, width / height) or any(_is_like(pixels, shape) for shape in _named_shape(ratio)):
        message = f"a picture of {ratio} has {pixels[0]}x{pixels[1]} pixels, documented are {width}x{height}"
        rule, evidence = f"{ratio}-other-size", Evidence.INFERRED
    else:
        message = f"{ratio} was asked for ({width}x{height}), a picture of another shape came: {pixels[0]}x{pixels[1]}"
        rule, evidence = f"{ratio}-other-ratio", subject.evidence("x-sizes")
    yield deviation(
        subject, "picture-pixels", message, list(expected), got, rule=rule, pointer=pointer, evidence=evidence
    )


def _is_like(pixels: tuple[int, int], shape: float) -> bool:
    width, height = pixels
    return height > 0 and abs(width / height / shape - 1) <= _SAME_RATIO


def _named_shape(ratio: str) -> Iterator[float]:
    """Width by height as the name of a ratio says it; nothing where it is no such name."""
    width, _, height = ratio.partition(":")
    if width.isdecimal() and height.isdecimal() and int(width) and int(height):
        yield int(width) / int(height)


def _plain(media_type: str) -> str:
    name = media_type.partition(";")[0].strip().lower()
    return _ALIASES.get(name, name)


def _is_absolute(url: str) -> bool:
    """Whether a URL has http(s) and a host, and nothing that no URL may hold (RFC 3986): spaces and control characters."""
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

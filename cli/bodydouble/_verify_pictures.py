"""The pictures of a verification for its HTML report: small copies, each with its request."""

from collections.abc import Callable, Iterable
from io import BytesIO
from itertools import islice

from bodydouble_contract_tests.verification import FetchedPicture, Observation
from bodydouble_spec.report import ReportPicture

__all__ = ["report_pictures"]

_MOST_PICTURES = 30
_LONGEST_SIDE = 384
# Larger pictures are described, not decoded again.
_LARGEST_PIXELS = 64_000_000


def report_pictures(
    observations: Iterable[Observation], format_request: Callable[[Observation], str]
) -> tuple[ReportPicture, ...]:
    """Return the first thirty pictures received, in the order of the calls; ``format_request`` returns a call as a command."""
    received = ((observation, picture) for observation in observations for picture in observation.pictures)
    return tuple(
        ReportPicture(_title(observation), format_request(observation), _note(picture), *_thumbnail(picture))
        for observation, picture in islice(received, _MOST_PICTURES)
    )


def _title(observation: Observation) -> str:
    repeated = f", repetition {observation.number + 1}" if observation.case.repeats > 1 else ""
    return f"{observation.case.id}{repeated}"


def _note(picture: FetchedPicture) -> str:
    size = f"{picture.pixels[0]}x{picture.pixels[1]}" if picture.pixels else ""
    parts = (size, picture.format or picture.media_type, picture.source, picture.problem or "")
    return ", ".join(part for part in parts if part)


def _thumbnail(picture: FetchedPicture) -> tuple[str, bytes]:
    """Return a small JPEG copy as media type and bytes; both are empty when the picture cannot be shown."""
    from PIL import Image

    if picture.pixels is None or picture.pixels[0] * picture.pixels[1] > _LARGEST_PIXELS:
        return "", b""
    copy = BytesIO()
    try:
        with Image.open(BytesIO(picture.content)) as image:
            # Decodes a JPEG at about the needed size; other formats do not support that.
            image.draft("RGB", (_LONGEST_SIDE, _LONGEST_SIDE))
            image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
            colours = image.convert("RGBA")
        background = Image.new("RGBA", colours.size, "white")
        Image.alpha_composite(background, colours).convert("RGB").save(copy, "JPEG", quality=80)
    except Exception:  # noqa: BLE001 - decoders raise nearly any exception for untrusted bytes; the note describes them
        return "", b""
    return "image/jpeg", copy.getvalue()

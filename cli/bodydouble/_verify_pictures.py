"""The pictures of a verification for its page: small copies, each beside the request that brought it."""

from collections.abc import Callable, Iterable
from io import BytesIO
from itertools import islice

from bodydouble_contract_tests.verification import FetchedPicture, Observation
from bodydouble_spec.reports import ReportPicture

__all__ = ["pictures_of"]

_MOST_PICTURES = 30
_LONGEST_SIDE = 384
# Larger ones are described and not decoded again.
_LARGEST_PIXELS = 64_000_000


def pictures_of(
    observations: Iterable[Observation], request_of: Callable[[Observation], str]
) -> tuple[ReportPicture, ...]:
    """The first thirty pictures that were received, in the order of the calls; ``request_of`` writes a call as a command."""
    received = ((observation, picture) for observation in observations for picture in observation.pictures)
    return tuple(
        ReportPicture(_title(observation), request_of(observation), _note(picture), *_small(picture))
        for observation, picture in islice(received, _MOST_PICTURES)
    )


def _title(observation: Observation) -> str:
    repeated = f", time {observation.number + 1}" if observation.case.repeats > 1 else ""
    return f"{observation.case.id}{repeated}"


def _note(picture: FetchedPicture) -> str:
    size = f"{picture.pixels[0]}x{picture.pixels[1]}" if picture.pixels else ""
    parts = (size, picture.format or picture.media_type, picture.source, picture.problem or "")
    return ", ".join(part for part in parts if part)


def _small(picture: FetchedPicture) -> tuple[str, bytes]:
    """A small JPEG copy of the picture, as media type and bytes; both empty where there is nothing to look at."""
    from PIL import Image

    if picture.pixels is None or picture.pixels[0] * picture.pixels[1] > _LARGEST_PIXELS:
        return "", b""
    copy = BytesIO()
    try:
        with Image.open(BytesIO(picture.content)) as image:
            # Reads a JPEG at about the size that is wanted; other formats know no such thing.
            image.draft("RGB", (_LONGEST_SIDE, _LONGEST_SIDE))
            image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
            colours = image.convert("RGBA")
        paper = Image.new("RGBA", colours.size, "white")
        Image.alpha_composite(paper, colours).convert("RGB").save(copy, "JPEG", quality=80)
    except Exception:  # noqa: BLE001 - a decoder raises nearly anything for a stranger's bytes; the note says what they are
        return "", b""
    return "image/jpeg", copy.getvalue()

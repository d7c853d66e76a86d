"""The parameters of a drawing, as simple values, so that the same request gives the same picture."""

from dataclasses import dataclass

__all__ = ["PictureSpec", "SourceImage"]


@dataclass(frozen=True, slots=True)
class SourceImage:
    """One input image of the request.

    ``label`` is the caption of its tile: a URL's file name, ``image 2``, ``evicted``. ``data`` is the encoded image, or
    None for a URL, which is never fetched, and for an evicted input.
    """

    label: str
    data: bytes | None


@dataclass(frozen=True, slots=True)
class PictureSpec:
    """One image of an answer.

    ``width`` and ``height`` are pixels, at least 1 each (else ValueError). ``sources`` are in the request's order.
    ``count`` is the number of images of the request, ``index`` runs from 0 to ``count - 1``. ``seed`` comes from the
    request's digest: colours and pattern vary with it and with ``index``.
    """

    width: int
    height: int
    prompt: str
    sources: tuple[SourceImage, ...]
    index: int
    count: int
    model: str
    seed: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a picture of {self.width}x{self.height} pixels cannot be drawn: give at least 1x1")

"""The one place where images change their size."""

from PIL import Image

__all__ = ["resized"]


def resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The image stretched to ``size`` (width, height) in pixels; much smaller ones are averaged down first, quickly."""
    # Pillow's own annotation names numpy arrays, which are unknown where numpy is not installed.
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)  # pyright: ignore[reportUnknownMemberType]

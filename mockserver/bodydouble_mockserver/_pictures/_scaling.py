"""Resizing of images."""

from PIL import Image

__all__ = ["resized"]


def resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Resize the image to ``size`` (width, height) in pixels; a strong reduction begins with fast averaging."""
    # Pillow's annotation mentions numpy arrays, which are unknown types where numpy is not installed.
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)  # pyright: ignore[reportUnknownMemberType]

"""Read the format and size of a received picture."""

from io import BytesIO

__all__ = ["inspect_picture"]

_LARGEST_PIXELS = 64_000_000
_SIGNATURES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"BM": "image/bmp",
}


def inspect_picture(data: bytes) -> tuple[str | None, tuple[int, int] | None, str | None]:
    """Return the format (``image/png``), the size in pixels, and the problem, in words; each is None where there is none.

    The header is read first, and no picture beyond 64 million pixels is decoded. JPEG, PNG, GIF, WebP and BMP are supported.
    """
    kind = next((name for start, name in _SIGNATURES.items() if data.startswith(start)), None)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "image/webp"
    if kind is None:
        return None, None, "no bytes" if not data else "the bytes are not JPEG, PNG, GIF, WebP or BMP"
    try:
        return _decoded(data, kind)
    except Exception as error:  # noqa: BLE001 - decoders raise many kinds of errors on broken bytes
        return kind, None, f"it cannot be decoded: {type(error).__name__}: {error}"[:200]


def _decoded(data: bytes, kind: str) -> tuple[str | None, tuple[int, int] | None, str | None]:
    # The classes themselves, not Image.open: its warning about large images is global to the process.
    from PIL import BmpImagePlugin, GifImagePlugin, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

    openers: dict[str, type[ImageFile.ImageFile]] = {
        "image/bmp": BmpImagePlugin.BmpImageFile,
        "image/gif": GifImagePlugin.GifImageFile,
        "image/jpeg": JpegImagePlugin.JpegImageFile,
        "image/png": PngImagePlugin.PngImageFile,
        "image/webp": WebPImagePlugin.WebPImageFile,
    }
    with openers[kind](BytesIO(data)) as image:
        pixels = (image.width, image.height)
        if image.width * image.height > _LARGEST_PIXELS:
            return kind, pixels, f"it has {image.width}x{image.height} pixels, too many to decode"
        image.load()
    return kind, pixels, None

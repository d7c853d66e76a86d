"""Detection of picture formats by their first bytes."""

import re

__all__ = ["SUPPORTED_FORMATS", "looks_like_base64_image", "media_type_of"]

SUPPORTED_FORMATS = "JPEG, PNG, GIF, WebP or BMP"

_SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
)
# the same in Base64, where the last letter of a signature also encodes bits of the next byte
_BASE64_SIGNATURES = re.compile(r"/9j/|iVBORw0KGg[o-r]|R0lGOD[dl]h|UklGR[g-v][A-Za-z0-9+/]{5}XRUJQ|Qk[0-3]")


def media_type_of(data: bytes) -> str | None:
    """Return the media type of a JPEG, PNG, GIF, WebP or BMP, else None."""
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return next((media_type for signature, media_type in _SIGNATURES if data.startswith(signature)), None)


def looks_like_base64_image(base64_text: str) -> bool:
    """Return whether a Base64 text begins with the signature of a JPEG, PNG, GIF, WebP or BMP."""
    return _BASE64_SIGNATURES.match(base64_text) is not None

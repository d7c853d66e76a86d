"""Input pictures as the texts that apps send: URLs, data URIs and bare Base64 of small, real pictures."""

import base64
from functools import cache
from io import BytesIO
from itertools import product

__all__ = ["NOT_PICTURES", "named_pictures", "picture_bytes", "picture_texts"]

_SCHEMES = ("https://", "http://", "HTTPS://")
_HOSTS = (
    "example.com",
    "cdn.example.com:8443",
    "127.0.0.1:8000",
    "[2001:db8::1]",
    "[::1]:80",
    "xn--bcher-kva.example",
    "a",
)
_USERS = ("", "user:secret@", "%75ser@")
_PATHS = (
    "/a.png",
    "",
    "/",
    "/caf%C3%A9/%F0%9F%A6%8A.jpg",
    "/a.webp?size=1024&b=%2F#top",
    "?id=1",
    "//double//slash.gif",
    "/" + "long/" * 60 + "a.png",
)
_DATA_PARAMETERS = ("", ";charset=utf-8", ";name=a.png")

NOT_PICTURES = {
    "empty": "",
    "words": "not a picture",
    "ftp-url": "ftp://example.com/a.png",
    "relative-url": "//example.com/a.png",
    "url-without-host": "https://",
    "url-with-space": "https://example.com/a b.png",
    "path": "/a.png",
    "file-url": "file:///a.png",
    "data-uri-of-text": "data:text/plain;base64,aGk=",
    "data-uri-empty": "data:image/png;base64,",
    "data-uri-without-base64": "data:image/png,iVBORw0KGgo",
    "base64-of-text": "aGVsbG8gd29ybGQ=",
    "base64-with-foreign-character": "iVBORw0KGgo!",
}
"""Texts in none of the three forms, by name; some are close to one."""


@cache
def picture_bytes() -> dict[str, tuple[bytes, ...]]:
    """Return real pictures, each under 700 bytes, by media subtype: png, jpeg, gif, webp and bmp in a few sizes and colours."""
    from PIL import Image  # slow to import, and only these samples need it

    pictures: dict[str, tuple[bytes, ...]] = {}
    for kind in ("png", "jpeg", "gif", "webp", "bmp"):
        encoded: list[bytes] = []
        for size, colour in (((1, 1), (255, 0, 0)), ((9, 16), (0, 128, 255)), ((12, 5), (1, 2, 3))):
            buffer = BytesIO()
            options = {"optimize": True, "quality": 30} if kind == "jpeg" else {}
            Image.new("RGB", size, colour).save(buffer, kind, **options)
            encoded.append(buffer.getvalue())
        pictures[kind] = tuple(encoded)
    return pictures


@cache
def picture_texts() -> dict[str, tuple[str, ...]]:
    """Return many texts by form (``url``, ``data-uri``, ``base64``), the simplest first, each under 1 kB."""
    urls = ["".join(pieces) for pieces in product(_SCHEMES, _USERS, _HOSTS, _PATHS)]
    data_uris: list[str] = []
    bare: list[str] = []
    for parameters in _DATA_PARAMETERS:
        for kind, pictures in picture_bytes().items():
            for picture in pictures:
                text = base64.b64encode(picture).decode()
                names = (kind, "jpg", "JPEG") if kind == "jpeg" else (kind,)
                data_uris += [f"data:image/{name}{parameters};base64,{text}" for name in names]
                bare.append(text)
    return {"url": tuple(urls), "data-uri": tuple(data_uris), "base64": tuple(dict.fromkeys(bare))}


@cache
def named_pictures() -> dict[str, str]:
    """Return one text of each named kind: ``https-url``, ``ipv6-url``, ``data-uri-png``, ``base64-png`` and so on."""
    texts = {
        "https-url": "https://example.com/a.png",
        "http-url": "http://example.com/a.png",
        "upper-case-scheme-url": "HTTPS://example.com/a.png",
        "port-url": "https://example.com:8443/a.png",
        "ipv6-url": "https://[2001:db8::1]:8443/a.png",
        "userinfo-url": "https://user:secret@example.com/a.png",
        "escaped-url": "https://example.com/caf%C3%A9.png?size=1#top",
        "bare-host-url": "https://example.com",
    }
    for kind, (first, *_) in picture_bytes().items():
        encoded = base64.b64encode(first).decode()
        texts[f"data-uri-{kind}"] = f"data:image/{kind};base64,{encoded}"
        texts[f"base64-{kind}"] = encoded
    texts["data-uri-parameter"] = texts["data-uri-png"].replace(";", ";charset=utf-8;", 1)
    texts["base64-unpadded"] = texts["base64-png"].rstrip("=")
    return texts

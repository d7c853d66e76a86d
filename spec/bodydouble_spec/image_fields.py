"""The properties of image operations by their purpose, for the mock server and the contract tests alike.

A contract names its properties and does not say what they are for; the tables here do. Another vendor's name is added here and nowhere else.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bodydouble_spec.values import is_array, is_object

__all__ = [
    "BASE64",
    "CREDITS",
    "CREDITS_HEADER",
    "FILE_NAME",
    "FILE_SIZE",
    "MEDIA_TYPES",
    "PICTURES",
    "SEED",
    "URL",
    "URL_SWITCH",
    "USD",
    "USD_HEADER",
    "ImagePrice",
    "RequestFields",
    "image_price",
    "image_sizes",
    "meant_property",
    "prompt_of",
    "request_fields",
]

# Documented, unless noted otherwise: the first name of each in the vendored contract, the others in the vendor's contracts
# of other image models. Where a contract has several, the first one counts.
_REQUEST = {
    "prompt": ("prompt",),
    "inputs": ("image_urls", "images", "image_url", "image"),  # `images` is assumed
    "count": ("num_images", "n"),
    "ratio": ("aspect_ratio",),
}
URL_SWITCH = "convert_base64_to_url"
"""The request property that turns URLs off when it is false; in some contracts of other image models."""

URL, BASE64 = "url", "b64_json"
PICTURES = frozenset((URL, BASE64))
"""The properties of an answer's item that hold a picture."""

CREDITS = ("credits_used", "tokens_used")
"""The cost in credits; the second is its name in contracts before 2026."""

USD = "usd_spent"
MEDIA_TYPES = ("mime_type", "content_type")
"""The media type of a picture: observed in an answer, and in the example of the documentation page."""

FILE_NAME, FILE_SIZE, SEED = "file_name", "file_size", "seed"
"""The name and size of a picture's file, and the seed; in answers of other image models."""

CREDITS_HEADER, USD_HEADER = "x-aimlapi-credits-used", "x-aimlapi-usd-spent"


@dataclass(frozen=True, slots=True)
class RequestFields:
    """The names of the request properties for the prompt, the input pictures, the number of pictures and their shape; None where there is none."""

    prompt: str | None
    inputs: str | None
    count: str | None
    ratio: str | None


def request_fields(properties: Mapping[str, Any]) -> RequestFields:
    """Find the fields among the ``properties`` of a request's schema."""
    return RequestFields(
        **{field: next((name for name in names if name in properties), None) for field, names in _REQUEST.items()}
    )


def prompt_of(body: Any) -> str | None:
    """Return the prompt in the body of a request; None where it has none."""
    name = request_fields(body).prompt if is_object(body) else None
    prompt = None if name is None else body[name]
    return prompt if isinstance(prompt, str) else None


# Names that other image APIs have for the same purpose, in lower case without separators; apps send them in vain.
_ELSEWHERE = {
    "prompt": {"text", "textprompt", "input", "instruction", "instructions", "query", "message"},
    "inputs": {
        "image", "images", "imageurl", "imageurls", "imagesurls", "inputimage", "inputimages", "initimage", "initimages", "referenceimage",
        "referenceimages", "referenceimageurls", "sourceimage", "imagelist", "imageinput", "urls",
    },
    "count": {"n", "num", "count", "numimages", "numberofimages", "imagecount", "numoutputs", "numsamples", "samples", "samplecount", "batchsize"},
    "ratio": {"size", "imagesize", "ratio", "aspect", "aspectratio", "resolution", "dimensions", "width", "height"},
}  # fmt: skip
_LEAST_LIKENESS = 0.75


def meant_property(name: str, properties: Sequence[str]) -> str | None:
    """Return the property of a contract that an app may have meant by another name; None where there is none like it."""
    plain = _plain(name)
    spelt = next((known for known in properties if _plain(known) == plain), None)
    if spelt is not None:
        return spelt
    fields = request_fields(dict.fromkeys(properties))
    for field, names in _ELSEWHERE.items():
        if plain in names and getattr(fields, field) is not None:
            known: str = getattr(fields, field)
            return known
    return next(iter(difflib.get_close_matches(name[:60], properties, 1, _LEAST_LIKENESS)), None)


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name[:60])).lower()


class ImagePrice(NamedTuple):
    """The price of one picture in credits, and the credits that a dollar buys; None where the contract does not say."""

    credits: int | None
    credits_per_usd: int | None


def image_price(extensions: Mapping[str, Any]) -> ImagePrice:
    """Read ``x-price`` from the extensions of an operation; what is not a positive whole number is left out."""
    price = extensions.get("x-price")
    stated = price if is_object(price) else {}
    return ImagePrice(_positive(stated.get("credits")), _positive(stated.get("credits-per-usd")))


def image_sizes(extensions: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Read ``x-sizes`` from the extensions of an operation: width and height in pixels by aspect ratio; malformed ones are left out."""
    sizes = extensions.get("x-sizes")
    pairs = {
        ratio: tuple(_positive(side) for side in size)
        for ratio, size in (sizes.items() if is_object(sizes) else ())
        if is_array(size)
    }
    return {ratio: (pair[0], pair[1]) for ratio, pair in pairs.items() if len(pair) == 2 and pair[0] and pair[1]}


def _positive(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None

"""Arguments of an edit, and their encoding as a JSON request body."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from bodydouble_client._errors import ArgumentError
from bodydouble_client._image_input import ImageInput, encode_image
from bodydouble_client._values import Readable, describe, is_buffer, is_encodable, is_iterable, is_mapping, shorten

MODEL = "google/gemini-2.5-flash-image-edit"

AspectRatio: TypeAlias = Literal["21:9", "1:1", "4:3", "3:2", "2:3", "5:4", "4:5", "3:4", "16:9", "9:16"]
ASPECT_RATIOS: tuple[str, ...] = get_args(AspectRatio)

_IMAGE_COUNTS = (1, 2, 3, 4)
_RESERVED_PROPERTIES = ("model", "prompt", "image_urls", "aspect_ratio", "num_images", "provider")


@dataclass(frozen=True, slots=True)
class Job:
    """The arguments of one ``edit()``, for ``edit_many()``. They are checked when the job runs."""

    prompt: str
    images: Iterable[ImageInput]
    aspect_ratio: AspectRatio | None = None
    num_images: int | None = None
    provider: str | None = None
    extra: Mapping[str, Any] | None = None


def encode_job(job: Job) -> bytes:
    """Return the job as a JSON body in UTF-8, without the arguments that are None.

    Raises ArgumentError, naming the argument, for a value that the contract does not allow or JSON cannot express.
    """
    body: dict[str, Any] = {
        "model": MODEL,
        "prompt": _text("prompt", job.prompt),
        "image_urls": [encode_image(f"images[{index}]", image) for index, image in enumerate(_images(job.images))],
    }
    if job.aspect_ratio is not None:
        body["aspect_ratio"] = _one_of("aspect_ratio", job.aspect_ratio, ASPECT_RATIOS, str)
    if job.num_images is not None:
        body["num_images"] = _one_of("num_images", job.num_images, _IMAGE_COUNTS, int)
    if job.provider is not None:
        body["provider"] = _text("provider", job.provider)
    if job.extra is not None:
        body.update(_extra(job.extra))
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ArgumentError(f"{name} must be a str, not {type(value).__name__}", argument=name)
    if not is_encodable(value):
        raise ArgumentError(
            f"{name} contains a lone surrogate, which UTF-8 cannot encode: {describe(value)}", argument=name
        )
    return value


def _one_of(name: str, value: object, allowed: tuple[Any, ...], value_type: type) -> Any:
    if isinstance(value, value_type) and not isinstance(value, bool) and value in allowed:
        return value
    raise ArgumentError(
        f"{name} must be one of {', '.join(map(repr, allowed))}, not {describe(value)}", argument=name, allowed=allowed
    )


def _images(images: object) -> list[Any]:
    is_single = isinstance(images, (str, Readable)) or is_buffer(images)
    if is_single or not is_iterable(images) or is_mapping(images):
        raise ArgumentError(
            f"images must be a list of images, not {type(images).__name__}; put a single image into a list",
            argument="images",
        )
    return list(images)


def _extra(extra: object) -> dict[str, Any]:
    if not is_mapping(extra):
        raise ArgumentError(f"extra must be a mapping, not {type(extra).__name__}", argument="extra")
    values: dict[Any, Any] = dict(extra)
    for key in values:
        if not isinstance(key, str):
            raise ArgumentError(f"extra has the key {describe(key)}; keys must be str", argument="extra")
        if key in _RESERVED_PROPERTIES:
            raise ArgumentError(
                f"extra must not contain {key!r}: the client sets it, or it has its own argument",
                argument="extra",
            )
    reason = _not_json(values)
    if reason is not None:
        raise ArgumentError(f"extra cannot be sent as JSON ({reason})", argument="extra")
    return values


def _not_json(value: object) -> str | None:
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except RecursionError:
        return "it is nested too deeply"
    except (TypeError, ValueError) as error:
        return shorten(str(error))
    return None

"""Calls of the client as data: the contract's requests in every form that the client accepts."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

from bodydouble_spec import Contract, Operation, is_object
from hypothesis import strategies as st

from bodydouble_contract_tests.schema import picture_bytes
from bodydouble_contract_tests.strategies import boundary_cases, choice, requests

__all__ = [
    "ClientCall",
    "InputPicture",
    "boundary_calls",
    "calls",
]

Form = Literal["text", "bytes", "bytearray", "memoryview", "file object", "path", "path as text", "Pillow image"]
_IN_MEMORY: tuple[Form, ...] = ("bytes", "bytearray", "memoryview", "file object", "Pillow image")
_ON_DISK: tuple[Form, ...] = ("path", "path as text")


@dataclass(frozen=True, slots=True)
class InputPicture:
    """An input picture and the form in which it is passed to the client: a text as it is, or the bytes of a picture file."""

    form: Form
    text: str = ""
    data: bytes = b""
    path: Path = Path()

    def argument(self) -> Any:
        """Return the argument for the client. It is made anew each time, because a file object can be read only once."""
        match self.form:
            case "text":
                return self.text
            case "bytes":
                return self.data
            case "bytearray":
                return bytearray(self.data)
            case "memoryview":
                return memoryview(self.data)
            case "file object":
                return BytesIO(self.data)
            case "path":
                return self.path
            case "path as text":
                return str(self.path)
            case "Pillow image":
                from PIL import Image

                return Image.open(BytesIO(self.data))

    def matches(self, text: str) -> bool:
        """Tell whether a text in a request is this picture: the same text, or a data URI of the same bytes or, for a PNG, the same pixels."""
        if self.form == "text":
            return text == self.text
        head, _, payload = text.partition(";base64,")
        data = base64.b64decode(payload)
        if self.form == "Pillow image":
            return head == "data:image/png" and _pixels(data) == _pixels(self.data)
        return head.startswith("data:image/") and data == self.data

    def as_text(self) -> str:
        """Return a text for the picture, for a request body."""
        if self.form == "text":
            return self.text
        return f"data:image/png;base64,{base64.b64encode(self.data).decode()}"


@dataclass(frozen=True, slots=True)
class ClientCall:
    """The arguments of one ``edit`` call, as data that can be used for several calls. An invalid call may have any value in any argument."""

    prompt: Any
    images: Any
    aspect_ratio: Any = None
    num_images: Any = None
    provider: Any = None
    extra: Any = None

    def arguments(self) -> dict[str, Any]:
        """Return the arguments by name, as the client takes them."""
        images = self.images
        if isinstance(images, tuple):
            images = [image.argument() if isinstance(image, InputPicture) else image for image in self.images]
        arguments = {item.name: getattr(self, item.name) for item in fields(self)}
        return {**arguments, "images": images}

    def body(self) -> dict[str, Any]:
        """Return the request properties of a valid call, without the model and with each picture as a text."""
        optional = {name: getattr(self, name) for name in ("aspect_ratio", "num_images", "provider")}
        return {
            "prompt": self.prompt,
            "image_urls": [picture.as_text() for picture in self.images],
            **{name: value for name, value in optional.items() if value is not None},
            **(self.extra or {}),
        }


def calls(
    contract: Contract, operation: Operation | None = None, folder: Path | None = None
) -> st.SearchStrategy[ClientCall]:
    """Return a strategy for valid calls of the client, made from the bodies of `requests`.

    Pictures come as texts, as bytes of each kind, as file objects and as Pillow images. With a ``folder``, a few are written there and passed as
    paths. Properties without an argument of their own go into ``extra``, together with other JSON of any shape. A fractional number of images
    is left out, because the client's types exclude it.
    """
    operation = operation or contract.operation()
    calls_with_bodies = st.builds(
        _as_call,
        requests(contract, operation).filter(_is_expressible),
        st.lists(choice(_local_pictures(folder)), max_size=2),
        st.one_of(st.just({}), _extra_properties()),
    )
    return calls_with_bodies.filter(lambda pair: not operation.validate_request(pair[0])).map(_call_of)


def boundary_calls(
    contract: Contract, operation: Operation | None = None, folder: Path | None = None
) -> tuple[ClientCall, ...]:
    """Return a fixed list of valid calls.

    It has every valid case of `boundary_cases` that the client's arguments can express, and every form of a picture.
    """
    bodies = [case.body for case in boundary_cases(contract, operation) if case.valid and _is_expressible(case.body)]
    calls_with_bodies = [_as_call(body, [], {})[1] for body in bodies]
    return (
        *calls_with_bodies,
        *(replace(calls_with_bodies[0], images=(picture,)) for picture in _local_pictures(folder)),
    )


def _as_call(body: Mapping[str, Any], pictures: list[InputPicture], extra: Mapping[str, Any]) -> tuple[Any, ClientCall]:
    """Convert a body to a call, add pictures and extra properties, and return the call's request body and the call."""
    rest = {name: value for name, value in extra.items() if name not in _NAMED} | dict(body)
    model = {"model": rest.pop("model")} if "model" in rest else {}
    count = rest.pop("num_images", None)
    call = ClientCall(
        prompt=rest.pop("prompt", ""),
        images=(*(InputPicture("text", text) for text in rest.pop("image_urls", ())), *pictures),
        aspect_ratio=rest.pop("aspect_ratio", None),
        num_images=None if count is None else int(count),
        provider=rest.pop("provider", None),
        extra=rest or None,
    )
    return model | call.body(), call


def _call_of(pair: tuple[Any, ClientCall]) -> ClientCall:
    return pair[1]


def _is_expressible(body: Any) -> bool:
    count = body.get("num_images") if is_object(body) else 0.5
    return count is None or count == int(count)


_NAMED = {"model", "prompt", "image_urls", "aspect_ratio", "num_images", "provider"}


def _extra_properties() -> st.SearchStrategy[dict[str, Any]]:
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    values: st.SearchStrategy[Any] = st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=5
    )
    return st.dictionaries(st.text(), values, max_size=2)


def _local_pictures(folder: Path | None) -> list[InputPicture]:
    found: list[InputPicture] = []
    for kind, (first, *_) in picture_bytes().items():
        found += [InputPicture(form, data=first) for form in _IN_MEMORY]
        if folder is not None:
            path = folder / f"picture.{kind}"
            path.write_bytes(first)
            found += [InputPicture(form, data=first, path=path) for form in _ON_DISK]
    return found


def _pixels(data: bytes) -> bytes:
    from PIL import Image

    with Image.open(BytesIO(data)) as picture:
        return picture.convert("RGBA").tobytes()

"""Calls that an app makes through the client, as data: the contract's requests, in every form in which the client takes them."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

from bodydouble_spec import Contract, Operation, is_object
from hypothesis import strategies as st

from bodydouble_contract_tests._boundary import boundary_cases
from bodydouble_contract_tests._choice import choice
from bodydouble_contract_tests._pictures import picture_bytes
from bodydouble_contract_tests._requests import requests

__all__ = ["Call", "Picture", "boundary_calls", "calls"]

Form = Literal["text", "bytes", "bytearray", "memoryview", "file object", "path", "path as text", "Pillow image"]
_IN_MEMORY: tuple[Form, ...] = ("bytes", "bytearray", "memoryview", "file object", "Pillow image")
_ON_DISK: tuple[Form, ...] = ("path", "path as text")


@dataclass(frozen=True, slots=True)
class Picture:
    """One input picture and the form in which the app hands it over: a text as it is, or a picture file's bytes."""

    form: Form
    text: str = ""
    data: bytes = b""
    path: Path = Path()

    def hand_over(self) -> Any:
        """The argument itself, made anew each time: a file object can be read once only."""
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

    def arrives_as(self, text: str) -> bool:
        """Whether this text is the picture: the same text, a data URI of the same bytes, or of a PNG with the same pixels."""
        if self.form == "text":
            return text == self.text
        head, _, payload = text.partition(";base64,")
        data = base64.b64decode(payload)
        if self.form == "Pillow image":
            return head == "data:image/png" and _pixels(data) == _pixels(self.data)
        return head.startswith("data:image/") and data == self.data

    def plainest_text(self) -> str:
        """A text that stands for the picture in a body of the contract."""
        if self.form == "text":
            return self.text
        return f"data:image/png;base64,{base64.b64encode(self.data).decode()}"


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of one ``edit``, as data that serves for several calls. A wrong call may have anything in any of them."""

    prompt: Any
    images: Any
    aspect_ratio: Any = None
    num_images: Any = None
    provider: Any = None
    extra: Any = None

    def arguments(self) -> dict[str, Any]:
        """The arguments by name, as the client takes them."""
        images = self.images
        if isinstance(images, tuple):
            images = [image.hand_over() if isinstance(image, Picture) else image for image in self.images]
        arguments = {item.name: getattr(self, item.name) for item in fields(self)}
        return {**arguments, "images": images}

    def body(self) -> dict[str, Any]:
        """What a valid call means, as properties of the contract: without the model, with each picture as a text."""
        optional = {name: getattr(self, name) for name in ("aspect_ratio", "num_images", "provider")}
        return {
            "prompt": self.prompt,
            "image_urls": [picture.plainest_text() for picture in self.images],
            **{name: value for name, value in optional.items() if value is not None},
            **(self.extra or {}),
        }


def calls(
    contract: Contract, operation: Operation | None = None, folder: Path | None = None
) -> st.SearchStrategy[Call]:
    """Valid calls through the client: the bodies of `requests`, said in the client's arguments.

    Pictures come as texts, as bytes of each kind, as file objects and as Pillow images, and, where there is a ``folder`` to write a few
    into, as paths; properties that no argument is for go into ``extra``, beside further JSON of any shape. Left out is what the client's
    own types rule out: a fractional number of images.
    """
    operation = operation or contract.operation()
    said = st.builds(
        _said,
        requests(contract, operation).filter(_is_sayable),
        st.lists(choice(_local_pictures(folder)), max_size=2),
        st.one_of(st.just({}), _further()),
    )
    return said.filter(lambda pair: not operation.validate_request(pair[0])).map(_second)


def boundary_calls(
    contract: Contract, operation: Operation | None = None, folder: Path | None = None
) -> tuple[Call, ...]:
    """Every valid case of `boundary_cases` that the client's arguments can say, and every form of a picture: the same calls every time."""
    bodies = [case.body for case in boundary_cases(contract, operation) if case.valid and _is_sayable(case.body)]
    said = [_said(body, [], {})[1] for body in bodies]
    return (*said, *(replace(said[0], images=(picture,)) for picture in _local_pictures(folder)))


def _said(body: Mapping[str, Any], pictures: list[Picture], further: Mapping[str, Any]) -> tuple[Any, Call]:
    """A body in the client's arguments, and what they make of it together with the pictures and the further properties."""
    rest = {name: value for name, value in further.items() if name not in _NAMED} | dict(body)
    model = {"model": rest.pop("model")} if "model" in rest else {}
    count = rest.pop("num_images", None)
    call = Call(
        prompt=rest.pop("prompt", ""),
        images=(*(Picture("text", text) for text in rest.pop("image_urls", ())), *pictures),
        aspect_ratio=rest.pop("aspect_ratio", None),
        num_images=None if count is None else int(count),
        provider=rest.pop("provider", None),
        extra=rest or None,
    )
    return model | call.body(), call


def _second(pair: tuple[Any, Call]) -> Call:
    return pair[1]


def _is_sayable(body: Any) -> bool:
    count = body.get("num_images") if is_object(body) else 0.5
    return count is None or count == int(count)


_NAMED = {"model", "prompt", "image_urls", "aspect_ratio", "num_images", "provider"}


def _further() -> st.SearchStrategy[dict[str, Any]]:
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    values: st.SearchStrategy[Any] = st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=5
    )
    return st.dictionaries(st.text(), values, max_size=2)


def _local_pictures(folder: Path | None) -> list[Picture]:
    found: list[Picture] = []
    for kind, (first, *_) in picture_bytes().items():
        found += [Picture(form, data=first) for form in _IN_MEMORY]
        if folder is not None:
            path = folder / f"picture.{kind}"
            path.write_bytes(first)
            found += [Picture(form, data=first, path=path) for form in _ON_DISK]
    return found


def _pixels(data: bytes) -> bytes:
    from PIL import Image

    with Image.open(BytesIO(data)) as picture:
        return picture.convert("RGBA").tobytes()

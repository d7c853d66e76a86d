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
        """Return the argument for the client. It is made each time, because a file object can be read only once."""
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
                # It is read from where it stands, which need not be its beginning.
                file = BytesIO(self.data * 2)
                file.seek(len(self.data))
                return file
            case "path":
                return self.path
            case "path as text":
                return str(self.path)
            case "Pillow image":
                from PIL import Image

                return Image.open(BytesIO(self.data))

    def matches(self, text: str) -> bool:
        """Tell whether a text in a request is this picture: the same text, or a data URI of the same bytes (of a Pillow image: pixels) and their type."""
        if self.form == "text":
            return text == self.text
        head, _, payload = text.partition(";base64,")
        data = base64.b64decode(payload)
        if self.form == "Pillow image":
            return head == "data:image/png" and _pixels(data) == _pixels(self.data)
        return data == self.data and head == f"data:{_media_type(data)}"

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
    paths. One prompt in twenty is far longer than those of `requests`, up to 28,000 characters, and its call has each picture twice. Properties without an argument of their own go into ``extra``, together with other JSON of any shape. A fractional number of images
    is left out, because the client's types exclude it.
    """
    operation = operation or contract.operation()
    calls_with_bodies = st.builds(
        _as_call,
        requests(contract, operation).filter(_is_expressible),
        st.lists(choice(_local_pictures(folder)), max_size=2),
        st.one_of(st.just({}), _extra_properties()),
        st.sampled_from([1] * 19 + [*_REPETITIONS]),
    )
    return calls_with_bodies.filter(lambda pair: not operation.validate_request(pair[0])).map(_call_of)


def boundary_calls(
    contract: Contract, operation: Operation | None = None, folder: Path | None = None
) -> tuple[ClientCall, ...]:
    """Return a fixed list of valid calls.

    It has every valid case of `boundary_cases` that the client's arguments can express, every form of a picture, and calls that show a client
    which tidies up: long prompts, prompts with blanks, line breaks and combining characters, equal and many pictures, and odd properties.
    """
    operation = operation or contract.operation()
    bodies = [case.body for case in boundary_cases(contract, operation) if case.valid and _is_expressible(case.body)]
    calls_with_bodies = [_as_call(body, [], {})[1] for body in bodies]
    return (
        *calls_with_bodies,
        *(replace(calls_with_bodies[0], images=(picture,)) for picture in _local_pictures(folder)),
        *(call for call in _untidy_calls(calls_with_bodies[0]) if _is_allowed(operation, call, bodies[0])),
    )


# The units of long prompts end in a digit, so that a cut is seen wherever it is.
_REPETITIONS = (4, 20)
_UNTIDY_PROMPTS = (
    *("".join(f"{number:06} " for number in range(count)) for count in (200, 750, 3_000, 30_000)),
    " blank around\t",
    "\ufeffone\r\ntwo\rthree\n\n\u2028four\u00a0five  six",
    "e\u0301 \ufb01 \u212b \u00bd \uff21",
    "ALL CAPITALS, \"quotes\", 'quotes' \u201cquotes\u201d \\n \\u0041 %41 &amp; <b> \x7f \x00",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f98a \u05e9\u05dc\u05d5\u05dd \u65e5\u672c",
)
_UNTIDY_PICTURES = (
    "https://Example.com:443/A%20b.PNG?x=1&x=2&y=%2F#part",
    "http://example.com/a//b/../c.png?",
    "https://example.com/a.png",
    "data:image/svg+xml;charset=utf-8;base64,PHN2Zy8+",
)
_UNTIDY_EXTRA: dict[str, Any] = {
    "nothing": None,
    "no": False,
    "zero": 0,
    "float": 2.0,
    "fraction": 0.1,
    "large": 2**63 - 1,
    "text": "",
    "list": [],
    "object": {},
    "Nested Key": {"a": [{"b": [None, 1.0, "\u00e9"]}]},
    "\u043a\u043b\u044e\u0447": "1",
}


def _untidy_calls(call: ClientCall) -> list[ClientCall]:
    """Return calls whose values a client could tidy up, shorten or leave out, although it must not."""
    pictures = tuple(InputPicture("text", text) for text in _UNTIDY_PICTURES)
    return [
        *(replace(call, prompt=prompt) for prompt in _UNTIDY_PROMPTS),
        *(replace(call, images=images) for images in (pictures, pictures[2:3] * 3, pictures[::-1] * 4)),
        *(replace(call, num_images=count) for count in (1, 2, 3, 4)),
        *(replace(call, provider=provider) for provider in ("Auto", "GOOGLE", " fal ")),
        *(replace(call, extra={name: value}) for name, value in _UNTIDY_EXTRA.items()),
        replace(call, extra=_UNTIDY_EXTRA),
    ]


def _is_allowed(operation: Operation, call: ClientCall, body: Any) -> bool:
    """Tell whether the contract allows the request of a call, with the model of a valid body."""
    model = {"model": body["model"]} if "model" in body else {}
    return not operation.validate_request(model | call.body())


def _as_call(
    body: Mapping[str, Any], pictures: list[InputPicture], extra: Mapping[str, Any], repetitions: int = 1
) -> tuple[Any, ClientCall]:
    """Convert a body to a call, add pictures and extra properties, and return the call's request body and the call.

    With more than one of the ``repetitions``, each makes the prompt 1,400 characters longer, and each picture is there twice.
    """
    rest = {name: value for name, value in extra.items() if name not in _NAMED} | dict(body)
    model = {"model": rest.pop("model")} if "model" in rest else {}
    count = rest.pop("num_images", None)
    prompt = rest.pop("prompt", "")
    images = (*(InputPicture("text", text) for text in rest.pop("image_urls", ())), *pictures)
    call = ClientCall(
        prompt=prompt if repetitions == 1 else _UNTIDY_PROMPTS[0] * repetitions + prompt,
        images=images if repetitions == 1 else images * 2,
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


def _media_type(data: bytes) -> str | None:
    from PIL import Image

    with Image.open(BytesIO(data)) as picture:
        return Image.MIME.get(picture.format or "")


def _pixels(data: bytes) -> bytes:
    from PIL import Image

    with Image.open(BytesIO(data)) as picture:
        return picture.convert("RGBA").tobytes()

"""Field mapping of image operations: the properties that hold the prompt, the pictures, their number, aspect ratio and cost.

The contract names its properties; this module maps the names to their purpose. The rest of the server is generic.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson
from bodydouble_spec import Operation, is_array, is_object, is_plain_json
from bodydouble_spec.image_fields import (
    BASE64,
    CREDITS,
    CREDITS_HEADER,
    MEDIA_TYPES,
    PICTURES,
    URL,
    URL_SWITCH,
    USD,
    USD_HEADER,
    image_price,
    image_sizes,
    request_fields,
)

from bodydouble_mockserver.answer.sample import sample
from bodydouble_mockserver.asgi import Headers

__all__ = ["Cost", "EditRequest", "ImageFields", "ImageLink"]

# A placeholder for a URL in a prepared body; no text of a contract contains it.
_URL_PLACEHOLDER = "\N{OBJECT REPLACEMENT CHARACTER}url\N{OBJECT REPLACEMENT CHARACTER}"
# Without a maximum in the contract, this bounds the work of one call.
_MAX_IMAGES = 16


# These classes are not frozen: creating a frozen instance takes three times as long, on every request.
@dataclass(slots=True)
class EditRequest:
    """The parameters of one request: ``count`` pictures of ``ratio`` ("16:9", or None) from ``inputs`` (URLs or Base64) and a prompt."""

    model: str
    prompt: str
    inputs: tuple[str, ...]
    count: int
    ratio: str | None
    as_base64: bool


@dataclass(slots=True)
class Cost:
    """The cost of a call, and its headers; ``usd`` is None when the contract has no value for a credit."""

    credits: int | None
    usd: float | None
    headers: Headers = field(default_factory=list[tuple[bytes, bytes]])


@dataclass(slots=True)
class ImageLink:
    """One picture of an answer; ``base64`` is None unless the body embeds the picture, ``size`` is its number of bytes where known."""

    url: str
    file_name: str
    base64: str | None = None
    size: int | None = None


class ImageFields:
    """Reads requests and writes success bodies of one operation, by its contract and one dialect.

    A dialect is ``documented``, which follows the schema, or the name of an example in the contract.
    """

    def __init__(self, operation: Operation, published: Mapping[str, Any] | None, dialect: str) -> None:
        properties: Mapping[str, Any] = (operation.request_schema or {}).get("properties", {})
        names = request_fields(properties)
        self._prompt, self._inputs, self._count, self._ratio = names.prompt, names.inputs, names.count, names.ratio
        self._default_ratio: Any = properties[self._ratio].get("default") if self._ratio else None
        self._default_count: Any = properties[self._count].get("default", 1) if self._count else 1
        self._has_url_switch = URL_SWITCH in properties
        self.sizes = image_sizes(operation.extensions)
        self.model = next(iter(properties.get("model", {}).get("enum", ())), "")
        self._credits, self._credits_per_usd = image_price(operation.extensions)
        self._template = self._choose_template(operation, published, dialect)
        self.needs_size = _has_property(self._template, "file_size")
        self._pieces: dict[int, list[bytes]] = {}
        self._costs: dict[int, Cost] = {}
        # Without a Base64 field in the contract, an answer always has URLs.
        self.has_base64 = _has_property(self._template, BASE64)
        # This covers the text between the URLs; the journal checks the URLs of each call.
        self.needs_no_redaction = is_plain_json(orjson.dumps(self._template), self._template)
        self.has_images = _has_property(self._template, URL) or self.has_base64

    def _choose_template(self, operation: Operation, published: Mapping[str, Any] | None, dialect: str) -> Any:
        response = operation.response(operation.success_status)
        examples = {} if response is None else dict(response.examples)
        if dialect in examples and dialect != "documented":
            return examples[dialect]
        schema = operation.response_schema(operation.success_status)
        if schema is None:
            return {}
        with_examples = sample(schema, published)
        validator = None if response is None else response.content.get("application/json")
        return with_examples if validator is None or validator.is_valid(with_examples) else sample(schema)

    def read(self, body: Mapping[str, Any]) -> EditRequest:
        """Read the parameters of a valid request body; a fractional number of images is rounded down (assumed)."""
        inputs = (body.get(self._inputs) or ()) if self._inputs else ()
        ratio = body.get(self._ratio, self._default_ratio) if self._ratio else None
        return EditRequest(
            str(body.get("model", self.model)),
            str(body.get(self._prompt, "")) if self._prompt else "",
            (inputs,) if isinstance(inputs, str) else tuple([item for item in inputs if isinstance(item, str)]),
            self.count(body),
            ratio if isinstance(ratio, str) else None,
            self.wants_base64(body),
        )

    def wants_base64(self, body: Mapping[str, Any]) -> bool:
        """Return whether a request asks for its pictures as Base64."""
        return body.get("response_format") == BASE64 or (self._has_url_switch and body.get(URL_SWITCH) is False)

    def count(self, body: Mapping[str, Any]) -> int:
        """Return the number of pictures that a request asks for."""
        if self._count is None:
            return 1
        asked = body.get(self._count, self._default_count)
        return max(1, min(int(asked), _MAX_IMAGES)) if isinstance(asked, int | float) else 1

    def cost(self, count: int) -> Cost:
        """Return the cost of ``count`` pictures (price times number: assumed); its fields are None where the contract has no price."""
        cost = self._costs.get(count)
        if cost is None:
            cost = self._costs[count] = self._price(count)
        return cost

    def _price(self, count: int) -> Cost:
        if self._credits is None:
            return Cost(None, None, [])
        total = self._credits * count
        headers = [(CREDITS_HEADER.encode(), b"%d" % total)]
        usd = total / self._credits_per_usd if self._credits_per_usd else None
        if usd is not None:
            headers.append((USD_HEADER.encode(), b"%.9f" % usd))
        return Cost(total, usd, headers)

    def write(self, links: list[ImageLink], cost: Cost, seed: int) -> Any:
        """Build the success body, with one item for each link."""
        return _fill(self._template, links, links[0], cost, seed)

    @cached_property
    def has_pieces(self) -> bool:
        """True when only the URLs of a success body depend on the request, so that `join_pieces` can build it."""
        return self.has_images and len(self._prepare(1)) == 2

    def join_pieces(self, origin: str, paths: Sequence[str]) -> bytes:
        """Join the success body as JSON from prepared pieces, in a tenth of the time of `write`; requires `has_pieces`."""
        count = len(paths)
        pieces = self._pieces.get(count)
        if pieces is None:
            pieces = self._pieces[count] = self._prepare(count)
        parts = [pieces[0]]
        for path, piece in zip(paths, pieces[1:], strict=True):
            parts += (orjson.dumps(origin + path), piece)
        return b"".join(parts)

    def _prepare(self, count: int) -> list[bytes]:
        """Return the pieces between the URLs of a body with ``count`` pictures; a single piece when it cannot be prepared."""
        links = [ImageLink(_URL_PLACEHOLDER, "")] * count
        first, second = (self.write(links, self.cost(count), seed) for seed in (1, 2))
        is_fixed = first == second and not _has_property(self._template, "file_name") and not self.needs_size
        pieces = orjson.dumps(first).split(orjson.dumps(_URL_PLACEHOLDER)) if is_fixed else []
        return pieces if len(pieces) == count + 1 else [b""]


def _has_property(template: Any, name: str) -> bool:
    if is_object(template):
        return name in template or any(_has_property(value, name) for value in template.values())
    return is_array(template) and any(_has_property(item, name) for item in template)


def _fill(template: Any, links: list[ImageLink], link: ImageLink, cost: Cost, seed: int) -> Any:
    if is_array(template):
        if template and is_object(template[0]) and PICTURES & template[0].keys():
            return [_fill(template[0], links, one, cost, seed) for one in links]
        return [_fill(item, links, link, cost, seed) for item in template]
    if is_object(template):
        return {name: _property(name, value, links, link, cost, seed) for name, value in template.items()}
    return template


def _property(name: str, value: Any, links: list[ImageLink], link: ImageLink, cost: Cost, seed: int) -> Any:
    if name == URL:
        return link.url or None
    if name == BASE64:
        return link.base64
    if name in CREDITS:
        return value if cost.credits is None else cost.credits
    if name == USD:
        return value if cost.usd is None else cost.usd
    if name in MEDIA_TYPES:
        return "image/png"
    if name == "file_name":
        return link.file_name
    if name == "file_size":
        return value if link.size is None else link.size
    if name == "seed":
        return seed
    return _fill(value, links, link, cost, seed)

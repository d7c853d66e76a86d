"""Field mapping of image operations: the properties of a request that hold the prompt, the pictures, their number and aspect ratio; the price.

The contract names its properties; this module maps the names to their purpose. The rest of the server is generic.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bodydouble_spec import Operation, is_array, is_object
from bodydouble_spec.image_fields import (
    CREDITS_HEADER,
    URL_SWITCH,
    USD_HEADER,
    image_price,
    image_sizes,
    request_fields,
)
from bodydouble_spec.schema import SchemaView

from bodydouble_mockserver.asgi import Headers

__all__ = ["Cost", "EditRequest", "ImageFields", "MediaLink"]

_AS_BASE64 = "pictures-as-base64"
# Whatever the contract allows, this bounds the work of one call.
_MAX_IMAGES = 100


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
class MediaLink:
    """One picture or other medium of an answer.

    ``base64`` is None unless the body embeds it, ``size`` is its number of bytes where known, and ``is_shown`` tells whether the URL is wanted.
    """

    url: str
    file_name: str
    base64: str | None = None
    size: int | None = None
    media_type: str = "image/png"
    is_shown: bool = True


class ImageFields:
    """Reads requests of one operation, and its price, by its contract."""

    def __init__(self, operation: Operation) -> None:
        view = _request_view(operation)
        names = request_fields(view.property_names)
        self._prompt, self._inputs, self._count, self._ratio = names.prompt, names.inputs, names.count, names.ratio
        self._default_ratio = _default(view, self._ratio, None)
        self._default_count = _default(view, self._count, 1)
        self._has_url_switch = URL_SWITCH in view.property_names
        obeyed = operation.extensions.get("x-obeyed-properties")
        # The overlay says what the mock does with keys that the contract does not know.
        self._obeyed = {
            name: effects
            for name, effects in (obeyed.items() if is_object(obeyed) else ())
            if is_object(effects) and name not in view.property_names
        }
        self.names = tuple(view.property_names)
        self.sizes = image_sizes(operation.extensions)
        options = view.property("model").options if "model" in view.property_names else None
        self.model = str(options[0]) if options else ""
        self._credits, self._credits_per_usd = image_price(operation.extensions)
        response = operation.response(operation.success_status)
        self._documented = frozenset[str]() if response is None else frozenset(response.headers)
        self._costs: dict[int, Cost] = {}

    def read(self, body: Mapping[str, Any]) -> EditRequest:
        """Read the parameters of a valid request body; a fractional number of images is rounded down (assumed)."""
        inputs = (body.get(self._inputs) or ()) if self._inputs else ()
        ratio = body.get(self._ratio, self._default_ratio) if self._ratio else None
        return EditRequest(
            str(body.get("model", self.model)),
            str(body.get(self._prompt, "")) if self._prompt else "",
            (inputs,)
            if isinstance(inputs, str)
            else tuple([item for item in inputs if isinstance(item, str)])
            if is_array(inputs)
            else (),
            self.count(body),
            ratio if isinstance(ratio, str) else None,
            self.wants_base64(body),
        )

    def wants_base64(self, body: Mapping[str, Any]) -> bool:
        """Return whether a request asks for its pictures as Base64."""
        if self._has_url_switch and body.get(URL_SWITCH) is False:
            return True
        for name, effects in self._obeyed.items():
            value = body.get(name)
            if isinstance(value, str) and effects.get(value) == _AS_BASE64:
                return True
        return False

    def count(self, body: Mapping[str, Any]) -> int:
        """Return the number of pictures that a request asks for."""
        if self._count is None:
            return 1
        asked = body.get(self._count, self._default_count)
        # The comparisons come first: infinity is no whole number.
        return int(max(1, min(asked, _MAX_IMAGES))) if isinstance(asked, int | float) else 1

    def cost(self, count: int) -> Cost:
        """Return the cost of ``count`` pictures (price times number: assumed); its fields are None where the contract has no price."""
        cost = self._costs.get(count)
        if cost is None:
            cost = self._costs[count] = self._price(count)
        return cost

    def _price(self, count: int) -> Cost:
        if self._credits is None:
            # A documented header is sent without a known price too.
            free = ((CREDITS_HEADER, b"0"), (USD_HEADER, b"0.000000000"))
            return Cost(None, None, [(name.encode(), value) for name, value in free if name in self._documented])
        total = self._credits * count
        headers = [(CREDITS_HEADER.encode(), b"%d" % total)]
        usd = total / self._credits_per_usd if self._credits_per_usd else None
        if usd is not None:
            headers.append((USD_HEADER.encode(), b"%.9f" % usd))
        return Cost(total, usd, headers)


def _request_view(operation: Operation) -> SchemaView:
    """Return the view of the JSON body, or of the first other one; of anything where there is none."""
    bodies = (operation.request, *operation.request_bodies.values())
    return next((body.view for body in bodies if body is not None), SchemaView.of({}))


def _default(view: SchemaView, name: str | None, otherwise: Any) -> Any:
    """Return the default of a property, or ``otherwise`` where it has none."""
    return next(iter(view.property(name).values("default")), otherwise) if name is not None else otherwise

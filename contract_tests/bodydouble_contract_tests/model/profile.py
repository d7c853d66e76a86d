"""The profile of one operation, read from its contract; the only module about the peculiarities of image operations.

The contract names its properties; this module knows the meaning of a property with such a name. An operation without these properties
is checked by the contract alone.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import orjson
from bodydouble_spec import (
    Contract,
    Evidence,
    Operation,
    SpecError,
    is_array,
    is_object,
    join_pointer,
    pointer_parts,
    resolve_pointer,
)
from bodydouble_spec.image_fields import (
    BASE64,
    CREDITS,
    PICTURES,
    URL,
    USD,
    image_price,
    image_sizes,
    request_fields,
)
from bodydouble_spec.oracle import Oracle
from bodydouble_spec.schema import SchemaView
from bodydouble_spec.selection import only_operation
from bodydouble_spec.values import template_of

from bodydouble_contract_tests.model.unspecified import KnownValues, is_unspecified_input, known_values, prompt_oddity
from bodydouble_contract_tests.schema import places, request_target, values_at, values_named, whole_request_walker

__all__ = ["AnswerPicture", "CrossValidation", "OperationProfile"]

# The number of cached verdicts: repeated calls get the same answer, and a verdict takes a millisecond.
_KEPT = 64
# jsonschema-rs does not check formats here; openapi-core checks some of them.
_FORMAT_ONLY = "breaks the rule `format`"


class CrossValidation:
    """Validate the answers of one operation with openapi-core; there is no verdict on a document whose version it does not support."""

    def __init__(self, contract: Contract, operation: Operation) -> None:
        try:
            self._oracle: Oracle | None = Oracle(contract)
        except SpecError:
            self._oracle = None
        self._operation = operation
        self._errors = lru_cache(_KEPT)(self._ask)

    def errors(self, status: int, content_type: str, content: bytes) -> tuple[str, ...] | None:
        """Return the faults of an answer, one sentence each; None where the verdict means nothing.

        The two validators are known to differ over numbers like ``1.0``, over digits of other scripts and final newlines (with some schemas),
        and over content that is not JSON. A wrong format is not a fault.
        """
        try:
            body = orjson.loads(content)
        except orjson.JSONDecodeError:
            return None
        if self._oracle is None or any(map(_is_contested, _leaves(body))):
            return None
        return self._errors(status, content_type, content)

    def _ask(self, status: int, content_type: str, content: bytes) -> tuple[str, ...]:
        if self._oracle is None:
            return ()
        messages = self._oracle.response_errors(self._operation, status, content_type, content)
        return tuple(text for text in messages if not text.endswith(_FORMAT_ONLY))


def _leaves(value: Any) -> Iterator[Any]:
    """Yield every scalar in a JSON value, property names included."""
    if is_object(value):
        yield from value
        for item in value.values():
            yield from _leaves(item)
    elif is_array(value):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _is_contested(leaf: Any) -> bool:
    if isinstance(leaf, float):
        return leaf.is_integer()
    if not isinstance(leaf, str):
        return False
    return leaf.endswith("\n") or (
        not leaf.isascii() and any(unicodedata.decimal(one, None) is not None for one in leaf if one > "\x7f")
    )


# The highest number of input pictures seen in applications, for contracts without a bound.
_USUAL_INPUTS = 4
# No service makes more pictures in one call.
_MOST_IMAGES = 100


class AnswerPicture(NamedTuple):
    """One picture of an answer: the JSON pointer of its item (``/data/0``), its URL and its Base64 text, None where either is not a text."""

    pointer: str
    url: str | None
    base64: str | None


class OperationProfile:
    """One operation of a contract, the only one when none is given, as the checks need it.

    ``sizes`` maps an aspect ratio to width and height in pixels (``x-sizes``), ``credits`` is the price of one picture and ``credits_per_usd``
    the credits that a dollar buys (``x-price``), None where the contract has no price. ``whole`` is the contract with the other operations of the
    server, where ``contract`` has only the one. Raises UnknownOperation when there is no single operation.
    """

    def __init__(
        self, contract: Contract, operation: Operation | None = None, *, whole: Contract | None = None
    ) -> None:
        self.contract = contract
        self._whole = whole or contract
        self.operation = operation or contract.operation()
        self.properties = SchemaView.of(self.operation.request_schema).properties
        self.names = request_fields(self.properties)
        self.sizes: Mapping[str, tuple[int, int]] = image_sizes(self.operation.extensions)
        self.credits, self.credits_per_usd = image_price(self.operation.extensions)
        answer = SchemaView.of(self.operation.response_schema(self.operation.success_status))
        known = dict.fromkeys((path, frozenset(view.properties)) for path, view in places(answer))
        picture_items = (path for path, names in known if path[-1:] == ("*",) and not names.isdisjoint(PICTURES))
        self._picture_lists = tuple(dict.fromkeys(path[:-1] for path in picture_items))
        self._costs = tuple(dict.fromkeys(path for path, _ in known if path and path[-1] in CREDITS))

    @classmethod
    def select(cls, contract: Contract, name: str | None = None, model: str | None = None) -> "OperationProfile":
        """Return the profile of one operation of a contract, with one model in its requests where one is given; see `only_operation`."""
        return cls(only_operation(contract, name, model), whole=contract)

    @cached_property
    def cross_validation(self) -> CrossValidation:
        """The second validator, openapi-core, for answers."""
        return CrossValidation(self.contract, self.operation)

    @property
    def usd_per_image(self) -> float | None:
        """The price of one picture in US dollars; None when the contract has no price."""
        return None if not self.credits or not self.credits_per_usd else self.credits / self.credits_per_usd

    @property
    def refusal_status(self) -> int:
        """The status of a refused request: 400, or 422 where the contract documents that one alone."""
        return next((status for status in (400, 422) if str(status) in self.operation.responses), 400)

    @property
    def states_cost(self) -> bool:
        """True when the contract documents the cost of a call in a successful answer."""
        return bool(self._costs)

    @property
    def has_pictures(self) -> bool:
        """True when the contract documents pictures in a successful answer."""
        return bool(self._picture_lists)

    def images_asked(self, body: Any) -> int:
        """Return the number of pictures that a request asks for, at least 1.

        It is the number in the request, rounded down, else the contract's default, else 1.
        """
        asked = self._count(body)
        # A number beyond any budget counts as 1.
        return max(1, int(asked)) if _is_number(asked) and abs(asked) < 1e9 else 1

    def images_promised(self, body: Any) -> int | None:
        """Return the number of pictures that the answer must have; None for a fraction, less than 1 or an absurd number: these are not specified."""
        asked = self._count(body)
        return int(asked) if _is_number(asked) and 1 <= asked <= _MOST_IMAGES and asked == int(asked) else None

    def _count(self, body: Any) -> Any:
        if self.names.count is None:
            return 1
        usual = next(iter(self.properties[self.names.count].values("default")), 1)
        return body.get(self.names.count, usual) if is_object(body) else usual

    def ratio_asked(self, body: Any) -> str | None:
        """Return the aspect ratio of a request, or the contract's default; None where neither has one."""
        if self.names.ratio is None:
            return None
        usual = next(iter(self.properties[self.names.ratio].values("default")), None)
        asked = body.get(self.names.ratio, usual) if is_object(body) else usual
        return asked if isinstance(asked, str) else None

    def pictures(self, answer: Any) -> list[AnswerPicture]:
        """Return the pictures of a parsed success body, where the contract documents them; items that are not objects are left out."""
        return [
            AnswerPicture(pointer, _text(item.get(URL)), _text(item.get(BASE64)))
            for path in self._picture_lists
            for pointer, item in values_at(answer, (*path, "*"))
            if is_object(item)
        ]

    def picture_lists(self, answer: Any) -> list[tuple[str, int]]:
        """Return the lists of pictures of a parsed success body: the JSON pointer of each and its length."""
        return [
            (pointer, len(items))
            for path in self._picture_lists
            for pointer, items in values_at(answer, path)
            if is_array(items)
        ]

    def cost(self, answer: Any) -> tuple[str, float] | None:
        """Return the cost in credits from a parsed success body, where the contract documents it: JSON pointer and amount."""
        stated = (place for path in self._costs for place in values_at(answer, path))
        return next(((pointer, value) for pointer, value in stated if _is_number(value)), None)

    def credits_used(self, answer: Any) -> float | None:
        """Return the credits that a parsed success body states anywhere as the cost; None when it states no number."""
        return _stated(answer, CREDITS)

    def usd_spent(self, answer: Any) -> float | None:
        """Return the US dollars that a parsed success body states anywhere as the cost; None when it states no number."""
        return _stated(answer, (USD,))

    def is_unspecified(self, body: Any) -> bool:
        """Return whether the outcome of a request is not specified, although its contract allows the request.

        That holds for a number of pictures that is not whole or below 1, a value outside the known ones (``x-known-values``), an empty list of input
        pictures or more than four (where the contract has no bound), bare Base64, pictures that cannot be fetched or decoded, prompts that
        are empty, very long or have unusual characters, and requests for an event stream or a callback, which are not examined. The only wrong answer to such
        a request is a 5xx.
        """
        if not is_object(body):
            return False
        names = self.names
        return (
            self.images_promised(body) is None
            or self.operation.unserved_pointer(body) is not None
            or (names.prompt is not None and prompt_oddity(body.get(names.prompt)) is not None)
            or (names.inputs is not None and names.inputs in body and self._are_unspecified(body[names.inputs]))
            or any(known.lacks(body[name]) for name, known in self._known_values.items() if name in body)
        )

    def only_oddity(self, body: Any) -> str | None:
        """Return the oddity of the prompt, as of `prompt_oddity`, where a request has no other value that makes its outcome unspecified."""
        name = self.names.prompt
        oddity = None if name is None or not is_object(body) else prompt_oddity(body.get(name))
        return None if oddity is None or self.is_unspecified({**body, str(name): "-"}) else oddity

    @cached_property
    def target(self) -> tuple[str, dict[str, str]]:
        """Path and headers of every call, with the required parameters of the operation."""
        usual = request_target(self.contract, self.operation)
        return usual.path, dict(usual.headers)

    @cached_property
    def methods(self) -> frozenset[str]:
        """The methods that the contract has at the path of the operation, whatever the names of its parameters."""
        path = template_of(self.operation.path)
        return frozenset(one.method for one in self._whole.operations if template_of(one.path) == path)

    @cached_property
    def _known_values(self) -> Mapping[str, KnownValues]:
        return known_values(self.contract, self.operation)

    def evidence(self, *parts: str) -> Evidence:
        """Return the evidence for a place below the operation in the contract's document."""
        return self.contract.evidence(join_pointer(self.operation.pointer, *parts))

    def is_known(self, *parts: str) -> bool:
        """Return whether a fact of an overlay says a place below the operation."""
        return self.contract.fact(join_pointer(self.operation.pointer, *parts)) is not None

    def source(self, *parts: str) -> str:
        """Return the source of a place below the operation: that of the overlay's fact, else the published contract."""
        fact = self.contract.fact(join_pointer(self.operation.pointer, *parts))
        return "the published contract" if fact is None else fact.source

    def response_key(self, status: int) -> str:
        """Return the key under which the contract documents a status: itself, its class (``4XX``) or ``default``."""
        response = self.operation.response(status)
        return str(status) if response is None else response.status

    def headers(self, status: int) -> Mapping[str, Mapping[str, Any]]:
        """Return the headers that the contract documents for a status, by lower-case name."""
        return self._headers.get(self.response_key(status), {})

    @cached_property
    def _headers(self) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
        responses = self._published("responses")
        return {
            str(key): {name.lower(): item for name, item in response["headers"].items() if is_object(item)}
            for key, response in (responses.items() if is_object(responses) else ())
            if is_object(response) and is_object(response.get("headers"))
        }

    def _published(self, *parts: str) -> Any:
        """Return the value at a place below the operation in the document; None where there is none."""
        try:
            return resolve_pointer(self.contract.document, pointer_parts(join_pointer(self.operation.pointer, *parts)))
        except LookupError:
            return None

    @property
    def cors_exposed(self) -> tuple[str, ...] | None:
        """The headers that pages of other origins may read (``x-cors``); None where the contract says nothing."""
        return _texts(self.operation.extensions.get("x-cors"), "exposed")

    @property
    def cors_allowed(self) -> tuple[str, ...] | None:
        """The request headers that pages of other origins may send (``x-preflight``); None where the contract says nothing."""
        return _texts(self.operation.extensions.get("x-preflight"), "headers")

    @property
    def has_open_pictures(self) -> bool:
        """True when pages of other origins may read the pictures (``x-picture-cors``)."""
        return "x-picture-cors" in self.operation.extensions

    def refusal_statuses(self, body: Any) -> frozenset[int]:
        """Return the statuses for an invalid body where the evidence allows several: one of its values has ``x-refused-with``; else none."""
        allowed: set[int] = set()
        for name, statuses in self._refusal_statuses.items() if is_object(body) else ():
            is_wrong = isinstance(body.get(name), str) and any(
                fault.pointer == join_pointer("", name) for fault in self.operation.validate_request(body)
            )
            allowed |= {self.refusal_status, *statuses} if is_wrong else set()
        return frozenset(allowed)

    @cached_property
    def _refusal_statuses(self) -> Mapping[str, frozenset[int]]:
        schemas = whole_request_walker(self.contract, self.operation)
        found: dict[str, frozenset[int]] = {}
        for name, place in (item for top in schemas.ways(schemas.root) for item in top.properties.items()):
            stated = [statuses for statuses in place.published("x-refused-with") if is_array(statuses)]
            if stated:
                found[name] = frozenset(status for statuses in stated for status in statuses if type(status) is int)
        return found

    def _are_unspecified(self, inputs: Any) -> bool:
        if not is_array(inputs):
            return is_unspecified_input(inputs)
        is_bounded = self.names.inputs is not None and "maxItems" in self.properties[self.names.inputs].limits
        return not inputs or (len(inputs) > _USUAL_INPUTS and not is_bounded) or any(map(is_unspecified_input, inputs))


def _stated(answer: Any, names: tuple[str, ...]) -> float | None:
    return next((value for name in names for value in values_named(answer, name) if _is_number(value)), None)


def _is_number(value: Any) -> bool:
    """Return whether a JSON value is a number; infinity and NaN, which JSON does not have, are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _texts(extension: Any, name: str) -> tuple[str, ...] | None:
    """Return the list of texts under a name of an extension, in lower case; None where there is none."""
    value = extension.get(name) if is_object(extension) else None
    return tuple(item.lower() for item in value if isinstance(item, str)) if is_array(value) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None

"""Read the options of each place of a request from its schema."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from bodydouble_spec.schema import ANYTHING, SchemaView, json_key

from bodydouble_contract_tests.model import OperationProfile
from bodydouble_contract_tests.plan.array import covering_rows
from bodydouble_contract_tests.plan.space import MINIMAL, Factor, Option, Space, split_unsure
from bodydouble_contract_tests.plan.zoo import PROMPTS, base64_pictures, data_uris, input_picture
from bodydouble_contract_tests.schema import NOTHING, Sampler, request_walker
from bodydouble_contract_tests.strategies import Variant, length_variants, number_variants, text_variants

__all__ = ["EXAMPLE_URL", "RequestOptions"]

EXAMPLE_URL = "https://example.com/house.png"
"""A URL for requests whose pictures are not fetched: the domain is reserved for examples."""

# A longer text or list is not worth a paid request.
_LONGEST_TEXT = 5000
_LONGEST_LIST = 32
# Of a short range of whole numbers every one is worth a call, of a list as many lengths.
_MOST_BETWEEN = 8
_USUAL_LENGTHS = (1, 2, 3, 4)
_BOUNDS = {
    "minimum": "minimum", "maximum": "maximum", "exclusiveMinimum+1": "least", "exclusiveMaximum-1": "greatest",
    "minLength": "minLength", "maxLength": "maxLength", "minItems": "minItems", "maxItems": "maxItems",
}  # fmt: skip


class RequestOptions:
    """Read the options of one operation's request body; raises UnsupportedSchema when it takes none.

    ``image_url`` is a picture that the server can fetch. Without it no input picture is given by URL, and ``url_element`` names the element
    that is not proved for that reason. With ``is_cautious``, input pictures are of the usual formats and sizes only.
    """

    def __init__(self, profile: OperationProfile, image_url: str | None, *, is_cautious: bool = False) -> None:
        self._profile = profile
        self._pictures = data_uris(is_cautious=is_cautious)
        self._image_url = image_url
        self._schemas = request_walker(profile.contract, profile.operation)
        self._plain = Sampler(self._schemas)
        self.url_element: str | None = None

    def spaces(self) -> list[Space]:
        """Return one space for each alternative of the request's schema."""
        return [self._space(node) for node in self._schemas.ways(self._schemas.root)]

    def _space(self, node: SchemaView) -> Space:
        images = self._profile.images_asked
        if node.options is None and node.properties and node.likely_types()[0] == "object":
            return Space((*self._factors(node, ""), *self._lengths(node)), self._is_allowed, images)
        options = tuple(self._of_node(node, "body"))
        return Space((Factor("body", options),) if options else (), self._is_allowed, images, is_whole=True)

    def _is_allowed(self, body: Any) -> bool:
        # A request for an event stream or a callback is not examined.
        operation = self._profile.operation
        return operation.unserved_pointer(body) is None and not operation.validate_request(body)

    def _factors(self, node: SchemaView, above: str) -> Iterator[Factor]:
        for name in dict.fromkeys((*node.required, *node.properties)):
            label = f"{above}/{name}" if above else name
            options = self._at(node.property(name), label, is_top=not above)
            if name in node.required:
                if options:
                    yield Factor(name, tuple(options))
                continue
            if options and not any(option.covers for option in options):
                options[0] = replace(options[0], covers=(f"{label} present",))
            absent = f"{label} absent"
            yield Factor(name, (*options, Option(absent, NOTHING, (absent,))))

    def _at(self, place: SchemaView, name: str, *, is_top: bool = False) -> list[Option]:
        nodes = self._schemas.ways(place)
        found: dict[str, Option] = {}
        for number, node in enumerate(nodes, 1):
            role = self._role(name) if is_top else None
            options = [option for option in (role or self._of_node)(node, name) if self._conforms(node, option)]
            if len(nodes) > 1:
                options = [_within(option, f"{name} alternative {number}") for option in options]
            for option in options:
                found.setdefault(option.label, option)
        return list(found.values())

    def _conforms(self, node: SchemaView, option: Option) -> bool:
        return self._schemas.conforms(node, option.value)

    def _role(self, name: str) -> Callable[[SchemaView, str], Iterable[Option]] | None:
        """Return the reader of a property with a meaning in image editing; None for any other."""
        if name == self._profile.names.inputs:
            return self._inputs
        return self._prompts if name == self._profile.names.prompt else None

    def _prompts(self, node: SchemaView, name: str) -> Iterator[Option]:
        """Yield prompts of each class, those with an unspecified outcome apart."""
        is_free = False
        for kind, texts in PROMPTS.items() if node.options is None else ():
            fitting = [text for text in texts if self._schemas.conforms(node, text)]
            for is_odd in (False, True):
                kept = [text for text in fitting if self._profile.is_unspecified({name: text}) is is_odd]
                if kept:
                    is_free = True
                    label = f"{name} {kind}{', unusual' if is_odd else ''}"
                    yield Option(label, kept[0], (label,), others=tuple(kept[1:]))
        yield from (option for option in self._of_node(node, name) if option.covers or not is_free)

    def _inputs(self, node: SchemaView, name: str) -> Iterator[Option]:
        """Yield pictures as data URI, by URL and as bare Base64; `_lengths` varies their number."""
        is_list = not node.properties and "array" in node.types
        if not is_list and "string" not in node.types:
            yield from self._of_node(node, name)
            return
        few = _bounded(max(int(node.limits.get("minItems", 1)), 1), node) if is_list else None
        for label, texts in ((f"{name} as data URI", self._pictures), (f"{name} as bare Base64", base64_pictures())):
            first, *others = (text if few is None else [text] * few for text in texts)
            yield Option(label, first, (label,), others=tuple(others))
        yield from (
            _url_option(element, url if few is None else [url] * few) for element, url in self._url(name, node, few)
        )

    def _lengths(self, top: SchemaView) -> Iterator[Factor]:
        """Yield the number of input pictures as a factor of its own, where they are a list."""
        name = self._profile.names.inputs
        nodes = () if name is None else self._schemas.ways(top.property(name))
        node = next((node for node in nodes if not node.properties and "array" in node.types), None)
        if name is None or node is None:
            return
        least = max(int(node.limits.get("minItems", 1)), 1)
        most = min(int(node.limits.get("maxItems", _LONGEST_LIST)), _LONGEST_LIST)
        found: dict[int, Option] = {}
        for variant in length_variants(node, [input_picture()], self._plain):
            if variant.valid and variant.value and len(variant.value) <= _LONGEST_LIST:
                label = self._length_label(name, variant)
                found[len(variant.value)] = self._option(label, len(variant.value), variant, label)
        for length in _USUAL_LENGTHS:
            if least <= length <= most:
                found.setdefault(length, Option(f"{name} with {length} item{'s' if length > 1 else ''}", length))
        if found:
            yield Factor(f"{name} length", tuple(found[length] for length in sorted(found)), length_of=name)

    def _url(self, name: str, node: SchemaView, count: int | None) -> Iterator[tuple[str, str]]:
        element = f"{name} by URL"
        if self._image_url is not None:
            yield element, self._image_url
        elif self._schemas.conforms(node, "https://example.com" if count is None else ["https://example.com"] * count):
            self.url_element = element

    def _of_node(self, node: SchemaView, name: str) -> Iterator[Option]:
        if node.options is not None:
            evidence = self._profile.contract.evidence(node.origin("const" if "const" in node.origins else "enum"))
            for value in node.options:
                label = f"{name}={_text(value)}"
                yield Option(label, value, (label,), evidence)
            return
        kinds = node.likely_types() if node.types != ANYTHING or node.origins else []
        for kind in kinds:
            options = list(self._of_type(kind, node, name))
            if len(kinds) > 1 and options and not any(option.covers for option in options):
                options[0] = _within(options[0], f"{name} as {kind}")
            yield from options
        if not kinds:
            plain = next(self._plain.of(node), NOTHING)
            yield from () if plain is NOTHING else (Option(name, plain),)

    def _of_type(self, kind: str, node: SchemaView, name: str) -> list[Option]:
        """Return the options of one JSON type, with a simple value first that other calls can use."""
        plain = self._plain.of_type(kind, node)
        if plain is NOTHING:
            return []
        match kind:
            case "object":
                return self._objects(node, plain, name)
            case "array":
                made = list(self._lists(node, plain, name))
            case "boolean":
                return [Option(f"{name}={_text(value)}", value, (f"{name}={_text(value)}",)) for value in (True, False)]
            case "null":
                return [Option(f"{name}=null", None, (f"{name}=null",))]
            case "string":
                made = [*self._known(node, name), *self._bounds(name, text_variants(node, plain))]
            case _:
                made = list(self._bounds(name, number_variants(node, plain)))
                made += self._between(node, name, [option.value for option in made])
        if any(json_key(option.value) == json_key(plain) for option in made):
            return made
        label = name if isinstance(plain, str | list) else f"{name}={_text(plain)}"
        return [Option(label, plain), *made]

    def _objects(self, node: SchemaView, plain: dict[str, Any], name: str) -> list[Option]:
        if not node.properties:
            return [Option(name, plain), *self._entries(node, plain, name)]
        whole = Space(tuple(self._factors(node, name)), lambda value: self._schemas.conforms(node, value))
        space, unsure, _ = split_unsure(whole, lambda _: True)
        rows = covering_rows(space)
        names = [f"{name} {MINIMAL}" if row.name == MINIMAL else row.name for row in rows]
        made = [Option(one, row.value, row.covers) for one, row in zip(names, rows, strict=True)]
        return [*made, *(replace(option, value=row.value) for row, option in unsure)] or [Option(name, plain)]

    def _entries(self, node: SchemaView, plain: dict[str, Any], name: str) -> Iterator[Option]:
        """Yield objects with a property that the contract does not name, one for each option of its value."""
        if node.additional.roots:
            key = next(iter(plain), "key")
            yield from (
                replace(option, value={**plain, key: option.value})
                for option in self._at(node.additional, f"{name} value")
            )

    def _bounds(self, name: str, variants: Iterable[Variant]) -> Iterator[Option]:
        for variant in variants:
            if variant.valid and variant.rule in _BOUNDS and not _is_long(variant.value):
                bound = len(variant.value) if isinstance(variant.value, str) else variant.value
                element = f"{name} {_BOUNDS[variant.rule]} ({_text(bound)})"
                label = element if isinstance(variant.value, str) else f"{name}={_text(bound)}"
                yield self._option(label, variant.value, variant, element)

    def _between(self, node: SchemaView, name: str, bounds: list[Any]) -> Iterator[Option]:
        """Yield the whole numbers between two bounds that are not far from each other."""
        if len(bounds) > 1 and max(bounds) - min(bounds) <= _MOST_BETWEEN:
            for number in range(int(min(bounds)) + 1, int(max(bounds))):
                if number not in bounds and self._schemas.conforms(node, number):
                    yield Option(f"{name}={number}", number)

    def _known(self, node: SchemaView, name: str) -> Iterator[Option]:
        """Yield each known value, and where letter case does not matter also in capitals and in title case."""
        if not node.known_values:
            return
        cases: dict[str, Callable[[str], str]] = {"": str}
        if True in node.published("x-case-insensitive"):
            cases |= {"capitals": str.upper, "title case": str.title}
        evidence = self._profile.contract.evidence(node.origin("x-known-values"))
        for value in node.known_values:
            for case, spell in cases.items():
                is_other = bool(case) and spell(value) != value
                if is_other or not case:
                    covers = (f"{name}={value}", *([f"{name} in {case}"] if is_other else []))
                    yield Option(f"{name}={spell(value)}", spell(value), covers, evidence)

    def _lists(self, node: SchemaView, plain: list[Any], name: str) -> Iterator[Option]:
        """Yield lists of each length at a bound, and with each option of an item."""
        for variant in length_variants(node, plain, self._plain):
            if variant.valid and variant.value and len(variant.value) <= _LONGEST_LIST:
                label = self._length_label(name, variant)
                yield self._option(label, variant.value, variant, label)
        if not node.prefix and plain:
            for item in self._at(node.items, f"{name} item"):
                yield replace(item, value=[item.value, *plain[1:]])

    def _length_label(self, name: str, variant: Variant) -> str:
        length = len(variant.value)
        rule = _BOUNDS.get(variant.rule)
        return f"{name} with {length} items" if rule is None else f"{name} {rule} ({length})"

    def _option(self, label: str, value: Any, variant: Variant, *covers: str) -> Option:
        # A text of extreme length stays out of calls that are made for another value.
        return Option(label, value, covers, self._profile.contract.evidence(variant.origin), not isinstance(value, str))


def _url_option(element: str, value: Any) -> Option:
    """Return pictures by URL as an option for its own call only: the server may not be able to fetch them."""
    return Option(element, value, (element,), is_filler=False)


def _within(option: Option, element: str) -> Option:
    return replace(option, label=f"{option.label} ({element})", covers=(*option.covers, element))


def _bounded(length: int, node: SchemaView) -> int:
    return min(length, int(node.limits.get("maxItems", length)))


def _is_long(value: Any) -> bool:
    return isinstance(value, str) and len(value) > _LONGEST_TEXT


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_key(value)

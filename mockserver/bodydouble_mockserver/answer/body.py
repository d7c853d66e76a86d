"""Success bodies of one shape, filled for a call as far as the contract allows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson
from bodydouble_spec import is_array, is_object
from bodydouble_spec.schema import SchemaValidator

from bodydouble_mockserver.answer.image_fields import Cost, MediaLink
from bodydouble_mockserver.answer.media import Media
from bodydouble_mockserver.answer.slots import Filling, Slot, find_slots, repeated_lists
from bodydouble_mockserver.asgi import write_json

__all__ = ["BodyShape", "Call"]

# A placeholder for a URL in a prepared body; no text of a contract contains it.
_PLACEHOLDER = "\N{OBJECT REPLACEMENT CHARACTER}url\N{OBJECT REPLACEMENT CHARACTER}"
_USUAL_URL = "http://127.0.0.1:8000/generations/otter/1750000000000-00000000-0000-4000-8000-000000000000.png"
_USUAL_BASE64 = "iVBORw0KGgo="
# A list that is longer keeps the sample's values where not all can be filled.
_MAX_ONE_BY_ONE = 100
# Where a schema has none of these, any text is as good as another in the place of a URL.
_TEXT_RULES = {
    "anyOf", "const", "contains", "enum", "if", "maxLength", "minLength", "not", "oneOf", "pattern", "patternProperties", "uniqueItems",
}  # fmt: skip


@dataclass(slots=True)
class Call:
    """The values of one call: a link for each picture or other medium, the cost, a number, and the texts of the request by name."""

    links: Mapping[Media, Sequence[MediaLink]]
    cost: Cost
    seed: int
    said: Mapping[str, Any] = field(default_factory=dict[str, Any])


_NO_COST = Cost(None, None)


class BodyShape:
    """A conforming body, ``template``, and its slots.

    A value goes into its slot where the whole body still conforms: as it is, or as a text; else the template's value stays.
    """

    def __init__(
        self, template: Any, validator: SchemaValidator | None, operation_path: str, said: Sequence[str]
    ) -> None:
        self._template = template
        self._validator = validator
        self._operation_path = operation_path
        self._said = said
        self.slots = self._find(template)
        self._lists = repeated_lists(self.slots)
        self._repeated: dict[int, tuple[Any, list[Slot]]] = {}
        self._pieces: dict[int, list[bytes]] = {}
        self.media = frozenset(slot.media for slot in self.slots if slot.media is not None)
        self.has_base64 = any(slot.filling is Filling.BASE64 and slot.media is Media.IMAGE for slot in self.slots)
        # An example of the document may break a format; then any value may.
        self._keeps_formats = validator is not None and validator.keeps_formats(template)
        self.needs_size = any(slot.filling is Filling.FILE_SIZE for slot in self.slots)

    def _find(self, body: Any) -> list[Slot]:
        return find_slots(body, self._validator, self._operation_path, self._said)

    def write(self, call: Call, count: int) -> Any:
        """Return the body for ``count`` pictures, or for as many as the contract allows."""
        for template, slots in (self._for(count), (self._template, self.slots)):
            body = self._filled(template, [(slot, self._values(slot, call)[:1]) for slot in slots])
            if self._conforms(body):
                return body
            body = self._fill_by_kind(template, slots, call)
            if self._conforms(body):
                return body
        return _copy(self._template)

    @cached_property
    def left_alone(self) -> list[Slot]:
        """The slots for media whose usual URL or Base64 the contract does not allow."""
        body = self._fill_by_kind(self._template, self.slots, self._usual_call())
        usual = {Filling.URL: _USUAL_URL, Filling.BASE64: _USUAL_BASE64}
        return [slot for slot in self.slots if slot.filling in usual and _at(body, slot.path) != usual[slot.filling]]

    @cached_property
    def nullable(self) -> tuple[Filling, ...]:
        """The fillings in whose slots for pictures null is possible."""
        return tuple(filling for filling in (Filling.URL, Filling.BASE64) if self._allows_null(filling))

    def _allows_null(self, filling: Filling) -> bool:
        slots = [slot for slot in self.slots if slot.filling is filling and slot.media is Media.IMAGE]
        body = self._fill_by_kind(self._template, self.slots, self._usual_call())
        return self._conforms(self._filled(body, [(slot, [None]) for slot in slots]))

    @cached_property
    def fillings(self) -> tuple[Filling, ...]:
        """The fillings for which a picture has a slot that takes its usual value."""
        left = self.left_alone
        return tuple({slot.filling for slot in self.slots if slot.media is Media.IMAGE and slot not in left})

    def _usual_call(self) -> Call:
        link = MediaLink(_USUAL_URL, "otter.png", _USUAL_BASE64)
        return Call({media: [link] for media in Media}, _NO_COST, 1)

    def pieces(self, count: int, cost: Cost) -> list[bytes] | None:
        """Return the text between the URLs of a body with ``count`` pictures; None when more than its URLs depends on the call.

        The body is checked here, once: the schema has no rule for texts that could tell one URL from another.
        """
        pieces = self._pieces.get(count)
        if pieces is None:
            pieces = self._pieces[count] = self._prepare(count, cost)
        return pieces or None

    def _prepare(self, count: int, cost: Cost) -> list[bytes]:
        fillings = {slot.filling for slot in self.slots} - {
            Filling.CREDITS,
            Filling.USD,
            Filling.MEDIA_TYPE,
            Filling.BASE64,
        }
        if fillings != {Filling.URL} or self.media != frozenset({Media.IMAGE}) or not self._is_free_of_text_rules:
            return []
        links = [MediaLink(_PLACEHOLDER, "")] * count
        text = write_json(self.write(Call({Media.IMAGE: links}, cost, 1), count))
        pieces = text.split(orjson.dumps(_PLACEHOLDER))
        return pieces if len(pieces) == count + 1 else []

    @cached_property
    def _is_free_of_text_rules(self) -> bool:
        return self._validator is None or not _has_keyword(self._validator.schema, _TEXT_RULES)

    def _conforms(self, body: Any) -> bool:
        if self._validator is None:
            return True
        return self._validator.is_valid(body) and (not self._keeps_formats or self._validator.keeps_formats(body))

    def _for(self, count: int) -> tuple[Any, list[Slot]]:
        """Return the template and slots for a number of pictures."""
        known = self._repeated.get(count)
        if known is None:
            template = _copy(self._template)
            for path in self._lists:
                items = _at(template, path)
                items[:] = [_copy(items[min(index, len(items) - 1)]) for index in range(count)]
            known = self._repeated[count] = (template, self._find(template))
        return known

    def _fill_by_kind(self, template: Any, slots: Sequence[Slot], call: Call) -> Any:
        """Return the template with each value that may be in it: at once in the places that differ by their index only, else one by one."""
        links = [
            (slot, self._values(slot, call)[:1]) for slot in slots if slot.filling in (Filling.URL, Filling.BASE64)
        ]
        body = _copy(template)
        if not self._conforms(body):  # pictures that must differ, before their URLs are in
            body = self._filled(template, links)
        kinds: dict[tuple[Any, ...], list[Slot]] = {}
        for slot in slots:
            kinds.setdefault((slot.filling, *(part for part in slot.path if isinstance(part, str))), []).append(slot)
        for kind in kinds.values():
            filled = self._fill_first(body, kind, call)
            if filled is None and 1 < len(kind) <= _MAX_ONE_BY_ONE:
                for slot in kind:
                    body = self._fill_first(body, [slot], call) or body
            body = body if filled is None else filled
        return body

    def _fill_first(self, body: Any, slots: Sequence[Slot], call: Call) -> Any:
        """Return the body with the first of their values in some slots with which it conforms; None where it does with none."""
        values = [self._values(slot, call) for slot in slots]
        for index in range(max(map(len, values), default=0)):
            chosen = [(slot, own[min(index, len(own) - 1) :]) for slot, own in zip(slots, values, strict=True) if own]
            changed = self._filled(body, chosen)
            if self._conforms(changed):
                return changed
        return None

    def _filled(self, template: Any, values: Sequence[tuple[Slot, Sequence[Any]]]) -> Any:
        """Return the template with the first value for each slot."""
        body = _copy(template)
        for slot, candidates in values:
            if candidates and slot.path:
                _at(body, slot.path[:-1])[slot.path[-1]] = candidates[0]
            elif candidates:
                body = candidates[0]
        return body

    def _values(self, slot: Slot, call: Call) -> list[Any]:
        """Return the values for a slot, the best first; none to leave it as it is."""
        links = call.links.get(slot.media or Media.IMAGE) or next(iter(call.links.values()), ())
        link = links[slot.index_in(self._lists) % len(links)] if links else None
        match slot.filling:
            case Filling.URL:
                return [] if link is None else [link.url if link.is_shown else None, link.url]
            case Filling.BASE64:
                return [] if link is None else [link.base64]
            case Filling.MEDIA_TYPE:
                return [] if link is None else [link.media_type]
            case Filling.FILE_NAME:
                return [] if link is None else [link.file_name]
            case Filling.FILE_SIZE:
                return [] if link is None or link.size is None else [*_spellings(link.size)]
            case Filling.CREDITS:
                return [] if call.cost.credits is None else [*_spellings(call.cost.credits)]
            case Filling.USD:
                return [] if call.cost.usd is None else [*_spellings(call.cost.usd)]
            case Filling.SEED:
                said = call.said.get("seed")
                return [*([] if said is None else _spellings(said)), *_spellings(call.seed)]
            case Filling.SAID:
                # An empty text says nothing; what is null beside the sample's text needs one.
                said = call.said.get(slot.name)
                return [] if said == "" else [*_spellings(said)]


def _spellings(value: Any) -> Iterator[Any]:
    """Yield a scalar as it is, as a text, and as a number."""
    if is_object(value) or is_array(value) or value is None:
        return
    if isinstance(value, float) and value.is_integer():
        yield int(value)  # as a body's long whole numbers are read
    yield value
    if isinstance(value, str):
        if value.isascii() and value.isdigit() and len(value) < 16:
            yield int(value)
    elif not isinstance(value, bool):
        yield str(value)


def _at(body: Any, path: Sequence[str | int]) -> Any:
    for part in path:
        body = body[part]
    return body


def _copy(value: Any) -> Any:
    if is_object(value):
        return {name: _copy(item) for name, item in value.items()}
    return [_copy(item) for item in value] if is_array(value) else value


def _has_keyword(schema: Any, keywords: set[str]) -> bool:
    if is_object(schema):
        return bool(keywords & schema.keys()) or any(_has_keyword(item, keywords) for item in schema.values())
    return is_array(schema) and any(_has_keyword(item, keywords) for item in schema)

"""The places of a success body that depend on the call: media, cost, and what the request says."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from bodydouble_spec import is_array, is_object
from bodydouble_spec.image_fields import BASE64, CREDITS, FILE_NAME, FILE_SIZE, MEDIA_TYPES, SEED, USD
from bodydouble_spec.schema import SchemaValidator

from bodydouble_mockserver.answer.media import Media, media_of

__all__ = ["Filling", "Slot", "find_slots", "repeated_lists"]

Path = tuple[str | int, ...]

_MAX_DEPTH = 60
_URL_FORMATS = {"iri", "uri", "uri-reference", "url"}


class Filling(Enum):
    """The kind of value for a slot, in the order in which slots are filled when not all can be."""

    URL = auto()
    BASE64 = auto()
    CREDITS = auto()
    USD = auto()
    MEDIA_TYPE = auto()
    FILE_NAME = auto()
    FILE_SIZE = auto()
    SEED = auto()
    SAID = auto()


_BY_NAME = {
    **dict.fromkeys(CREDITS, Filling.CREDITS),
    **dict.fromkeys(MEDIA_TYPES, Filling.MEDIA_TYPE),
    USD: Filling.USD,
    FILE_NAME: Filling.FILE_NAME,
    FILE_SIZE: Filling.FILE_SIZE,
    SEED: Filling.SEED,
}


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a body by the names and indexes that lead to it, with the kind of its value; ``media`` is that of a link."""

    path: Path
    filling: Filling
    media: Media | None = None

    @property
    def name(self) -> str:
        """The name of the property."""
        return next((part for part in reversed(self.path) if isinstance(part, str)), "")

    def index_in(self, lists: Iterable[Path]) -> int:
        """Return the index of the item that holds this slot, in one of the lists; 0 outside of all."""
        return next(
            (int(self.path[len(one)]) for one in lists if self.path[: len(one)] == one and len(self.path) > len(one)), 0
        )


def find_slots(body: Any, validator: SchemaValidator | None, operation_path: str, said: Iterable[str]) -> list[Slot]:
    """Return the slots of a body, in the order of their fillings; ``said`` are the names that a request can have."""
    schema: dict[str, Any] = {} if validator is None else validator.schema
    finder = _Finder(schema.get("$defs", {}), operation_path, frozenset(said))
    return sorted(finder.walk(body, [schema], ()), key=lambda slot: slot.filling.value)


def repeated_lists(slots: Iterable[Slot]) -> list[Path]:
    """Return the paths of the lists with one item for each picture: the innermost around each, but no list inside of another."""
    pictures = [slot.path for slot in slots if slot.media is Media.IMAGE]
    indexes = [[index for index, part in enumerate(path) if isinstance(part, int)] for path in pictures]
    found = dict.fromkeys(path[: own[-1]] for path, own in zip(pictures, indexes, strict=True) if own)
    return [path for path in found if not any(path[: len(other)] == other for other in found if other != path)]


class _Finder:
    def __init__(self, definitions: Mapping[str, Any], operation_path: str, said: frozenset[str]) -> None:
        self._definitions = definitions
        self._operation_path = operation_path
        self._said = said

    def walk(self, value: Any, schemas: Sequence[Any], path: Path) -> Iterator[Slot]:
        if len(path) > _MAX_DEPTH:
            return
        applied = self._expanded(schemas)
        if is_object(value):
            for name, item in value.items():
                yield from self.walk(
                    item,
                    [part["properties"][name] for part in applied if name in _map(part, "properties")],
                    (*path, name),
                )
        elif is_array(value):
            for index, item in enumerate(value):
                yield from self.walk(item, [part["items"] for part in applied if "items" in part], (*path, index))
        else:
            slot = self._slot(value, applied, path)
            if slot is not None:
                yield slot

    def _slot(self, value: Any, applied: Sequence[dict[str, Any]], path: Path) -> Slot | None:
        names = [part for part in path if isinstance(part, str)]
        name = names[-1] if names else ""
        is_text = value is None or isinstance(value, str)
        formats = {part.get("format") for part in applied}
        texts = [
            text for part in applied for key in ("example", "description") if isinstance(text := part.get(key), str)
        ]
        texts = [*([value] if isinstance(value, str) else []), *texts]
        if name == BASE64 and is_text:
            return Slot(path, Filling.BASE64, Media.IMAGE)
        if is_text and ("byte" in formats or any(part.get("contentEncoding") == "base64" for part in applied)):
            media = media_of(names, texts, "")
            return None if media is None else Slot(path, Filling.BASE64, media)
        if is_text and (formats & _URL_FORMATS or _is_url(name, value)):
            media = media_of(names, texts, self._operation_path)
            return None if media is None else Slot(path, Filling.URL, media)
        if name in _BY_NAME:
            return Slot(path, _BY_NAME[name])
        return Slot(path, Filling.SAID) if name in self._said else None

    def _expanded(self, schemas: Sequence[Any]) -> list[dict[str, Any]]:
        """Return schemas and those that they are made of; all alternatives, since only names and hints are read."""
        found: dict[int, dict[str, Any]] = {}
        waiting = [*reversed(schemas)]
        while waiting:
            schema = waiting.pop()
            if not is_object(schema) or id(schema) in found:
                continue
            found[id(schema)] = schema
            reference = schema.get("$ref")
            target = self._definitions.get(reference.removeprefix("#/$defs/")) if isinstance(reference, str) else None
            waiting += [
                target,
                *(branch for keyword in ("allOf", "anyOf", "oneOf") for branch in schema.get(keyword, ())),
            ]
        return [*found.values()]


def _map(schema: dict[str, Any], keyword: str) -> dict[str, Any]:
    value = schema.get(keyword)
    return value if is_object(value) else {}


def _is_url(name: str, value: Any) -> bool:
    return (
        name == "url"
        or name.endswith(("_url", "Url", "URL"))
        or (isinstance(value, str) and value.startswith(("http://", "https://")))
    )

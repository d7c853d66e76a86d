"""The pictures that recorded answers refer to, and those that a recording lacks."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from bodydouble_spec.exchange import Exchange
from bodydouble_spec.image_fields import URL
from bodydouble_spec.recording.facts import CallFacts, PicturePlace
from bodydouble_spec.values import join_pointer, members_of

__all__ = ["missing_pictures", "picture_urls"]

_MOST_PICTURES = 20


def picture_urls(answer: Any) -> list[tuple[str, str]]:
    """Return pointer and text of the picture URLs of an answer, by the name of their property; of many, the first twenty."""
    return [*islice(_urls(answer, ""), _MOST_PICTURES)]


def missing_pictures(
    exchanges: Iterable[Exchange], *, with_failed: bool = False
) -> list[tuple[Exchange, list[tuple[str, str]]]]:
    """Return the calls of a proxy with pictures that were not fetched, since their process was killed, and the URLs of these.

    With ``with_failed``, those that could not be fetched are among them.
    """
    exchanges = [*exchanges]
    places = {
        (place.call, place.pointer)
        for exchange in exchanges
        if (place := PicturePlace.of(exchange)) is not None and not (with_failed and "problem" in exchange.extra)
    }
    found: list[tuple[Exchange, list[tuple[str, str]]]] = []
    for exchange in exchanges:
        if CallFacts.of(exchange) is not None and exchange.answer is not None:
            urls = picture_urls(exchange.answer.body)
            missing = [(pointer, url) for pointer, url in urls if (exchange.id, pointer) not in places]
            found += [(exchange, missing)] if missing else []
    return found


def _urls(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    for name, item in members_of(value):
        place = join_pointer(pointer, name)
        if name == URL and isinstance(item, str) and item.lower().startswith(("http://", "https://")):
            yield place, item
        else:
            yield from _urls(item, place)

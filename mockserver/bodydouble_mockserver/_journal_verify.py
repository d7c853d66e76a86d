"""Whether an app sent what it should have: the number of calls that a matcher means, against what was expected."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bodydouble_spec import Exchange, Redactor, is_object

from bodydouble_mockserver._matcher import BadMatch, Call, Matcher

__all__ = ["Expectation", "Verdict"]

_BOUNDS = ("count", "at_least", "at_most")
_MOST_NEAR = 3
_MOST_IDS = 100


@dataclass(frozen=True, slots=True)
class Expectation:
    """How many calls are expected (at least ``least``, at most ``most``; None: any number) that a matcher means.

    ``parts`` are the matcher's conditions one by one, for telling what a call that nearly matched lacks.
    """

    least: int
    most: int | None
    wanted: Mapping[str, Any]
    parts: Mapping[str, Matcher]

    @classmethod
    def parse(cls, value: Any) -> "Expectation":
        """From ``{"match": {…}, "count": 2}``, or ``at_least`` and ``at_most``; without any of them, at least one.

        Raises BadMatch with the JSON pointer of what cannot be used.
        """
        if not is_object(value):
            raise BadMatch("", 'send an object like {"match": {"status": 429}, "count": 2}')
        unknown = next((name for name in value if name not in ("match", *_BOUNDS)), None)
        if unknown is not None:
            raise BadMatch(f"/{unknown[:60]}", f"unknown key; known are match, {', '.join(_BOUNDS)}")
        bounds = {name: _number(value[name], f"/{name}") for name in _BOUNDS if name in value}
        if "count" in bounds and len(bounds) > 1:
            raise BadMatch("/count", "count goes without at_least and at_most")
        least = bounds.get("count", bounds.get("at_least", 0 if "at_most" in bounds else 1))
        most = bounds.get("count", bounds.get("at_most"))
        if most is not None and most < least:
            raise BadMatch("/at_most", f"at_most ({most}) is less than at_least ({least})")
        wanted = value.get("match", {})
        try:
            Matcher.parse(wanted)
            parts = {name: Matcher.parse({name: wanted[name]}) for name in wanted}
        except BadMatch as error:
            raise BadMatch(f"/match{error.pointer}", error.problem) from None
        _check_headers(wanted.get("header", {}))
        return cls(least, most, wanted, parts)

    def check(self, calls: Iterable[tuple[int, Exchange]]) -> "Verdict":
        """The verdict over calls, each with its number."""
        found: list[str] = []
        near: list[tuple[int, Exchange, list[str]]] = []
        for number, exchange in calls:
            call = _as_call(number, exchange)
            unmet = [name for name, matcher in self.parts.items() if not matcher.matches(call)]
            if not unmet:
                found.append(exchange.id)
            elif len(unmet) < len(self.parts) or len(self.parts) == 1:
                near.append((len(unmet), exchange, unmet))
        # The fewest differences first, and of those alike the newest.
        near.reverse()
        near.sort(key=lambda item: item[0])
        return Verdict(self, found, [(exchange, unmet) for _, exchange, unmet in near[:_MOST_NEAR]])


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found: the ids of the calls that are meant, and the calls that nearly were with the conditions that they do not meet."""

    expectation: Expectation
    found: list[str]
    near: list[tuple[Exchange, list[str]]]

    @property
    def holds(self) -> bool:
        """Whether the number of calls is as expected."""
        expected = self.expectation
        return expected.least <= len(self.found) and (expected.most is None or len(self.found) <= expected.most)

    def to_dict(self) -> dict[str, Any]:
        """The verdict as JSON; near misses are told when calls are lacking."""
        expected = self.expectation
        result: dict[str, Any] = {
            "verified": self.holds,
            "count": len(self.found),
            "at_least": expected.least,
            "at_most": expected.most,
            "match": expected.wanted,
            "found": self.found[-_MOST_IDS:],
        }
        if len(self.found) < expected.least:
            result["near_misses"] = [
                {
                    "id": exchange.id,
                    "time": exchange.time,
                    "method": exchange.method,
                    "path": exchange.path,
                    "status": exchange.status,
                    "differs_in": {
                        name: {"expected": expected.wanted[name], "got": _value(name, exchange)} for name in unmet
                    },
                }
                for exchange, unmet in self.near
            ]
        return result


def _as_call(number: int, exchange: Exchange) -> Call:
    return Call(
        exchange.method,
        exchange.route,
        exchange.headers,
        exchange.body,
        exchange.key or "",
        number,
        exchange.status,
        bool(exchange.findings),
    )


def _value(name: str, exchange: Exchange) -> Any:
    """What a call has where a condition of that name looks."""
    match name:
        case "method" | "key" | "status":
            return getattr(exchange, name)
        case "path":
            return exchange.route
        case "header":
            return exchange.headers
        case "findings":
            return bool(exchange.findings)
        case "call":
            return exchange.id
        case _:
            value = exchange.body.get(name) if is_object(exchange.body) else None
            return value if not isinstance(value, str) else value[:500]


def _number(value: Any, pointer: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadMatch(pointer, "this must be a whole number from 0")
    return value


def _check_headers(headers: Mapping[str, Any]) -> None:
    kept = Redactor.kept_headers
    unknown = next((name for name in headers if name.lower() not in kept), None)
    if unknown is not None:
        raise BadMatch(
            f"/match/header/{unknown[:60]}",
            f"the journal does not keep this header; it keeps {', '.join(sorted(kept))}",
        )

"""Verification of an app's calls: the number of calls that match, against the expected number."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bodydouble_spec import Exchange, Redactor, is_object

from bodydouble_mockserver.scripting import BadMatch, MatchedRequest, Matcher

__all__ = ["CallExpectation", "Verdict"]

_BOUNDS = ("count", "at_least", "at_most")
_MAX_NEAR = 3
_MAX_IDS = 100


@dataclass(frozen=True, slots=True)
class CallExpectation:
    """The expected number of matching calls, from ``at_least`` to ``at_most`` (None: unlimited).

    ``conditions`` is the matcher as sent; ``matchers`` holds one matcher per condition, to report which of them a near miss fails.
    """

    at_least: int
    at_most: int | None
    conditions: Mapping[str, Any]
    matchers: Mapping[str, Matcher]

    @classmethod
    def parse(cls, value: Any) -> "CallExpectation":
        """Parse ``{"match": {…}, "count": 2}``, or ``at_least`` and ``at_most``; the default is at least one call.

        Raises BadMatch with the JSON pointer of the mistake.
        """
        if not is_object(value):
            raise BadMatch("", 'send an object like {"match": {"status": 429}, "count": 2}')
        unknown = next((name for name in value if name not in ("match", *_BOUNDS)), None)
        if unknown is not None:
            raise BadMatch(f"/{unknown[:60]}", f"unknown key; known keys: match, {', '.join(_BOUNDS)}")
        bounds = {name: _number(value[name], f"/{name}") for name in _BOUNDS if name in value}
        if "count" in bounds and len(bounds) > 1:
            raise BadMatch("/count", "count cannot be combined with at_least or at_most")
        at_least = bounds.get("count", bounds.get("at_least", 0 if "at_most" in bounds else 1))
        at_most = bounds.get("count", bounds.get("at_most"))
        if at_most is not None and at_most < at_least:
            raise BadMatch("/at_most", f"at_most ({at_most}) is less than at_least ({at_least})")
        conditions = value.get("match", {})
        try:
            Matcher.parse(conditions)
            matchers = {name: Matcher.parse({name: conditions[name]}) for name in conditions}
        except BadMatch as error:
            raise BadMatch(f"/match{error.pointer}", error.reason) from None
        _check_headers(conditions.get("header", {}))
        return cls(at_least, at_most, conditions, matchers)

    def check(self, exchanges: Iterable[tuple[int, Exchange]], dropped: int = 0) -> "Verdict":
        """Return the verdict on calls, each with its number; so many older ones were ``dropped``, and are not known."""
        matched_ids: list[str] = []
        near_misses: list[tuple[int, Exchange, list[str]]] = []
        # The file of a picture is no call, nor is a look at the account: they count only where the path or the kind is asked for.
        includes_others = not {"kind", "path"}.isdisjoint(self.matchers)
        for number, exchange in exchanges:
            if exchange.kind is not None and not includes_others:
                continue
            request = _to_matched_request(number, exchange)
            unmet = [name for name, matcher in self.matchers.items() if not matcher.matches(request)]
            if not unmet:
                matched_ids.append(exchange.id)
            elif len(unmet) < len(self.matchers) or len(self.matchers) == 1:
                near_misses.append((len(unmet), exchange, unmet))
        # The fewest differences first; among equals, the newest first.
        near_misses.reverse()
        near_misses.sort(key=lambda item: item[0])
        return Verdict(
            self, matched_ids, [(exchange, unmet) for _, exchange, unmet in near_misses[:_MAX_NEAR]], dropped
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a verification: the ids of the matching calls, and near misses with the conditions that they fail."""

    expectation: CallExpectation
    matched_ids: list[str]
    near_misses: list[tuple[Exchange, list[str]]]
    dropped: int = 0

    @property
    def holds(self) -> bool:
        """True when the number of calls is as expected. Where calls were dropped, no upper bound is known to hold."""
        expected = self.expectation
        is_at_most = expected.at_most is None or (not self.dropped and len(self.matched_ids) <= expected.at_most)
        return expected.at_least <= len(self.matched_ids) and is_at_most

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as JSON values; near misses are included when calls are missing."""
        expected = self.expectation
        result: dict[str, Any] = {
            "verified": self.holds,
            "count": len(self.matched_ids),
            "at_least": expected.at_least,
            "at_most": expected.at_most,
            "match": expected.conditions,
            "found": self.matched_ids[-_MAX_IDS:],
        }
        if self.dropped:
            result["dropped"] = self.dropped
            result["note"] = (
                f"{self.dropped} older requests were dropped to make room and are not counted; "
                "keep more with serve --journal-entries and --journal-mb"
            )
        if len(self.matched_ids) < expected.at_least:
            result["near_misses"] = [
                {
                    "id": exchange.id,
                    "time": exchange.time,
                    "method": exchange.method,
                    "path": exchange.path,
                    "status": exchange.status,
                    "differs_in": {
                        name: {"expected": expected.conditions[name], "got": _value(name, exchange)} for name in unmet
                    },
                }
                for exchange, unmet in self.near_misses
            ]
        return result


def _to_matched_request(number: int, exchange: Exchange) -> MatchedRequest:
    return MatchedRequest(
        exchange.method,
        exchange.route,
        exchange.headers,
        exchange.body,
        exchange.key or "",
        number,
        exchange.status,
        bool(exchange.findings),
        exchange.kind,
    )


def _value(name: str, exchange: Exchange) -> Any:
    """Return the value of a call that the condition of that name compares."""
    match name:
        case "method" | "key" | "status":
            return getattr(exchange, name)
        case "path":
            return exchange.route
        case "header":
            return exchange.headers
        case "findings":
            return bool(exchange.findings)
        case "kind":
            return exchange.kind or "call"
        case "call":
            return exchange.id
        case _:
            value = exchange.body.get(name) if is_object(exchange.body) else None
            return value if not isinstance(value, str) else value[:500]


def _number(value: Any, pointer: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadMatch(pointer, "this must be a whole number, 0 or more")
    return value


def _check_headers(headers: Mapping[str, Any]) -> None:
    kept = Redactor.kept_headers
    unknown = next((name for name in headers if name.lower() not in kept), None)
    if unknown is not None:
        raise BadMatch(
            f"/match/header/{unknown[:60]}",
            f"the journal does not keep this header; it keeps {', '.join(sorted(kept))}",
        )

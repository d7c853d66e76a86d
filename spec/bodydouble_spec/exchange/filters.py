"""The filters of exchanges, shared by the journal's routes and the ``journal`` command."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bodydouble_spec.exchange.exchange import Exchange

__all__ = ["BadFilter", "ExchangeFilter", "parse_path", "parse_status"]

_KINDS = ("call", "picture")
_STATUS = re.compile(r"[1-9](?:[0-9]{2}|[xX]{2})", re.ASCII)


class BadFilter(ValueError):
    """A filter cannot be used: ``name`` is the filter, ``good`` describes a usable value."""

    def __init__(self, name: str, message: str, good: str) -> None:
        super().__init__(f"{name}: {message}; {good}")
        self.name = name
        self.good = good


@dataclass(frozen=True, slots=True)
class ExchangeFilter:
    """Conditions on exchanges, all of which must hold; None sets no condition.

    ``status`` is one status ("429") or a class ("4xx"), ``path`` the path without its query, or its beginning when it
    ends with ``*``, ``key`` the short hash of a key, ``since`` the earliest time, ``findings`` whether there must be
    findings (True) or none (False), ``kind`` whether it is a ``call`` or the file of a ``picture``.
    """

    status: str | None = None
    path: str | None = None
    method: str | None = None
    key: str | None = None
    since: datetime | None = None
    findings: bool | None = None
    kind: str | None = None

    @classmethod
    def parse(cls, values: Mapping[str, str]) -> "ExchangeFilter":
        """Parse filters from texts by attribute name; ``findings`` is "true" or "false", ``since`` ISO 8601 or Unix seconds.

        Raises BadFilter with the name of the filter and a usable value.
        """
        known = ("status", "path", "method", "key", "since", "findings", "kind")
        unknown = next((name for name in values if name not in known), None)
        if unknown is not None:
            raise BadFilter(unknown[:80], "there is no such filter", f"the filters are {', '.join(known)}")
        status, path, since = values.get("status"), values.get("path"), values.get("since")
        if status is not None:
            parse_status(status)
        if path is not None:
            parse_path(path)
        method, kind = values.get("method"), values.get("kind")
        if kind not in (None, *_KINDS):
            raise BadFilter("kind", f"{kind[:40]!r} is not a kind of request", f"write {' or '.join(_KINDS)}")
        return cls(
            status=status,
            path=path,
            method=None if method is None else method.upper(),
            key=values.get("key"),
            since=None if since is None else _parse_time(since),
            findings=_parse_bool(values.get("findings")),
            kind=kind,
        )

    def matches(self, exchange: Exchange) -> bool:
        """Return whether all conditions hold for the exchange."""
        return (
            (self.status is None or parse_status(self.status)(exchange.status))
            and (self.path is None or parse_path(self.path)(exchange.route))
            and (self.method is None or exchange.method == self.method)
            and (self.key is None or exchange.key == self.key)
            and (self.findings is None or bool(exchange.findings) is self.findings)
            and (self.kind is None or (exchange.kind or "call") == self.kind)
            and (self.since is None or exchange.started >= self.since)
        )

    def select(self, exchanges: Iterable[Exchange]) -> list[Exchange]:
        """Return the exchanges for which all conditions hold, in order."""
        return [exchange for exchange in exchanges if self.matches(exchange)]


def parse_status(text: str) -> Callable[[int | None], bool]:
    """Return a predicate over a status for "429" or "4xx". Raises BadFilter for any other text."""
    if not _STATUS.fullmatch(text):
        good = "write a status like 429, or a class like 4xx"
        raise BadFilter("status", f"{text[:40]!r} is not a status", good)
    if text[1:].lower() == "xx":
        return lambda status: status is not None and status // 100 == int(text[0])
    return lambda status: status == int(text)


def parse_path(text: str) -> Callable[[str], bool]:
    """Return a predicate over a path without its query, for a path or a prefix ("/v1/*"). Raises BadFilter otherwise."""
    if not text.startswith(("/", "*")):
        good = "write a full path like /v1/images/generations, or a prefix and a star: /v1/*"
        raise BadFilter("path", f"{text[:80]!r} does not begin with a slash", good)
    if text.endswith("*"):
        return lambda path: path.startswith(text[:-1])
    return lambda path: path == text


def _parse_time(text: str) -> datetime:
    try:
        if re.fullmatch(r"[0-9]{1,11}(\.[0-9]{1,9})?", text, re.ASCII):
            return datetime.fromtimestamp(float(text), UTC)
        # In a query, a plus arrives as a space.
        time = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        good = "write ISO 8601 like 2026-06-12T10:00:00Z (UTC without a zone), or Unix seconds"
        raise BadFilter("since", f"{text[:80]!r} is not a time", good) from None


def _parse_bool(text: str | None) -> bool | None:
    if text is None:
        return None
    if text not in ("true", "false"):
        raise BadFilter("findings", f"{text[:40]!r} is neither true nor false", "write true or false")
    return text == "true"

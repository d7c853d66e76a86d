"""The README of a recording: dates, contract, upstream and cost, for those who find the folder in a repository."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from bodydouble_spec.exchange import Exchange
from bodydouble_spec.recording.facts import CallFacts, PicturePlace

__all__ = ["Summary"]


@dataclass(slots=True)
class Summary:
    """The sums over a recording, kept up to date with each exchange."""

    calls: int = 0
    pictures: int = 0
    images: int = 0
    usd: float = 0.0
    first: str = ""
    last: str = ""
    contracts: dict[str, int] = field(default_factory=dict[str, int])
    upstreams: dict[str, int] = field(default_factory=dict[str, int])
    operations: dict[str, int] = field(default_factory=dict[str, int])

    @classmethod
    def of(cls, exchanges: Iterable[Exchange]) -> "Summary":
        """Return the sums over some exchanges."""
        summary = cls()
        for exchange in exchanges:
            summary.add(exchange)
        return summary

    def add(self, exchange: Exchange) -> None:
        """Count one exchange."""
        if PicturePlace.of(exchange) is not None:
            self.pictures += 1
            return
        self.calls += 1
        self.first = min(self.first or exchange.time, exchange.time)
        self.last = max(self.last, exchange.time)
        _count(self.operations, exchange.operation or f"{exchange.method} {exchange.route}")
        record = CallFacts.of(exchange)
        if record is not None:
            self.images += record.images
            self.usd += record.usd
            _count(self.contracts, record.contract)
            _count(self.upstreams, record.upstream)

    def to_markdown(self) -> str:
        """Return the text of the README."""
        days = self.first[:10] if self.first[:10] == self.last[:10] else f"{self.first[:10]} to {self.last[:10]}"
        rows = [
            ("recorded", days or "nothing yet"),
            ("calls", f"{self.calls} ({_listed(self.operations)})" if self.calls else "0"),
            ("answered by", _listed(self.upstreams)),
            ("contract", _listed(self.contracts)),
            ("cost", f"{self.usd:.3f} USD for {self.images} picture{'' if self.images == 1 else 's'}"),
            ("picture files", str(self.pictures)),
        ]
        table = "\n".join(f"| {name} | {value.replace('|', '/') or 'unknown'} |" for name, value in rows)
        return f"{_BEFORE}\n| | |\n|---|---|\n{table}\n{_AFTER}"


_BEFORE = """# A recording of bodydouble

Calls of an app and their answers, to be replayed without the network:

    bodydouble serve --replay .
"""
_AFTER = """
`exchanges.jsonl` has one exchange a line, without API keys, cookies and account ids; prompts and pictures are in it as they were sent.
`files` has pictures and large inputs, each named by the SHA-256 hash of its bytes. `bodydouble verify --exchanges .` checks the calls
against the present contract. This file is kept up to date while calls are recorded.
"""


def _count(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(name if len(counts) == 1 else f"{name} ({count})" for name, count in counts.items() if name)

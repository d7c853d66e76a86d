"""Scripted answers, limits and balances that several processes share."""

import contextlib
import hashlib
import math
import secrets
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson

from bodydouble_mockserver.answer import Cost
from bodydouble_mockserver.asgi import Scope
from bodydouble_mockserver.errors import StateUnavailable
from bodydouble_mockserver.request import CheckedRequest, Refusal
from bodydouble_mockserver.scripting import (
    MAX_ANSWERS,
    OUT_OF_CREDITS,
    Account,
    BadScenario,
    Balance,
    ExceededLimit,
    Limits,
    Scenario,
    ScriptedAnswer,
    ServerState,
    too_many_answers,
)
from bodydouble_mockserver.settings import Settings
from bodydouble_mockserver.shared import lua
from bodydouble_mockserver.shared.connection import Connection

__all__ = ["SharedState"]


class _Changed(Exception):
    """Another process has changed the script or the limits meanwhile."""


class SharedAccount(Account):
    """The calls and credits of each key in Redis, exact over all processes; without Redis nothing is limited."""

    def __init__(self, limits: Limits, connection: Connection, version: str) -> None:
        super().__init__(limits)
        self._connection = connection
        self._version = version

    def charge(self, key: str, cost: Cost, now: float) -> ExceededLimit | None:
        """See `Account.charge`; the time is that of Redis. Raises _Changed."""
        limits = self.limits
        most, credits_ = ("" if value is None else value for value in (limits.requests_per_minute, limits.credits))
        try:
            code, *wait = self._connection.call(lua.CHARGE, self._version, key, cost.credits or 0, most, credits_)
        except StateUnavailable:
            return None
        if code == -1:
            raise _Changed
        if code == 1:
            return ExceededLimit(Refusal(429), math.ceil(float(wait[0])) if limits.retry_after else None)
        return ExceededLimit(OUT_OF_CREDITS) if code == 2 else None

    def credits_left(self, key: str) -> float | None:
        """See `Account.credits_left`."""
        if self.limits.credits is None:
            return None
        try:
            spent: Any = self._connection.run(lambda redis: redis.hget(self._connection.key("spent"), key))
        except StateUnavailable:
            return None
        return self.limits.credits - float(spent or 0)

    def balances(self, now: float) -> list[Balance]:
        """See `Account.balances`; the keys come in the order of their hashes. Raises StateUnavailable."""
        spent: Any = self._connection.run(lambda redis: redis.hgetall(self._connection.key("spent")))
        calls = self._calls_by_key()
        left = self.limits.credits
        amounts = {key.decode(): float(amount) for key, amount in spent.items()}
        return [
            Balance(key, calls.get(key, 0), amounts.get(key, 0), None if left is None else left - amounts.get(key, 0))
            for key in sorted({*amounts, *calls})
        ]

    def _calls_by_key(self) -> dict[str, int]:
        def count(redis: Any) -> dict[str, int]:
            epoch = (redis.hget(self._connection.key("counters"), "epoch") or b"0").decode()
            start = self._connection.key(f"calls:{epoch}:")
            now = redis.time()[0]
            return {
                name.decode().removeprefix(start): redis.zcount(name, now - 60, "+inf")
                for name in redis.scan_iter(f"{start}*", count=1000)
            }

        return self._connection.run(count)


class SharedState(ServerState):
    """The state of several processes, in Redis.

    ``bind`` makes a scripted answer of its JSON. `refresh` takes over the changes of other processes, before each call; a use of an answer and a charge
    are one step in Redis each. While Redis is away a call has neither script nor limits, and what controls them raises StateUnavailable.
    """

    def __init__(
        self, settings: Settings, connection: Connection, bind: Callable[[Mapping[str, Any]], ScriptedAnswer]
    ) -> None:
        self._connection = connection
        self._bind = bind
        self._version = ""
        self._agreed: dict[str, bytes] = {}
        super().__init__(settings, self.agreed("salt", settings.new_salt()))

    def refresh(self) -> None:
        """Take over the script and the limits as they are now, once for all calls that have come by now; while Redis is away there are none."""
        if self._connection.turns.begins():
            self._refresh()

    def _refresh(self) -> None:
        try:
            version = self._connection.version()
            if version is None or version.decode() != self._version:
                self._load()
        except StateUnavailable:
            if self._version:
                self._take_over("", [], Limits())

    def require(self) -> None:
        """Take over the script and the limits as they are now. Raises StateUnavailable."""
        self._refresh()
        if not self._version:
            self._load()

    def count(self) -> int:
        """Return the number of scripted answers, those for other contracts included. Raises StateUnavailable."""
        return len(self._read()[2])

    def _load(self) -> None:
        version, limits, answers = self._read()
        for name, value in [*self._agreed.items()]:
            self.agreed(name, value)  # a server that was started anew has lost it
        bound: list[ScriptedAnswer] = []
        for identifier, source, is_of_file in answers:
            # One that fits no contract of this process is for others.
            with contextlib.suppress(BadScenario):
                answer = self._bind(source)
                answer.id, answer.is_of_file = identifier, is_of_file
                bound.append(answer)
        self._take_over(version, bound, limits)

    def _read(self) -> tuple[str, Limits, list[tuple[str, Any, bool]]]:
        """Return version, limits, and for each answer its id, its JSON, and whether it is of a file. Raises StateUnavailable."""
        version, limits, *answers = self._connection.call(lua.LOAD, secrets.token_hex(8))
        try:
            read = Limits(**orjson.loads(limits)) if limits else Limits()
            sources = [orjson.loads(source) for source in answers[1::3]]
        except (ValueError, TypeError):
            raise self._connection.lose("what is there is not of bodydouble") from None
        identifiers, are_of_file = [item.decode() for item in answers[::3]], [bool(item) for item in answers[2::3]]
        return version.decode(), read, [*zip(identifiers, sources, are_of_file, strict=True)]

    def _take_over(self, version: str, answers: list[ScriptedAnswer], limits: Limits) -> None:
        self._answers = answers
        self._account = SharedAccount(limits, self._connection, version)
        self._update_flags(is_scripted=bool(answers), has_limits=limits != Limits())
        # In the end: an answer that is taken meanwhile, by another thread, is refused and looked for again.
        self._version = version

    def agreed(self, name: str, value: bytes) -> bytes:
        """Return the value of that name that all processes use, this one where there is none yet. Raises StateUnavailable."""

        def agree(redis: Any) -> bytes:
            redis.setnx(self._connection.key(name), value)
            agreed: bytes = redis.get(self._connection.key(name))
            return agreed

        self._agreed[name] = self._connection.run(agree)
        return self._agreed[name]

    def add(self, scenario: Scenario) -> Sequence[str]:
        """See `ServerState.add`; that of a file is added once, by the first process that has it, ahead of all others. Raises StateUnavailable, too."""
        limits = b"" if scenario.limits is None else orjson.dumps(asdict(scenario.limits))
        sources = [orjson.dumps(answer.source) for answer in scenario.answers]
        file = hashlib.sha256(b"\0".join((limits, *sources))).hexdigest() if scenario.is_of_file else ""
        pairs = [
            part
            for answer, source in zip(scenario.answers, sources, strict=True)
            for part in (answer.times or 0, source)
        ]
        added: Any = self._connection.call(lua.ADD, secrets.token_hex(8), MAX_ANSWERS, file, limits, *pairs)
        if isinstance(added, int):
            raise too_many_answers(added)
        self.require()
        return [identifier.decode() for identifier in added]

    def remove(self, identifiers: Container[str]) -> int:
        """See `ServerState.remove`. Raises StateUnavailable."""
        chosen = [answer.id for answer in self.answers if answer.id in identifiers]
        removed: int = self._connection.call(lua.REMOVE, secrets.token_hex(8), *chosen)
        self.require()
        return removed

    def rebind(self, bind: Callable[[ScriptedAnswer], ScriptedAnswer], file: Scenario | None) -> None:
        """See `ServerState.rebind`; the answers come from Redis anew, and fit the contracts that are served now. Raises StateUnavailable, too."""
        if file is not None:
            self.add(file)
        self._load()

    def clear(self) -> None:
        """See `ServerState.clear`. Raises StateUnavailable."""
        self._connection.call(lua.CLEAR, secrets.token_hex(8))
        self.require()

    @property
    def answers(self) -> Sequence[ScriptedAnswer]:
        """The scripted answers with their uses by all processes. Raises StateUnavailable."""
        self.require()
        used: Any = self._connection.run(lambda redis: redis.hgetall(self._connection.key("used")))
        for answer in self._answers:
            answer.used = int(used.get(answer.id.encode(), 0))
        return tuple(self._answers)

    def balances(self) -> Sequence[Balance]:
        """See `ServerState.balances`. Raises StateUnavailable."""
        self.require()
        return super().balances()

    def charge(self, key: bytes, cost: Cost) -> ExceededLimit | None:
        """See `ServerState.charge`."""
        while True:
            try:
                return super().charge(key, cost)
            except _Changed:
                self._refresh()

    def _count_call(self) -> None:
        try:
            count: Any = self._connection.run(lambda redis: redis.hincrby(self._connection.key("counters"), "calls", 1))
        except StateUnavailable:
            return
        self._call_count = count

    def _first(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        checked: CheckedRequest,
        is_for: Callable[[ScriptedAnswer], bool],
    ) -> ScriptedAnswer | None:
        while True:
            try:
                return super()._first(scope, headers, checked, is_for)
            except _Changed:
                self._refresh()
            except StateUnavailable:
                return None

    def _take(self, answer: ScriptedAnswer) -> bool:
        taken: int = self._connection.call(lua.TAKE, self._version, answer.id)
        if taken == -1:
            raise _Changed
        answer.used += 1
        if not taken and answer.times is not None:
            answer.used = answer.times  # by other processes
        return bool(taken)

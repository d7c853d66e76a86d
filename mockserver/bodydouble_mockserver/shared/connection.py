"""The connection to Redis: every command within a bounded time, and none for a moment after one that failed."""

import contextlib
import math
import re
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from bodydouble_spec import Redactor

from bodydouble_mockserver.errors import StateUnavailable
from bodydouble_mockserver.shared import lua
from bodydouble_mockserver.shared.address import Address, CannotShare
from bodydouble_mockserver.shared.batch import Argument, Batch, Turns
from bodydouble_mockserver.shared.lua import Script

if TYPE_CHECKING:
    from redis import Redis

__all__ = ["Connection"]

Result = TypeVar("Result")
# A script with its arguments, or a command with its own.
_Call = tuple[Script | None, Sequence[Argument]]

# A command waits so long for its answer, unless the URL has a socket_timeout; the first one, and one with megabytes, so much longer.
_PATIENCE_S = 0.5
_LONGER = 10
# After a failure there is no command for so long, after each further one twice as long, up to so long.
_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 8.0
_PROBE_LIFETIME_S = 60
_PLACE_IN_SCRIPT = re.compile(r" script: [0-9a-f]{40}, on @user_script:\d+\.?")
# Lua can take so many values at once, and more.
_MOST_ITEMS = 1000


class Connection:
    """Commands for the Redis of a URL; thread-safe.

    A command that gets no answer within half a second (one with megabytes: five) raises StateUnavailable, and so do all others at once, for a second
    or more: a server that is away or slow costs all calls of that time together one wait. ``?socket_timeout=2`` in the URL is another time. Raises
    CannotShare for a URL that cannot be used.
    """

    def __init__(self, url: str) -> None:
        address = Address.parse(url)
        try:
            # Imported here: only this needs the extra.
            import redis
            from redis.backoff import NoBackoff
            from redis.exceptions import NoScriptError
            from redis.retry import Retry
        except ImportError:
            advice = "pip install 'bodydouble[redis]'"
            raise CannotShare(address.shown, "this needs the redis package", advice) from None
        self.shown = address.shown
        self._prefix = address.prefix
        self._errors = (redis.RedisError, OSError)
        self._refused = redis.ResponseError
        self._unknown_script = NoScriptError

        def pool(longer: int = 1) -> "Redis":
            # The older protocol is read in half of the time.
            made = redis.Redis.from_url(address.url, protocol=2, retry=Retry(NoBackoff(), 0))  # pyright: ignore[reportUnknownMemberType] - its options have no types
            options: dict[str, Any] = made.connection_pool.connection_kwargs
            options["socket_timeout"] = longer * (options.get("socket_timeout") or _PATIENCE_S)
            options["socket_connect_timeout"] = options["socket_timeout"]
            return made

        self._pools = {False: pool(), True: pool(_LONGER)}
        self._patience_s: float = self._pools[False].connection_pool.connection_kwargs["socket_timeout"]
        self._closed_until = 0.0
        self._pause_s = _PAUSE_S
        self._problem: str | None = None
        # One connection each for small and for large values: taking one from a pool takes as long as a command.
        self._connected: dict[bool, Redis] = {}
        self._locks = {False: threading.RLock(), True: threading.RLock()}
        # In the order in which their script reads them.
        self._batches = {"recipes": Batch(), "journal": Batch()}
        self.turns = Turns(self.flush)

    def check(self) -> None:
        """Raise StateUnavailable when Redis does not answer within some seconds, and when it cannot be written to."""
        self.run(self._probe, is_large=True)

    def lose(self, reason: str) -> StateUnavailable:
        """Return the error for a state that makes no sense; as after a failure, there is no command for a moment."""
        self._fail(reason)
        return self._unavailable()

    def key(self, name: str) -> str:
        """Return the name of a key in Redis."""
        return self._prefix + name

    @property
    def outage(self) -> str | None:
        """The reason why there is no state now, and its effect, in one sentence; None while there is."""
        if self._problem is None:
            return None
        return f"{self._unavailable()}; calls are answered without scripts, limits, and the pictures of other processes, and are not in the journal"

    def run(self, command: "Callable[[Redis], Result]", *, is_large: bool = False) -> Result:
        """Return the result of a command. Raises StateUnavailable."""
        if not is_large:
            self.flush()
        with self._locks[is_large]:
            return self._within_patience(command, is_large=is_large)

    def call(self, script: Script, *arguments: Argument) -> Any:
        """Return the result of a script in Lua, whose steps no other command comes between. Raises StateUnavailable."""
        return self._send((script, arguments))[-1]

    def version(self) -> bytes | None:
        """Return the version of script and limits, asked for with what is written. Raises StateUnavailable."""
        with self._locks[False]:
            version: bytes | None = self._send(*(() if self._has_items else [(None, ("GET", self.key("version")))]))[0]
            return version

    def batch(self, name: str, *arguments: Argument, done: Callable[[int | None, Any], None]) -> Callable[..., None]:
        """Return a function that adds items to those of a name, "recipes" or "journal", that are written together; see `Batch`."""
        batch = self._batches[name]
        batch.arguments, batch.done = arguments, done

        def add(*items: Argument) -> None:
            batch.items += items
            if len(batch.items) >= _MOST_ITEMS or not self.turns.will_end():
                self.flush()

        return add

    @property
    def _has_items(self) -> bool:
        return any(batch.items for batch in self._batches.values())

    def flush(self) -> None:
        """Write the items of all batches, and wait until Redis has them or they are lost."""
        with contextlib.suppress(StateUnavailable):
            self._send()

    def _send(self, *calls: _Call) -> list[Any]:
        """Write the items of all batches, together with scripts and commands; return the version where there were items, and the results of ``calls``."""
        with self._locks[False]:
            if not self._has_items:
                return self._within_patience(lambda redis: self._exchange(redis, calls)) if calls else []
            taken = [(batch, *batch.take()) for batch in self._batches.values()]
            write: _Call = (lua.WRITE, [argument for _, arguments, _ in taken for argument in arguments])
            last: int | None = None
            try:
                written, *results = self._within_patience(lambda redis: self._exchange(redis, (write, *calls)))
                version, last = written
            finally:
                for batch, _, items in taken:
                    batch.done(last, items)
                self.turns.release()
            return [version, *results]

    def close(self) -> None:
        """Send what waits, and close the connections; later commands raise StateUnavailable."""
        self.flush()
        self._closed_until = math.inf
        for client in (*self._connected.values(), *self._pools.values()):
            client.close()

    def _within_patience(self, command: "Callable[[Redis], Result]", *, is_large: bool = False) -> Result:
        if time.monotonic() < self._closed_until:
            raise self._unavailable()
        start = time.monotonic()
        try:
            client = self._client(is_large=is_large)
            if self._problem is not None:
                # One that may be read but not written to, for its memory is full, is no state either.
                self._probe(client)
            result = command(client)
        except self._errors as error:
            self._fail(str(error) or type(error).__name__)
            raise self._unavailable() from None
        took_s = time.monotonic() - start
        if took_s > self._patience_s * (_LONGER if is_large else 1):
            self._fail(f"its answers take {took_s:.1f} s")
        elif self._problem is not None:
            self._problem, self._pause_s = None, _PAUSE_S
        return result

    def _probe(self, client: "Redis") -> None:
        client.set(self.key("probe"), 1, ex=_PROBE_LIFETIME_S)

    def _exchange(self, client: "Redis", calls: "Sequence[_Call]") -> list[Any]:
        """Return the results of scripts and commands that are sent together. Raises the error of one that is refused, after all were run."""
        # Below the commands of the client, whose pipeline asks each time whether Redis knows its scripts.
        wire: Any = client.connection
        commands = [
            arguments if script is None else ("EVALSHA", script.digest, 1, self._prefix, *arguments)
            for script, arguments in calls
        ]
        wire.send_packed_command(wire.pack_commands(commands))
        results: list[Any] = []
        for _ in calls:
            try:
                results.append(wire.read_response())
            except self._refused as error:
                results.append(error)
        for index, (script, arguments) in enumerate(calls):
            if script is not None and isinstance(results[index], self._unknown_script):
                results[index] = client.eval(script.text, 1, self._prefix, *arguments)
            elif isinstance(results[index], Exception):
                raise results[index]
        return results

    def _client(self, *, is_large: bool) -> "Redis":
        client = self._connected.get(is_large)
        if client is None:
            connect: Callable[[], Redis] = self._pools[is_large].client  # which has no types
            client = self._connected[is_large] = connect()
        wire: Any = client.connection
        # Redis may have closed it and been started again; a command that is sent before that is seen may or may not have been run.
        with contextlib.suppress(*self._errors):
            if not wire.is_connected or not wire.can_read():
                return client
        wire.disconnect()
        return client

    def _fail(self, reason: str) -> None:
        self._closed_until = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        self._problem = _PLACE_IN_SCRIPT.sub("", Redactor().text(reason)).rstrip(".")

    def _unavailable(self) -> StateUnavailable:
        return StateUnavailable(self._problem or "it does not answer", self.shown)

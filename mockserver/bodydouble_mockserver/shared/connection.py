"""The connection to Redis: every command within a bounded time, and none for a moment after one that failed."""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from bodydouble_spec import Redactor

from bodydouble_mockserver.errors import StateUnavailable

if TYPE_CHECKING:
    from redis import Redis

__all__ = ["PREFIX", "CannotShare", "Connection"]

Result = TypeVar("Result")

Argument = str | bytes | float
PREFIX = "bodydouble:"
"""The beginning of the names of all keys."""

# A command waits so long for its answer, unless the URL has a socket_timeout; the first one, and one with megabytes, so much longer.
_PATIENCE_S = 0.5
_LONGER = 10
# After a failure there is no command for so long, after each further one twice as long, up to so long.
_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 8.0


class CannotShare(ValueError):
    """The state cannot be shared; the message says where, why, and what to do."""


class Connection:
    """Commands for the Redis of a URL; thread-safe.

    A command that gets no answer within half a second (one with megabytes: five) raises StateUnavailable, and so do all others at once, for a second
    or more: a server that is away or slow costs all calls of that time together one wait. ``?socket_timeout=2`` in the URL is another time. Raises
    CannotShare for a URL that cannot be used, and where nothing answers.
    """

    def __init__(self, url: str) -> None:
        try:
            # Imported here: only this needs the extra.
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError:
            raise CannotShare("--state needs the redis package: pip install 'bodydouble[redis]'") from None
        self.shown = Redactor().text(url)
        self._errors = (redis.RedisError, OSError)
        self._lost = redis.ConnectionError
        self._timeout = redis.TimeoutError
        self._refused = redis.ResponseError

        def pool(longer: int = 1) -> "Redis":
            # The older protocol is read in half of the time.
            made = redis.Redis.from_url(url, protocol=2, retry=Retry(NoBackoff(), 0))  # pyright: ignore[reportUnknownMemberType] - its options have no types
            options: dict[str, Any] = made.connection_pool.connection_kwargs
            options["socket_timeout"] = longer * (options.get("socket_timeout") or _PATIENCE_S)
            options["socket_connect_timeout"] = options["socket_timeout"]
            return made

        try:
            self._pools = {False: pool(), True: pool(_LONGER)}
            self._patience_s: float = self._pools[False].connection_pool.connection_kwargs["socket_timeout"]
        except ValueError as error:
            raise CannotShare(f"--state {self.shown}: {error}; write it as redis://HOST:PORT/NUMBER") from None
        self._closed_until = 0.0
        self._pause_s = _PAUSE_S
        self._problem: str | None = None
        self._scripts: dict[str, Any] = {}
        # One connection each for small and for large values: taking one from a pool takes as long as a command.
        self._connected: dict[bool, Redis] = {}
        self._locks = {False: threading.Lock(), True: threading.Lock()}
        # What gets the results of the scripts that were posted, in their order.
        self._posted: deque[Callable[[Any], None]] = deque()
        try:
            self.run(lambda redis: redis.exists(PREFIX), is_large=True)
        except StateUnavailable as error:
            raise CannotShare(
                f"--state {self.shown}: {error.reason}; start the server there, or leave --state out"
            ) from None

    @property
    def outage(self) -> str | None:
        """The reason why there is no state now, and its effect, in one sentence; None while there is."""
        if self._problem is None:
            return None
        return f"{self._unavailable()}; calls are answered without scripts, limits, and the pictures of other processes, and are not in the journal"

    def run(self, command: "Callable[[Redis], Result]", *, is_large: bool = False) -> Result:
        """Return the result of a command. Raises StateUnavailable."""
        if time.monotonic() < self._closed_until:
            raise self._unavailable()
        with self._locks[is_large]:
            start = time.monotonic()
            try:
                try:
                    result = self._run(command, is_large=is_large)
                except self._timeout:
                    raise
                except self._lost:
                    # The first command after a restart finds a connection that is closed.
                    result = self._run(command, is_large=is_large)
            except self._errors as error:
                self._fail(str(error) or type(error).__name__)
                raise self._unavailable() from None
        took_s = time.monotonic() - start
        if took_s > self._patience_s * (_LONGER if is_large else 1):
            self._fail(f"its answers take {took_s:.1f} s")
        elif self._problem is not None:
            self._problem, self._pause_s = None, _PAUSE_S
        return result

    def _run(self, command: "Callable[[Redis], Result]", *, is_large: bool) -> Result:
        client = self._client(is_large=is_large)
        if not is_large and self._posted:
            self._read_posted(client)
        return command(client)

    def call(self, script: str, *arguments: Argument) -> Any:
        """Return the result of a script in Lua, whose steps no other command comes between. Raises StateUnavailable."""
        known = self._scripts.get(script)
        if known is None:
            known = self._scripts[script] = self._pools[False].register_script(script)
        return self.run(lambda redis: known(keys=[PREFIX], args=arguments, client=redis))

    def post(self, script: str, *arguments: Argument, done: Callable[[Any], None]) -> None:
        """Send a script and do not wait: ``done`` gets the result when the next command is run, None when it is lost.

        Redis runs it before all that is sent later.
        """
        if time.monotonic() < self._closed_until:
            done(None)
            return
        with self._locks[False]:
            try:
                # The whole script: of one that a server does not know, its caller would have to be told.
                _wire(self._client(is_large=False)).send_command("EVAL", script, 1, PREFIX, *arguments)
            except self._errors as error:
                self._fail(str(error) or type(error).__name__)
                done(None)
            else:
                self._posted.append(done)

    def _read_posted(self, client: "Redis") -> None:
        """Read the results of the scripts that were posted. Raises the errors of a connection that is lost, and they are lost then."""
        while self._posted:
            try:
                result: Any = _wire(client).read_response()
            except self._refused:
                result = None
            except BaseException:
                while self._posted:
                    self._posted.popleft()(None)
                raise
            self._posted.popleft()(result)

    def close(self) -> None:
        """Close the connections."""
        if self._posted:
            with contextlib.suppress(StateUnavailable):
                self.run(lambda redis: redis.exists(PREFIX))
        for client in (*self._connected.values(), *self._pools.values()):
            client.close()

    def _client(self, *, is_large: bool) -> "Redis":
        if is_large not in self._connected:
            connect: Callable[[], Redis] = self._pools[is_large].client  # which has no types
            self._connected[is_large] = connect()
        return self._connected[is_large]

    def _fail(self, reason: str) -> None:
        self._closed_until = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        self._problem = Redactor().text(reason)

    def _unavailable(self) -> StateUnavailable:
        return StateUnavailable(self._problem or "it does not answer", self.shown)


def _wire(client: "Redis") -> Any:
    """Return the connection of a client that has one, below its commands."""
    return client.connection

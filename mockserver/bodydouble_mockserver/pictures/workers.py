"""Jobs in threads that hold up neither the event loop nor the end of the process."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

__all__ = ["Workers"]

Result = TypeVar("Result")


class Workers(Generic[Result]):
    """Runs jobs in at most ``limit`` daemon threads; jobs with an equal key that overlap are done once, for all who wait.

    The threads of a ThreadPoolExecutor are joined when the interpreter exits, so that a long job delays the exit; these
    are not. A thread ends when no job waits. The results may be awaited in several event loops.
    """

    def __init__(self, limit: int, name: str) -> None:
        self._limit = limit
        self._name = name
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Hashable, Callable[[], Result]]] = deque()
        self._futures: dict[Hashable, Future[Result]] = {}
        self._threads = 0

    async def run(self, key: Hashable, job: Callable[[], Result]) -> Result:
        """Return the result of the job, or of the one with an equal key that waits or runs already; raises what it raises."""
        # Without the shield, a caller that is cancelled would cancel the job of the others.
        return await asyncio.shield(asyncio.wrap_future(self._submit(key, job)))

    def _submit(self, key: Hashable, job: Callable[[], Result]) -> "Future[Result]":
        with self._lock:
            if key in self._futures:
                return self._futures[key]
            future = self._futures[key] = Future[Result]()
            self._waiting.append((key, job))
            is_full = self._threads == self._limit
            self._threads += not is_full
        if not is_full:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        return future

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads -= 1
                    return
                key, job = self._waiting.popleft()
                future = self._futures[key]
            try:
                outcome: Result | BaseException = job()
            except BaseException as error:  # noqa: BLE001 - handed to those who wait, as concurrent.futures does
                outcome = error
            with self._lock:
                del self._futures[key]
            if isinstance(outcome, BaseException):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

"""The number of answers that several processes have given to each recorded request."""

import hashlib

from bodydouble_mockserver.errors import StateUnavailable
from bodydouble_mockserver.replay import Uses
from bodydouble_mockserver.shared.connection import Connection

__all__ = ["SharedUses"]


class SharedUses(Uses):
    """The uses of all processes, in Redis; while that is away, those of this process."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection
        self._name = connection.key("replayed")

    def count(self, text: str) -> int:
        """See `Uses.count`."""
        before, digest = super().count(text), hashlib.sha256(text.encode()).hexdigest()
        try:
            used: int = self._connection.run(lambda redis: redis.hincrby(self._name, digest, 1))
        except StateUnavailable:
            return before
        return used - 1

    def clear(self) -> None:
        """See `Uses.clear`. Raises StateUnavailable."""
        super().clear()
        self._connection.run(lambda redis: redis.delete(self._name))

"""The losses of a folder that keeps pictures, in words."""

import logging
from pathlib import Path

__all__ = ["Losses"]

_LOG = logging.getLogger("bodydouble.mockserver")
_MAX_NAMED = 3


class Losses:
    """The things that could not be written to a folder, and its damage; logged when it begins and when it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lost = 0
        self._reason: str | None = None
        self._damage: list[str] = []

    @property
    def sentences(self) -> list[str]:
        """The losses so far, one sentence each; none while all went well."""
        more = len(self._damage) - _MAX_NAMED
        rest = [f"{self._folder}: {more} more files or lines were damaged"] if more > 0 else []
        if not self._lost:
            return [*self._damage[:_MAX_NAMED], *rest]
        state = "can be written again" if self._reason is None else f"cannot be written: {self._reason}"
        lost = f"the folder {self._folder} {state}; recipes and inputs that a restart will lose: {self._lost}"
        return [lost, *self._damage[:_MAX_NAMED], *rest]

    def note_failure(self, error: OSError) -> None:
        """Count one thing that could not be written."""
        self._lost += 1
        if self._reason is None:
            self._reason = error.strerror or str(error)
            _LOG.error("%s", self.sentences[0])

    def note_success(self) -> None:
        """Note that the folder could be written."""
        if self._reason is not None:
            self._reason = None
            _LOG.error("%s", self.sentences[0])

    def note_damage(self, sentence: str) -> None:
        """Note a file or a line that was not as it had been written."""
        self._damage.append(sentence)
        if len(self._damage) <= _MAX_NAMED:
            _LOG.error("%s", sentence)

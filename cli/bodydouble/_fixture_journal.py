"""``pytest --bodydouble-journal FILE``: the exchanges of all tests in one file, with pytest-xdist too."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from bodydouble_spec import Exchange

__all__ = ["JournalOption"]

_OPTION = "bodydouble_journal"


class JournalOption:
    """The plugin for the option, in each process of a run.

    A worker of pytest-xdist writes to its own file, ``FILE.gw0``, which the controller appends to ``FILE`` at the end. The file of a run
    that was killed stays, and is appended by the next run.
    """

    def __init__(self, file: Path, *, is_worker: bool) -> None:
        self._file = file
        self._is_worker = is_worker
        self._parts: list[Path] = []
        try:
            _end_torn_line(file)
        except OSError as error:
            raise pytest.UsageError(
                f"--bodydouble-journal {file}: {error.strerror or error}; name a file in a folder that can be written"
            ) from None

    @classmethod
    def from_config(cls, config: pytest.Config) -> "JournalOption":
        """Create the plugin for this process. Raises UsageError when the file cannot be written."""
        worker: dict[str, Any] | None = getattr(config, "workerinput", None)
        if worker is not None:
            return cls(Path(worker[_OPTION]), is_worker=True)
        chosen = str(config.getoption("--bodydouble-journal"))
        return cls(config.invocation_params.dir / chosen, is_worker=False)

    def write(self, test: str, exchanges: Iterable["Exchange"]) -> None:
        """Append the exchanges of a test, each with the test's node id as ``"test"``."""
        lines = [replace(exchange, extra={**exchange.extra, "test": test}).to_line() for exchange in exchanges]
        if lines:
            with self._file.open("ab") as file:
                file.write(b"".join(lines))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Pass a worker of pytest-xdist the name of its file."""
        worker: str = node.workerinput["workerid"]
        part = self._file.with_name(f"{self._file.name}.{worker}")
        self._parts.append(part)
        node.workerinput[_OPTION] = str(part)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Append the workers' files, in the controller, once the workers have ended."""
        if self._is_worker:
            return
        for part in self._parts:
            if part.exists():
                _end_torn_line(part)
                with self._file.open("ab") as file:
                    file.write(part.read_bytes())
                part.unlink()


def _end_torn_line(file: Path) -> None:
    """Create the file if it is missing, and end a line that a killed process left without a newline."""
    with file.open("a+b") as opened:
        if opened.tell():
            opened.seek(-1, 2)
            if opened.read(1) != b"\n":
                opened.write(b"\n")

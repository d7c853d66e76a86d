"""The money spent in a day, by all processes of this user, in a file that outlives them."""

import contextlib
import os
import secrets
import sys
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import orjson
from bodydouble_spec import is_object

from bodydouble_contract_tests.errors import CannotVerify
from bodydouble_contract_tests.spending.budget import TOLERANCE_USD

if sys.platform != "win32":
    import fcntl

__all__ = ["DayLedger", "default_ledger"]


def default_ledger(environ: Mapping[str, str]) -> Path:
    """Return the file of the ledger where none is named: in the folder for the state of programs of this user."""
    state = environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state, "bodydouble", "spending.jsonl")


class DayLedger:
    """A file of reservations and settlements, one JSON object a line; days are those of UTC.

    A reservation that a killed process left counts as spent. The file is locked for each entry, where files can be locked (not on Windows).
    Raises CannotVerify when it cannot be used.
    """

    def __init__(self, path: Path, max_usd: float, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.path = path
        self.max_usd = max_usd
        self._now = now
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
        except OSError as error:
            raise self._failure(error.strerror or str(error)) from None
        self.spent_usd()

    def spent_usd(self) -> float:
        """Return the amount that is spent or reserved today."""
        with self._locked():
            return self._sum()

    def reserve(self, usd: float) -> str | None:
        """Reserve an amount and return the id of the reservation; None when the day's limit is too low for it."""
        with self._locked():
            if usd > 0 and usd > self.max_usd - self._sum() + TOLERANCE_USD:
                return None
            identifier = secrets.token_hex(6)
            self._write({"day": self._day(), "id": identifier, "reserved_usd": usd})
        return identifier

    def settle(self, identifier: str, charged_usd: float) -> None:
        """Count the charge of a call in the place of its reservation."""
        with self._locked():
            self._write({"day": self._day(), "id": identifier, "charged_usd": round(charged_usd, 9)})

    def close(self) -> None:
        """Close the file; may be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _day(self) -> str:
        return self._now().astimezone(UTC).date().isoformat()

    def _sum(self) -> float:
        today, amounts = self._day(), dict[str, float]()
        for number, line in enumerate(self._read().splitlines(), 1):
            if not line.strip():
                continue
            try:
                entry = orjson.loads(line)
            except orjson.JSONDecodeError:
                entry = None
            usd = entry.get("charged_usd", entry.get("reserved_usd")) if is_object(entry) else None
            if not is_object(entry) or not isinstance(usd, int | float):
                raise self._failure(f"line {number} is not an entry of a ledger")
            if entry.get("day") == today:
                amounts[str(entry.get("id"))] = float(usd)
        return sum(amounts.values())

    def _read(self) -> bytes:
        parts: list[bytes] = []
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        while part := os.read(self._descriptor, 1 << 20):
            parts.append(part)
        return b"".join(parts)

    def _write(self, entry: Mapping[str, object]) -> None:
        try:
            os.write(self._descriptor, orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))
            os.fsync(self._descriptor)
        except OSError as error:
            raise self._failure(error.strerror or str(error)) from None

    @contextlib.contextmanager
    def _locked(self) -> Generator[None]:
        if sys.platform == "win32":
            yield
            return
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _failure(self, reason: str) -> CannotVerify:
        return CannotVerify(f"the ledger {self.path}: {reason}; repair it, or name another file (--ledger FILE)")

"""The recording of a run: every call as it is made, money before it is spent, so that nothing is paid for twice."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from bodydouble_spec import Exchange, Finding, read_exchanges

from bodydouble_contract_tests._case import Case
from bodydouble_contract_tests._charge import Charge
from bodydouble_contract_tests._errors import CannotVerify
from bodydouble_contract_tests._observation import Observation
from bodydouble_contract_tests._record import CallState, Entry, entry_of, finding_of, observation_of

__all__ = ["RecordedRun", "Recorder", "latest", "read_recorded_run"]


class Recorder:
    """Append exchanges to a file. `write` returns when the operating system has the exchange, or the disk when money depends on it.

    An incomplete last line, which a killed process left, is removed. Raises CannotVerify when the file cannot be opened, or is not empty although
    the run ``is_new``.
    """

    def __init__(self, path: Path, *, is_new: bool) -> None:
        self._path = path
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        except OSError as error:
            raise CannotVerify(f"{path}: {error.strerror or error}; name a file that can be written") from None
        try:
            self._begin(is_new)
        except OSError as error:
            self.close()
            raise CannotVerify(f"{path}: {error.strerror or error}; name a regular file") from None
        except CannotVerify:
            self.close()
            raise

    def write(self, exchange: Exchange, *, is_money: bool = False) -> None:
        """Append one exchange. Raises OSError when it cannot be written."""
        view = memoryview(exchange.to_line())
        while view:
            view = view[os.write(self._descriptor, view) :]
        if is_money:
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file; may be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self, is_new: bool) -> None:
        end = os.lseek(self._descriptor, 0, os.SEEK_END)
        if end and is_new:
            raise CannotVerify(f"{self._path} holds a recording already; resume that run, or name another file")
        position = end
        while position:
            start = max(0, position - 65536)
            os.lseek(self._descriptor, start, os.SEEK_SET)
            newline = os.read(self._descriptor, position - start).rfind(b"\n")
            if newline >= 0:
                position = start + newline + 1
                break
            position = start
        if position < end:
            os.ftruncate(self._descriptor, position)
        os.lseek(self._descriptor, position, os.SEEK_SET)


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call of an earlier run: its entry and its exchange."""

    entry: Entry
    exchange: Exchange

    @property
    def is_lost(self) -> bool:
        """True when the run ended while the call was being made, so that its outcome is unknown."""
        return self.entry.state is CallState.RESERVED

    def observation(self, case: Case) -> Observation:
        """Return the observation of the call; see `observation_of`."""
        return observation_of(self.exchange, case, self.entry.number)

    def findings(self) -> list[Finding]:
        """Return the findings of the call, if it was checked."""
        found = [finding_of(item) for item in self.exchange.findings]
        return [finding for finding in found if finding is not None]


class RecordedRun:
    """The calls of earlier runs, by case and repetition."""

    def __init__(self, calls: Mapping[tuple[str, int], RecordedCall], requests: int = 0) -> None:
        self._calls = calls
        self.requests = requests

    def get(self, case: Case, number: int) -> RecordedCall | None:
        """Return the recorded call, which may be a lost one; None when it is still to be made."""
        return self._calls.get((case.id, number))

    @property
    def charge(self) -> Charge:
        """The charges so far; a lost call counts with its highest possible price."""
        charges = [item.entry.charge for item in self._calls.values()]
        return Charge(
            sum(charge.images for charge in charges),
            sum(charge.credits for charge in charges),
            sum(charge.usd for charge in charges),
        )


def latest(exchanges: tuple[Exchange, ...]) -> Iterator[Exchange]:
    """Yield each exchange once: the last one with its id, at the place of the first."""
    yield from {exchange.id: exchange for exchange in exchanges}.values()


def read_recorded_run(path: Path, run_identity: Mapping[str, str]) -> RecordedRun:
    """Read a recording of the run that ``run_identity`` names.

    Raises CannotVerify when a part of it cannot be read, or when it was made with another contract, plan or target.
    """
    try:
        log = read_exchanges(path)
    except OSError as error:
        raise CannotVerify(f"{path}: {error.strerror or error}; name a recording to resume") from None
    unreadable = [finding for finding in log.findings if finding.id != "exchange-torn"]
    if unreadable:
        raise CannotVerify(f"{path}: {unreadable[0].message}; that call may have cost money, so begin a new recording")
    calls: dict[tuple[str, int], RecordedCall] = {}
    requests = 0
    for exchange in latest(log.exchanges):
        entry = entry_of(exchange)
        if entry is None:
            raise CannotVerify(f"{path}: {exchange.id} is not a call of a verification; name a recording of one")
        changed = [name for name, value in run_identity.items() if entry.run_identity.get(name) != value]
        if changed:
            raise CannotVerify(
                f"{path} was recorded with another {' and another '.join(changed)}; "
                "use the same ones to resume it, or begin a new recording"
            )
        requests += 1
        if entry.state is not CallState.RELEASED:
            calls.setdefault((entry.case, entry.number), RecordedCall(entry, exchange))
    return RecordedRun(calls, requests)

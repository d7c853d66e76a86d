"""The file of a run: every call written as it comes, money before it is spent, so that nothing is paid twice."""

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
from bodydouble_contract_tests._record import Entry, State, entry_of, finding_of, observation_of

__all__ = ["Past", "Recorder", "latest", "read_past"]


class Recorder:
    """Appends exchanges to a file; each is with the operating system when `write` returns, and on the disk if money depends on it.

    Half a line that a killed process left is cut away. Raises CannotVerify when the file cannot be opened, or has something in it although
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
            raise CannotVerify(f"{path}: {error.strerror or error}; name a plain file") from None
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
            raise CannotVerify(f"{self._path} holds a recording already; go on with it (resume), or name another file")
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
class PastCall:
    """A call that an earlier run made: its entry, and the exchange as recorded."""

    entry: Entry
    exchange: Exchange

    @property
    def is_lost(self) -> bool:
        """Whether it was about to be sent when the run ended, so that nobody knows whether it was carried out."""
        return self.entry.state is State.RESERVED

    def observation(self, case: Case) -> Observation:
        """What came of it; see `observation_of`."""
        return observation_of(self.exchange, case, self.entry.number)

    def findings(self) -> list[Finding]:
        """What was found, where it was judged."""
        found = [finding_of(item) for item in self.exchange.findings]
        return [finding for finding in found if finding is not None]


class Past:
    """What earlier runs did, by case and repetition."""

    def __init__(self, calls: Mapping[tuple[str, int], PastCall], requests: int = 0) -> None:
        self._calls = calls
        self.requests = requests

    def get(self, case: Case, number: int) -> PastCall | None:
        """The call that was made, or may have been; None when it is still to be made."""
        return self._calls.get((case.id, number))

    @property
    def charge(self) -> Charge:
        """What was charged so far; a lost call counts at its worst."""
        charges = [item.entry.charge for item in self._calls.values()]
        return Charge(
            sum(charge.images for charge in charges),
            sum(charge.credits for charge in charges),
            sum(charge.usd for charge in charges),
        )


def latest(exchanges: tuple[Exchange, ...]) -> Iterator[Exchange]:
    """The exchanges, each once: of those with one id the last, at the place of the first."""
    yield from {exchange.id: exchange for exchange in exchanges}.values()


def read_past(path: Path, identity: Mapping[str, str]) -> Past:
    """What a recording holds of the run that ``identity`` names.

    Raises CannotVerify when it cannot be read as a whole, or was made with another contract, plan or target.
    """
    try:
        log = read_exchanges(path)
    except OSError as error:
        raise CannotVerify(f"{path}: {error.strerror or error}; name a recording to go on with") from None
    unreadable = [finding for finding in log.findings if finding.id != "exchange-torn"]
    if unreadable:
        raise CannotVerify(
            f"{path}: {unreadable[0].message}; what it was may have cost money, so begin a new recording"
        )
    calls: dict[tuple[str, int], PastCall] = {}
    requests = 0
    for exchange in latest(log.exchanges):
        entry = entry_of(exchange)
        if entry is None:
            raise CannotVerify(f"{path}: {exchange.id} is no call of a verification; name a recording of one")
        changed = [name for name, value in identity.items() if entry.identity.get(name) != value]
        if changed:
            raise CannotVerify(
                f"{path} was recorded with another {' and another '.join(changed)}; "
                "go on as it was begun, or begin a new recording"
            )
        requests += 1
        if entry.state is not State.RELEASED:
            calls.setdefault((entry.case, entry.number), PastCall(entry, exchange))
    return Past(calls, requests)

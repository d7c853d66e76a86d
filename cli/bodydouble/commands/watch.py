"""``bodydouble serve --watch``: changed contracts, overlays and scenarios, taken over while the server runs.

The files are polled: that sees editors which rename, files that are deleted and made again, and folders on a network, needs no further
library, and costs some microseconds a file. ``watchfiles`` would take 18 ms to import and 1.4 MB.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bodydouble_mockserver import BadScenario, MockServer
from bodydouble_mockserver.errors import StateUnavailable
from bodydouble_spec import Contract, SpecError
from bodydouble_spec.document import is_url

from bodydouble.console import one_line
from bodydouble.options import UPSTREAM, VENDORED

__all__ = ["Watch", "WatchedFiles"]

LOG = logging.getLogger("bodydouble.mockserver")
_POLL_S = 0.2
State = tuple[tuple[str, int, int, int], ...]
_BESIDE = ("overlay.yaml", "overlay.yml", "overlay.json")


class WatchedFiles:
    """The files of contracts, overlay and scenario, those in folders, and those that an overlay beside a document would have.

    Create it before they are loaded: ``first`` is their state then, so that a change while they are loaded counts.
    """

    def __init__(self, sources: Sequence[str], overlay: str | None, scenario: Path | None) -> None:
        given = [Path(source) for source in sources if source not in {VENDORED, UPSTREAM} and not is_url(source)]
        beside = [path.with_name(name) for path in given if path.name for name in _BESIDE]
        other = [] if overlay is None or is_url(overlay) else [Path(overlay)]
        self.scenario = scenario
        self._paths = [*given, *beside, *other, *([] if scenario is None else [scenario])]
        self.first = self.state()

    def watch(self, app: MockServer, load: Callable[[], tuple[list[Contract], Any]]) -> None:
        """Have a server take over what ``load`` returns whenever one of the files has changed, while it runs."""
        app.background.append(Watch(app, load, self).run)

    def state(self) -> State:
        """Return what changes with the files."""
        return tuple(_entry(path) for named in self._paths for path in (named, *_inside(named)))


class Watch:
    """Takes over what ``load`` returns, contracts and a scenario, whenever one of the files has changed."""

    def __init__(self, app: MockServer, load: Callable[[], tuple[list[Contract], Any]], files: WatchedFiles) -> None:
        self._app = app
        self._load = load
        self._files = files
        self._taken = files.first
        self._is_waiting = False

    async def run(self) -> None:
        """Poll until cancelled. A change is taken over once the files have been still for a moment, so that none is read half-written."""
        before = self._taken
        while True:
            await asyncio.sleep(_POLL_S)
            now = self._files.state()
            if now == before != self._taken:
                self._taken = now
                await self._take_over()
            before = now

    async def _take_over(self) -> None:
        try:
            take_over = await asyncio.to_thread(self._prepare)
            take_over()
        except StateUnavailable as error:
            self._taken = ()  # so it is tried again
            if not self._is_waiting:
                LOG.warning("not reloaded yet: %s", one_line(str(error)))
            self._is_waiting = True
            return
        except (SpecError, ValueError) as error:
            LOG.warning("not reloaded, the last valid state stays in use: %s", one_line(str(error)))
        except Exception:
            LOG.exception("not reloaded; this is a bug in bodydouble")
        else:
            LOG.info("taken over: %s", one_line(", ".join(contract.source for contract in self._app.contracts)))
        self._is_waiting = False

    def _prepare(self) -> Callable[[], None]:
        contracts, script = self._load()
        try:
            return self._app.prepare(contracts, script)
        except BadScenario as error:
            is_of_file = not error.pointer.startswith(
                "/answer-"
            )  # which begins the pointer into an answer that was added later
            raise ValueError(
                f"--scenario {self._files.scenario}: {error}" if is_of_file else f"scripted answer: {error}"
            ) from None


def _inside(path: Path) -> Iterator[Path]:
    """Yield the files in a folder, in order; nothing for a file."""
    try:
        yield from (path / name for name in sorted(os.listdir(path)))  # noqa: PTH208 - names are enough
    except OSError:
        return


def _entry(path: Path) -> tuple[str, int, int, int]:
    """Return what changes with a file: its inode, its time and its size; zeros where there is none."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return str(path), 0, 0, 0
    return str(path), found.st_ino, found.st_mtime_ns, found.st_size

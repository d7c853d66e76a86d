"""The fixture ``bodydouble``: a mock of its own for one test, and the verdict when the test ends."""

import os
import traceback
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_spec import Contract, Exchange, Finding, Severity

from bodydouble._fixture_answer import NOT_GIVEN, BadAnswer, explain, scenario_of, shown
from bodydouble._fixture_environment import DUMMY_KEY, mock_variables
from bodydouble._fixture_findings import request_findings, unused_findings
from bodydouble._fixture_guard import REAL_DOMAIN, guard_real_host
from bodydouble._fixture_journal import JournalOption
from bodydouble._fixture_marker import MarkerOptions
from bodydouble._fixture_server import BackgroundServer
from bodydouble._fixture_verdict import real_host_findings, verdict

if TYPE_CHECKING:
    from bodydouble_client import Client
    from bodydouble_mockserver.transport import MockTransport

__all__ = ["Bodydouble", "stand_in"]

# A verdict needs every request of the test, however many; what they hold beyond 16 kB is kept as hashes.
_SETTINGS = Settings(journal_entries=1_000_000, journal_bytes=256 * 1024 * 1024)


class Bodydouble:
    """The mock that stands in for the service during one test.

    ``url`` is its address, without a trailing slash; the environment's variables hold it too, so that most apps need not be told.
    """

    def __init__(self, app: MockServer, server: BackgroundServer) -> None:
        self.url = server.url
        self._app = app
        self._server = server
        self._described: dict[str, str] = {}
        self._opened = ExitStack()
        self._transport: MockTransport | None = None

    @property
    def requests(self) -> list[Exchange]:
        """What the app sent so far, with what it was answered, the oldest first; without its key, and pictures by their hash.

        A request is in it once it is answered (one that meets a delay: after the delay).
        """
        return self._app.journal.exchanges()

    def answer(
        self,
        *,
        status: int = NOT_GIVEN,
        times: int | None = NOT_GIVEN,
        body: Any = NOT_GIVEN,
        headers: Mapping[str, str] = NOT_GIVEN,
        match: Mapping[str, Any] = NOT_GIVEN,
        delay_s: float | str = NOT_GIVEN,
        retry_after: int = NOT_GIVEN,
        fault: str = NOT_GIVEN,
        violation: str | Literal[True] = NOT_GIVEN,
        dialect: str = NOT_GIVEN,
        envelope: str = NOT_GIVEN,
        images: str = NOT_GIVEN,
    ) -> None:
        """Script the next answer: what is given here instead of what the mock would have answered, the rest as it would have been.

        Answers are used in the order in which they were scripted, each ``times`` times (1; None: always), by the requests that ``match``
        means (``{"prompt": "dinosaur"}``; also ``model``, ``path``, ``method``, ``header``, ``key``, ``call``). ``delay_s`` are seconds, or a
        range like ``"1..3"``; ``retry_after`` are the seconds of that header; ``fault`` breaks the connection or the body, and
        ``violation`` the contract (True: what ``body`` says is meant to break it). The names are those of ``Prefer`` and of scenarios.

        Raises BadAnswer (a ValueError) with the values that are good.
        """
        __tracebackhide__ = True
        arguments = {
            "status": status,
            "times": times,
            "body": body,
            "headers": headers,
            "match": match,
            "delay_s": delay_s,
            "retry_after": retry_after,
            "fault": fault,
            "violation": violation,
            "dialect": dialect,
            "envelope": envelope,
            "images": images,
        }
        try:
            code, value = self._server.control("POST", "scenarios", scenario_of(arguments))
        except TypeError as error:
            raise BadAnswer(f"bodydouble.answer: this cannot be written as JSON: {error}") from None
        if code != 201:
            raise BadAnswer(explain(value["error"], value.get("pointer", "")))
        caller = traceback.extract_stack(limit=2)[0]
        self._described[value["ids"][0]] = f"{shown(arguments)} at {Path(caller.filename).name}:{caller.lineno}"

    def client(self, **options: Any) -> "Client":
        """A `bodydouble_client.Client` for the mock, closed when the test ends; ``options`` are its own."""
        from bodydouble_client import Client

        chosen: dict[str, Any] = {"api_key": DUMMY_KEY, "base_url": self.url, **options}
        return self._opened.enter_context(Client(**chosen))

    @property
    def transport(self) -> "MockTransport":
        """An httpx transport, for sync and async clients, that reaches the same mock without a port."""
        if self._transport is None:
            from bodydouble_mockserver.transport import MockTransport

            self._transport = MockTransport(self._app)
            self._opened.callback(self._transport.close)
        return self._transport

    def unused(self) -> list[Finding]:
        """A finding for each scripted answer that was never used."""
        _, scripted = self._server.control("GET", "scenarios")
        sent = len(self._app.journal.numbers())
        return unused_findings(scripted["answers"], sent, Severity.ERROR, self._described)

    def close(self) -> None:
        """Close what `client` and `transport` have opened."""
        self._opened.close()


@contextmanager
def stand_in(
    contract: Contract, test: str, options: MarkerOptions, *, openai: bool, journal: JournalOption | None
) -> Generator[Bodydouble]:
    """A mock for the test of that node id, with the environment pointing at it; fails the test at the end for what the app did wrong."""
    called: list[str] = []
    app = create_app(contract, _SETTINGS)
    with BackgroundServer(app) as server, pytest.MonkeyPatch.context() as patch, ExitStack() as guard:
        if not options.allow_real_host:
            guard.enter_context(guard_real_host(server.url, called))
        # A proxy would look the real host's name up where no guard is.
        past_proxies = () if options.allow_real_host else (REAL_DOMAIN,)
        is_openai = openai if options.openai is None else options.openai
        for name, value in mock_variables(server.url, os.environ, openai=is_openai, past_proxies=past_proxies).items():
            patch.setenv(name, value)
        double = Bodydouble(app, server)
        yield double
        double.close()
        unused = double.unused()
    exchanges = double.requests
    if journal is not None:
        journal.keep(test, exchanges)
    failure = verdict(request_findings(exchanges, contract), unused, real_host_findings(called), options)
    if failure is not None:
        pytest.fail(failure, pytrace=False)

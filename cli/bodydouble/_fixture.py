"""The fixture ``bodydouble``: a mock for one test, and the check of its requests when the test ends."""

import os
import traceback
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_spec import Contract, Exchange, Finding, Severity

from bodydouble._fixture_answer import AnswerOptions, BadAnswer, explain_error, format_call, scenario_of
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

__all__ = ["Bodydouble", "run_mock"]

# The check at the end needs every request of the test; values over 16 kB are kept as hashes.
_SETTINGS = Settings(journal_entries=1_000_000, journal_bytes=256 * 1024 * 1024)


class Bodydouble:
    """The mock of the service during one test.

    ``url`` is its address, without a trailing slash. The environment variables are set to it too, so most apps need no configuration.
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
        """The exchanges so far, oldest first, without the app's key and with pictures by their hash.

        A request is added once it is answered, a delayed one after its delay.
        """
        return self._app.journal.exchanges()

    def answer(self, **options: Unpack[AnswerOptions]) -> None:
        """Script the next answer: ``answer(status=429, times=2, match={"prompt": "dinosaur"})``.

        The options are those of `AnswerOptions`. Answers are used in the order in which they were scripted. One that is never used fails the
        test.

        Raises BadAnswer (a ValueError), which lists the allowed values.
        """
        __tracebackhide__ = True
        scenario = scenario_of(options)
        try:
            code, value = self._server.control("POST", "scenarios", scenario)
        except TypeError as error:
            raise BadAnswer(f"bodydouble.answer: the answer cannot be written as JSON: {error}") from None
        if code != 201:
            raise BadAnswer(explain_error(value["error"], value.get("pointer", "")))
        caller = traceback.extract_stack(limit=2)[0]
        self._described[value["ids"][0]] = f"{format_call(options)} at {Path(caller.filename).name}:{caller.lineno}"

    def client(self, **options: Any) -> "Client":
        """Open a `bodydouble_client.Client` for the mock, closed when the test ends; ``options`` are passed to it."""
        from bodydouble_client import Client

        chosen: dict[str, Any] = {"api_key": DUMMY_KEY, "base_url": self.url, **options}
        return self._opened.enter_context(Client(**chosen))

    @property
    def transport(self) -> "MockTransport":
        """An httpx transport to the same mock without a port, for sync and async clients."""
        if self._transport is None:
            from bodydouble_mockserver.transport import MockTransport

            self._transport = MockTransport(self._app)
            self._opened.callback(self._transport.close)
        return self._transport

    def unused(self) -> list[Finding]:
        """Return a finding for each scripted answer that was never used."""
        _, scripted = self._server.control("GET", "scenarios")
        sent = len(self._app.journal.numbers())
        return unused_findings(scripted["answers"], sent, Severity.ERROR, self._described)

    def close(self) -> None:
        """Close the clients and the transport."""
        self._opened.close()


@contextmanager
def run_mock(
    contract: Contract, test: str, options: MarkerOptions, *, openai: bool, journal: JournalOption | None
) -> Generator[Bodydouble]:
    """Run a mock for the test of that node id, with the environment variables set to it, and fail the test for the app's errors."""
    called_hosts: list[str] = []
    app = create_app(contract, _SETTINGS)
    with BackgroundServer(app) as server, pytest.MonkeyPatch.context() as patch, ExitStack() as guard:
        if not options.allow_real_host:
            guard.enter_context(guard_real_host(server.url, called_hosts))
        # A proxy would resolve the real host's name outside of the guard.
        no_proxy_hosts = () if options.allow_real_host else (REAL_DOMAIN,)
        is_openai = openai if options.openai is None else options.openai
        for name, value in mock_variables(
            server.url, os.environ, openai=is_openai, no_proxy_hosts=no_proxy_hosts
        ).items():
            patch.setenv(name, value)
        double = Bodydouble(app, server)
        yield double
        double.close()
        unused = double.unused()
    exchanges = double.requests
    if journal is not None:
        journal.write(test, exchanges)
    failure = verdict(request_findings(exchanges, contract), unused, real_host_findings(called_hosts), options)
    if failure is not None:
        pytest.fail(failure, pytrace=False)

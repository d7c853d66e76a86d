"""The proxy as an ASGI application: it answers with what the upstream answers, and looks at both directions."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_mockserver.asgi import Answer, Headers, Receive, Scope, Send, header, send_answer
from bodydouble_mockserver.control import CONTROL_PREFIX
from bodydouble_mockserver.endpoints import HandledRequest
from bodydouble_mockserver.replay import RECORDED_PICTURES, Replay, ReplaySettings
from bodydouble_mockserver.request import Disconnected, MalformedRequest, Refusal
from bodydouble_mockserver.scripting import OUT_OF_CREDITS
from bodydouble_mockserver.server import with_date
from bodydouble_spec import EVENTS, Contract, Evidence, Exchange, Finding, Severity
from bodydouble_spec.recording import CallFacts, CannotRecord, RecordingFolder, missing_pictures

from bodydouble_contract_tests.errors import CannotVerify
from bodydouble_contract_tests.model import Trouble
from bodydouble_contract_tests.proxy.answers import (
    answer_of,
    decoded_answer,
    failure_finding,
    header_of,
    listed,
    parsed,
)
from bodydouble_contract_tests.proxy.options import ProxyOptions
from bodydouble_contract_tests.proxy.pricing import Price, PriceList
from bodydouble_contract_tests.proxy.recorder import CallRecorder, RecordedCallFiles, Unlimited
from bodydouble_contract_tests.proxy.relay import ClientSide, Relayed, relay
from bodydouble_contract_tests.proxy.under_way import LAST_CALLS_S, CallsUnderWay
from bodydouble_contract_tests.proxy.upstream import CallFailure, Upstream, failure_of, tls_context
from bodydouble_contract_tests.run import NO_CHARGE, Charge, Redaction
from bodydouble_contract_tests.spending import Hold, SpendingCap
from bodydouble_contract_tests.target import Downloads, Received, Target, Undecodable, decoded

__all__ = ["ProxyServer"]

LOG = logging.getLogger("bodydouble.mockserver")

_ASKED = b"x-bodydouble-findings"
_NOTE = b"x-bodydouble-note"
_MAX_FINDINGS = 1000
_NOT_OURS = frozenset(("not-stood-in",))
# The statuses of a body that was too large to be read.
_UNREAD = frozenset((413, 503))
_STATUS_OF: dict[Trouble | None, int] = {Trouble.TIMEOUT: 504}


class ProxyServer:
    """The proxy of one upstream: an ASGI application with the journal and the control routes of a mock.

    Calls are passed on unchanged, once, and their answers byte for byte; what is found goes to journal, log and `findings`. Each call is priced before it is
    sent: over the cap it gets its recorded answer, or the refusal of an account without credits. Raises CannotVerify, CannotRecord and
    ValueError when it cannot run with these options.
    """

    last_calls_s = LAST_CALLS_S

    def __init__(self, contracts: Sequence[Contract], settings: Settings, options: ProxyOptions) -> None:
        self._options = options
        # Every key is passed on, and the upstream decides about it.
        settings = replace(settings, refused_key_prefix="", api_keys=(), picture_host=None)
        self._mock: MockServer = create_app(contracts, settings, ReplaySettings(options.known, options.ignored))
        self._before: Replay = self._mock.new_replay(ReplaySettings(options.known, options.ignored))
        self._prices = PriceList(contracts, options.price_usd)
        tls = tls_context(options.authorities)
        self._upstream = Upstream(options.upstream, timeout_s=options.timeout_s, tls=tls, trust_env=options.trust_env)
        # For the pictures, which get no key.
        self._target = Target(options.upstream, "no-key", verify=tls, timeout_s=60.0, trust_env=options.trust_env)
        self._downloads = Downloads(self._target, self._mock.redactor.text, Unlimited())
        self.folder = RecordingFolder(options.recording)
        self._recorder = CallRecorder(self.folder, self._mock.journal.writer, self._mock.input, self._downloads)
        self._fingerprints = [contract.fingerprint for contract in contracts]
        self._under_way = CallsUnderWay()
        self._is_ending = False
        # One picture at a time: two calls may have one URL, and threads are left for the calls.
        self._fetching = asyncio.Lock()
        self._findings: dict[Finding, Finding] = {}
        self._problems: list[str] = []
        self.calls = 0
        self.replayed = 0
        self.capped = 0

    @property
    def settings(self) -> Settings:
        """The options of the server."""
        return self._mock.settings

    @property
    def contracts(self) -> tuple[Contract, ...]:
        """The contracts that calls are checked against."""
        return self._mock.contracts

    @property
    def mock(self) -> MockServer:
        """The mock whose journal and control routes the proxy uses."""
        return self._mock

    @property
    def upstream(self) -> str:
        """The base URL of the server that answers."""
        return self._upstream.base

    @property
    def cap(self) -> SpendingCap:
        """The spending limits, and what is spent of them."""
        return self._options.cap

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The distinct findings in both directions so far."""
        return tuple(self._findings.values())

    @property
    def problems(self) -> list[str]:
        """The losses of the recording and of the journal, one sentence each."""
        return [*self._problems, *self._mock.problems()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        send = with_date(send)
        if scope["type"] == "lifespan":
            await self._mock(scope, self._living(receive), send)
        elif scope["type"] != "http" or scope["path"].startswith((CONTROL_PREFIX, RECORDED_PICTURES)):
            await self._mock(scope, receive, send)
        else:
            with contextlib.suppress(Disconnected):
                await self._serve(scope, receive, send)

    def refuse_malformed(self, malformed: MalformedRequest, headers: Headers) -> Answer:
        """Record a request that the HTTP parser refused, and return its answer."""
        return self._mock.refuse_malformed(malformed, headers)

    def end_waiting(self) -> None:
        """Begin to end: calls under way get their answers for some time, and are cut when this is called again."""
        self._mock.end_waiting()
        self._under_way.end(at_once=self._is_ending)
        self._is_ending = True

    async def settled(self) -> None:
        """Wait until no call is under way, and all are in the journal and recorded."""
        await self._under_way.settled()

    async def finish(self) -> None:
        """Wait for the calls under way, for some time, and for their recording; then close everything."""
        self._under_way.end()
        await self.settled()
        self._under_way.close()
        await self._upstream.close()
        self._downloads.close()
        self._target.close()
        self.folder.close()
        self._options.cap.close()

    def _living(self, receive: Receive) -> Receive:
        async def begin_or_finish() -> Any:
            message = await receive()
            if message["type"] == "lifespan.startup":
                for recording in self._options.known:
                    if recording.path == self.folder.path:
                        for call, urls in missing_pictures(recording.exchanges):
                            pictures = self._record_pictures(RecordedCallFiles(call, (), urls, None))
                            self._under_way.start(pictures, is_recording=True)
            elif message["type"] == "lifespan.shutdown":
                await self.finish()
            return message

        return begin_or_finish

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, clock = time.perf_counter(), self.settings.clock()
        handled, body = await self._mock.examine(scope, receive)
        handled.started = clock
        handled.checked.findings = [item for item in handled.checked.findings if item.id not in _NOT_OURS]
        problem = handled.intake.problem
        if problem is not None and not handled.intake.body and problem.status in _UNREAD:
            handled.answer = self._mock.refuse(Refusal(problem.status, problem.message), scope)
            await self._answer(handled, started, send)
            return
        if self._options.replay_first and self._before.take_over(handled):
            self.replayed += 1
            handled.note = "not sent, at no cost"
            await self._answer(handled, started, send)
            return
        price = self._prices.price(handled)
        hold = self._reserve(price, handled)
        if isinstance(hold, str):
            # Perhaps the answer to the same call, which the client has already.
            await self._under_way.recorded()
            self._refuse(handled, hold, price)
            await self._answer(handled, started, send)
            return
        client = ClientSide(scope, receive, send)
        call = _Call(handled, body, price, hold, started)
        # A task of its own: when the client goes away, the answer is paid for all the same, and recorded.
        await asyncio.shield(self._under_way.start(self._forward(call, client)))

    def _reserve(self, price: Price, handled: HandledRequest) -> Hold | str:
        if price.unknown and not self._options.passes_unpriced:
            return f"{price.unknown}, or pass such calls without a limit (--pass-unpriced); it was not sent"
        try:
            return self._options.cap.reserve(price.usd, self._mock.journal.writer.hash_of(handled.checked.key))
        except CannotVerify as error:
            self._note_problem(error)
            return f"{error}; it was not sent"

    def _refuse(self, handled: HandledRequest, reason: str, price: Price) -> None:
        """Answer a call that may not be sent: as it was recorded, else as the vendor does where an account has no credits left."""
        self.capped += 1
        handled.note = "not sent"
        rule = "price-unknown" if price.unknown else "spending-cap-reached"
        found = Finding(
            rule, Severity.ERROR, Evidence.OBSERVED, "", reason, direction="request", operation=handled.operation
        )
        replay = self._mock.replay
        if replay is None or not replay.take_over(handled):
            handled.answer = self._mock.refuse(OUT_OF_CREDITS, handled.scope)
            handled.answer.headers.append((_NOTE, rule.encode()))
        # First, since it is the reason of the answer.
        handled.checked.findings = [found, *handled.checked.findings]

    async def _answer(self, handled: HandledRequest, started: float, send: Send) -> None:
        """Send an answer of our own, and record it in the journal."""
        handled.duration_s = time.perf_counter() - started
        handled.answer.findings = handled.checked.findings
        if header(handled.scope, _ASKED):
            handled.answer.headers.append((_ASKED, listed(handled.checked.findings)))
        self._note(handled)
        await send_answer(send, handled.answer, with_body=handled.method != "HEAD")

    async def _forward(self, call: "_Call", client: ClientSide) -> None:
        try:
            await self._pass_on(call, client)
        except Exception:
            LOG.exception(
                "the proxy failed on %s %s; this is a bug in bodydouble", call.handled.method, call.handled.path
            )
            if not client.has_begun:
                answer = self._mock.refuse(Refusal(500), call.handled.scope)
                await client.begin(500, answer.all_headers())
                await client.give(answer.body, is_last=True)

    async def _pass_on(self, call: "_Call", client: ClientSide) -> None:
        """Send a call to the upstream and its answer to the client, whose end comes when the price is settled and the call recorded."""
        self.calls += 1
        handled = call.handled
        scope = handled.scope
        is_held = bool(header(scope, _ASKED))
        relayed = Relayed()
        try:
            client.watch()
            relayed = await self._relay(call, client, is_held=is_held)
        finally:
            charge = self._settle(call, relayed)
        handled.duration_s = time.perf_counter() - call.started
        content, failure = decoded_answer(relayed, self._options.max_answer_bytes)
        self._under_way.begin_recording()
        if relayed.status is None:
            handled.answer = self._unanswered(handled, failure)
        else:
            handled.answer = answer_of(relayed, content, failure)
        handled.answer.findings = handled.checked.findings
        found = await self._record(call, relayed, failure, charge)
        findings = [*handled.checked.findings, *found.findings] if found else [*handled.checked.findings]
        if failure is not None:
            findings.append(failure_finding(handled, failure))
        handled.answer.findings = findings
        cost = f"{charge.usd:.3f} USD" if call.price.profile is not None else "no price known"
        handled.note = f"{cost}, {'not recorded' if found is None else 'recorded'}"
        self._note(handled)
        with contextlib.suppress(ConnectionError):
            await self._finish_client(client, handled, relayed, is_held=is_held)
        client.end()
        if found is not None and found.urls:
            self._under_way.start(self._record_pictures(found), is_recording=True)
        elif found is not None and self._mock.replay is not None:
            self._mock.replay.library.add([found.exchange], self.folder.files)

    def _unanswered(self, handled: HandledRequest, failure: CallFailure | None) -> Answer:
        """Return the answer to a call that the upstream did not answer: 502 or 504, with the reason."""
        trouble, message = (None, None) if failure is None else (failure.trouble, failure.message)
        answer = self._mock.refuse(Refusal(_STATUS_OF.get(trouble, 502), message, detail=message), handled.scope)
        answer.headers.append((_NOTE, b"" if failure is None else failure.rule.encode()))
        return answer

    async def _relay(self, call: "_Call", client: ClientSide, *, is_held: bool) -> Relayed:
        handled = call.handled
        scope = handled.scope
        target = scope["raw_path"] + (b"?" + handled.query if handled.query else b"")
        try:
            response = await self._upstream.send(handled.method, target, handled.headers, call.body)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever keeps an answer away is reported, and answered in words
            return Relayed(failure=failure_of(error, self.upstream, None))
        is_stream = response.headers.get("content-type", "").lower().startswith(EVENTS)
        is_held = is_held and not is_stream
        return await relay(response, client, self.upstream, self._options.max_answer_bytes, is_held=is_held)

    def _settle(self, call: "_Call", relayed: Relayed) -> Charge:
        """Count what the call cost; one that was interrupted counts with its highest price."""
        failure, content = relayed.failure, b""
        if relayed.status is None and failure is None:
            failure = CallFailure("upstream-broken", Trouble.BROKEN, "", was_sent=True)
        with contextlib.suppress(Undecodable):
            content = decoded(relayed.body, header_of(relayed, "content-encoding"), self._options.max_answer_bytes)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in relayed.headers}
        received = Received(
            relayed.status, headers, content, was_sent=failure is None or failure.was_sent or relayed.status is not None
        )
        charge = call.price.charge(received, parsed(content)) if call.price.profile is not None else NO_CHARGE
        try:
            self._options.cap.settle(call.hold, charge.usd)
        except CannotVerify as error:
            # The ledger counts the reservation.
            self._note_problem(error)
        return charge

    async def _record(
        self, call: "_Call", relayed: Relayed, failure: CallFailure | None, charge: Charge
    ) -> RecordedCallFiles | None:
        if failure is not None and not failure.was_sent:
            return None
        profile = self._prices.profile(call.handled)
        index = next((number for number, item in enumerate(self.contracts) if profile and item is profile.contract), 0)
        facts = CallFacts(
            self._fingerprints[index],
            self.upstream,
            charge.images,
            charge.credits,
            round(charge.usd, 9),
            None if failure is None else str(failure.trouble),
            "" if failure is None else failure.message,
        )
        try:
            has_answer = relayed.status is not None
            return await asyncio.to_thread(self._recorder.record, call.handled, profile, facts, has_answer)
        except CannotRecord as error:
            self._note_problem(error)
            return None

    async def _record_pictures(self, found: RecordedCallFiles) -> None:
        pictures: list[Exchange] = []
        for pointer, url in found.urls:
            try:
                async with self._fetching:
                    picture = await asyncio.to_thread(self._recorder.record_picture, found.exchange, pointer, url)
            except CannotRecord as error:
                self._note_problem(error)
                return
            pictures.append(picture)
            problem = picture.extra.get("problem")
            if problem is not None:
                text = f"the picture at {pointer} could not be recorded: {problem}"
                finding = Finding(
                    "picture-not-recorded", Severity.WARNING, Evidence.OBSERVED, pointer, text, direction="response",
                    operation=found.exchange.operation, witness=found.exchange.id,
                )  # fmt: skip
                self._findings.setdefault(finding, finding)
        for finding in await asyncio.to_thread(self._recorder.check_pictures, found, pictures):
            self._findings.setdefault(finding, finding)
        if self._mock.replay is not None:
            self._mock.replay.library.add([found.exchange, *pictures], self.folder.files)

    async def _finish_client(
        self, client: ClientSide, handled: HandledRequest, relayed: Relayed, *, is_held: bool
    ) -> None:
        """Send what the client has not got yet: the end of its answer or all of it, words for one that did not come, or its broken end."""
        if client.has_begun:
            if relayed.failure is not None:
                await client.cut()
            elif relayed.rest is not None:
                await client.give(relayed.rest, is_last=True)
            return
        asked = [(_ASKED, listed(handled.answer.findings))] if is_held else []
        if relayed.status is None:
            answer = handled.answer
            answer.headers += asked
            await client.begin(answer.status, answer.all_headers())
            await client.give(answer.body if handled.method != "HEAD" else b"", is_last=True)
        else:
            await client.begin(relayed.status, [*relayed.headers, *asked])
            await client.give(relayed.body, is_last=relayed.failure is None)
            if relayed.failure is not None:
                await client.cut()

    def _note_problem(self, error: Exception) -> None:
        """Keep a loss for the end of the run, and tell it at once: calls go on, and cost money."""
        text = str(error)
        if text not in self._problems:
            self._problems.append(text)
            LOG.error("%s", text)

    def _note(self, handled: HandledRequest) -> None:
        # The app may have put its key into any place of a request.
        redaction = Redaction(*(key.decode("latin-1") for key in handled.keys))
        for finding in map(redaction.finding, handled.answer.findings):
            if len(self._findings) < _MAX_FINDINGS:
                self._findings.setdefault(finding, finding)
        self._mock.record(handled)


class _Call:
    """One call under way: the request, its bytes, its price, the reservation, and when it began."""

    def __init__(self, handled: HandledRequest, body: bytes, price: Price, hold: Hold, started: float) -> None:
        self.handled = handled
        self.body = body
        self.price = price
        self.hold = hold
        self.started = started

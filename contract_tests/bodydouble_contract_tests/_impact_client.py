"""The bodydouble client, called as an app of the old contract calls it, on the old contract and on the new one."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from bodydouble_client import EditResult, StatusError
from bodydouble_mockserver import Images
from bodydouble_spec import is_object

from bodydouble_contract_tests._claims_calls import ClientCall, boundary_calls
from bodydouble_contract_tests._claims_stage import CallRecord, Harness, RecordingServer
from bodydouble_contract_tests._impact_breaks import TriedRequest
from bodydouble_contract_tests._impact_pair import OperationPair
from bodydouble_contract_tests._impact_standin import RewritingServer, quick_settings, request_faults
from bodydouble_contract_tests._impact_wording import ArgumentMap, observe_arguments

__all__ = ["ClientOnBoth"]


class ClientOnBoth:
    """The client on both contracts.

    ``argument_map`` is None when the client's calls are not requests of this operation; then there are no ``records`` either. Otherwise
    ``records`` has the calls that the old contract serves: every valid boundary case that the client can express, complete and reduced to
    what is varied, and every form of a picture.
    """

    def __init__(self, pair: OperationPair, pictures: Path) -> None:
        self._pair = pair
        self._pictures = pictures
        self._harnesses = ExitStack()
        self._old = self._harness(RecordingServer(pair.old, quick_settings(pictures)))
        self.argument_map: ArgumentMap | None = observe_arguments(self._old, pair.before)
        self.records: tuple[CallRecord, ...] = ()
        if self.argument_map is not None:
            made = [self._old.run(call) for call in _calls(pair, self.argument_map)]
            self.records = tuple(one for one in made if isinstance(one.outcome, EditResult))

    def __enter__(self) -> "ClientOnBoth":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._harnesses.close()

    def on_new(self, rewrite: Callable[[Any], Any], images: Images = Images.URL) -> Harness:
        """Return a harness for the new contract that rewrites each request first. It is closed with this object."""
        pair = self._pair
        settings = quick_settings(self._pictures, images)
        return self._harness(RewritingServer(pair.new, pair.before, pair.after, rewrite, settings))

    def tried_requests(self, harness: Harness) -> list[TriedRequest]:
        """Run each call on the harness and return its request with the faults for which it was refused."""
        made = [harness.run(record.call) for record in self.records]
        return [tried_request for record in made if (tried_request := self._tried_request(record)) is not None]

    def sends_and_is_refused(self, harness: Harness, body: Any) -> bool:
        """Tell whether a call of the client sends exactly this body to the harness and is refused."""
        call = None if self.argument_map is None else self.argument_map.call(body)
        tried_request = None if call is None else self._tried_request(harness.run(call))
        return tried_request is not None and bool(tried_request.faults) and tried_request.body == body

    def _tried_request(self, record: CallRecord) -> TriedRequest | None:
        if not record.received or not isinstance(record.outcome, EditResult | StatusError):
            return None
        request = record.received[-1]
        body = json.loads(request.body)
        status = 0 if request.status is None else request.status
        return TriedRequest(body, tuple(request_faults(self._pair.after, status, body)))

    def _harness(self, server: RecordingServer) -> Harness:
        self._harnesses.callback(server.close)
        return self._harnesses.enter_context(Harness(server))


def _calls(pair: OperationPair, argument_map: ArgumentMap) -> list[ClientCall]:
    bodies = [case.body for case in pair.old_cases if case.valid]
    baseline = bodies[0] if bodies and is_object(bodies[0]) else {}
    minimal = [
        {name: baseline[name] for name in baseline if name in argument_map.required or name == one} for one in baseline
    ]
    varied = [
        {
            name: value
            for name, value in body.items()
            if name in argument_map.required or name not in baseline or value != baseline[name]
        }
        for body in bodies
        if is_object(body)
    ]
    from_bodies = [call for body in (*bodies, *minimal, *varied) if (call := argument_map.call(body)) is not None]
    return [*{repr(call): call for call in (*from_bodies, *_with_pictures(pair))}.values()]


def _with_pictures(pair: OperationPair) -> Iterator[ClientCall]:
    """Yield the calls of `boundary_calls` with pictures that are not texts, or none where no calls can be made."""
    try:
        known = boundary_calls(pair.old, pair.before)
    except (TypeError, ValueError, LookupError):
        return
    yield from (call for call in known if any(picture.form != "text" for picture in call.images))

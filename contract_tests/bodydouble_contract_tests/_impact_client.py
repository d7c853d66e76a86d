"""The client, called as an app of the old contract calls it, on the old contract and on the new one."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from bodydouble_client import EditResult, StatusError
from bodydouble_mockserver import Images
from bodydouble_spec import is_object

from bodydouble_contract_tests._claims_calls import Call, boundary_calls
from bodydouble_contract_tests._claims_stage import Encounter, Stage, Witness
from bodydouble_contract_tests._impact_breaks import Attempt
from bodydouble_contract_tests._impact_pair import Pair
from bodydouble_contract_tests._impact_standin import Adapted, quick_settings, refusal
from bodydouble_contract_tests._impact_wording import Wording, observe_wording

__all__ = ["OurClient"]


class OurClient:
    """The client in front of both contracts.

    ``wording`` is None when its calls are none of this operation's requests; then there are no ``encounters`` either. Otherwise these are
    the calls that the old contract serves, as they went there: every valid boundary case that the client can say, whole and with nothing
    but what is varied, and every form of a picture.
    """

    def __init__(self, pair: Pair, pictures: Path) -> None:
        self._pair = pair
        self._pictures = pictures
        self._stages = ExitStack()
        self._old = self._stage(Witness(pair.old, quick_settings(pictures)))
        self.wording: Wording | None = observe_wording(self._old, pair.before)
        self.encounters: tuple[Encounter, ...] = ()
        if self.wording is not None:
            met = [self._old.meet(call) for call in _calls(pair, self.wording)]
            self.encounters = tuple(one for one in met if isinstance(one.outcome, EditResult))

    def __enter__(self) -> "OurClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stages.close()

    def on_new(self, rewrite: Callable[[Any], Any], images: Images = Images.URL) -> Stage:
        """The new contract, where each request is rewritten before it is judged; closed with this object."""
        pair = self._pair
        settings = quick_settings(self._pictures, images)
        return self._stage(Adapted(pair.new, pair.before, pair.after, rewrite, settings))

    def attempts(self, stage: Stage) -> list[Attempt]:
        """Each call on that stage: what arrived of it there, and why it was refused."""
        met = [stage.meet(encounter.call) for encounter in self.encounters]
        return [attempt for encounter in met if (attempt := self._attempt(encounter)) is not None]

    def says(self, stage: Stage, body: Any) -> bool:
        """Whether a call of the client sends just this body to that stage and is refused for it."""
        call = None if self.wording is None else self.wording.call(body)
        attempt = None if call is None else self._attempt(stage.meet(call))
        return attempt is not None and bool(attempt.faults) and attempt.body == body

    def _attempt(self, encounter: Encounter) -> Attempt | None:
        if not encounter.arrivals or not isinstance(encounter.outcome, EditResult | StatusError):
            return None
        arrival = encounter.arrivals[-1]
        body = json.loads(arrival.body)
        status = 0 if arrival.status is None else arrival.status
        return Attempt(body, tuple(refusal(self._pair.after, status, body)))

    def _stage(self, server: Witness) -> Stage:
        self._stages.callback(server.close)
        return self._stages.enter_context(Stage(server))


def _calls(pair: Pair, wording: Wording) -> list[Call]:
    bodies = [case.body for case in pair.old_cases if case.valid]
    baseline = bodies[0] if bodies and is_object(bodies[0]) else {}
    few = [{name: baseline[name] for name in baseline if name in wording.required or name == one} for one in baseline]
    varied = [
        {
            name: value
            for name, value in body.items()
            if name in wording.required or name not in baseline or value != baseline[name]
        }
        for body in bodies
        if is_object(body)
    ]
    said = [call for body in (*bodies, *few, *varied) if (call := wording.call(body)) is not None]
    return [*{repr(call): call for call in (*said, *_with_pictures(pair))}.values()]


def _with_pictures(pair: Pair) -> Iterator[Call]:
    """The calls of the claims that hand over a picture other than as text; none for a contract that they cannot be made for."""
    try:
        known = boundary_calls(pair.old, pair.before)
    except (TypeError, ValueError, LookupError):
        return
    yield from (call for call in known if any(picture.form != "text" for picture in call.images))

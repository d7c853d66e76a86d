"""The parts of a server that all of its endpoints share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bodydouble_spec import Finding

from bodydouble_mockserver.answer import Gallery, RefusalWriter
from bodydouble_mockserver.asgi import Answer, Scope
from bodydouble_mockserver.directives import (
    DirectiveChoices,
    Directives,
    parse_prefer,
    prefer_finding,
    unread_preferences,
)
from bodydouble_mockserver.endpoints.handled import Effects
from bodydouble_mockserver.faults import impossible_reason
from bodydouble_mockserver.request import Refusal, RequestReader
from bodydouble_mockserver.scripting import ScriptedAnswer, ServerState
from bodydouble_mockserver.settings import Settings

__all__ = ["SharedParts"]


@dataclass(frozen=True, slots=True)
class SharedParts:
    """The settings, state and pictures of one server, and the reader of its requests' bodies."""

    settings: Settings
    gallery: Gallery
    state: ServerState
    new_id: Callable[[], str]
    reader: RequestReader

    def preferred(
        self, scope: Scope, choices: DirectiveChoices, operation: str | None
    ) -> tuple[Directives, list[Finding]]:
        """Return the directives of the Prefer headers that can be performed, and findings about the others."""
        values = [value for name, value in scope["headers"] if name == b"prefer"]
        directives, findings = parse_prefer(values, choices), unread_preferences(values, choices, operation)
        impossible = impossible_reason(directives.fault, scope)
        if impossible is not None:
            findings.append(prefer_finding("prefer-not-applied", impossible, operation))
            directives = replace(directives, fault=None)
        return directives, findings

    def effects(
        self,
        directives: Directives,
        scripted: ScriptedAnswer | None,
        applied: Sequence[str],
        *,
        is_random: bool = False,
    ) -> Effects:
        """Return the effects of directives, of which ``applied`` are to be named in the journal; ``is_random`` when the failure rate chose the status."""
        return Effects(
            delay_s=0.0 if directives.delay is None else self.state.pick_delay(directives.delay),
            fault=directives.fault,
            matched=None if scripted is None else scripted.id,
            applied=applied,
            is_random=is_random,
        )

    def refuse(self, writer: RefusalWriter, refusal: Refusal, path: str) -> Answer:
        """Return the answer of a refusal, with an id and the time of its own."""
        return writer.write(refusal.status, refusal, path, self.new_id(), self.settings.clock())

"""The parts of a server that its page shows."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bodydouble_spec import Contract, Redactor

from bodydouble_mockserver.asgi import Receive, Scope, Send
from bodydouble_mockserver.journal import Events, Journal
from bodydouble_mockserver.page.access import PageAccess
from bodydouble_mockserver.page.pictures import AnswerPictures
from bodydouble_mockserver.pictures import ContentStore
from bodydouble_mockserver.scripting import ScriptTarget, ServerState
from bodydouble_mockserver.settings import Settings

__all__ = ["PageParts"]


@dataclass(frozen=True, slots=True)
class PageParts:
    """The parts of a server that its page shows.

    ``app`` is the server itself, for calls from the page, and ``play`` adds a scenario. ``targets`` are the operations, ``store`` has the input
    pictures, ``pictures`` are those of the answers, and ``access`` makes links that need no key.
    """

    app: Callable[[Scope, Receive, Send], Awaitable[None]]
    play: Callable[[Any], None]

    access: PageAccess
    settings: Settings
    contracts: Sequence[Contract]
    targets: Sequence[ScriptTarget]
    state: ServerState
    journal: Journal
    events: Events
    redactor: Redactor
    store: ContentStore
    pictures: AnswerPictures

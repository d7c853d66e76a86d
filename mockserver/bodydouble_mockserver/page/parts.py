"""The parts of a server that its page shows, and the choice of one of several by number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bodydouble_spec import Redactor
from starlette.exceptions import HTTPException
from starlette.requests import Request

from bodydouble_mockserver.asgi import Receive, Scope, Send
from bodydouble_mockserver.endpoints import Service
from bodydouble_mockserver.journal import Events, Journal
from bodydouble_mockserver.page.access import PageAccess
from bodydouble_mockserver.page.pictures import PictureLinks
from bodydouble_mockserver.scripting import ServerState
from bodydouble_mockserver.settings import Settings

__all__ = ["PageParts", "PagedServer", "chosen_number", "form_texts", "number_of"]


class PagedServer(Protocol):
    """The server itself: its options, its journal, and calls and scenarios from the page."""

    settings: Settings
    journal: Journal
    redactor: Redactor

    def play(self, scenario: Any) -> Sequence[str]:
        """Add a scenario, and return the ids of its answers. Raises BadScenario."""
        ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""


@dataclass(frozen=True, slots=True)
class PageParts:
    """The parts of a server that its page shows: contracts and operations of ``service``, script and limits of ``state``, and links to pictures."""

    app: PagedServer
    service: Service
    state: ServerState
    events: Events
    access: PageAccess
    links: PictureLinks


async def form_texts(request: Request) -> dict[str, str]:
    """Return the texts of a form that are not empty; those of a form that cannot be read are none."""
    try:
        async with request.form(max_files=0, max_fields=50) as form:
            return {name: text for name, value in form.items() if isinstance(value, str) and (text := value.strip())}
    except HTTPException:
        return {}


def number_of(text: str) -> Any:
    """Return a number, or the text itself for the scenario's own complaint."""
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def chosen_number(text: str, count: int) -> int:
    """Return the number of one of ``count`` things that a text of a request names; 0 for any other text."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    return number if number < count else 0

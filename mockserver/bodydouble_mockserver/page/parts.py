"""The parts of a server that its page shows."""

from collections.abc import Sequence
from dataclasses import dataclass

from bodydouble_spec import Contract, Redactor

from bodydouble_mockserver.answer import Gallery
from bodydouble_mockserver.journal import Events, Journal
from bodydouble_mockserver.pictures import ContentStore
from bodydouble_mockserver.settings import Settings

__all__ = ["PageParts"]


@dataclass(frozen=True, slots=True)
class PageParts:
    """The parts of a server that its page shows: ``store`` has the input pictures, ``gallery`` those of the answers."""

    settings: Settings
    contracts: Sequence[Contract]
    journal: Journal
    events: Events
    redactor: Redactor
    store: ContentStore
    gallery: Gallery

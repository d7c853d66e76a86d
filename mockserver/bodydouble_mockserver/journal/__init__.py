"""The journal: what was asked and answered, in memory and in a file, bounded, and served over HTTP."""

from bodydouble_mockserver.journal.entry import JournalEntry, LineWriter
from bodydouble_mockserver.journal.events import Events
from bodydouble_mockserver.journal.file import JournalFile
from bodydouble_mockserver.journal.journal import Journal, matching_entries
from bodydouble_mockserver.journal.routes import journal_routes

__all__ = ["Events", "Journal", "JournalEntry", "JournalFile", "LineWriter", "journal_routes", "matching_entries"]

"""The commands of `bodydouble`, one module each."""

from bodydouble.commands.contract import app
from bodydouble.commands.diff import diff
from bodydouble.commands.drift import drift
from bodydouble.commands.edit import edit
from bodydouble.commands.history import history
from bodydouble.commands.journal import journal
from bodydouble.commands.run import run
from bodydouble.commands.serve import serve
from bodydouble.commands.verify import verify

__all__ = ["app", "diff", "drift", "edit", "history", "journal", "run", "serve", "verify"]

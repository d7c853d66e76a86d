"""The differ: what changed between two contracts, with a rule and a severity for each change."""

from bodydouble_spec.diff.changes import Change
from bodydouble_spec.diff.contracts import diff
from bodydouble_spec.diff.history import Revision, Step, history, read_name
from bodydouble_spec.diff.rules import RULES
from bodydouble_spec.diff.severities import BadSeverities, Severities

__all__ = ["RULES", "BadSeverities", "Change", "Revision", "Severities", "Step", "diff", "history", "read_name"]

"""Changes between two contracts, over a whole history, and in the adoption of a revision."""

from bodydouble_spec._adoption import Adoption, adopt
from bodydouble_spec._change import Change
from bodydouble_spec._diff import diff
from bodydouble_spec._diff_rules import RULES
from bodydouble_spec._history import Revision, Step, history, read_name
from bodydouble_spec._severities import BadSeverities, Severities

__all__ = [
    "RULES",
    "Adoption",
    "BadSeverities",
    "Change",
    "Revision",
    "Severities",
    "Step",
    "adopt",
    "diff",
    "history",
    "read_name",
]

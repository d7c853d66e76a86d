"""Scripted answers: scenarios, the requests that they match, and the limits that a run has set."""

from bodydouble_mockserver.scripting.matcher import BadMatch, MatchedRequest, Matcher
from bodydouble_mockserver.scripting.scenarios import bind_answer, parse_scenario
from bodydouble_mockserver.scripting.state import (
    OUT_OF_CREDITS,
    BadScenario,
    Balance,
    Limits,
    ScriptedAnswer,
    ScriptTarget,
    ServerState,
)

__all__ = [
    "OUT_OF_CREDITS",
    "BadMatch",
    "BadScenario",
    "Balance",
    "Limits",
    "MatchedRequest",
    "Matcher",
    "ScriptTarget",
    "ScriptedAnswer",
    "ServerState",
    "bind_answer",
    "parse_scenario",
]

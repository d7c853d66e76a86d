"""Scripted answers: scenarios, the requests that they match, and the limits that a run has set."""

from bodydouble_mockserver.scripting.matcher import BadMatch, MatchedRequest, Matcher
from bodydouble_mockserver.scripting.scenarios import bind_answer, parse_scenario
from bodydouble_mockserver.scripting.state import (
    MAX_ANSWERS,
    OUT_OF_CREDITS,
    Account,
    BadScenario,
    Balance,
    ExceededLimit,
    Limits,
    Scenario,
    ScriptedAnswer,
    ScriptTarget,
    ServerState,
    too_many_answers,
)

__all__ = [
    "MAX_ANSWERS",
    "OUT_OF_CREDITS",
    "Account",
    "BadMatch",
    "BadScenario",
    "Balance",
    "ExceededLimit",
    "Limits",
    "MatchedRequest",
    "Matcher",
    "Scenario",
    "ScriptTarget",
    "ScriptedAnswer",
    "ServerState",
    "bind_answer",
    "parse_scenario",
    "too_many_answers",
]

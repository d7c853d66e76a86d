"""Replay: recorded calls answered as they were, told from each other by operation and canonical body."""

from bodydouble_mockserver.replay.library import Library, Nearest, Replayable, Uses
from bodydouble_mockserver.replay.matching import CanonicalRequest, canonical_of_exchange, canonical_of_request
from bodydouble_mockserver.replay.replay import RECORDED_PICTURES, Replay, replayed_answer
from bodydouble_mockserver.replay.settings import ReplaySettings

__all__ = [
    "RECORDED_PICTURES",
    "CanonicalRequest",
    "Library",
    "Nearest",
    "Replay",
    "ReplaySettings",
    "Replayable",
    "Uses",
    "canonical_of_exchange",
    "canonical_of_request",
    "replayed_answer",
]

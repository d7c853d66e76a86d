"""The server under test: its base URL and key, the calls that it gets, and the pictures of its answers."""

from bodydouble_contract_tests.target.credentials import authorized, changed_key, place_of
from bodydouble_contract_tests.target.downloads import Downloads
from bodydouble_contract_tests.target.http import Received, Target, Undecodable, decoded
from bodydouble_contract_tests.target.limits import RunLimits
from bodydouble_contract_tests.target.server import ServerConfig, default_recording, is_billed, resolve_server
from bodydouble_contract_tests.target.urls import base_of

__all__ = [
    "Downloads",
    "Received",
    "RunLimits",
    "ServerConfig",
    "Target",
    "Undecodable",
    "authorized",
    "base_of",
    "changed_key",
    "decoded",
    "default_recording",
    "is_billed",
    "place_of",
    "resolve_server",
]

"""The server settings and the baseline that the command and the pytest items share."""

from bodydouble_contract_tests._aim import ServerConfig, default_recording, resolve_server
from bodydouble_contract_tests._baseline import BadBaseline, Baseline

__all__ = ["BadBaseline", "Baseline", "ServerConfig", "default_recording", "resolve_server"]

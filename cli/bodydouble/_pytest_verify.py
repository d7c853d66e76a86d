"""The options of the contract tests' pytest face: those of ``bodydouble verify`` that say what to verify and what it may cost."""

from typing import Any

import pytest

__all__ = ["add_options"]

_OPTIONS: dict[str, dict[str, Any]] = {
    "--base-url": {"metavar": "URL", "help": "The server to verify, with /v1 or without. Nothing is charged there."},
    "--api-key": {"metavar": "KEY", "help": "Default: a dummy; with --live that of AIMLAPI_KEY and the like."},
    "--live": {
        "action": "store_true",
        "default": False,
        "help": "The real API (or the server of --base-url): calls cost money.",
    },
    "--contract": {"metavar": "FILE|URL", "help": "Another contract than the vendored one."},
    "--max-usd": {"type": float, "metavar": "USD", "help": "Most that a live run may spend. Default: 0.75."},
    "--price-usd": {"type": float, "metavar": "USD", "help": "Price of a picture, where the contract has none."},
    "--examples": {"type": int, "default": 25, "help": "Generated calls, where nothing is charged. Default: 25."},
    "--seed": {"type": int, "default": 0, "help": "Another one generates other calls."},
    "--image-url": {"metavar": "URL", "help": "A picture that the server can fetch, to try input by URL."},
    "--record": {"metavar": "FILE", "help": "Write every exchange to this file, without the key."},
    "--resume": {"metavar": "FILE", "help": "Go on with a run that was recorded; nothing is paid twice."},
    "--baseline": {"metavar": "FILE", "help": "Findings that are known: their checks are expected to fail."},
    "--ca": {"metavar": "FILE", "help": "PEM file of the authorities to trust."},
}


def add_options(parser: pytest.Parser) -> None:
    """Add each option, unless a plugin or a conftest.py has one of that name already (pytest-base-url has ``--base-url``): then that one is read."""
    taken = vars(parser.parse_known_args([]))
    group = parser.getgroup("bodydouble", "bodydouble contract tests")
    for name, attributes in _OPTIONS.items():
        if name.removeprefix("--").replace("-", "_") not in taken:
            group.addoption(name, **attributes)

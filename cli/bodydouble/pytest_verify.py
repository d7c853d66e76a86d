"""The pytest options of the contract tests: the server and budget options of ``bodydouble verify``."""

from typing import Any

import pytest

__all__ = ["add_options"]

_OPTIONS: dict[str, dict[str, Any]] = {
    "--base-url": {
        "metavar": "URL",
        "help": "Server to verify, with or without /v1. Calls to it are assumed to be free.",
    },
    "--api-key": {
        "metavar": "KEY",
        "help": "Default: a dummy; with --live the value of AIMLAPI_KEY, AIML_API_KEY or AIMLAPI_API_KEY.",
    },
    "--live": {
        "action": "store_true",
        "default": False,
        "help": "Verify the real API (or the server of --base-url); calls cost money.",
    },
    "--contract": {"metavar": "FILE|FOLDER|URL|vendored", "help": "Contract to verify. Default: the vendored one."},
    "--overlay": {"metavar": "FILE|none", "help": "Overlay to apply instead of the contract's own."},
    "--operation": {"metavar": "'POST /path'", "help": "The operation to verify, where the contract has several."},
    "--model": {"help": "The model to verify, where the operation is for several."},
    "--max-usd": {"type": float, "metavar": "USD", "help": "Budget of a live run. Default: 0.75."},
    "--price-usd": {"type": float, "metavar": "USD", "help": "Price of a picture, when the contract has none."},
    "--examples": {"type": int, "default": 25, "help": "Number of generated calls, when calls are free. Default: 25."},
    "--seed": {"type": int, "default": 0, "help": "Seed of the generated calls."},
    "--image-url": {"metavar": "URL", "help": "Picture that the server can fetch, to test input by URL."},
    "--record": {"metavar": "FILE", "help": "Write every exchange to this file, without the key."},
    "--resume": {"metavar": "FILE", "help": "Continue a recorded run; no call is paid twice."},
    "--baseline": {"metavar": "FILE", "help": "Known findings; their checks are expected to fail."},
    "--ca": {"metavar": "FILE", "help": "PEM file of the certificate authorities to trust."},
}


def add_options(parser: pytest.Parser) -> None:
    """Add each option, unless a plugin or a conftest.py has one of that name (pytest-base-url has ``--base-url``), which is used instead."""
    taken = vars(parser.parse_known_args([]))
    group = parser.getgroup("bodydouble", "bodydouble contract tests")
    for name, attributes in _OPTIONS.items():
        if name.removeprefix("--").replace("-", "_") not in taken:
            group.addoption(name, **attributes)

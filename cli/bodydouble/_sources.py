"""The names that a contract goes by on the command line: a file, a URL, ``vendored`` and ``upstream``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bodydouble_spec import Contract
    from bodydouble_spec.changes import Severities

__all__ = ["SOURCE", "UPSTREAM", "VENDORED", "Config", "address_of", "load_published", "load_severities", "problem_of"]

SOURCE = "a file, a URL, `vendored` or `upstream`"
VENDORED = "vendored"
UPSTREAM = "upstream"
_UNREADABLE = "document-unreadable"

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Take severities from this TOML file. Default: the nearest pyproject.toml here or above.",
    ),
]


def address_of(source: str) -> str:
    """The file or URL that a source stands for; ``upstream`` is where the vendored document came from, ``vendored`` stays."""
    from bodydouble_spec import provenance

    return provenance()["document"] if source == UPSTREAM else source


def load_published(source: str) -> "Contract":
    """The contract as its publisher has it, without our overlay. Raises SpecError when there is nothing to read at that place."""
    from bodydouble_spec import Contract

    contract = Contract.load(None if source == VENDORED else address_of(source), overlay=None)
    # Asked for here, because a document whose references unfold without end has none, and cannot be compared either.
    _ = contract.fingerprint
    return contract


def problem_of(contract: "Contract") -> str | None:
    """Why a document is no OpenAPI document at all, or None."""
    return next((finding.message for finding in contract.findings if finding.id == _UNREADABLE), None)


def load_severities(config: Path | None) -> "Severities":
    """The severities of that file, or of the nearest ``pyproject.toml``. Raises SpecError when they cannot be used."""
    from bodydouble_spec.changes import Severities

    return Severities.find(Path.cwd()) if config is None else Severities.load(config)

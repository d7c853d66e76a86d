"""The options that several commands share, and the contracts and severities that they name."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from bodydouble_spec import Contract, ReportFormat, provenance
from bodydouble_spec.diff import Severities

__all__ = [
    "SOURCE_HELP",
    "UPSTREAM",
    "VENDORED",
    "Config",
    "FailOn",
    "FailOnName",
    "Format",
    "Output",
    "load_published",
    "load_severities",
    "resolve_source",
    "severities_fact",
    "unreadable_reason",
]

FailOnName = Literal["error", "warning", "info", "never"]

Format = Annotated[ReportFormat, typer.Option("--format", help="Format of the report.")]
FailOn = Annotated[
    FailOnName, typer.Option("--fail-on", help="Exit with 1 when there are findings of this severity or worse.")
]
Output = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="Write the report to this file instead of printing it.")
]


SOURCE_HELP = "a file, a URL, `vendored` or `upstream`"
VENDORED = "vendored"
UPSTREAM = "upstream"
_UNREADABLE = "document-unreadable"

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="TOML file with severities. Default: the nearest pyproject.toml in this folder or above it.",
    ),
]


def resolve_source(source: str) -> str:
    """Return the file or URL of a source; ``upstream`` is the address of the vendored document, ``vendored`` is returned as it is."""
    return provenance()["document"] if source == UPSTREAM else source


def load_published(source: str) -> Contract:
    """Load the contract as published, without the overlay. Raises SpecError when the source cannot be read."""
    return Contract.load(None if source == VENDORED else resolve_source(source), overlay=None)


def unreadable_reason(contract: Contract) -> str | None:
    """Return why a document is not an OpenAPI document, or None when it is one."""
    return next((finding.message for finding in contract.findings if finding.id == _UNREADABLE), None)


def load_severities(config: Path | None) -> Severities:
    """Load the severities of that file, or of the nearest ``pyproject.toml``. Raises SpecError when they cannot be used."""
    return Severities.find(Path.cwd()) if config is None else Severities.load(config)


def severities_fact(severities: Severities) -> dict[str, Any]:
    """Return the fact that names the file of the severities, or nothing when none were configured."""
    return {"severities from": str(severities.source)} if severities.chosen else {}

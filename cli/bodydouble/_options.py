"""The options that several commands share, each with its words said once.

Their values are written out here, because the enumerations behind them would have to be imported for ``bodydouble --version``.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = ["FailOn", "FailOnName", "Format", "FormatName", "Output"]

FormatName = Literal["text", "json", "markdown", "junit", "html", "github"]
FailOnName = Literal["error", "warning", "info", "never"]

Format = Annotated[FormatName, typer.Option("--format", help="How the report is written.")]
FailOn = Annotated[
    FailOnName, typer.Option("--fail-on", help="End with exit code 1 at findings this severe, or worse.")
]
Output = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="Write the report to this file instead of printing it.")
]

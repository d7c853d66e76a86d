"""The options that several commands share.

Their values are literals, because the enums behind them would have to be imported for ``bodydouble --version``.
"""

from pathlib import Path
from typing import Annotated, Literal

import typer

__all__ = ["FailOn", "FailOnName", "Format", "FormatName", "Output"]

FormatName = Literal["text", "json", "markdown", "junit", "html", "github"]
FailOnName = Literal["error", "warning", "info", "never"]

Format = Annotated[FormatName, typer.Option("--format", help="Format of the report.")]
FailOn = Annotated[
    FailOnName, typer.Option("--fail-on", help="Exit with 1 when there are findings of this severity or worse.")
]
Output = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", help="Write the report to this file instead of printing it.")
]

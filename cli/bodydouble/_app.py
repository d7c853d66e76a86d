"""The root of the command line: its options and its commands. Everything expensive is imported inside the commands."""

from typing import Annotated

import typer

from bodydouble import __version__
from bodydouble._contract import app as contract
from bodydouble._diff import diff
from bodydouble._drift import drift
from bodydouble._edit import edit
from bodydouble._history import history
from bodydouble._journal import journal
from bodydouble._run import run
from bodydouble._serve import serve
from bodydouble._verify import verify

__all__ = ["app"]

# No rich markup: help and usage errors stay plain lines that a log can be searched for, and rich need not be imported.
app = typer.Typer(
    name="bodydouble", no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None, add_completion=False
)
app.add_typer(contract, name="contract")
app.command()(serve)
app.command()(edit)
app.command()(journal)
app.command()(verify)
app.command()(diff)
app.command()(history)
app.command()(drift)
# What follows the command's name is the command's own, with or without `--`.
app.command(context_settings={"allow_interspersed_args": False})(run)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bodydouble {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
    traceback: Annotated[
        bool,
        typer.Option("--traceback", help="Show where an unforeseen error came from; so does BODYDOUBLE_TRACEBACK=1."),
    ] = False,
) -> None:
    """An offline stand-in for one paid image API, and the proof that stand-in, client and real API agree."""
    # Both options have done their work before a command runs: the version ends the process, and main() reads the other.
    del version, traceback

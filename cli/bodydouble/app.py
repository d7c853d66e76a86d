"""The root command, its options and its subcommands. Slow imports are made inside the commands."""

from typing import Annotated

import typer

from bodydouble import __version__
from bodydouble.commands import app as contract
from bodydouble.commands import diff, drift, edit, history, journal, run, serve, verify

__all__ = ["app"]

# No rich markup: help and usage errors are plain lines, easy to search for in a log, and Rich is not imported.
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
# Options after the name of the program to run are its own, with or without `--`.
app.command(context_settings={"allow_interspersed_args": False})(run)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bodydouble {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    traceback: Annotated[
        bool,
        typer.Option("--traceback", help="Show the traceback of an unexpected error, as BODYDOUBLE_TRACEBACK=1 does."),
    ] = False,
) -> None:
    """Run an offline stand-in for one paid image API, and prove that stand-in, client and real API agree."""
    # Neither is used here: the callback prints the version, and main() reads --traceback.
    del version, traceback

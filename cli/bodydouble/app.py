"""The root command and its options."""

from typing import Annotated

import typer

from bodydouble.commands import CommandGroup
from bodydouble.console import new_app

__all__ = ["app"]

app = new_app(name="bodydouble", cls=CommandGroup, no_args_is_help=True, add_completion=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        # Imported here, as it is read from a file.
        from bodydouble import __version__

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

"""The commands of `bodydouble`, one module each, which is imported when the command is invoked."""

import gc
from importlib import import_module
from pathlib import Path
from typing import Any

from typer import BadParameter
from typer.core import TyperCommand
from typer.main import get_command

from bodydouble.combinations import SETTINGS
from bodydouble.help_texts import Group

__all__ = ["COMMANDS", "CommandGroup"]

# The first sentence of each command's help, repeated here so that listing the commands imports none of them.
COMMANDS = {
    "serve": "Run a mock server of the API; stop it with Ctrl-C.",
    "proxy": "Pass calls on to the real API and record them, within a spending cap; stop it with Ctrl-C.",
    "edit": "Edit or combine images as the prompt says.",
    "journal": "Show the requests of an app from a journal file, which has no keys, and pictures only as hashes.",
    "verify": "Verify that a server keeps the contract.",
    "diff": "Compare the structure of two contracts, and rate each change by what it means for clients.",
    "history": "Show the history of a contract: date, fingerprint and changes of each revision.",
    "drift": "Report drift from the contract in the published document, the documentation page and recorded answers.",
    "run": "Run a command against a mock, and report the requests that break the contract.",
    "contract": "Show the contract, check documents, adopt a revision.",
}


class CommandGroup(Group):
    """The root command. It lists every command by its summary, and imports only the one that is invoked."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name, help=summary) for name, summary in COMMANDS.items()}

    # Typer's Click is private, and so are the types of these arguments and of the result.
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the name, the imported command and the other arguments. A name that does not exist is a usage error."""
        name, listed, others = super().resolve_command(ctx, args)
        # A shell that completes a name which does not exist gets no error.
        command = None if listed is None else get_command(import_module(f"bodydouble.commands.{name}").app)
        if not gc.isenabled():
            # What the imports have made stays as long as the process: no collection need look at it.
            gc.freeze()
            gc.enable()
        if command is not None and name is not None:
            # Imported here: what the module needs has now been imported by the command, and the list of commands needs none of it.
            from bodydouble.settings_file import SettingsFile, defaults_of

            file = SettingsFile.find(Path.cwd(), COMMANDS)
            if file is not None:
                ctx.default_map = {name: defaults_of(file, name, command.params)}
                if ctx.default_map[name]:
                    ctx.meta[SETTINGS] = file.path
        return name, command, others

    def invoke(self, ctx: Any) -> Any:
        """Run the command. A bad value names the settings file too, where one is in use."""
        try:
            return super().invoke(ctx)
        except BadParameter as error:
            if SETTINGS in ctx.meta:
                error.message += f" (some options of this command are set in {ctx.meta[SETTINGS]})"
            raise

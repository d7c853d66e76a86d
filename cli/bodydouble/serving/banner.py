"""The first lines of a mock server: what it stands in for, where it is, and how an app gets there."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import typer
from bodydouble_spec import Contract
from bodydouble_spec.selection import limited_values

from bodydouble.console import for_terminal
from bodydouble.defects import reading_notes
from bodydouble.serving.announcing import address_lines

__all__ = ["Proxied", "print_banner"]

_KEY = "any-key-you-like"
_MAX_NOTICES = 20
_MOST_MODELS = 3


class Proxied(NamedTuple):
    """The facts of a proxy that other servers do not have: upstream, folder of the recording, and the most that the run may cost."""

    upstream: str
    recording: Path
    max_usd: float

    def lines(self) -> list[str]:
        """Return the lines of the banner about it."""
        return [
            f"  upstream   {self.upstream}",
            f"  recording  {self.recording}",
            f"  cap        {self.max_usd:.3f} USD for this run (--max-usd); then 403, or the recorded answer",
        ]


def print_banner(
    contracts: Sequence[Contract],
    address: str,
    notices: Sequence[str],
    *,
    has_page: bool,
    proxied: Proxied | None = None,
) -> None:
    """Print the models that a server stands in for, its address and page, its contracts, and the variables that lead an app to it.

    ``notices`` are what must be known of this run; beyond twenty the rest is counted. Of a proxy the upstream, the recording and the cap are told too,
    and no key, since its calls need a real one.
    """
    operations = dict.fromkeys(operation.key for contract in contracts for operation in contract.operations)
    served = (operation for contract in contracts for operation in contract.operations)
    models = list(
        dict.fromkeys(str(value) for one in served for value in limited_values(one).get("model", {}).values())
    )
    named = ", ".join(models[:_MOST_MODELS])
    named += f" and {len(models) - _MOST_MODELS} more" if len(models) > _MOST_MODELS else ""
    what = named or ", ".join(operations)
    lines = [
        f"bodydouble stands in for {what}" if proxied is None else f"bodydouble passes on and records {what}",
        "",
        f"  address    {address}",
        *([f"  page       {address}/_bodydouble/"] if has_page else []),
        *([f"  operation  {', '.join(operations)}"] if models else []),
        *(f"  contract   {contract.source}" for contract in contracts),
        *([] if proxied is None else proxied.lines()),
        "",
        *address_lines(address),
        *([f"  export AIMLAPI_KEY={_KEY} OPENAI_API_KEY={_KEY}"] if proxied is None else []),
        "",
    ]
    # Defects are for `contract show`; only what the server reads otherwise than it is written changes its answers.
    notes = [*notices, *(note for contract in contracts for note in reading_notes(contract))]
    if notes:
        lines += [*_note_lines(notes), ""]
    typer.echo(for_terminal("\n".join(lines)))


def _note_lines(notes: list[str]) -> list[str]:
    more = [f"and {len(notes) - _MAX_NOTICES} more"] if len(notes) > _MAX_NOTICES else []
    return [f"  {' '.join(note.split())}" for note in (*notes[:_MAX_NOTICES], *more)]

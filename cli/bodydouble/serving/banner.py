"""The first lines of a mock server: what it stands in for, where it is, and how an app gets there."""

from collections.abc import Sequence

import typer
from bodydouble_spec import Contract
from bodydouble_spec.selection import limited_values

from bodydouble.defects import reading_notes
from bodydouble.serving.announcing import address_lines

__all__ = ["print_banner"]

_MAX_NOTICES = 20
_MOST_MODELS = 3


def print_banner(contracts: Sequence[Contract], address: str, notices: Sequence[str], *, has_page: bool) -> None:
    """Print the models that a server stands in for, its address and page, its contracts, and the variables that lead an app to it.

    ``notices`` are what must be known of this run; beyond twenty the rest is counted.
    """
    key = "any-key-you-like"
    operations = dict.fromkeys(operation.key for contract in contracts for operation in contract.operations)
    served = (operation for contract in contracts for operation in contract.operations)
    models = list(
        dict.fromkeys(str(value) for one in served for value in limited_values(one).get("model", {}).values())
    )
    named = ", ".join(models[:_MOST_MODELS])
    named += f" and {len(models) - _MOST_MODELS} more" if len(models) > _MOST_MODELS else ""
    lines = [
        f"bodydouble stands in for {named or ', '.join(operations)}",
        "",
        f"  address    {address}",
        *([f"  page       {address}/_bodydouble/"] if has_page else []),
        *([f"  operation  {', '.join(operations)}"] if models else []),
        *(f"  contract   {contract.source}" for contract in contracts),
        "",
    ]
    lines += address_lines(address)
    lines += [f"  export AIMLAPI_KEY={key} OPENAI_API_KEY={key}", ""]
    # Defects are for `contract show`; only what the server reads otherwise than it is written changes its answers.
    notes = [*notices, *(note for contract in contracts for note in reading_notes(contract))]
    if notes:
        lines += [*_note_lines(notes), ""]
    typer.echo("\n".join(lines))


def _note_lines(notes: list[str]) -> list[str]:
    more = [f"and {len(notes) - _MAX_NOTICES} more"] if len(notes) > _MAX_NOTICES else []
    return [f"  {' '.join(note.split())}" for note in (*notes[:_MAX_NOTICES], *more)]

"""``bodydouble contract``: show a contract, check documents, print fingerprints, adopt a revision."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bodydouble.commands.update import update
from bodydouble.console import (
    COULD_NOT_RUN,
    exit_code_of,
    exit_on_error,
    exit_with_error,
    print_error,
    print_report,
    print_text,
)
from bodydouble.options import FailOn, Format, Output, unreadable_reason

if TYPE_CHECKING:
    from bodydouble_spec import Contract

__all__ = ["app"]

_METAVAR = "FILE|URL"

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Show the contract, check documents, adopt a revision."
)


@app.command()
def show(
    document: Annotated[
        str | None, typer.Argument(metavar=_METAVAR, help="Document to show. Default: the vendored contract.")
    ] = None,
    format: Format = "text",  # noqa: A002 - the option's name
    output: Output = None,
) -> None:
    """Show a contract: operations, fields, limits, prices, the evidence for each, and the defects of the published document."""
    with exit_on_error():
        from bodydouble_spec import Report

        from bodydouble.commands.describe import describe, summarize

        contract = _load(document)
        problem = _problem(contract)
        if problem is not None:
            exit_with_error(problem)
        facts = describe(contract, is_vendored=document is None)
        shown = facts if format == "json" else summarize(facts)
        print_report(Report(contract.source, contract.findings, shown, "defects"), format, output)


@app.command()
def check(
    documents: Annotated[
        list[str] | None,
        typer.Argument(metavar=f"{_METAVAR}...", help="Documents to read. Default: the vendored contract."),
    ] = None,
    format: Format = "text",  # noqa: A002 - the option's name
    fail_on: FailOn = "error",
    output: Output = None,
) -> None:
    """Check documents for defects, and with openapi-core's validator."""
    with exit_on_error():
        from bodydouble_spec import Report

        from bodydouble.commands.contract_check import check as findings_of

        contracts, is_complete = _load_all(documents)
        found = [(contract, findings_of(contract)) for contract in contracts]
        several = len(documents or ()) > 1
        findings = tuple(
            replace(finding, source=" ".join(filter(None, (contract.source, finding.source)))) if several else finding
            for contract, examined in found
            for finding in examined
        )
        title = f"{len(found)} documents" if several else next((contract.source for contract, _ in found), "")
        if found:
            facts = {"documents": [_summary(contract, len(examined)) for contract, examined in found]}
            print_report(Report(f"contract check: {title}", findings, facts), format, output)
        raise typer.Exit(exit_code_of(findings, fail_on) if is_complete else COULD_NOT_RUN)


@app.command()
def fingerprint(
    documents: Annotated[
        list[str] | None,
        typer.Argument(metavar=f"{_METAVAR}...", help="Documents to read. Default: the vendored contract."),
    ] = None,
    format: Annotated[  # noqa: A002 - the option's name
        Literal["text", "json"], typer.Option("--format", help="One line for each document, or a JSON array.")
    ] = "text",
) -> None:
    """Print the fingerprint of each document's structure. Descriptions, examples and order make no difference."""
    with exit_on_error():
        import json

        contracts, is_complete = _load_all(documents)
        rows: list[dict[str, str]] = []
        for contract in contracts:
            problem = _problem(contract)
            if problem is None:
                rows.append({"fingerprint": contract.fingerprint, "source": contract.source})
            else:
                print_error(problem)
                is_complete = False
        lines = json.dumps(rows, indent=2) if format == "json" else "\n".join("  ".join(row.values()) for row in rows)
        if rows:
            print_text(f"{lines}\n")
        raise typer.Exit(0 if is_complete else COULD_NOT_RUN)


app.command()(update)


def _load(document: str | None) -> "Contract":
    from bodydouble_spec import Contract

    contract = Contract.load(document)
    # Computed here, because it fails for a document whose references expand without end.
    _ = contract.fingerprint
    return contract


def _load_all(documents: list[str] | None) -> "tuple[list[Contract], bool]":
    """Return the contracts that can be loaded, and whether these are all; an error is printed for each other one."""
    from bodydouble_spec import SpecError

    contracts: list[Contract] = []
    wanted: list[str | None] = [*documents] if documents else [None]
    for document in wanted:
        try:
            contracts.append(_load(document))
        except SpecError as error:
            print_error(str(error))
    return contracts, len(contracts) == len(wanted)


def _problem(contract: "Contract") -> str | None:
    """Return why a document is not an OpenAPI document, or None when it is one."""
    problem = unreadable_reason(contract)
    return None if problem is None else f"{contract.source}: {problem}"


def _summary(contract: "Contract", findings: int) -> dict[str, Any]:
    return {
        "document": contract.source,
        "OpenAPI": contract.document.get("openapi"),
        "operations": len(contract.operations),
        "findings": findings,
        "fingerprint": contract.fingerprint if contract.published else None,
    }

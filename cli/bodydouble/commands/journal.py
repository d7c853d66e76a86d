"""``bodydouble journal``: the exchanges in a file, filtered, or one of them as code that sends it again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bodydouble.console import exit_with_error, print_error, print_text

if TYPE_CHECKING:
    from bodydouble_spec import Exchange, ExchangeFilter, ExchangeLog

__all__ = ["journal"]


def journal(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `bodydouble serve --journal` wrote.")],
    status: Annotated[str | None, typer.Option(metavar="CODE|4xx", help="Only answers of this status.")] = None,
    path: Annotated[str | None, typer.Option(help="Only this path, or paths with a prefix: '/v1/*'.")] = None,
    method: Annotated[str | None, typer.Option(help="Only this method.")] = None,
    key: Annotated[str | None, typer.Option(metavar="HASH", help="Only calls with the key of this short hash.")] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only since this time: ISO 8601 (UTC without a zone) or Unix seconds."),
    ] = None,
    findings: Annotated[bool, typer.Option("--findings", help="Only requests with findings.")] = False,
    show: Annotated[str | None, typer.Option(metavar="ID", help="Print this request in full.")] = None,
    code: Annotated[
        Literal["curl", "python"] | None,
        typer.Option(
            "--as", help="Print code that sends the request again: that of --show, else the last one selected."
        ),
    ] = None,
    format: Annotated[Literal["text", "json"], typer.Option("--format", help="Format of the output.")] = "text",  # noqa: A002 - the option's name
) -> None:
    """Show the requests of an app from a journal file, which has no keys, and pictures only as hashes."""
    from bodydouble_spec import BadFilter, ExchangeFilter, read_exchanges

    given = {"status": status, "path": path, "method": method, "key": key, "since": since}
    texts = {name: value for name, value in given.items() if value is not None}
    try:
        chosen = ExchangeFilter.parse({**texts, **({"findings": "true"} if findings else {})})
    except BadFilter as error:
        exit_with_error(f"--{error}")
    try:
        log = read_exchanges(file)
    except OSError as error:
        exit_with_error(f"{file}: {error.strerror or error}; name a file that `bodydouble serve --journal` wrote")
    for finding in log.findings:
        print_error(f"{file}: {finding.message}")
    selected = _select(log, chosen, show)
    if code is not None:
        _print_code(selected, code)
    elif format == "json":
        _print_json(log, selected)
    else:
        from bodydouble.commands.journal_report import format_exchange, format_list

        print_text(format_exchange(selected[0]) if show is not None else format_list(selected, len(log.exchanges)))


def _select(log: "ExchangeLog", chosen: "ExchangeFilter", show: str | None) -> "list[Exchange]":
    selected = chosen.select(log.exchanges)
    if show is None:
        return selected
    # Two runs with one seed can have the same ids; the later one is shown.
    found = [exchange for exchange in selected if exchange.id == show][-1:]
    if not found:
        exit_with_error(
            f"--show {show}: none of the {len(selected)} selected requests has this id; leave --show out to list them"
        )
    return found


def _print_code(selected: "list[Exchange]", code: Literal["curl", "python"]) -> None:
    from bodydouble.commands.journal_report import as_curl, as_python

    if not selected:
        exit_with_error("--as: no request is selected; loosen the filters")
    print_text(as_curl(selected[-1]) if code == "curl" else as_python(selected[-1]))


def _print_json(log: "ExchangeLog", selected: "list[Exchange]") -> None:
    import json

    document = {
        "exchanges": [exchange.to_dict() for exchange in selected],
        "findings": [finding.to_dict() for finding in log.findings],
    }
    # In ASCII, which cannot hold control characters for a terminal.
    print_text(json.dumps(document, indent=2) + "\n")

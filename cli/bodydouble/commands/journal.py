"""``bodydouble journal``: the exchanges in a file, filtered, or one of them as a command or program that sends it again.

It goes to the mock unless AIMLAPI_BASE_URL names another server.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from bodydouble_spec import BadFilter, Exchange, ExchangeFilter, is_object
from bodydouble_spec.recording import StoredRecording, read_stored_recording
from bodydouble_spec.snippets import as_curl, as_python
from bodydouble_spec.text import cut, visible

from bodydouble.console import exit_with_error, new_app, one_line, print_error, print_text
from bodydouble.help_texts import Command
from bodydouble.progress import progress

__all__ = ["app"]

app = new_app()

_WRITERS = {"curl": as_curl, "python": as_python}


@app.command(cls=Command, epilog="bodydouble journal calls.jsonl --status 4xx")
def journal(
    file: Annotated[
        Path, typer.Argument(metavar="FILE|DIR", help="A file that `bodydouble serve --journal` wrote, or a recording.")
    ],
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
            "--as",
            help="Print a command or program that sends the request again: that of --show, else the last one selected.",
        ),
    ] = None,
    format: Annotated[Literal["text", "json"], typer.Option("--format", help="Format of the output.")] = "text",  # noqa: A002 - the option's name
) -> None:
    """Show the requests of an app from a journal file, which has no keys, and pictures only as hashes."""
    given = {"status": status, "path": path, "method": method, "key": key, "since": since}
    texts = {name: value for name, value in given.items() if value is not None}
    try:
        chosen = ExchangeFilter.parse({**texts, **({"findings": "true"} if findings else {})})
    except BadFilter as error:
        exit_with_error(f"--{error}")
    try:
        with progress(f"reading {file}"):
            recording = read_stored_recording(file)
    except OSError as error:
        exit_with_error(
            f"{file}: {error.strerror or error}; name a file that `bodydouble serve --journal` wrote, or the folder of a recording"
        )
    for finding in recording.findings:
        print_error(f"{file}: {finding.message}")
    selected = _select(recording, chosen, show)
    if code is not None:
        _print_code(selected, code)
    elif format == "json":
        _print_json(recording, selected)
    else:
        print_text(
            format_exchange(selected[0]) if show is not None else format_list(selected, len(recording.exchanges))
        )


def _select(recording: StoredRecording, chosen: ExchangeFilter, show: str | None) -> list[Exchange]:
    selected = chosen.select(recording.exchanges)
    if show is None:
        return selected
    # Two runs with one seed can have the same ids; the later one is shown.
    found = [exchange for exchange in selected if exchange.id == show][-1:]
    if not found:
        exit_with_error(
            f"--show {show}: none of the {len(selected)} selected requests has this id; leave --show out to list them"
        )
    return found


def _print_code(selected: list[Exchange], code: str) -> None:
    if not selected:
        exit_with_error("--as: no request matches; use fewer filters")
    print_text(_WRITERS[code](selected[-1]))


def _print_json(recording: StoredRecording, selected: list[Exchange]) -> None:
    document = {
        "exchanges": [exchange.to_dict() for exchange in selected],
        "findings": [finding.to_dict() for finding in recording.findings],
    }
    # In ASCII, which cannot hold control characters for a terminal.
    print_text(json.dumps(document, indent=2) + "\n")


_PROMPT_CHARACTERS = 60


def format_list(exchanges: Sequence[Exchange], total: int) -> str:
    """Return a line for each exchange with its findings below, and the number of exchanges."""
    lines = [line for exchange in exchanges for line in _lines(exchange)]
    counted = f"{len(exchanges)} of {total}" if len(exchanges) != total else f"{total}"
    lines.append(f"{counted} request{'' if total == 1 else 's'}")
    return "\n".join(lines) + "\n"


def format_exchange(exchange: Exchange) -> str:
    """Return one exchange in full: request, findings, answer."""
    lines = [*_lines(exchange), ""]
    lines += _message("request", exchange.headers, exchange.body, exchange.raw)
    if exchange.answer is not None:
        answer = exchange.answer
        lines += ["", *_message(f"answer {answer.status}", answer.headers, answer.body, answer.raw)]
    return "\n".join(lines) + "\n"


def _lines(exchange: Exchange) -> list[str]:
    status = "-" if exchange.status is None else str(exchange.status)
    duration = "" if exchange.duration_s is None else f"{exchange.duration_s * 1000:.1f} ms"
    parts = [exchange.time, exchange.id, exchange.method, exchange.path, status, duration]
    parts += [f"key {exchange.key}"] if exchange.key else []
    parts += [f"[{', '.join(exchange.applied)}]"] if exchange.applied else []
    parts += [f"({exchange.matched})"] if exchange.matched else []
    prompt = exchange.body.get("prompt") if is_object(exchange.body) else None
    if isinstance(prompt, str):
        parts.append(json.dumps(cut(prompt, _PROMPT_CHARACTERS), ensure_ascii=False))
    head = "  ".join(one_line(part) for part in parts if part)
    return [head, *(f"    {_finding(finding)}" for finding in exchange.findings)]


def _finding(finding: Mapping[str, Any]) -> str:
    severity, rule, pointer, message = (finding.get(name, "") for name in ("severity", "id", "pointer", "message"))
    return one_line(f"{severity} {rule} {pointer or '/'}: {message}")


def _message(title: str, headers: Mapping[str, str], body: Any, raw: Mapping[str, Any] | None) -> list[str]:
    lines = [title, *(f"  {visible(f'{name}: {value}')}" for name, value in headers.items())]
    if raw is not None:
        lines += [
            f"  {visible(str(raw.get('bytes')))} bytes that are not JSON (SHA-256 {visible(str(raw.get('sha256')))}), beginning with:",
            f"  {visible(str(raw.get('text', '')))}",
        ]
    elif body is not None:
        text = json.dumps(body, ensure_ascii=False, indent=2)
        lines += [f"  {visible(line)}" for line in text.split("\n")]
    return lines

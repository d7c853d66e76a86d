"""``bodydouble journal``: the exchanges in a file, filtered, or one of them as a command that sends it again.

The command goes to the mock unless AIMLAPI_BASE_URL names another server. A journal has no keys and no pictures: the key comes from
``$AIMLAPI_KEY``, and a small picture of the same type replaces each picture.
"""

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote_plus

import typer
from bodydouble_spec import (
    BEARER,
    BadFilter,
    Exchange,
    ExchangeFilter,
    ExchangeLog,
    KeyPlace,
    RecordedPicture,
    Security,
    is_array,
    is_object,
    read_exchanges,
    restore_pictures,
)
from bodydouble_spec.curl import FORM, MULTIPART, FormPart, curl_command, header_text
from bodydouble_spec.text import cut, visible
from PIL import Image

from bodydouble.console import exit_with_error, new_app, one_line, print_error, print_text

__all__ = ["app", "as_curl"]

app = new_app()

# The others are set by the sender, or belong to the app's own HTTP library.
_SENT_HEADERS = ("content-type", "accept", "prefer", "x-client-request-id")
_LONGEST_SIDE = 32
_WRITABLE = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP", "image/bmp": "BMP"}


@app.command()
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
        Literal["curl"] | None,
        typer.Option(
            "--as", help="Print a command that sends the request again: that of --show, else the last one selected."
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
        log = read_exchanges(file)
    except OSError as error:
        exit_with_error(f"{file}: {error.strerror or error}; name a file that `bodydouble serve --journal` wrote")
    for finding in log.findings:
        print_error(f"{file}: {finding.message}")
    selected = _select(log, chosen, show)
    if code is not None:
        _print_curl(selected)
    elif format == "json":
        _print_json(log, selected)
    else:
        print_text(format_exchange(selected[0]) if show is not None else format_list(selected, len(log.exchanges)))


def _select(log: ExchangeLog, chosen: ExchangeFilter, show: str | None) -> list[Exchange]:
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


def _print_curl(selected: list[Exchange]) -> None:
    if not selected:
        exit_with_error("--as: no request is selected; loosen the filters")
    print_text(as_curl(selected[-1]))


def _print_json(log: ExchangeLog, selected: list[Exchange]) -> None:
    document = {
        "exchanges": [exchange.to_dict() for exchange in selected],
        "findings": [finding.to_dict() for finding in log.findings],
    }
    # In ASCII, which cannot hold control characters for a terminal.
    print_text(json.dumps(document, indent=2) + "\n")


def as_curl(exchange: Exchange) -> str:
    """Return a curl command for a POSIX shell; every text of the journal is quoted."""
    places = tuple(map(KeyPlace.read, exchange.key_in))
    headers, body, form = _headers(exchange), None, _form(exchange)
    if form is not None:
        headers.pop("content-type", None)  # curl writes that of a form, with its boundary
    elif exchange.body is not None:
        # In ASCII, which every terminal and shell supports.
        body = json.dumps(_restored(exchange.body))
    command = curl_command(
        exchange.method,
        _without_keys(exchange.path, places),
        headers=headers,
        body=body,
        form=form,
        security=None if exchange.key is None else Security((places,)) if places else BEARER,
    )
    return "\n".join((*_comments(exchange), command))


def _without_keys(path: str, places: Sequence[KeyPlace]) -> str:
    """Return a path without the keys in its query, which were not recorded."""
    names = {place.name for place in places if place.location == "query"}
    route, _, query = path.partition("?")
    kept = [part for part in query.split("&") if part and unquote_plus(part.partition("=")[0]) not in names]
    return f"{route}?{'&'.join(kept)}" if kept else route


def _form(exchange: Exchange) -> list[FormPart] | None:
    """Return the parts of a form; None for any other body."""
    media_type = exchange.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in (FORM, MULTIPART) or not is_object(exchange.body):
        return None
    return [
        _part(name, value, media_type)
        for name, values in exchange.body.items()
        for value in (values if is_array(values) else [values])
    ]


def _part(name: str, value: Any, media_type: str) -> FormPart:
    picture = RecordedPicture.read(value)
    if picture is not None and media_type == MULTIPART and not picture.is_data_uri:
        kind, data = _small_picture(picture)
        return FormPart(name, data, kind)
    restored = _restored(value)
    text = restored if isinstance(restored, str) else json.dumps(restored)
    return FormPart(name, text, None if media_type == MULTIPART else FORM)


def _comments(exchange: Exchange) -> list[str]:
    comments = [f"# request {visible(exchange.id)} of {visible(exchange.time)}, answered {exchange.status}"]
    pictures: list[RecordedPicture] = []

    def note(picture: RecordedPicture) -> str:
        pictures.append(picture)
        return ""

    restore_pictures(exchange.body, note)
    if pictures:
        comments.append(
            f"# {len(pictures)} picture{'' if len(pictures) == 1 else 's'} of the request replaced by small ones of the same type: a journal keeps only hashes"
        )
    if exchange.raw is not None:
        comments.append(
            f"# its body of {visible(str(exchange.raw.get('bytes')))} bytes was not recorded as JSON and is left out"
        )
    return comments


def _headers(exchange: Exchange) -> dict[str, str]:
    return {name: header_text(exchange.headers[name]) for name in _SENT_HEADERS if name in exchange.headers}


def _restored(body: Any) -> Any:
    return restore_pictures(body, _placeholder)


def _placeholder(picture: RecordedPicture) -> str:
    media_type, data = _small_picture(picture)
    return picture.encode(data, media_type)


def _small_picture(picture: RecordedPicture) -> tuple[str, bytes]:
    """Return a small grey picture with the type and aspect ratio of the recorded one."""
    media_type = picture.media_type if picture.media_type in _WRITABLE else "image/png"
    width, height = picture.pixels or (1, 1)
    scale = _LONGEST_SIDE / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    file = BytesIO()
    Image.new("RGB", size, "grey").save(file, _WRITABLE[media_type])
    return media_type, file.getvalue()


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

"""The text of a journal: a line for each request, or one request in full."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bodydouble_spec import Exchange, is_object

from bodydouble._text import one_line, printable

__all__ = ["format_exchange", "format_list"]

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
        parts.append(json.dumps(_shortened(prompt), ensure_ascii=False))
    head = "  ".join(one_line(part) for part in parts if part)
    return [head, *(f"    {_finding(finding)}" for finding in exchange.findings)]


def _finding(finding: Mapping[str, Any]) -> str:
    severity, rule, pointer, message = (finding.get(name, "") for name in ("severity", "id", "pointer", "message"))
    return one_line(f"{severity} {rule} {pointer or '/'}: {message}")


def _message(title: str, headers: Mapping[str, str], body: Any, raw: Mapping[str, Any] | None) -> list[str]:
    lines = [title, *(f"  {printable(f'{name}: {value}')}" for name, value in headers.items())]
    if raw is not None:
        lines += [
            f"  {printable(str(raw.get('bytes')))} bytes that are not JSON (SHA-256 {printable(str(raw.get('sha256')))}), beginning with:",
            f"  {printable(str(raw.get('text', '')))}",
        ]
    elif body is not None:
        text = json.dumps(body, ensure_ascii=False, indent=2)
        lines += [f"  {printable(line)}" for line in text.split("\n")]
    return lines


def _shortened(text: str) -> str:
    return text if len(text) <= _PROMPT_CHARACTERS else f"{text[: _PROMPT_CHARACTERS - 1]}…"

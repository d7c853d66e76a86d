"""Parts of a contract that the mock does not stand in for: event streams, callbacks, webhooks and WebSockets.

An app that waits for one of them waits for ever, so a request that asks for one is refused.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bodydouble_spec import (
    EVENTS,
    Callback,
    Contract,
    Evidence,
    Finding,
    Operation,
    SentParameters,
    Severity,
    is_array,
    is_object,
    join_pointer,
)

from bodydouble_mockserver.asgi import Scope
from bodydouble_mockserver.request.parameters import sent_parameters

__all__ = ["contract_limits", "not_stood_in", "operation_limits"]

_ADVICE = "send Prefer: code=200 to get an ordinary answer"
_NO_EVENTS = "the request asks for an event stream, which the mock does not support"
_WEBSOCKET_URL = re.compile(r"wss?://", re.IGNORECASE)
_QUALITY = re.compile(r";\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*(?:;|$)", re.IGNORECASE)


def contract_limits(contract: Contract) -> Iterator[str]:
    """Yield a sentence for each declared part of a contract that is not stood in for and belongs to no operation."""
    webhooks = contract.document.get("webhooks")
    if is_object(webhooks) and webhooks:
        yield f"the mock sends no webhooks; the contract declares {', '.join(webhooks)}"
    servers = contract.document.get("servers")
    urls = [server.get("url") for server in servers if is_object(server)] if is_array(servers) else []
    if any(isinstance(url, str) and _WEBSOCKET_URL.match(url) for url in urls):
        yield "the mock does not support WebSockets; the contract declares a server that speaks them"


def operation_limits(operation: Operation) -> Iterator[str]:
    """Yield a sentence for each declared part of an operation that is not stood in for."""
    key = operation.key
    if EVENTS in operation.success_media_types:
        yield f"{key}: the mock does not support event streams; a request for one is refused with the finding not-stood-in"
    if operation.callbacks:
        yield f"{key}: the mock sends no callbacks ({', '.join(dict.fromkeys(item.name for item in operation.callbacks))}); a request for one is refused with the finding not-stood-in"
    if "101" in operation.responses:
        yield f"{key}: the mock does not support WebSockets; a request for one is refused with the finding not-stood-in"


def not_stood_in(operation: Operation, headers: Mapping[bytes, bytes], scope: Scope, parsed: Any) -> Finding | None:
    """Return the finding of a request that asks for a part of the contract that is not stood in for; None for any other."""
    if b"upgrade" in headers and b"websocket" in headers[b"upgrade"].lower().replace(b" ", b"").split(b","):
        return _finding(
            operation, "/header/Upgrade", "the request asks for a WebSocket, which the mock does not support"
        )
    types = operation.success_media_types
    if not operation.callbacks and EVENTS not in types:
        return None
    pointer = operation.unserved_pointer(parsed)
    if EVENTS in types:
        accepted = headers.get(b"accept", b"").decode("latin-1")
        if pointer == "/stream":
            return _finding(operation, pointer, f"{_NO_EVENTS}; leave stream out, or {_ADVICE}")
        if EVENTS in accepted.lower() and _prefers_events(accepted):
            return _finding(operation, "/header/Accept", f"{_NO_EVENTS}; accept another type, or {_ADVICE}")
        if types == frozenset((EVENTS,)):
            text = f"the contract has no answer but an event stream, which the mock does not support; {_ADVICE}"
            return _finding(operation, "", text)
    if operation.callbacks and pointer is None:
        pointer = _asked_outside_of_body(operation.callbacks, sent_parameters(scope))
    if pointer is None:
        return None
    text = f"the request asks for a callback, which the mock does not support; leave it out, or {_ADVICE}"
    return _finding(operation, pointer, text)


def _asked_outside_of_body(callbacks: Iterable[Callback], sent: SentParameters) -> str | None:
    """Return the place of the address of a callback in the parameters; None when the request has none there."""
    for callback in callbacks:
        given: Any = None
        if callback.place == "query":
            given = sent.query.get(callback.key)
        elif callback.place == "path":
            given = sent.path.get(callback.key)
        elif callback.place == "header":
            given = sent.headers.get(callback.key.lower())
        if given:
            return join_pointer("", callback.place, callback.key)
    return None


def _finding(operation: Operation, pointer: str, message: str) -> Finding:
    return Finding(
        "not-stood-in", Severity.WARNING, Evidence.DOCUMENTED, pointer, message, direction="request", operation=operation.key
    )  # fmt: skip


def _prefers_events(accepted: str) -> bool:
    """Return whether an Accept header names an event stream, and no other type that it wants as much."""
    wanted: dict[str, float] = {}
    for part in accepted.split(","):
        name = part.partition(";")[0].strip().lower()
        quality = _QUALITY.search(part)
        wanted[name] = float(quality[1]) if quality else 1.0
    events = wanted.pop(EVENTS, 0.0)
    others = [quality for name, quality in wanted.items() if name != "*/*"]
    return events > max(others, default=0.0)

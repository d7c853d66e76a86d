"""Barriers before the body of a request is looked at: another host, path, credentials, media type or a new parameter.

The answer of the server decides where it can. Where it cannot (it serves no other host, it may not check a scheme), the contract does, and the
cause says so by its source.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from bodydouble_spec import EVENTS, Severity, essence, is_json_media_type

from bodydouble_contract_tests.impact.client import NO_BODY, ContractServer
from bodydouble_contract_tests.impact.pairing import OperationPair
from bodydouble_contract_tests.impact.wording import path_text

__all__ = ["Barrier", "barriers"]

_NOT_THERE = {404, 405}
_NOT_ALLOWED = {401, 403}


@dataclass(frozen=True, slots=True)
class Barrier:
    """One reason why no call of the old contract gets through. ``kind`` tells whether it is refused or cannot be tried.

    ``is_executed`` is true when an answer decided. ``text`` completes the sentence "the calls are refused: …".
    """

    rule: str
    kind: Literal["refused", "untried"]
    text: str
    is_executed: bool
    expected: Any = None
    got: Any = None
    severity: Severity = Severity.ERROR


def barriers(
    pair: OperationPair,
    server: ContractServer,
    body: Any = NO_BODY,
    path: str | None = None,
    media_type: str | None = None,
) -> list[Barrier]:
    """Return what keeps every call from the new operation.

    ``body`` is a request that the old contract allows, ``media_type`` its own (None: that of the old contract), and ``path`` its path if it is a
    template.
    """
    return [
        *_moved(pair, server, body),
        *_host(pair),
        *_credentials(pair, server, body, path),
        *_media_type(pair, server, body, path, media_type or pair.before.json_media_type),
        *_not_stood_in(pair, body),
    ]


def _moved(pair: OperationPair, server: ContractServer, body: Any) -> Iterator[Barrier]:
    before, after = pair.old_terms, pair.new_terms
    if _route(before.full_path) == _route(after.full_path) and pair.before.method == pair.after.method:
        return
    old_key, new_key = (f"{terms.operation.method} {terms.full_path}" for terms in (before, after))
    if pair.before.key != pair.after.key:
        status = server.request(pair.before.method, pair.before.path, after.sent, body).status_code
        if status in _NOT_THERE:
            text = f"{old_key} has moved to {new_key} (the old path gets status {status})"
            yield Barrier("operation-moved", "refused", text, is_executed=True, expected=old_key, got=new_key)
        return
    answer = server.request_below(after.base_paths, before.operation.method, before.full_path, after.sent)
    if answer.status_code in _NOT_THERE:
        text = f"{old_key} has moved to {new_key}, including the path of its server (the old path gets status {answer.status_code})"
        yield Barrier("operation-moved", "refused", text, is_executed=True, expected=old_key, got=new_key)


def _route(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part]
    return parts[1:] if parts[:1] == ["v1"] else parts


def _host(pair: OperationPair) -> Iterator[Barrier]:
    old, new = pair.old_terms.origins, pair.new_terms.origins
    if not old or not new or old[0] in new:
        return
    text = f"the new contract is served at {', '.join(new)}, no longer at {old[0]}"
    yield Barrier("host-moved", "untried", text, is_executed=False, expected=[*old], got=[*new])


def _credentials(pair: OperationPair, server: ContractServer, body: Any, path: str | None) -> Iterator[Barrier]:
    before, after = pair.old_terms, pair.new_terms
    if after.unsupported_schemes:
        text = f"the new contract asks for {' and '.join(after.unsupported_schemes)}, which cannot be tried here"
        yield Barrier("credentials-changed", "untried", text, is_executed=False, got=[*after.unsupported_schemes])
        return
    if after.accepts_keys(before):
        if after.token_schemes and not before.token_schemes:
            text = f"the new contract asks for a token ({' or '.join(after.token_schemes)}) instead of a key, which cannot be tried here"
            yield Barrier("credentials-changed", "untried", text, is_executed=False, got=[*after.token_schemes])
        return
    status = server.request(pair.after.method, path or pair.after.path, before.sent, body).status_code
    is_refused = status in _NOT_ALLOWED
    text = f"the key must now be in {pair.after.security.description}" + (f" (status {status})" if is_refused else "")
    yield Barrier("credentials-changed", "refused", text, is_executed=is_refused, got=pair.after.security.description)


def _media_type(
    pair: OperationPair, server: ContractServer, body: Any, path: str | None, media_type: str
) -> Iterator[Barrier]:
    after = pair.new_terms
    if body is NO_BODY or after.accepts_media_type(media_type) or not pair.old_terms.accepts_media_type(media_type):
        return
    sent = replace(after.sent, headers={**after.sent.headers, "Content-Type": media_type})
    status = server.request(pair.after.method, path or pair.after.path, sent, body).status_code
    is_refused = 400 <= status < 500
    accepted = [*map(essence, pair.after.request_media_types)]
    known = media_type if any(map(is_json_media_type, accepted)) else "JSON"
    text = f"the body must be {' or '.join(accepted)}, no longer {known}" + (
        f" (status {status})" if is_refused else ""
    )
    yield Barrier("media-type-changed", "refused", text, is_executed=is_refused, expected=media_type, got=accepted)


def _not_stood_in(pair: OperationPair, body: Any) -> Iterator[Barrier]:
    """Yield a barrier where the new contract answers only with what a mock server does not make."""
    was, is_now = (item.success_media_types == frozenset((EVENTS,)) for item in (pair.before, pair.after))
    pointer = pair.after.unserved_pointer(body)
    if is_now and not was:
        text = f"the answers are now {EVENTS} only, which cannot be tried here"
        yield Barrier(
            "answer-not-made",
            "untried",
            text,
            is_executed=False,
            expected=[*pair.before.success_media_types],
            got=EVENTS,
        )
    elif pointer is not None and pair.before.unserved_pointer(body) is None:
        text = f"{path_text(pointer)} now asks for an event stream or a callback, which cannot be tried here"
        yield Barrier("answer-not-made", "untried", text, is_executed=False, got=pointer)

"""An app's recorded requests, sent to the old contract and to the new one, and what comes back in each case."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bodydouble_spec import (
    Exchange,
    Finding,
    essence,
    is_json_media_type,
    is_success,
    pointer_parts,
    restore_pictures,
)

from bodydouble_contract_tests.impact.barriers import Barrier, barriers
from bodydouble_contract_tests.impact.client import NO_BODY, ContractServer, PlaceholderPictures, request_faults
from bodydouble_contract_tests.impact.effects import AnswerUse, Effect, costs_of, effects_of
from bodydouble_contract_tests.impact.pairing import OperationPair
from bodydouble_contract_tests.impact.terms import SentParts

__all__ = ["AppCall", "Servers", "tried_calls"]


@dataclass(frozen=True, slots=True)
class Servers:
    """The mock servers for the old contract and for the new one."""

    old: ContractServer
    new: ContractServer


@dataclass(frozen=True, slots=True)
class AppCall:
    """One recorded request that the old contract allows: the number of such requests, and what became of it under the new one.

    ``faults`` are those of the request as sent, ``later_faults`` those with the new values of replaced properties. ``costs`` are the credits under
    the old and the new contract, None where an answer states none.
    """

    exchange: Exchange
    count: int
    barriers: tuple[Barrier, ...]
    faults: tuple[Finding, ...]
    later_faults: tuple[Finding, ...]
    effects: tuple[Effect, ...]
    costs: tuple[float, float] | None

    @property
    def is_refused(self) -> bool:
        """True when the request as sent is refused."""
        return bool(self.faults) or any(barrier.kind == "refused" for barrier in self.barriers)


def tried_calls(
    pair: OperationPair, servers: Servers, exchanges: Iterable[Exchange], reads: Sequence[str] | None
) -> list[AppCall]:
    """Send each different request that the old contract allows to both contracts."""
    pictures = PlaceholderPictures()
    counts: Counter[str] = Counter()
    first: dict[str, Exchange] = {}
    recorded = [*exchanges]
    use = AnswerUse.of(recorded, reads)
    for exchange in recorded:
        query = exchange.path.partition("?")[2]
        text = json.dumps([exchange.body, query, sorted(exchange.headers)], sort_keys=True)
        counts[text] += 1
        first.setdefault(text, exchange)
    found: list[AppCall] = []
    for text, exchange in first.items():
        body = NO_BODY if exchange.body is None else restore_pictures(exchange.body, pictures.text)
        if pair.before.request_required if body is NO_BODY else not pair.was_allowed(body):
            continue
        found.append(replace(_tried(pair, servers, exchange, body, use), count=counts[text]))
    return found


def _tried(pair: OperationPair, servers: Servers, exchange: Exchange, body: Any, use: AnswerUse) -> AppCall:
    path = exchange.route if "{" in pair.after.path and pair.after.key == pair.before.key else pair.after.path
    media_type = essence(exchange.headers.get("content-type", ""))
    reasons = [
        *barriers(pair, servers.new, body, path, media_type if is_json_media_type(media_type) else None),
        *_parameters(pair, servers.new, exchange, body, path),
    ]
    parts = pair.new_terms.sent
    answer = servers.new.request(pair.after.method, path, parts, body)
    faults = request_faults(pair.after, answer.status_code, body)
    renamed = pair.renamed(body) if body is not NO_BODY else body
    later: list[Finding] = []
    if pair.replaced_properties:
        answer = servers.new.request(pair.after.method, path, parts, renamed)
        later = request_faults(pair.after, answer.status_code, renamed)
    old_path = exchange.route if "{" in pair.before.path else pair.before.path
    before = servers.old.request(pair.before.method, old_path, pair.old_terms.sent, body)
    effects: list[Effect] = []
    costs = None
    if is_success(before.status_code) and answer.status_code < 400:
        costs = costs_of(before, answer)
        effects = [*effects_of(pair, body, before, answer, use, costs)]
    elif is_success(before.status_code) and not (faults or later or reasons):
        text = f"the answer has status {answer.status_code}"
        reasons.append(
            Barrier("status", "refused", text, is_executed=True, expected=before.status_code, got=answer.status_code)
        )
    return AppCall(exchange, 1, tuple(reasons), tuple(faults), tuple(later), tuple(effects), costs)


def _parameters(
    pair: OperationPair, server: ContractServer, exchange: Exchange, body: Any, path: str
) -> Iterator[Barrier]:
    """Yield a barrier for each parameter of the request that is missing or wrong under the new contract only."""
    faults = pair.new_terms.parameter_faults(exchange, pair.old_terms)
    if not faults:
        return
    headers = {**exchange.headers, "Content-Type": pair.after.json_media_type}
    target, headers = pair.after.security.authorize("a-key", exchange.path, headers)
    status = server.request(pair.after.method, path, SentParts(headers, target.partition("?")[2]), body).status_code
    for fault in faults:
        name = pointer_parts(fault.pointer)[-1] if fault.pointer else ""
        text = fault.message if name in fault.message else f"the parameter {name}: {fault.message}"
        text += f" (status {status})" if 400 <= status < 500 else ""
        yield Barrier(
            "parameter", "refused", text, is_executed=400 <= status < 500, expected=fault.expected, got=fault.got
        )

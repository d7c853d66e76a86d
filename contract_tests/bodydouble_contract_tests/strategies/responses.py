"""Strategies for the bodies of answers."""

from dataclasses import dataclass
from typing import Any, Literal

from bodydouble_mockserver.answer import violations
from bodydouble_spec import Contract, Operation, is_json_media_type
from hypothesis import strategies as st

from bodydouble_contract_tests.errors import UnsupportedSchema
from bodydouble_contract_tests.schema import NOTHING, Sampler, SchemaWalker, picture_texts, response_walkers
from bodydouble_contract_tests.strategies.texts import choice, with_short_repr
from bodydouble_contract_tests.strategies.values import ValueStrategies

__all__ = ["ResponseCase", "responses"]

_JSON = "application/json"
_LIKELY_TEXTS = 40


@dataclass(frozen=True, slots=True)
class ResponseCase:
    """One answer: its parsed JSON as ``body``, and its kind.

    ``kind`` is ``allowed`` (conforms; ``name`` is the media type), ``dialect`` (an example of the contract, whether or not its schema allows
    it; ``name`` is the example's) or ``violation`` (``name`` is the violation's id).
    """

    status: int
    content_type: str
    body: Any
    kind: Literal["allowed", "dialect", "violation"]
    name: str


def responses(contract: Contract, status: int, operation: Operation | None = None) -> st.SearchStrategy[ResponseCase]:
    """Return a strategy for answers of a status (of the only operation by default).

    It makes every body that the contract's schemas allow, in each JSON media type: nulls, absent optional properties, empty lists, and further
    properties where they are allowed. It also makes every named example of the contract and, for the success status, every named violation of
    the mock server. Examples shrink to a simple body that conforms.

    Raises UnsupportedSchema when the contract does not document the status, or no JSON body for it.
    """
    operation = operation or contract.operation()
    documented = {
        name: walker
        for name, walker in response_walkers(contract, operation, status).items()
        if is_json_media_type(name)
    }
    choices = [_allowed(status, name, walker) for name, walker in documented.items()]
    strategies = [choice for choice in choices if choice is not None]
    if not strategies:
        raise UnsupportedSchema(f"{operation.key} documents no JSON body for status {status} that can be made")
    media_type = next(iter(documented))
    response = operation.response(status)
    examples = () if response is None else tuple(response.examples.items())
    dialects = [ResponseCase(status, media_type, value, "dialect", name) for name, value in examples]
    if dialects:
        strategies.append(choice(dialects))
    violating = _violations(contract, operation, status) if status == operation.success_status else []
    if violating:
        strategies.append(choice(violating))
    return with_short_repr(st.one_of(strategies))


def _allowed(status: int, media_type: str, walker: SchemaWalker | None) -> st.SearchStrategy[ResponseCase] | None:
    def case(body: Any) -> ResponseCase:
        return ResponseCase(status, media_type, body, "allowed", media_type)

    if walker is None:
        anything: list[Any] = [{}, [], None, "text", 1]
        return st.sampled_from(anything).map(case)
    texts = picture_texts()
    likely = [*texts["url"][:_LIKELY_TEXTS], *texts["base64"]]
    strategy = ValueStrategies(walker, [{"error": {"message": "x"}}, {"created": 1750000000}], likely).body()
    return None if strategy is None else strategy.map(case)


def _violations(contract: Contract, operation: Operation, status: int) -> list[ResponseCase]:
    """Return the simplest success body with each violation applied."""
    walker = response_walkers(contract, operation, status).get(_JSON)
    simplest = NOTHING if walker is None else Sampler(walker).at(walker.root)
    if simplest is NOTHING:
        return []
    violating = ((violation.id, violation.apply(simplest)) for violation in violations(operation))
    return [ResponseCase(status, _JSON, body, "violation", name) for name, body in violating]

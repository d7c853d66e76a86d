"""Strategies for the bodies of answers."""

from dataclasses import dataclass
from typing import Any, Literal

from bodydouble_mockserver.violations import violations
from bodydouble_spec import Contract, Operation
from hypothesis import strategies as st

from bodydouble_contract_tests._choice import choice, described
from bodydouble_contract_tests._errors import UnsupportedSchema
from bodydouble_contract_tests._pictures import picture_texts
from bodydouble_contract_tests._plain import NOTHING, Plain
from bodydouble_contract_tests._schemas import Schemas, response_schemas
from bodydouble_contract_tests._values import Values

__all__ = ["ResponseCase", "responses"]

_JSON = "application/json"
_LIKELY_TEXTS = 40


@dataclass(frozen=True, slots=True)
class ResponseCase:
    """One answer: parsed JSON as ``body``, and what it is.

    ``kind`` is ``allowed`` (conforms in the plain reading; ``name`` is the media type), ``dialect`` (an example of the contract, whether
    or not its schema has it; ``name`` is the example's) or ``violation`` (``name`` is the violation's id).
    """

    status: int
    content_type: str
    body: Any
    kind: Literal["allowed", "dialect", "violation"]
    name: str


def responses(contract: Contract, status: int, operation: Operation | None = None) -> st.SearchStrategy[ResponseCase]:
    """Answers of that status (of the only operation when none is given).

    Every body that the contract's schemas allow, in each JSON media type: nulls, optional properties absent, lists empty, further properties
    where they are allowed; every named example of the contract; and of the success status every named violation of its body,
    as the mock server makes them. Shrinks to a plain body that conforms.

    Raises UnsupportedSchema when the contract does not document the status, or no JSON body for it.
    """
    operation = operation or contract.operation()
    documented = {
        name: schemas for name, schemas in response_schemas(contract, operation, status).items() if _is_json(name)
    }
    choices = [_allowed(status, name, schemas) for name, schemas in documented.items()]
    strategies = [choice for choice in choices if choice is not None]
    if not strategies:
        raise UnsupportedSchema(f"{operation.key} documents no JSON body for status {status} that can be made")
    media_type = next(iter(documented))
    response = operation.response(status)
    examples = () if response is None else tuple(response.examples.items())
    dialects = [ResponseCase(status, media_type, value, "dialect", name) for name, value in examples]
    if dialects:
        strategies.append(choice(dialects))
    broken = _violations(contract, operation, status) if status == operation.success_status else []
    if broken:
        strategies.append(choice(broken))
    return described(st.one_of(strategies))


def _allowed(status: int, media_type: str, schemas: Schemas | None) -> st.SearchStrategy[ResponseCase] | None:
    def case(body: Any) -> ResponseCase:
        return ResponseCase(status, media_type, body, "allowed", media_type)

    if schemas is None:
        anything: list[Any] = [{}, [], None, "text", 1]
        return st.sampled_from(anything).map(case)
    texts = picture_texts()
    likely = [*texts["url"][:_LIKELY_TEXTS], *texts["base64"]]
    strategy = Values(schemas, [{"error": {"message": "x"}}, {"created": 1750000000}], likely).body()
    return None if strategy is None else strategy.filter(lambda body: schemas.conforms(schemas.root, body)).map(case)


def _violations(contract: Contract, operation: Operation, status: int) -> list[ResponseCase]:
    """The plainest success body, broken in every way."""
    schemas = response_schemas(contract, operation, status).get(_JSON)
    plain = NOTHING if schemas is None else Plain(schemas).at(schemas.root)
    if plain is NOTHING:
        return []
    broken = ((violation.id, violation.apply(plain)) for violation in violations(operation))
    return [ResponseCase(status, _JSON, body, "violation", name) for name, body in broken]


def _is_json(media_type: str) -> bool:
    return media_type.partition(";")[0].strip().lower().endswith(("/json", "+json"))

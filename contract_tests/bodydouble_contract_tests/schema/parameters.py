"""The parameters of an operation in a call: the required ones with simple values, and any of them with a given one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
from bodydouble_spec import Contract, Operation, Parameter, SentParameters, is_array, is_object, join_pointer

from bodydouble_contract_tests.schema.searching import NOTHING
from bodydouble_contract_tests.schema.simplest import Sampler
from bodydouble_contract_tests.schema.walker import SchemaWalker

__all__ = ["RequestTarget", "parameter_walker", "request_target", "usual_parameter"]

_TEMPLATE = re.compile(r"\{([^{}]+)\}")
# Left as they are in a query or path: separators of lists, and what a URL may have there.
_SAFE = ",:@!$'()*;"


@dataclass(frozen=True, slots=True)
class RequestTarget:
    """Path, with its query, and headers of a call; ``sent`` are the parameters in them as a server reads them."""

    path: str
    headers: Mapping[str, str]
    sent: SentParameters


_UNCHANGED: Mapping[int, Any] = {}


def request_target(contract: Contract, operation: Operation, changed: Mapping[int, Any] = _UNCHANGED) -> RequestTarget:
    """Return the target of a call: with each required parameter, the cookies in one header, and the path filled in.

    ``changed`` has other values by the index of their parameter, NOTHING for one to leave out. A parameter for which no value is found is left out, or
    as in the template.
    """
    path, query, headers, cookies = operation.path, list[str](), dict[str, str](), list[str]()
    in_path: dict[str, str] = {}
    for index, item in enumerate(operation.inputs):
        if item.is_ignored or not (item.is_required or index in changed):
            continue
        value = changed[index] if index in changed else usual_parameter(contract, operation, index)
        if value is NOTHING:
            continue
        if item.location == "query":
            query += _query_parts(item, value)
        elif item.location == "path":
            in_path[item.name] = _text(value)
            path = path.replace(f"{{{item.name}}}", quote(_text(value), safe=_SAFE))
        elif item.location == "header":
            headers[item.name] = _text(value)
        else:
            cookies.append(f"{item.name}={quote(_text(value), safe=_SAFE)}")
    if cookies:
        headers["Cookie"] = "; ".join(cookies)
    path = _TEMPLATE.sub(lambda match: quote(match[0], safe="{}"), path)
    sent = SentParameters.parse("&".join(query), headers.items(), in_path)
    return RequestTarget(f"{path}?{'&'.join(query)}" if query else path, headers, sent)


def parameter_walker(contract: Contract, operation: Operation, index: int) -> SchemaWalker | None:
    """Return the schema of a parameter, by its index; None where it has none."""
    validator = operation.inputs[index].validator
    pointer = join_pointer(operation.pointer, "parameters", index, "schema")
    return None if validator is None else SchemaWalker(contract.document, validator, pointer)


def usual_parameter(contract: Contract, operation: Operation, index: int) -> Any:
    """Return the example of the document where it conforms, else the simplest value; an empty text says too little."""
    item, walker = operation.inputs[index], parameter_walker(contract, operation, index)
    if item.validator is None or walker is None:
        return "1"
    source: Mapping[str, Any] = operation.parameters[index]
    schema = source.get("schema")
    examples = [source.get("example"), *([schema.get("example"), schema.get("default")] if is_object(schema) else [])]
    found = next((one for one in examples if one not in (None, "") and item.validator.is_valid(one)), NOTHING)
    if found is not NOTHING:
        return found
    value = Sampler(walker).at(walker.root)
    return "1" if value == "" and item.validator.is_valid("1") else value


def _query_parts(item: Parameter, value: Any) -> list[str]:
    name = quote(item.name, safe="")
    if item.is_json:
        return [f"{name}={quote(orjson.dumps(value).decode())}"]
    if is_array(value) and item.explode:
        return [f"{name}={quote(_text(one), safe='')}" for one in value]
    if is_object(value) and item.style == "deepObject":
        return [f"{name}[{quote(key)}]={quote(_text(one), safe='')}" for key, one in value.items()]
    if is_object(value) and item.explode:
        return [f"{quote(key)}={quote(_text(one), safe='')}" for key, one in value.items()]
    delimiter = {"pipeDelimited": "|", "spaceDelimited": " "}.get(item.style, ",")
    return [f"{name}={quote(_text(value, delimiter), safe=_SAFE)}"]


def _text(value: Any, delimiter: str = ",") -> str:
    if is_array(value):
        return delimiter.join(map(_text, value))
    if is_object(value):
        return delimiter.join(_text(part) for pair in value.items() for part in pair)
    return value if isinstance(value, str) else orjson.dumps(value).decode()

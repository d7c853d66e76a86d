"""The required parameters of an operation with simple values, so that its calls are refused for no other reason than their own."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson
from bodydouble_spec import Contract, Operation, Parameter, is_array, is_object, join_pointer

from bodydouble_contract_tests.schema.searching import NOTHING
from bodydouble_contract_tests.schema.simplest import Sampler
from bodydouble_contract_tests.schema.walker import SchemaWalker

__all__ = ["request_target"]

_TEMPLATE = re.compile(r"\{([^{}]+)\}")
# Left as they are in a query or path: separators of lists, and what a URL may have there.
_SAFE = ",:@!$'()*;"


def request_target(contract: Contract, operation: Operation) -> tuple[str, dict[str, str]]:
    """Return path and headers of a call: with each required parameter, the cookies in one header, and the path filled in.

    A parameter for which no value is found is left out, or as in the template.
    """
    path, query, headers, cookies = operation.path, list[str](), dict[str, str](), list[str]()
    for index, item in enumerate(operation.inputs):
        if not item.is_required or item.is_ignored:
            continue
        value = _value(contract, operation, item, index)
        if value is NOTHING:
            continue
        if item.location == "query":
            query += _query_parts(item, value)
        elif item.location == "path":
            path = path.replace(f"{{{item.name}}}", quote(_text(value), safe=_SAFE))
        elif item.location == "header":
            headers[item.name] = _text(value)
        else:
            cookies.append(f"{item.name}={quote(_text(value), safe=_SAFE)}")
    if cookies:
        headers["Cookie"] = "; ".join(cookies)
    path = _TEMPLATE.sub(lambda match: quote(match[0], safe="{}"), path)
    return (f"{path}?{'&'.join(query)}" if query else path), headers


def _value(contract: Contract, operation: Operation, item: Parameter, index: int) -> Any:
    """Return the example of the document where it conforms, else the simplest value; an empty text says too little."""
    if item.validator is None:
        return "1"
    source: Mapping[str, Any] = operation.parameters[index]
    pointer = join_pointer(operation.pointer, "parameters", index, "schema")
    schema = source.get("schema")
    examples = [source.get("example"), *([schema.get("example"), schema.get("default")] if is_object(schema) else [])]
    found = next((one for one in examples if one not in (None, "") and item.validator.is_valid(one)), NOTHING)
    if found is not NOTHING:
        return found
    walker = SchemaWalker(contract.document, item.validator, pointer)
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

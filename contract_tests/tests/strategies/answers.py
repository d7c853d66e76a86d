"""Answers to script into a mock server: bodies that the contract allows, bodies that break it, and connection faults, at any status."""

from collections.abc import Sequence
from itertools import product
from typing import Any

from bodydouble_contract_tests.strategies import responses
from bodydouble_mockserver.answer import violations
from bodydouble_mockserver.faults import FAULTS
from bodydouble_spec import Contract, Operation
from hypothesis import strategies as st

__all__ = ["answers", "boundary_answers"]

_BODILESS = {204, 205, 304}
# The faults that end by themselves; the other two would take their time in each example.
_FAULTS = tuple(fault for fault in FAULTS if fault not in {"slow-drip", "hang"})
_STATUSES = (200, 201, 206, 301, 307, 400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 520)
# Bodies that gateways, proxies and unfinished servers send.
_TEXTS = (
    "",
    " ",
    "x",
    "null",
    "true",
    "0",
    '"text"',
    "[]",
    "{}",
    "{",
    '{"data": NaN}',
    '{"data": [{"url": "http://a.test/1.png"}], "data": []}',
    '{"error": {"message": "in vain"}, "data": [{"url": "http://a.test/1.png"}]}',
    '{"data": [{"url": "http://a.test/1.png"}], "error": null}',
    '{"data": [{"url": " ", "b64_json": ""}]}',
    '{"data": {"url": "http://a.test/1.png"}}',
    '{"data": 5}',
    '{"images": true}',
    '{"data": [[{"url": "http://a.test/1.png"}]]}',
    '{"data": [{"url": 1, "b64_json": "aGk="}], "meta": {"usage": {"credits_used": -1}}}',
    '{"images": [{"url": "http://a.test/1.png"}], "data": null, "meta": []}',
    '{"message": ["one", "two"], "statusCode": "400", "requestId": 7}',
    '{"error": {"data": [{"path": [1, null], "code": 5}, "no issue"]}}',
    '{"error": "refused", "message": ""}',
    "[" * 5000,
    "1" * 5000,
    "<html><head><title>502 Bad Gateway</title></head></html>",
    "\ufeff{}",
    "\x00",
    "\ud7ff\U0010ffff",
)
_HEADERS: dict[str, tuple[str, ...]] = {
    "content-type": (
        "application/json",
        "application/problem+json; charset=utf-16",
        "text/html",
        "",
        "no type",
        "\xff",
    ),
    "content-encoding": ("gzip", "deflate", "br", "identity", "gzip, gzip", "nonsense"),
    "retry-after": (
        "0",
        "7",
        "99999999999",
        "-1",
        "soon",
        "Wed, 21 Oct 2015 07:28:00 GMT",
        "Wed, 99 Oct 99999 07:28:00 GMT",
    ),
    "x-request-id": ("the-request", "", "\xe9" * 100),
    "x-aimlapi-credits-used": ("84000", "-1", "1e9", "NaN", "9" * 400),
    "x-aimlapi-usd-spent": ("0.042000000", "free", "0." + "1" * 400),
    "location": ("/elsewhere", "http://[", "http://evil.test/"),
}


def answers(contract: Contract, operation: Operation | None = None) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for single answers of a scenario (``MockServer.play({"answers": [answer]})``).

    Half of them have a given body: any body that the contract allows for a documented status, its named examples and violations, or a text
    unrelated to the contract, with unusual headers. The other half combine a status, an error envelope, a violation, a dialect and a fault
    below HTTP. The two faults that take time, ``hang`` and ``slow-drip``, are left out.
    """
    operation = operation or contract.operation()
    documented = [int(status) for status in operation.responses if status.isdecimal()]
    statuses = st.sampled_from(_STATUSES) | st.integers(200, 599)
    cases = st.one_of([responses(contract, status, operation) for status in documented])
    headers = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in _HEADERS.items()})
    body = cases.map(
        lambda case: {"status": case.status, "body": case.body, "headers": {"content-type": case.content_type}}
    ).filter(lambda answer: not isinstance(answer["body"], str))
    text = st.fixed_dictionaries(
        {
            "status": statuses.filter(lambda status: status not in _BODILESS),
            "body": st.sampled_from(_TEXTS),
            "headers": headers,
        }
    )
    given = st.builds(_merged, st.just({"violation": True}), body | text, _optional("fault", _FAULTS))
    made = st.builds(
        _merged,
        st.fixed_dictionaries({}, optional={"status": statuses, "headers": headers}),
        _optional("envelope", ("problem", "legacy")),
        _optional("fault", _FAULTS),
        _optional("violation", [item.id for item in violations(operation)]),
        _optional("dialect", _dialects(operation)),
        _optional("images", ("url", "b64_json", "both")),
        _optional("retry-after", (0, 3, 10**9)),
    )
    return given | made


def boundary_answers(contract: Contract, operation: Operation | None = None) -> tuple[dict[str, Any], ...]:
    """Return a fixed list of answers.

    It has each status with each envelope and each fault, each violation and each dialect. For a success, a refusal and a gateway error it also
    has each unusual text and each unusual header.
    """
    operation = operation or contract.operation()
    faults = [{}, *({"fault": fault} for fault in _FAULTS)]
    made = [
        {"status": status, "envelope": envelope, **fault}
        for status, envelope, fault in product(_STATUSES, ("problem", "legacy"), faults)
    ]
    choices = {"violation": [item.id for item in violations(operation)], "dialect": _dialects(operation)}
    choices["images"] = ["url", "b64_json", "both"]
    made += [{name: value} for name, values in choices.items() for value in values]
    for status in (operation.success_status, 400, 502):
        made += [{"status": status, "body": text, "violation": True} for text in _TEXTS]
        made += [{"status": status, "headers": {name: value}} for name, values in _HEADERS.items() for value in values]
    return tuple(made)


def _dialects(operation: Operation) -> list[str]:
    success = operation.response(operation.success_status)
    if success is None:
        return []
    # The mock offers an example as a dialect only where it conforms.
    validator = success.content.get("application/json")
    return [name for name, body in success.examples.items() if validator is None or validator.is_valid(body)]


def _optional(name: str, values: Sequence[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for ``{name: value}`` in one of three cases, and for ``{}`` otherwise."""
    nothing: st.SearchStrategy[dict[str, Any]] = st.just({})
    if not values:
        return nothing
    some = st.sampled_from(values).map(lambda value: {name: value})
    return st.integers(0, 2).flatmap(lambda die: some if die == 2 else nothing)


def _merged(*parts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for part in parts for name, value in part.items()}

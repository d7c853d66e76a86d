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


_PICTURE = {"url": "http://a.test/1.png"}
_AMOUNTS: tuple[Any, ...] = (84000, 84000.5, 0, 0.25, 1e18, None, "84000", True, -1)
_MEMBERS: dict[str, tuple[Any, ...]] = {
    "data": (
        [_PICTURE],
        [_PICTURE, {"url": None, "b64_json": "aGk="}, {"url": "http://a.test/3.png", "b64_json": "aGk="}],
        [{"url": "data:image/png;base64,aGk=", "mime_type": "image/png"}],
        [_PICTURE, {"url": ""}],
        [{"url": "http://a.test/1.png?signature=a%2Fb#c", "b64_json": "data:image/png;base64,aGk="}],
        [{"url": f"http://a.test/{number}.png"} for number in range(6)],
    ),
    "images": ([{"url": "http://b.test/2.png"}], []),
    "description": (" A night\nwith stars ", "", 5),
    "requestId": ("the-id-of-the-body", 7, ""),
    "warnings": (["one"],),
}
_COSTS = ("credits_used", "tokens_used", "usd_spent")
_CHARGE_HEADERS = {"x-aimlapi-credits-used": "168000", "x-aimlapi-usd-spent": "0.084000000"}


def success_bodies() -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for bodies with pictures, costs under each name, and further members, of all types."""
    amounts = st.sampled_from(_AMOUNTS) | st.integers(0, 10**9) | st.floats(0, 1e9)
    usage = st.fixed_dictionaries({}, optional=dict.fromkeys(_COSTS, amounts))
    others = {name: st.sampled_from(values) for name, values in _MEMBERS.items() if name != "data"}
    members = st.fixed_dictionaries({"data": st.sampled_from(_MEMBERS["data"])}, optional=others)
    return st.tuples(members, usage).map(lambda pair: {**pair[0], "meta": {"usage": pair[1]}})


def boundary_bodies() -> tuple[dict[str, Any], ...]:
    """Return a fixed list of bodies: each amount under each name, alone and with the others, and each further member."""
    usages: list[dict[str, Any]] = [{name: amount} for name in _COSTS for amount in _AMOUNTS]
    usages += [{"tokens_used": 1, name: amount} for name in ("credits_used", "usd_spent") for amount in _AMOUNTS]
    bodies: list[dict[str, Any]] = [{"data": [_PICTURE] * 2, "meta": {"usage": usage}} for usage in usages]
    bodies += [{"data": [_PICTURE] * 2, name: value} for name, values in _MEMBERS.items() for value in values]
    return (*bodies, {"images": [_PICTURE] * 2}, {"data": [], "images": [_PICTURE]}, {"data": [_PICTURE] * 3})


_ISSUES = [{"code": "custom", "path": [number], "message": f"issue {number}"} for number in range(12)]
_REFUSALS: tuple[dict[str, Any], ...] = (
    {"message": "the message", "title": "the title", "error": {"message": "inside", "data": _ISSUES}},
    {"message": ["one", "two"], "requestId": "the-id-of-the-body"},
    {"message": " a message with blanks\nand lines " * 30, "error": "refused"},
    {"message": "no", "error": {"data": {"kind": "err_insufficent_credits"}}},
    {"message": "You've RUN OUT of credits."},
    {"message": "Not allowed here"},
)


def boundary_refusals() -> tuple[dict[str, Any], ...]:
    """Return a fixed list of answers: each body of an error at a few statuses, and a wait in seconds."""
    headers: tuple[dict[str, str], ...] = ({}, {"retry-after": "7"}, {"x-request-id": "the-request"})
    found: list[dict[str, Any]] = [
        {"status": status, "body": body, "headers": {"content-type": "application/json"}}
        for status in (400, 402, 403, 429, 500)
        for body in _REFUSALS
    ]
    return (*found, *({"status": 400, "body": _REFUSALS[0], "headers": header} for header in headers))


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
    charged: st.SearchStrategy[dict[str, str]] = st.sampled_from([dict[str, str](), _CHARGE_HEADERS])
    success = st.fixed_dictionaries({"status": st.just(200), "body": success_bodies(), "headers": charged})
    refusal = st.sampled_from(boundary_refusals())
    given: st.SearchStrategy[dict[str, Any]] = st.builds(
        _merged, st.just({"violation": True}), body | text | success | refusal, _optional("fault", _FAULTS)
    )
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

    It has the bodies of `boundary_bodies`, with and without headers about the charge, and those of `boundary_refusals`; each status with each envelope and each fault, each violation and each dialect. For a success, a refusal and a gateway error it also
    has each unusual text and each unusual header.
    """
    operation = operation or contract.operation()
    faults = [{}, *({"fault": fault} for fault in _FAULTS)]
    made: list[dict[str, Any]] = [
        {"status": status, "envelope": envelope, **fault}
        for status, envelope, fault in product(_STATUSES, ("problem", "legacy"), faults)
    ]
    choices = {"violation": [item.id for item in violations(operation)], "dialect": _dialects(operation)}
    choices["images"] = ["url", "b64_json", "both"]
    made.append({"status": 307, "headers": {"location": "/elsewhere"}})
    made += [{name: value} for name, values in choices.items() for value in values]
    success = {"status": operation.success_status, "violation": True}
    given: list[dict[str, Any]] = [{**success, "body": body} for body in boundary_bodies()]
    given += [{**success, "body": body, "headers": _CHARGE_HEADERS} for body in boundary_bodies()]
    named = {"data": [_PICTURE] * 2, "requestId": "the-id-of-the-body"}
    given.append({**success, "body": named, "headers": {"x-request-id": ""}})
    given += [{**answer, "violation": True} for answer in boundary_refusals()]
    for status in (operation.success_status, 400, 502):
        given += [{"status": status, "body": text, "violation": True} for text in _TEXTS]
        given += [{"status": status, "headers": {name: value}} for name, values in _HEADERS.items() for value in values]
    return (*given, *made)


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

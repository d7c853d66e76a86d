"""Generated calls, and what is plainer than one of them."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bodydouble_spec import Evidence, is_object
from hypothesis import strategies as st

from bodydouble_contract_tests._boundary import boundary_cases
from bodydouble_contract_tests._case import Case, Expectation
from bodydouble_contract_tests._errors import UnsupportedSchema
from bodydouble_contract_tests._invalid import InvalidRequest, invalid_requests
from bodydouble_contract_tests._requests import requests
from bodydouble_contract_tests._subject import Subject

__all__ = ["body_text", "generated_cases", "plainer_cases", "unusual_properties"]

# The mock draws every picture; that many of them can be had is examined elsewhere.
_MOST_IMAGES = 2


def generated_cases(subject: Subject, usual: Any) -> st.SearchStrategy[Case]:
    """Calls with valid, invalid and odd requests; the id of a call tells its body. ``usual`` is the body of the plainest request."""
    bodies = requests(subject.contract, subject.operation)
    # Most generated bodies have something odd in them, of which nobody knows what comes: some are to be without.
    tamed = bodies.map(lambda body: _valid_case(subject, _tamed(subject, body, usual)))
    valid = bodies.map(lambda body: _valid_case(subject, body))
    evidence = {case.id: case.evidence for case in boundary_cases(subject.contract, subject.operation)}
    try:
        invalid = invalid_requests(subject.contract, subject.operation)
    except UnsupportedSchema:
        return st.one_of(tamed, tamed, valid)
    return st.one_of(tamed, tamed, valid, invalid.map(lambda request: _invalid_case(subject, request, evidence)))


def _tamed(subject: Subject, body: Any, usual: Any) -> Any:
    """The body with the usual value, or none, wherever its own one would make the fate of the request unknown."""
    if not is_object(body) or not is_object(usual) or not subject.is_unknown(body):
        return body
    odd = {name for name, value in body.items() if subject.is_unknown({**usual, name: value})}
    tame = {
        name: usual[name] if name in odd else value for name, value in body.items() if name not in odd - usual.keys()
    }
    return body if subject.operation.validate_request(tame) else tame


def _valid_case(subject: Subject, generated: Any) -> Case:
    body = _with_few_images(subject, generated)
    images = subject.images_asked(body)
    if subject.is_unknown(body):
        return Case(_id(body), "odd-request-survived", body, Expectation.SURVIVED, Evidence.DOCUMENTED, images)
    if is_object(body) and subject.properties and body.keys() - subject.properties.keys():
        return Case(_id(body), "unknown-key-tolerated", body, Expectation.ACCEPTED, Evidence.INFERRED, images)
    return Case(_id(body), "valid-accepted", body, Expectation.ACCEPTED, Evidence.DOCUMENTED, images)


def _invalid_case(subject: Subject, request: InvalidRequest, evidence: dict[str, Evidence]) -> Case:
    """A body with several faults must be refused for the one that is known best."""
    best = min((evidence[fault] for fault in request.faults), key=list(Evidence).index)
    images, pointer = subject.images_asked(request.body), request.pointers[0]
    return Case(_id(request.body), "invalid-refused", request.body, Expectation.REFUSED, best, images, pointer)


def plainer_cases(subject: Subject, case: Case, usual: Any) -> Iterator[Case]:
    """The same call with fewer properties that differ from the usual request: with only one first, then with all but one.

    A valid call stays valid, an invalid one keeps its faults.
    """
    if not is_object(case.body) or not is_object(usual):
        return
    faults = {finding.pointer for finding in subject.operation.validate_request(case.body)}
    unusual = unusual_properties(case.body, usual)
    for kept in (*({name} for name in unusual), *(set(unusual) - {name} for name in unusual)):
        absent = kept - case.body.keys()
        body = {name: case.body[name] if name in kept else value for name, value in usual.items() if name not in absent}
        body |= {name: value for name, value in case.body.items() if name in kept}
        if len(kept) < len(unusual) and faults == {fault.pointer for fault in subject.operation.validate_request(body)}:
            changed = replace(case, id=_id(body), body=body, images=subject.images_asked(body))
            yield changed if faults else _valid_case(subject, body)


def unusual_properties(body: Any, usual: Any) -> list[str]:
    """The properties in which a request differs from the usual one."""
    if not is_object(usual):
        return []
    if not is_object(body):
        return list(usual)
    return [
        name
        for name in dict.fromkeys((*body, *usual))
        if name not in body or name not in usual or body_text(body[name]) != body_text(usual[name])
    ]


def _with_few_images(subject: Subject, body: Any) -> Any:
    """The body with a small number of pictures, where the contract allows that."""
    name = subject.names.count
    if name is None or subject.images_asked(body) <= _MOST_IMAGES or not is_object(body):
        return body
    smaller = {**body, name: _MOST_IMAGES}
    return body if subject.operation.validate_request(smaller) else smaller


def _id(body: Any) -> str:
    return f"generated/{hashlib.sha256(body_text(body).encode()).hexdigest()[:12]}"


def body_text(body: Any) -> str:
    """The body as JSON, equal for equal bodies."""
    return json.dumps(body, sort_keys=True)

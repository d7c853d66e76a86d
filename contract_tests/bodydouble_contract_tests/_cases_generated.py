"""Generated calls, and simpler versions of them."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bodydouble_spec import Evidence, is_object
from hypothesis import strategies as st

from bodydouble_contract_tests._boundary import boundary_cases
from bodydouble_contract_tests._case import Case, ExpectedOutcome
from bodydouble_contract_tests._errors import UnsupportedSchema
from bodydouble_contract_tests._invalid import InvalidRequest, invalid_requests
from bodydouble_contract_tests._requests import requests
from bodydouble_contract_tests._subject import OperationProfile

__all__ = ["body_text", "generated_cases", "simpler_cases", "unusual_properties"]

# The mock draws every picture; other cases test the maximum number.
_MOST_IMAGES = 2


def generated_cases(profile: OperationProfile, usual: Any) -> st.SearchStrategy[Case]:
    """Return a strategy of calls with valid, invalid and odd requests.

    The id of a case is derived from its body. ``usual`` is the body of the minimal request.
    """
    bodies = requests(profile.contract, profile.operation)
    # Most generated bodies have an odd value, which makes the outcome unspecified; some should have none.
    specified = bodies.map(lambda body: _valid_case(profile, _with_usual_values(profile, body, usual)))
    valid = bodies.map(lambda body: _valid_case(profile, body))
    evidence = {case.id: case.evidence for case in boundary_cases(profile.contract, profile.operation)}
    try:
        invalid = invalid_requests(profile.contract, profile.operation)
    except UnsupportedSchema:
        return st.one_of(specified, specified, valid)
    return st.one_of(
        specified, specified, valid, invalid.map(lambda request: _invalid_case(profile, request, evidence))
    )


def _with_usual_values(profile: OperationProfile, body: Any, usual: Any) -> Any:
    """Replace or drop each value that makes the outcome of the request unspecified."""
    if not is_object(body) or not is_object(usual) or not profile.is_unspecified(body):
        return body
    odd = {name for name, value in body.items() if profile.is_unspecified({**usual, name: value})}
    replaced = {
        name: usual[name] if name in odd else value for name, value in body.items() if name not in odd - usual.keys()
    }
    return body if profile.operation.validate_request(replaced) else replaced


def _valid_case(profile: OperationProfile, generated: Any) -> Case:
    body = _with_few_images(profile, generated)
    images = profile.images_asked(body)
    if profile.is_unspecified(body):
        return Case(_id(body), "odd-request-survived", body, ExpectedOutcome.SURVIVED, Evidence.DOCUMENTED, images)
    if is_object(body) and profile.properties and body.keys() - profile.properties.keys():
        return Case(_id(body), "unknown-key-tolerated", body, ExpectedOutcome.ACCEPTED, Evidence.INFERRED, images)
    return Case(_id(body), "valid-accepted", body, ExpectedOutcome.ACCEPTED, Evidence.DOCUMENTED, images)


def _invalid_case(profile: OperationProfile, request: InvalidRequest, evidence: dict[str, Evidence]) -> Case:
    """Return the case of an invalid body. Where it has several faults, the one with the best evidence counts."""
    best = min((evidence[fault] for fault in request.faults), key=list(Evidence).index)
    images, pointer = profile.images_asked(request.body), request.pointers[0]
    return Case(_id(request.body), "invalid-refused", request.body, ExpectedOutcome.REFUSED, best, images, pointer)


def simpler_cases(profile: OperationProfile, case: Case, usual: Any) -> Iterator[Case]:
    """Return the call with fewer properties that differ from the usual request: only one of them first, then all but one.

    A valid call stays valid, an invalid one keeps its faults.
    """
    if not is_object(case.body) or not is_object(usual):
        return
    faults = {finding.pointer for finding in profile.operation.validate_request(case.body)}
    unusual = unusual_properties(case.body, usual)
    for kept in (*({name} for name in unusual), *(set(unusual) - {name} for name in unusual)):
        absent = kept - case.body.keys()
        body = {name: case.body[name] if name in kept else value for name, value in usual.items() if name not in absent}
        body |= {name: value for name, value in case.body.items() if name in kept}
        if len(kept) < len(unusual) and faults == {fault.pointer for fault in profile.operation.validate_request(body)}:
            changed = replace(case, id=_id(body), body=body, images=profile.images_asked(body))
            yield changed if faults else _valid_case(profile, body)


def unusual_properties(body: Any, usual: Any) -> list[str]:
    """Return the properties in which a request differs from the usual one."""
    if not is_object(usual):
        return []
    if not is_object(body):
        return list(usual)
    return [
        name
        for name in dict.fromkeys((*body, *usual))
        if name not in body or name not in usual or body_text(body[name]) != body_text(usual[name])
    ]


def _with_few_images(profile: OperationProfile, body: Any) -> Any:
    """Return the body with a small number of pictures, where the contract allows that."""
    name = profile.names.count
    if name is None or profile.images_asked(body) <= _MOST_IMAGES or not is_object(body):
        return body
    smaller = {**body, name: _MOST_IMAGES}
    return body if profile.operation.validate_request(smaller) else smaller


def _id(body: Any) -> str:
    return f"generated/{hashlib.sha256(body_text(body).encode()).hexdigest()[:12]}"


def body_text(body: Any) -> str:
    """Return the body as JSON text, the same for equal bodies."""
    return json.dumps(body, sort_keys=True)

"""Check the headers of an answer: those that the contract documents, and the rules for pages of other origins."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from bodydouble_spec import Evidence, Finding, is_object, is_success
from bodydouble_spec.schema import matches_pattern

from bodydouble_contract_tests.model import ORIGIN, FetchedPicture, Observation, OperationProfile, deviation, shortened

__all__ = ["check_headers", "check_picture_headers", "check_preflight"]


def check_headers(profile: OperationProfile, observation: Observation, status: int) -> Iterator[Finding]:
    """Yield every deviation of an answer's headers; nothing where a recorder dropped some of them."""
    if not observation.has_headers:
        return
    check = "answer-headers" if is_success(status) else "refusal-headers"
    for name, header in profile.headers(status).items():
        evidence = profile.evidence("responses", profile.response_key(status), "headers", name)
        value = observation.headers.get(name)
        if "x-echo-of" in header:
            continue
        if not value or not value.strip():
            is_stated = header.get("required") is True or profile.is_known(
                "responses", profile.response_key(status), "headers", name
            )
            # Where a document alone has the header, an answer may do without (OpenAPI, "Header Object": required is false by default).
            evidence = evidence if is_stated else Evidence.ASSUMED
            kind = "absent" if value is None else "empty"
            message = f"the header {name} of a {status} is {kind}"
            yield deviation(profile, f"{check}/{status}-{name}", message, name, value, evidence=evidence)
        elif not _conforms(header, value.strip()):
            message = f"the header {name} of a {status} is {shortened(value)!r}, not of type {_type(header)}"
            yield deviation(profile, f"{check}/{status}-{name}", message, _type(header), value, evidence=evidence)
    yield from _client_id(profile, observation, status)
    yield from _of_origins(profile, observation.headers, status)


def _schema(header: Mapping[str, Any]) -> dict[str, Any]:
    schema = header.get("schema")
    return schema if is_object(schema) else {}


def _type(header: Mapping[str, Any]) -> str:
    return str(_schema(header).get("type", "string"))


def _conforms(header: Mapping[str, Any], value: str) -> bool:
    """Return whether the text of a header is a value of its type."""
    match _type(header):
        case "integer":
            return value.isascii() and value.removeprefix("-").isdigit()
        case "number":
            return value.isascii() and value.removeprefix("-").replace(".", "", 1).isdigit()
        case _:
            return True


def _client_id(profile: OperationProfile, observation: Observation, status: int) -> Iterator[Finding]:
    """Check that a valid request id of the caller comes back with a success, and an invalid one with no answer."""
    echoes = ((name, item) for name, item in profile.headers(profile.operation.success_status).items())
    found = next(((name, item) for name, item in echoes if "x-echo-of" in item), None)
    sent = observation.client_id
    if found is None or not sent:
        return
    name, header = found
    got = observation.headers.get(name)
    if matches_pattern(str(_schema(header).get("pattern", "")), sent):
        if got != sent and is_success(status):
            shown = "absent" if got is None else repr(shortened(got))
            message = f"the caller's request id is {sent!r}, and {name} of the answer is {shown}"
            yield deviation(profile, "client-id-echoed", message, sent, got)
    elif got is not None:
        message = (
            f"the caller's request id {shortened(sent)!r} is not valid, and {name} of the answer is {shortened(got)!r}"
        )
        yield deviation(profile, f"client-id-dropped/{observation.case.id}", message, None, got)


def _of_origins(profile: OperationProfile, headers: Mapping[str, str], status: int) -> Iterator[Finding]:
    exposed = profile.cors_exposed
    if exposed is None:
        return
    check = "cors-answer"
    if not _allows_origin(headers):
        got = headers.get("access-control-allow-origin")
        message = f"a page of another origin may not read a {status}: Access-Control-Allow-Origin is {got or 'absent'}"
        yield deviation(profile, f"{check}/origin-{'success' if is_success(status) else 'refusal'}", message, "*", got)
    elif is_success(status):
        listed = _listed(headers.get("access-control-expose-headers", ""))
        hidden = [name for name in exposed if name in headers and name not in listed and "*" not in listed]
        if hidden:
            message = f"pages of other origins may not read the headers {', '.join(hidden)}"
            yield deviation(profile, f"{check}/exposed", message, list(exposed), sorted(listed))


def check_preflight(profile: OperationProfile, observation: Observation, status: int) -> Iterator[Finding]:
    """Yield the deviations of the answer to a preflight (Fetch standard): a 2xx that allows the page's origin, method and headers."""
    check, headers = "cors-preflight", observation.headers
    wanted = profile.cors_allowed or ()
    if not is_success(status):
        message = f"a preflight was answered with {status}; a browser then does not send the request"
        yield deviation(profile, f"{check}/status", message, "200 or 204", status)
        return
    if not _allows_origin(headers):
        got = headers.get("access-control-allow-origin")
        message = f"a preflight allows the origin {got or 'of no page'}"
        yield deviation(profile, f"{check}/origin", message, "*", got)
    allowed = _listed(headers.get("access-control-allow-headers", ""))
    # A * does not stand for Authorization (Fetch standard).
    missing = [name for name in wanted if name not in allowed and ("*" not in allowed or name == "authorization")]
    if missing:
        message = f"a preflight does not allow the headers {', '.join(missing)}"
        yield deviation(profile, f"{check}/headers", message, list(wanted), sorted(allowed))


def check_picture_headers(profile: OperationProfile, picture: FetchedPicture, pointer: str) -> Iterator[Finding]:
    """Yield a finding when pages of other origins may not read a picture that was downloaded."""
    if profile.has_open_pictures and picture.headers and not _allows_origin(picture.headers):
        got = picture.headers.get("access-control-allow-origin")
        message = f"a page of another origin may not read a picture: Access-Control-Allow-Origin is {got or 'absent'}"
        yield deviation(profile, "picture-cors", message, "*", got, pointer=pointer)


def _allows_origin(headers: Mapping[str, str]) -> bool:
    return headers.get("access-control-allow-origin", "").strip() in {"*", ORIGIN}


def _listed(text: str) -> Collection[str]:
    return {name.strip().lower() for name in text.split(",")} - {""}

"""Check that a refusal says one thing: in its status line, its headers and its body, about the request that was sent."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import orjson
from bodydouble_spec import Evidence, Finding, is_array, is_object, pointer_parts
from bodydouble_spec.values import template_of

from bodydouble_contract_tests.model import Case, ExpectedOutcome, Observation, OperationProfile, deviation, shortened

__all__ = ["check_consistency"]

_CHECK = "refusal-consistent"
_ID = "x-request-id"
# A server's clock may be wrong by some minutes, and by a time zone.
_MOST_SKEW_S = 86_400.0
_VERSION = re.compile(r"^/v[0-9]+/")


def check_consistency(profile: OperationProfile, observation: Observation, status: int) -> Iterator[Finding]:
    """Yield the contradictions of a refusal whose body is one of the documented envelopes."""
    try:
        body = orjson.loads(observation.examined)
    except orjson.JSONDecodeError:
        return
    if not is_object(body):
        return
    yield from _status(profile, body, status)
    yield from _words(profile, body, status)
    yield from _path(profile, body)
    yield from _time(profile, body, observation)
    yield from _request_id(profile, body, observation)
    if "error" in body and _lists_issues(profile, status) and _is_about_values(observation.case):
        yield from _issues(profile, body, observation.case)


def _status(profile: OperationProfile, body: Mapping[str, Any], status: int) -> Iterator[Finding]:
    for name in ("status", "statusCode"):
        stated = body.get(name)
        if stated is not None and str(stated) != str(status):
            message = f"the body of a {status} says {name} {shortened(stated)}"
            yield deviation(profile, f"{_CHECK}/status", message, status, stated, pointer=f"/{name}")


def _words(profile: OperationProfile, body: Mapping[str, Any], status: int) -> Iterator[Finding]:
    error = body.get("error")
    known = error if is_object(error) else {}
    phrase = _phrase(status)
    name = f"{''.join(filter(str.isalnum, phrase))}Exception"
    for pointer, holder, key, expected in (
        ("/title", body, "title", phrase),
        ("/message", body, "message", None),
        ("/error/name", known, "name", name),
        ("/error/message", known, "message", None),
    ):
        text = holder.get(key)
        if not isinstance(text, str):
            continue
        if not text.strip():
            message = f"the {pointer[1:].replace('/', '.')} of a {status} is empty"
            yield deviation(profile, f"{_CHECK}/empty", message, expected or "a string", text, pointer=pointer)
        elif expected is not None and text.casefold() != expected.casefold():
            # Words of the server's own are no contradiction, those of another status are.
            is_of_other = _plain(text) in _OTHER_STATUSES
            message = f"the {pointer[1:].replace('/', '.')} of a {status} is {shortened(text)!r}; {expected!r} was observed elsewhere"
            evidence = None if is_of_other else Evidence.ASSUMED
            yield deviation(profile, f"{_CHECK}/words", message, expected, text, pointer=pointer, evidence=evidence)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _plain(text: str) -> str:
    letters = "".join(filter(str.isalpha, text)).lower()
    return letters.removesuffix("exception").removesuffix("error") or letters


_OTHER_STATUSES = {_plain(status.phrase) for status in HTTPStatus}


def _path(profile: OperationProfile, body: Mapping[str, Any]) -> Iterator[Finding]:
    for name in ("instance", "path"):
        stated = body.get(name)
        if isinstance(stated, str) and not _is_same_path(profile, stated):
            message = f"{name} of a refusal is {shortened(stated)!r}; the call was to {profile.operation.path}"
            yield deviation(profile, f"{_CHECK}/path", message, profile.operation.path, stated, pointer=f"/{name}")


def _is_same_path(profile: OperationProfile, stated: str) -> bool:
    """Return whether a path, or a URL, ends with the operation's path, which may be given without its version.

    The parameters of the path may have any value: a recording does not say with which it was made.
    """
    path = _VERSION.sub("/", f"/{profile.operation.path.strip('/')}")
    pattern = re.escape(template_of(path)).replace(r"\{\}", "[^/]+")
    return re.search(f"{pattern}$", stated.partition("?")[0].rstrip("/") or "/") is not None


def _time(profile: OperationProfile, body: Mapping[str, Any], observation: Observation) -> Iterator[Finding]:
    stated = body.get("timestamp")
    if not isinstance(stated, str):
        return
    rule, problem = "timestamp", None
    moment = _moment(stated)
    if moment is None:
        problem = "not a date and a time (ISO 8601)"
    elif moment.tzinfo is None:
        problem = "without a time zone"
    elif observation.time_s is not None and abs(moment.timestamp() - observation.time_s) > _MOST_SKEW_S:
        rule, problem = "clock", "more than a day from the time of the call"
    if problem is not None:
        now = datetime.fromtimestamp(observation.time_s or 0, UTC).isoformat(timespec="milliseconds")
        message = f"the timestamp of a refusal is {shortened(stated)!r}, {problem}"
        yield deviation(profile, f"{_CHECK}/{rule}", message, now, stated, pointer="/timestamp")


def _moment(text: str) -> datetime | None:
    """Return a date with a time; Python takes a date alone, and a week, too."""
    try:
        return datetime.fromisoformat(text) if "T" in text.upper() and ":" in text else None
    except ValueError:
        return None


def _request_id(profile: OperationProfile, body: Mapping[str, Any], observation: Observation) -> Iterator[Finding]:
    """Compare the id of the body with that of the header; either may be absent."""
    stated, header = body.get("requestId"), observation.headers.get(_ID)
    if isinstance(stated, str) and header is not None and stated != header:
        message = f"requestId of a refusal is {shortened(stated)!r}, and {_ID} is {shortened(header)!r}"
        yield deviation(profile, "request-id-matches", message, header, stated, pointer="/requestId")


def _is_about_values(case: Case) -> bool:
    """Return whether a case is about the values of a body that a server can read."""
    return case.expectation is ExpectedOutcome.REFUSED and (case.form is None or case.form.content is None)


def _lists_issues(profile: OperationProfile, status: int) -> bool:
    """Return whether a status is that of an invalid request, and the contract has a place for its issues: ``error.data``."""
    response = profile.operation.response(status)
    if response is None or status != profile.refusal_status:
        return False
    views = [validator.view for validator in response.content.values() if validator is not None]
    return any("data" in view.property("error").properties for view in views)


def _issues(profile: OperationProfile, body: Mapping[str, Any], case: Case) -> Iterator[Finding]:
    """Check that the issues of a refusal name every place with a fault, in words."""
    check, where = "refusal-issues", "/error/data"
    broken = profile.operation.validate_request(case.body)
    # A rule that is only assumed may not be one of the service's.
    faults = [tuple(pointer_parts(fault.pointer)) for fault in broken if fault.evidence is not Evidence.ASSUMED]
    if not faults:
        return
    issues = body["error"].get("data") if is_object(body["error"]) else None
    listed = [issue for issue in issues if is_object(issue)] if is_array(issues) else []
    if not listed:
        message = "a refusal lists no issue, so a caller cannot tell which property is wrong"
        yield deviation(profile, f"{check}/none", message, "a list of issues", issues, pointer=where)
        return
    if any(not str(issue.get("message", "")).strip() for issue in listed):
        yield deviation(
            profile, f"{check}/words", "an issue has no message", "a string", "", pointer=f"{where}/*/message"
        )
    named = [place for issue in listed for place in _places(issue)]
    missed = [fault for fault in faults if fault and not any(place[: len(fault)] == fault for place in named)]
    if missed:
        places, told = ([*dict.fromkeys(".".join(one) or "no place" for one in group)] for group in (missed, named))
        rule = "some" if len(missed) < len(faults) else "place"
        message = f"no issue is about {', '.join(places)}; the issues are about {', '.join(told)}"
        yield deviation(profile, f"{check}/{rule}", shortened(message), places, told, pointer=f"{where}/*/path")


def _places(issue: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the places that an issue names: its path, or the unknown keys of the object there, which Zod lists beside the path."""
    path, keys = issue.get("path"), issue.get("keys")
    place = tuple(map(str, path)) if is_array(path) else ()
    return [(*place, str(key)) for key in keys] if is_array(keys) and keys else [place]

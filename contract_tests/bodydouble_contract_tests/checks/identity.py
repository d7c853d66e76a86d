"""Check who is served and what is told: keys that are refused or repeated, and ids that name one call each."""

import base64
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from urllib.parse import quote

from bodydouble_spec import Evidence, Finding, is_success
from bodydouble_spec.schema import json_key

from bodydouble_contract_tests.checks.status import check_status
from bodydouble_contract_tests.model import Case, Credential, ExpectedOutcome, Observation, OperationProfile, deviation

__all__ = ["check_ids", "check_keys", "check_secrets", "is_relative"]

_CALL_ID = "x-request-id"
# A shorter text is found by chance.
_SHORTEST_SECRET = 8
# Refused only where keys are known: a server for tests may take any key.
_RELATIVE = {
    Credential.UNISSUED,
    Credential.LONGER,
    Credential.LONGER_BEFORE,
    Credential.SHORTER,
    Credential.OTHER_CASE,
}


def is_relative(case: Case) -> bool:
    """Return whether the outcome of a case says something only beside that of a key that was not issued."""
    return case.credential in _RELATIVE


def check_keys(profile: OperationProfile, observations: Sequence[Observation]) -> Iterator[Finding]:
    """Yield a finding for each key like the caller's that is accepted; information where the server takes any key."""
    judged = [item for item in observations if is_relative(item.case) and item.status is not None]
    takes_any = [item for item in judged if item.case.credential is Credential.UNISSUED and is_success(item.status)]
    for item in judged:
        status = item.status or 0
        if not (takes_any and is_success(status)):
            found = check_status(profile, item.case, status, item.content)
            yield from (replace(finding, witness=item.case.id) for finding in found)
    if takes_any:
        message = "a key that was never issued is accepted, so checks with such keys prove nothing"
        finding = deviation(profile, "any-key-accepted", message, 401, takes_any[0].status, evidence=Evidence.ASSUMED)
        yield replace(finding, witness=takes_any[0].case.id)


def check_ids(profile: OperationProfile, observations: Sequence[Observation]) -> Iterator[Finding]:
    """Yield a finding for each documented header that names a call or a generation and is the same for two calls."""
    for status in (profile.operation.success_status, 401, profile.refusal_status):
        names = [
            name for name, item in profile.headers(status).items() if name.endswith("-id") and "x-echo-of" not in item
        ]
        for name in names:
            yield from _repeated(profile, observations, status, name)


def _repeated(
    profile: OperationProfile, observations: Sequence[Observation], status: int, name: str
) -> Iterator[Finding]:
    seen: dict[str, Observation] = {}
    for item in observations:
        value = item.headers.get(name, "").strip()
        if item.status != status or not value or not item.has_headers:
            continue
        if is_success(status) and item.case.expectation in (ExpectedOutcome.REFUSED, ExpectedOutcome.UNAUTHORIZED):
            continue  # a fault already, whatever was made
        other = seen.setdefault(value, item)
        # Equal requests may share whatever they generate, but not the name of the call.
        if other is not item and (name == _CALL_ID or json_key(other.case.body) != json_key(item.case.body)):
            message = f"{name} was {value!r} for two calls, {other.case.id} and {item.case.id}"
            evidence = profile.evidence("responses", profile.response_key(status), "headers", name)
            finding = deviation(profile, f"request-id-new/{name}", message, "a new id", value, evidence=evidence)
            yield replace(finding, witness=item.case.id)
            return


def check_secrets(profile: OperationProfile, observation: Observation, secrets: Collection[str]) -> Iterator[Finding]:
    """Yield a finding for each place of an answer, or of its pictures, that repeats a key; in Base64 and percent-encoded too."""
    spellings = [spelling for text in secrets if len(text) >= _SHORTEST_SECRET for spelling in _spellings(text)]
    if not spellings:
        return
    places = {
        "header": " ".join(observation.headers.values()).encode("utf-8", "replace"),
        "body": observation.content,
        "picture-header": " ".join(
            value for picture in observation.pictures for value in picture.headers.values()
        ).encode("utf-8", "replace"),
    }
    for picture in observation.pictures:
        places.setdefault("picture", picture.content)
    for place, content in places.items():
        if any(spelling in content for spelling in spellings):
            message = f"the answer repeats the API key that was sent, in a {place.replace('-', ' ')} of it"
            yield deviation(profile, f"key-secret/{place}", message, "no key", "the key")


def _spellings(text: str) -> Iterator[bytes]:
    yield text.encode()
    yield quote(text, safe="").encode()
    # The last characters depend on what follows the text.
    encoded = base64.b64encode(text.encode())
    yield encoded[: len(text) * 8 // 6 // 4 * 4]

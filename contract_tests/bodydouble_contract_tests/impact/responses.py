"""The answers of the new contract as read by the client: values still found, values lost, and values found elsewhere."""

import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from itertools import islice
from typing import Any

import httpx
from bodydouble_client import AnswerError, BodydoubleError, Client, EditResult, StatusError
from bodydouble_mockserver import Images
from bodydouble_spec import Finding, Severity, is_array, is_object, join_pointer, pointer_parts
from bodydouble_spec.image_fields import BASE64

from bodydouble_contract_tests.claims import CallRecord, claim_outcome_is_documented, claim_outcome_matches_the_answer
from bodydouble_contract_tests.impact.client import ClientOnBoth
from bodydouble_contract_tests.impact.pairing import OperationPair
from bodydouble_contract_tests.impact.wording import call_as_code, counted, impact_finding, path_text

__all__ = ["INDISPENSABLE", "answer_findings", "places_read"]

INDISPENSABLE = ""
"""Takes the place of a field where the client raises an error without the value."""

# Fields that hold the answer itself, the id of the call or warnings, not values read from the answer.
_NOT_READ = {"raw", "client_request_id", "warnings"}
_MOST_PLACES = 200


def fields_of(result: EditResult) -> dict[str, Any]:
    """Return the fields of a result by name, without those that are None."""
    values = {item.name: getattr(result, item.name) for item in fields(EditResult) if item.name not in _NOT_READ}
    pictures = [(image.url, image.b64) for image in result.images]
    return {name: value for name, value in (values | {"images": pictures}).items() if value is not None}


def places_read(answer: bytes) -> dict[str, tuple[str, ...]]:
    """Return each value of a success body that the client reads, by JSON pointer, with the fields of the result that need it.

    The field is `INDISPENSABLE` where the client gives no result without the value. The dict is empty for a body that the client cannot read.
    Headers are left out, so that they cannot replace a value.
    """
    body = json.loads(answer)
    whole = _read(body)
    if whole is None:
        return {}
    places: dict[str, tuple[str, ...]] = {}
    for pointer, rest in islice(_each_left_out(body), _MOST_PLACES):
        values = _read(rest)
        if values is None:
            places[pointer] = (INDISPENSABLE,)
        elif values != whole:
            places[pointer] = tuple(name for name in whole if values.get(name) != whole[name])
    return places


def _read(body: Any) -> dict[str, Any] | None:
    """Return the fields that the client reads from a body, or None when it raises one of its errors."""
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json=body))
    with httpx.Client(transport=transport, trust_env=False) as http_client:
        client = Client("a-key", "http://127.0.0.1", retries=0, http_client=http_client)
        try:
            return fields_of(client.edit("make it night", ["https://example.com/a.png"]))
        except BodydoubleError:
            return None


def _each_left_out(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the pointer of each innermost value, and the whole value without it."""
    members: list[tuple[Any, Any]] = []
    if is_object(value):
        members = [*value.items()]
    elif is_array(value):
        members = [*enumerate(value)]
    for key, member in members:
        place = join_pointer(pointer, key)
        if is_object(member) or is_array(member):
            yield from ((inner, _with(value, key, rest)) for inner, rest in _each_left_out(member, place))
        else:
            yield place, _without(value, key)


def _with(value: Any, key: Any, member: Any) -> Any:
    if is_object(value):
        return {**value, key: member}
    return [member if number == key else item for number, item in enumerate(value)]


def _without(value: Any, key: Any) -> Any:
    if is_object(value):
        return {name: item for name, item in value.items() if name != key}
    return [item for number, item in enumerate(value) if number != key]


RecordPairs = list[tuple[CallRecord, CallRecord]]
"""Each call as recorded on the old contract and on the new one."""

_CLAIMS: tuple[Callable[[CallRecord], list[Finding]], ...] = (
    claim_outcome_is_documented,
    claim_outcome_matches_the_answer,
)


def answer_findings(pair: OperationPair, client: ClientOnBoth) -> list[Finding]:
    """Return how the client reads the new answers to the calls that the old contract serves.

    Calls that the new contract refuses are skipped here, and newly required properties are added to the requests.
    """
    if not client.records:
        return []
    served = _served_by_both(pair, client)
    if not served:
        message = "no call of the bodydouble client is accepted, so it could not read any new answer"
        return [
            impact_finding("impact-answers-not-read", Severity.INFO, "", message, pair.before, direction="response")
        ]
    return [
        *_unreadable(pair, served),
        *_claims(pair, served),
        *_new_warnings(pair, served),
        *_values_read(pair, served),
    ]


def _served_by_both(pair: OperationPair, client: ClientOnBoth) -> RecordPairs:
    """Return the calls that both contracts serve; pictures are in Base64 too only when the client finds none otherwise."""
    served: RecordPairs = []
    for images in (Images.URL, Images.BOTH):
        harness = client.on_new(pair.completed, images)
        every = [(old, harness.run(old.call)) for old in client.records]
        served = [(old, new) for old, new in every if new.received and not isinstance(new.outcome, StatusError)]
        if not any(isinstance(new.outcome, AnswerError) for _, new in served):
            break
    return served


def _unreadable(pair: OperationPair, served: RecordPairs) -> Iterator[Finding]:
    """Yield a finding for the answers that the client cannot read."""
    failed = [(old, new) for old, new in served if not isinstance(new.outcome, EditResult)]
    if not failed:
        return
    old, new = failed[0]
    needed = [place for place, names in places_read(old.received[-1].answer).items() if INDISPENSABLE in names]
    needed_text = (
        f"; in the old answers it reads {' and '.join(_any_index(place) for place in needed)}" if needed else ""
    )
    share = f"{len(failed)} of {counted(len(served), 'call')}"
    kind, message = (
        type(new.outcome).__name__,
        str(new.outcome.args[0]) if isinstance(new.outcome, BaseException) else "",
    )
    yield impact_finding(
        "impact-answer-unreadable",
        Severity.ERROR,
        needed[0] if needed else "",
        f"the bodydouble client cannot read the new answers ({share}): it raises {kind}: {message}{needed_text}",
        pair.before,
        direction="response",
        expected="a result",
        got=kind,
        request=json.loads(new.received[-1].body),
    )


def _claims(pair: OperationPair, served: RecordPairs) -> Iterator[Finding]:
    """Yield the claims about the client that held under the old contract and no longer hold, each once."""
    seen: set[str] = set()
    for old, new in served:
        held = {finding.id for claim in _CLAIMS for finding in claim(old)}
        for finding in (finding for claim in _CLAIMS for finding in claim(new)):
            if finding.id in held or finding.id in seen:
                continue
            seen.add(finding.id)
            yield impact_finding(
                f"impact-client-claim/{finding.id}",
                Severity.ERROR,
                "",
                f"the bodydouble client misreads a new answer: {finding.message}",
                pair.before,
                direction="response",
                expected=finding.expected,
                got=finding.got,
                request=json.loads(new.received[-1].body),
            )


def _new_warnings(pair: OperationPair, served: RecordPairs) -> Iterator[Finding]:
    """Yield a warning that the client gives for a new answer and not for the old one, with the simplest call that shows it."""
    warned: dict[str, CallRecord] = {}
    for old, new in sorted(served, key=lambda both: len(repr(both[0].call))):
        if isinstance(old.outcome, EditResult) and isinstance(new.outcome, EditResult) and not old.outcome.warnings:
            for text in new.outcome.warnings:
                warned.setdefault(text, new)
    for text, record in [*warned.items()][:1]:
        yield impact_finding(
            "impact-answer-odd",
            Severity.ERROR,
            "",
            f"{call_as_code(record.call)} is served, but: {text}",
            pair.before,
            direction="response",
            request=json.loads(record.received[-1].body),
        )


def _values_read(pair: OperationPair, served: RecordPairs) -> Iterator[Finding]:
    """Yield a finding for each value that the client reads in the old answer or in the new one."""
    both = next((one for one in served if isinstance(one[1].outcome, EditResult)), None)
    if both is None or not isinstance(both[0].outcome, EditResult) or not isinstance(both[1].outcome, EditResult):
        return
    before, after = (places_read(record.received[-1].answer) for record in both)
    result = fields_of(both[1].outcome)
    request = json.loads(both[1].received[-1].body)
    in_body = {name for names in after.values() for name in names}
    pictures = [place for place, names in after.items() if INDISPENSABLE in names]
    needs_base64 = all(pointer_parts(place)[-1] == BASE64 for place in pictures)
    for place, names in {**before, **after}.items():
        if place in before and place in after:
            rule, severity, text = "impact-client-reads", Severity.INFO, "still there"
        elif place in after:
            rule, severity, text = "impact-client-reads-more", Severity.INFO, f"new; it provides {_fields(names)}"
        else:
            rule, severity, text = _lost_place(names, result, in_body, after)
            if needs_base64 and INDISPENSABLE in names:
                rule, severity = "impact-client-reads-base64", Severity.ERROR
                text = "gone; a picture is found only where the answer has it in Base64"
        yield impact_finding(
            rule,
            severity,
            place,
            f"the bodydouble client reads {_any_index(place)}: {text}",
            pair.before,
            direction="response",
            request=request,
        )


def _lost_place(
    names: tuple[str, ...], result: dict[str, object], in_body: set[str], after: dict[str, tuple[str, ...]]
) -> tuple[str, Severity, str]:
    """Describe where the fields of a lost place come from now, the worst case first."""
    lost = [name for name in names if name not in result and name != INDISPENSABLE]
    if lost:
        return "impact-client-reads-nothing", Severity.ERROR, f"gone; {_fields(lost)} is now None"
    elsewhere = [name for name in names if name not in in_body and name != INDISPENSABLE]
    if elsewhere:
        text = f"gone from the body; {_fields(elsewhere)} now comes only from a header"
        return "impact-client-reads-header", Severity.WARNING, text
    places = [place for place, given in after.items() if set(given) & set(names)]
    text = f"gone; {_fields(names)} now comes from {' and '.join(map(_any_index, places))}"
    return "impact-client-reads-elsewhere", Severity.INFO, text


def _fields(names: tuple[str, ...] | list[str]) -> str:
    return " and ".join("the picture" if name == INDISPENSABLE else name for name in names)


def _any_index(place: str) -> str:
    return path_text(place, any_index=True)

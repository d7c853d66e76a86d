"""The claims for all calls, bodies and answers that can be made, in process, and a failing example for each claim."""

import base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from bodydouble_client import ArgumentError, EditResult, Image, NotFound, TimedOut
from bodydouble_contract_tests import InvalidRequest, boundary_cases, invalid_requests, requests
from bodydouble_contract_tests.claims.calls import InputPicture, boundary_calls, calls
from bodydouble_contract_tests.claims.claims import (
    CrossValidator,
    claim_clients_agree,
    claim_invalid_body_is_refused,
    claim_invalid_call_is_refused,
    claim_only_refused_attempts_are_repeated,
    claim_outcome_is_documented,
    claim_outcome_matches_the_answer,
    claim_request_arrives_conforming,
    claim_request_is_addressed_and_signed,
    claim_request_matches_the_call,
    claim_requests_have_their_own_ids,
    claim_temporary_refusal_is_repeated,
    claim_valid_body_is_accepted,
    claim_valid_call_is_served,
)
from bodydouble_contract_tests.claims.harness import CallRecord, Harness, PostResult, ReceivedRequest, RecordingServer
from bodydouble_spec import Contract, Finding, is_object
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from contract_tests.tests.client_proof import CALL, REPEATED_ANSWERS, ClientProof, same_settings
from contract_tests.tests.strategies.answers import answers, boundary_answers
from contract_tests.tests.strategies.invalid_calls import InvalidCall, invalid_boundary_calls, invalid_calls

# An answer is faster to make than a call, and there are more kinds of it.
many = settings(max_examples=3 * settings().max_examples)


@pytest.fixture(scope="module")
def validator(vendored: Contract) -> CrossValidator:
    return CrossValidator(vendored)


@pytest.fixture
def blocking(vendored: Contract) -> Iterator[Harness]:
    with Harness(RecordingServer(vendored, same_settings())) as harness:
        yield harness


@pytest.fixture
def asynchronous(vendored: Contract) -> Iterator[Harness]:
    with Harness(RecordingServer(vendored, same_settings()), asynchronous=True) as harness:
        yield harness


@pytest.fixture
def record(blocking: Harness) -> CallRecord:
    """Return a record for which every claim holds."""
    return blocking.run(CALL)


def check(strategy: st.SearchStrategy[Any], claim: Callable[[Any], list[Finding]], level: settings) -> None:
    @level
    @given(strategy)
    def holds(example: Any) -> None:
        assert claim(example) == []

    holds()


def counterexamples(examples: Iterable[Any], claim: Callable[[Any], list[Finding]]) -> list[tuple[Any, list[Finding]]]:
    return [(example, findings) for example in examples if (findings := claim(example))]


@pytest.fixture
def proof(vendored: Contract) -> Iterator[ClientProof]:
    with ClientProof(vendored) as made:
        yield made


def test_a_valid_call_arrives_unchanged_and_its_result_equals_the_answer(
    vendored: Contract, proof: ClientProof, tmp_path: Path
) -> None:
    check(calls(vendored, folder=tmp_path), proof.of_valid_call, settings())


def test_every_boundary_call_arrives_unchanged_and_its_result_equals_the_answer(
    vendored: Contract, proof: ClientProof, tmp_path: Path
) -> None:
    assert counterexamples(boundary_calls(vendored, folder=tmp_path), proof.of_valid_call) == []


def test_an_invalid_call_is_refused(vendored: Contract, proof: ClientProof) -> None:
    check(invalid_calls(vendored), proof.of_invalid_call, settings())


def test_every_single_wrong_argument_is_refused(vendored: Contract, proof: ClientProof) -> None:
    assert counterexamples(invalid_boundary_calls(vendored), proof.of_invalid_call) == []


def test_a_property_that_the_client_does_not_know_is_refused_by_the_server() -> None:
    document = orjson.loads(orjson.dumps(Contract.load().document))
    schema = document["paths"]["/v1/images/generations"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema["properties"]["seed"] = {"type": "integer", "minimum": 0}
    contract = Contract.load(document, overlay=None)
    refused = 0
    with Harness(RecordingServer(contract)) as harness:

        def claims(invalid: InvalidCall) -> list[Finding]:
            nonlocal refused
            record = harness.run(invalid.call)
            refused += len(record.received)
            return claim_invalid_call_is_refused(record, invalid.arguments)

        # Few of the invalid calls have nothing wrong but a property that the client does not know.
        rare = settings(max_examples=30, suppress_health_check=[HealthCheck.filter_too_much])
        check(invalid_calls(contract).filter(lambda call: call.arguments == ("extra",)), claims, rare)
    assert refused > 0


def test_every_invalid_body_is_refused(vendored: Contract, validator: CrossValidator, blocking: Harness) -> None:
    def claims(request: InvalidRequest) -> list[Finding]:
        return claim_invalid_body_is_refused(
            blocking.post(validator.operation, request.body, orjson.dumps(request.body)), validator
        )

    check(invalid_requests(vendored), claims, settings())


def test_every_valid_body_is_accepted(vendored: Contract, validator: CrossValidator, blocking: Harness) -> None:
    def claims(body: Any) -> list[Finding]:
        return claim_valid_body_is_accepted(blocking.post(validator.operation, body, orjson.dumps(body)), validator)

    check(requests(vendored), claims, settings())


def test_every_boundary_case_is_accepted_or_refused_as_the_contract_says(
    vendored: Contract, validator: CrossValidator, blocking: Harness
) -> None:
    wrong: dict[str, list[Finding]] = {}
    for case in boundary_cases(vendored):
        posted = blocking.post(validator.operation, case.body, orjson.dumps(case.body))
        claim = claim_valid_body_is_accepted if case.valid else claim_invalid_body_is_refused
        wrong[case.id] = claim(posted, validator)
    assert {name: findings for name, findings in wrong.items() if findings} == {}


def test_any_answer_gives_the_result_or_the_documented_error(vendored: Contract, proof: ClientProof) -> None:
    check(answers(vendored), proof.of_answer, many)


def test_every_single_broken_answer_gives_the_result_or_the_documented_error(
    vendored: Contract, proof: ClientProof
) -> None:
    assert counterexamples(boundary_answers(vendored), proof.of_answer) == []


@pytest.mark.parametrize("is_asynchronous", [False, True], ids=["blocking", "asynchronous"])
@pytest.mark.parametrize(
    ("answer", "is_picture"),
    [
        ({}, True),
        ({"images": "b64_json"}, True),
        ({"violation": "relative-url"}, False),
        ({"body": {"data": [{"url": "http://127.0.0.1/generations/fox/none.png"}] * 2}, "violation": True}, False),
        ({"body": {"data": [{"url": "file:///etc/passwd"}, {"b64_json": "!"}]}, "violation": True}, False),
        ({"body": {"data": [{"url": "http://["}, {"url": "http://\ud7ff\0/"}]}, "violation": True}, False),
    ],
    ids=["url", "base64", "relative", "gone", "neither", "no-url"],
)
def test_a_download_gives_a_picture_or_a_download_error(
    vendored: Contract, tmp_path: Path, answer: dict[str, Any], is_picture: bool, is_asynchronous: bool
) -> None:
    file = BytesIO()
    Pillow.new("RGB", (1024, 1024), "teal").save(file, "PNG")
    (tmp_path / "a.png").write_bytes(file.getvalue())
    with Harness(RecordingServer(vendored, same_settings(pictures=tmp_path)), asynchronous=is_asynchronous) as harness:
        harness.server.play({"answers": [answer]})
        record = harness.run(CALL, downloads=True)
    assert claim_outcome_is_documented(record) == []
    assert (len(record.downloads), file.getvalue() in record.downloads) == (2, is_picture)


@pytest.mark.parametrize("is_asynchronous", [False, True], ids=["blocking", "asynchronous"])
@pytest.mark.parametrize("name", REPEATED_ANSWERS)
def test_only_what_was_refused_for_now_is_sent_again(proof: ClientProof, name: str, is_asynchronous: bool) -> None:
    assert proof.of_repetition(name, is_asynchronous=is_asynchronous) == []


@pytest.mark.parametrize("images", ["url", "b64_json", "both"])
def test_pictures_are_downloaded_whole(proof: ClientProof, images: str) -> None:
    assert proof.of_downloads(images) == []


def test_another_contract_behind_the_client_is_noticed(vendored: Contract) -> None:
    document = orjson.loads(orjson.dumps(vendored.document).replace(b"gemini-2.5-flash-image-edit", b"nano-banana"))
    contract = Contract.load(document, overlay=None)
    with Harness(RecordingServer(contract)) as harness:
        record = harness.run(CALL)
    findings = [
        *claim_valid_call_is_served(record),
        *claim_request_arrives_conforming(record, CrossValidator(contract)),
    ]
    assert {finding.id for finding in findings} == {"valid-call-not-served", "request-does-not-conform"}


def test_calls_at_boundaries_use_every_argument_every_form_and_every_value_of_an_enum(
    vendored: Contract, tmp_path: Path
) -> None:
    found = boundary_calls(vendored, folder=tmp_path)
    forms = {picture.form for call in found for picture in call.images}
    used = {name for call in found for name, value in call.arguments().items() if value is not None}
    assert (len(forms), len(used), {call.num_images for call in found}) == (8, 6, {None, 1, 2, 3, 4})
    schema = vendored.operation().request_schema
    assert schema is not None
    assert {call.aspect_ratio for call in found} == {None, *schema["properties"]["aspect_ratio"]["enum"]}


def test_invalid_calls_break_every_argument(vendored: Contract) -> None:
    found = invalid_boundary_calls(vendored)
    assert {name for invalid in found for name in invalid.arguments} == set(CALL.arguments())


def changed(record: CallRecord, **changes: Any) -> CallRecord:
    """Return the record with its only request changed."""
    return replace(record, received=(replace(record.received[0], **changes),))


def body_with(record: CallRecord, **changes: Any) -> CallRecord:
    return changed(record, body=orjson.dumps({**orjson.loads(record.received[0].body), **changes}))


def result_with(record: CallRecord, **changes: Any) -> CallRecord:
    assert isinstance(record.outcome, EditResult)
    return replace(record, outcome=replace(EditResult(**_members(record.outcome)), **changes))


def _members(result: EditResult) -> dict[str, Any]:
    names = ("images", "credits_used", "cost_usd", "request_id", "client_request_id", "description", "warnings", "raw")
    return {name: getattr(result, name) for name in names}


def ids(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.id, finding.pointer) for finding in findings]


def test_a_call_that_arrives_twice_breaks_the_claim(record: CallRecord) -> None:
    twice = replace(record, received=record.received * 2)
    assert ids(claim_valid_call_is_served(twice)) == [("valid-call-not-served", "")]
    assert ids(claim_only_refused_attempts_are_repeated(twice)) == [("attempt-repeated", "")]


def test_a_request_that_breaks_the_contract_breaks_the_claim(record: CallRecord, validator: CrossValidator) -> None:
    broken = body_with(record, num_images=5)
    assert ids(claim_request_arrives_conforming(broken, validator)) == [("request-does-not-conform", "")]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"prompt": "make it night "}, "/prompt"),
        ({"seed": 1}, "/seed"),
        ({"num_images": 2.0}, "/num_images"),
        ({"image_urls": ["https://example.com/b.png"]}, "/image_urls/0"),
        ({"image_urls": []}, "/image_urls"),
    ],
)
def test_a_request_that_differs_from_the_call_breaks_the_claim(
    record: CallRecord, changes: dict[str, Any], pointer: str
) -> None:
    findings = claim_request_matches_the_call(body_with(record, **changes))
    assert ids(findings) == [("request-differs-from-call", pointer)]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"path": "/images/generations"}, "/path"),
        ({"authorization": "a-key"}, "/authorization"),
        ({"content-type": "text/plain"}, "/content-type"),
        ({"x-client-request-id": "a b"}, "/x-client-request-id"),
    ],
)
def test_a_request_with_another_address_or_key_breaks_the_claim(
    record: CallRecord, validator: CrossValidator, changes: dict[str, str], pointer: str
) -> None:
    path = changes.pop("path", record.received[0].path)
    wrong = changed(record, path=path, headers={**record.received[0].headers, **changes})
    findings = claim_request_is_addressed_and_signed(wrong, validator.operation)
    assert ids(findings) == [("request-differs-from-call", pointer)]


def test_two_calls_with_one_id_break_the_claim(record: CallRecord) -> None:
    assert ids(claim_requests_have_their_own_ids(record, record)) == [("request-id-repeated", "")]


def test_a_temporary_refusal_that_is_not_repeated_breaks_the_claim(record: CallRecord) -> None:
    assert ids(claim_temporary_refusal_is_repeated(changed(record, status=429), 2)) == [("refusal-not-repeated", "")]


@pytest.mark.parametrize("form", ["bytes", "file object", "path", "Pillow image"])
def test_a_picture_whose_bytes_changed_is_another_picture(form: Any) -> None:
    files = [BytesIO(), BytesIO()]
    for colour, file in zip(("red", "blue"), files, strict=True):
        Pillow.new("RGB", (2, 2), colour).save(file, "PNG")
    texts = [f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}" for file in files]
    picture = InputPicture(form, data=files[0].getvalue())
    assert [picture.matches(text) for text in texts] == [True, False]


@pytest.mark.parametrize("outcome", [ValueError("leaked"), TimeoutError(), KeyError("data")])
def test_an_undocumented_exception_breaks_the_claim(record: CallRecord, outcome: Exception) -> None:
    leaked = replace(record, outcome=outcome, downloads=(b"a picture", outcome))
    expected = [("undocumented-exception", "/edit"), ("undocumented-exception", "/downloads/1")]
    assert ids(claim_outcome_is_documented(leaked)) == expected


def test_a_missed_deadline_breaks_the_claim(record: CallRecord) -> None:
    late = replace(record, elapsed_s=record.deadline_s + 60)
    assert ids(claim_outcome_is_documented(late)) == [("deadline-missed", "")]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"images": (Image("http://a.test/1.png"),)}, "/images"),
        ({"credits_used": 1}, "/credits_used"),
        ({"credits_used": 168000.0}, "/credits_used"),
        ({"cost_usd": None}, "/cost_usd"),
        ({"client_request_id": "another"}, "/client_request_id"),
        ({"description": "A night"}, "/description"),
        ({"warnings": ("odd",)}, "/warnings"),
        ({"request_id": None}, "/request_id"),
        ({"raw": {}}, "/raw"),
    ],
)
def test_a_result_that_is_not_the_answer_breaks_the_claim(
    record: CallRecord, changes: dict[str, Any], pointer: str
) -> None:
    findings = claim_outcome_matches_the_answer(result_with(record, **changes))
    assert ids(findings) == [("result-differs-from-answer", pointer)]


@pytest.mark.parametrize(
    "changes",
    [{"status": 404}, {"answer": b'{"data": null}'}, {"answer": b"{"}, {"is_answered": False}, {"status": None}],
)
def test_a_result_read_from_an_answer_without_one_breaks_the_claim(record: CallRecord, changes: dict[str, Any]) -> None:
    findings = claim_outcome_matches_the_answer(changed(record, **changes))
    assert ids(findings) == [("outcome-does-not-fit", "")]


def test_an_error_that_is_not_the_one_of_its_status_breaks_the_claim(record: CallRecord) -> None:
    wrong = replace(changed(record, status=401), outcome=NotFound("no", status_code=404))
    assert ids(claim_outcome_matches_the_answer(wrong)) == [("outcome-does-not-fit", "")]


def test_an_error_that_differs_from_the_answer_breaks_the_claim(record: CallRecord) -> None:
    answer = orjson.dumps({"message": "Nothing here", "error": {"data": [{"code": "custom"}]}})
    error = NotFound("no", status_code=404, message="Something else")
    wrong = replace(changed(record, status=404, answer=answer), outcome=error)
    different = {"/issues", "/message", "/body", "/client_request_id", "/request_id"}
    assert set(ids(claim_outcome_matches_the_answer(wrong))) == {("error-differs-from-answer", at) for at in different}


def test_an_invalid_call_that_is_served_breaks_the_claim(record: CallRecord) -> None:
    assert ids(claim_invalid_call_is_refused(record, ("prompt",))) == [("invalid-call-not-refused", "")]


def test_an_error_that_names_another_argument_breaks_the_claim(record: CallRecord) -> None:
    refused = replace(record, received=(), outcome=ArgumentError("images[0] is none", argument="images[0]"))
    assert ids(claim_invalid_call_is_refused(refused, ("prompt",))) == [("wrong-argument-named", "")]
    assert claim_invalid_call_is_refused(refused, ("images",)) == []


def test_a_refusal_after_something_was_sent_breaks_the_claim(record: CallRecord) -> None:
    refused = replace(record, outcome=ArgumentError("prompt", argument="prompt"))
    assert ids(claim_invalid_call_is_refused(refused, ("prompt",))) == [("refused-too-late", "")]


def test_clients_that_differ_break_the_claim(record: CallRecord) -> None:
    other = replace(body_with(record, prompt="another"), outcome=TimedOut("late"))
    pointers = {finding.pointer for finding in claim_clients_agree(record, other)}
    assert {"/kind", "/request", "/images"} <= pointers


@pytest.mark.parametrize(
    ("status", "answer", "rules"),
    [
        (200, b"{}", ["invalid-body-not-refused"]),
        (422, b"{}", ["invalid-body-not-refused"]),
        (400, b'{"statusCode": {}}', ["answer-does-not-conform"]),
    ],
)
def test_an_invalid_body_that_is_not_refused_with_400_breaks_the_claim(
    validator: CrossValidator, status: int, answer: bytes, rules: list[str]
) -> None:
    posted = PostResult({}, status, "application/json", answer)
    assert list(dict.fromkeys(finding.id for finding in claim_invalid_body_is_refused(posted, validator))) == rules


@pytest.mark.parametrize(
    ("status", "answer", "rule"),
    [(400, b"{}", "valid-body-refused"), (200, b'{"data": 1}', "answer-does-not-conform")],
)
def test_a_valid_body_that_is_not_served_breaks_the_claim(
    validator: CrossValidator, status: int, answer: bytes, rule: str
) -> None:
    findings = claim_valid_body_is_accepted(PostResult({}, status, "application/json", answer), validator)
    assert [finding.id for finding in findings] == [rule]


def test_the_recording_server_keeps_a_request_byte_for_byte(blocking: Harness, validator: CrossValidator) -> None:
    content = b'{ "prompt" :\t"\\u00e9" }'
    blocking.post(validator.operation, None, content)
    request: ReceivedRequest = blocking.server.received[-1]
    assert (request.body, request.status, is_object(orjson.loads(request.answer))) == (content, 400, True)

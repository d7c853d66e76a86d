"""Checks of single calls: no finding on a correct answer, and one check for each kind of tampering."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
from bodydouble_contract_tests import requests, responses
from bodydouble_contract_tests.checks.observations import check_observation
from bodydouble_contract_tests.checks.status import check_status
from bodydouble_contract_tests.model.cases import (
    Case,
    Credential,
    ExpectedOutcome,
    FetchedPicture,
    Observation,
    Trouble,
)
from bodydouble_contract_tests.model.catalogue import catalogue
from bodydouble_contract_tests.model.profile import CrossValidation, OperationProfile
from bodydouble_mockserver import Images, Settings, create_app
from bodydouble_mockserver.answer import Violation, violations
from bodydouble_mockserver.transport import MockTransport
from bodydouble_spec import Contract, Evidence, Finding, Severity, is_object
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

CONTRACT = Contract.load()
PROFILE = OperationProfile(CONTRACT)
IDS = {check.id for check in catalogue(PROFILE)}
JSON = "application/json"
PROBLEM = "application/problem+json; charset=utf-8"
BODY = {
    "model": "google/gemini-2.5-flash-image-edit",
    "prompt": "Make it night.",
    "image_urls": ["https://example.com/house.png"],
}
FEW = settings(max_examples=40, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


def a_case(expectation: ExpectedOutcome = ExpectedOutcome.ACCEPTED, **changes: Any) -> Case:
    """Return a case of the minimal request, with ``more`` in its body."""
    more = changes.pop("more", {})
    check = {"accepted": "valid-accepted", "refused": "invalid-refused", "survived": "odd-request-survived"}
    usual: dict[str, Any] = {"evidence": Evidence.DOCUMENTED, "check": check.get(expectation, "no-key-refused")}
    return Case("a-case", body={**BODY, **more}, expectation=expectation, **{**usual, **changes})


def answered(case: Case, status: int, body: Any, content_type: str = JSON, **more: Any) -> Observation:
    """Return an answer without a server."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": content_type} if content_type else {}
    return Observation(case, json.dumps(case.body).encode(), status, headers, content, **more)


class Server:
    """The mock server in this process, observed as a verification does."""

    def __init__(self, chosen: Settings) -> None:
        transport = MockTransport(create_app(CONTRACT, chosen))
        self.client = httpx.Client(transport=transport, base_url="http://localhost")

    def call(self, case: Case, *, is_fetching: bool = False, prefer: str = "") -> Observation:
        """Make one call, and fetch its pictures if ``is_fetching``."""
        headers = {"prefer": prefer} if prefer else {}
        if case.credential is Credential.KEY:
            headers["authorization"] = "Bearer a-key"
        sent = orjson.dumps(case.body)
        headers["content-type"] = JSON
        answer = self.client.post(PROFILE.operation.path, content=sent, headers=headers)
        kept = {"content-type": answer.headers.get("content-type", "")}
        observation = Observation(case, sent, answer.status_code, kept, answer.content)
        if not is_fetching:
            return observation
        pictures = PROFILE.pictures(orjson.loads(answer.content))
        fetched = (self._fetched(item.pointer, item.url, item.base64) for item in pictures)
        return replace(observation, pictures=tuple(one for several in fetched for one in several))

    def _fetched(self, pointer: str, url: str | None, encoded: str | None) -> Iterator[FetchedPicture]:
        if url is not None:
            got = self.client.get(url)
            kind, pixels = looked_at(got.content)
            yield FetchedPicture(pointer, url, got.status_code, got.headers["content-type"], kind, pixels, got.content)
        if encoded is not None:
            data = base64.b64decode(encoded)
            kind, pixels = looked_at(data)
            yield FetchedPicture(pointer, "base64", None, "", kind, pixels, data)


def looked_at(data: bytes) -> tuple[str | None, tuple[int, int]]:
    with Image.open(io.BytesIO(data)) as picture:
        return picture.get_format_mimetype(), picture.size


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server(Settings(images=Images.BOTH))
    yield made
    made.client.close()


@pytest.fixture(scope="module")
def correct(server: Server) -> Observation:
    """Return a call for two pictures of 16:9, both of them fetched by URL and found as Base64."""
    return server.call(a_case(more={"num_images": 2, "aspect_ratio": "16:9"}), is_fetching=True)


@pytest.fixture(scope="module")
def linked(correct: Observation) -> Observation:
    """Return the same call with URLs only."""
    body = orjson.loads(correct.content)
    body["data"] = [{**item, "b64_json": None} for item in body["data"]]
    pictures = tuple(picture for picture in correct.pictures if picture.source != "base64")
    return replace(correct, content=orjson.dumps(body), pictures=pictures)


def ids(findings: list[Finding]) -> list[str]:
    return sorted(finding.id for finding in findings)


def checks(findings: list[Finding]) -> set[str]:
    return {finding.id.partition("/")[0] for finding in findings}


def with_body(observation: Observation, change: Callable[[Any], Any]) -> Observation:
    return replace(observation, content=orjson.dumps(change(orjson.loads(observation.content))))


def with_pictures(observation: Observation, **changes: Any) -> Observation:
    return replace(observation, pictures=tuple(replace(picture, **changes) for picture in observation.pictures))


# --- correct answers -------------------------------------------------------------------------------------------------


def test_a_correct_answer_with_its_pictures_has_no_finding(correct: Observation) -> None:
    assert check_observation(PROFILE, correct) == []


def test_without_a_requested_ratio_a_picture_must_have_the_default_ratio(server: Server) -> None:
    assert check_observation(PROFILE, server.call(a_case(), is_fetching=True)) == []


@FEW
@given(body=requests(CONTRACT))
def test_no_answer_of_the_mock_has_a_finding(body: Any) -> None:
    assert check_observation(PROFILE, SHARED.call(replace(a_case(), body=body))) == []


SHARED = Server(Settings())


@pytest.mark.parametrize(
    ("case", "status"),
    [
        (a_case(ExpectedOutcome.REFUSED, more={"num_images": 9, "aspect_ratio": "1:7", "prompt": 5}), 400),
        (a_case(ExpectedOutcome.UNAUTHORIZED, credential=Credential.NONE), 401),
    ],
)
@pytest.mark.parametrize("prefer", ["", "envelope=legacy"])
def test_a_correct_refusal_in_either_envelope_has_no_finding(
    server: Server, case: Case, status: int, prefer: str
) -> None:
    observation = server.call(case, prefer=prefer)
    assert (observation.status, check_observation(PROFILE, observation)) == (status, [])


@FEW
@given(case=responses(CONTRACT, 200).filter(lambda case: case.kind == "allowed"))
def test_an_answer_that_conforms_has_no_finding_of_conformance(case: Any) -> None:
    observation = answered(a_case(), case.status, case.body, case.content_type)
    assert not checks(check_observation(PROFILE, observation)) & {
        "answer-conforms",
        "answer-media-type",
        "answer-second-opinion",
    }


# --- violations of the mock server ---------------------------------------------------------------------------------

_READING = {"answer-conforms", "answer-strict"}
_FOUND_BY = {
    "fewer-images": {"image-count"},
    "relative-url": {"picture-url-absolute"},
    "undocumented-property": {"answer-strict"},
    "error-beside-data": {"answer-strict"},
}


@pytest.mark.parametrize(
    "violation",
    [item for item in violations(PROFILE.operation) if item.effect is None and item.id != "unreachable-url"],
    ids=lambda item: item.id,
)
def test_every_way_to_break_a_body_is_found_by_its_own_check(linked: Observation, violation: Violation) -> None:
    found = checks(check_observation(PROFILE, with_body(linked, violation.apply)))
    assert found
    assert found <= _FOUND_BY.get(violation.id, _READING)


def test_a_fault_of_every_picture_is_one_finding(linked: Observation) -> None:
    found = check_observation(
        PROFILE, with_body(linked, lambda body: {**body, "data": [{"url": 5, "b64_json": None}] * 2})
    )
    assert [(finding.id, finding.pointer) for finding in found] == [("answer-conforms/type", "/data/*/url")]


@given(counts=st.tuples(st.integers(1, 4), st.integers(1, 4)), names=st.tuples(st.uuids(), st.uuids()))
@settings(max_examples=20, deadline=None, database=None)
def test_a_fault_has_the_same_fingerprint_however_many_pictures_and_whatever_their_names(
    counts: tuple[int, int], names: tuple[Any, Any]
) -> None:
    def found(count: int, name: Any) -> set[str]:
        data = [{"url": f"/generations/{name}-{index}.png", "extra": str(name)} for index in range(count)]
        body = {"data": data, "meta": {"usage": {"credits_used": 84000 * count}}, str(name): 1}
        observation = answered(a_case(more={"num_images": count}), 200, body)
        return {finding.fingerprint for finding in check_observation(PROFILE, observation)}

    first, second = (found(count, name) for count, name in zip(counts, names, strict=True))
    assert first == second


# --- one deviation, one finding ----------------------------------------------------------------------------------------


def in_body(change: Callable[[dict[str, Any]], Any]) -> Callable[[Observation], Observation]:
    return lambda observation: with_body(observation, change)


def in_pictures(**changes: Any) -> Callable[[Observation], Observation]:
    return lambda observation: with_pictures(observation, **changes)


def in_answer(**changes: Any) -> Callable[[Observation], Observation]:
    return lambda observation: replace(observation, **changes)


def costing(used: Any) -> Callable[[Observation], Observation]:
    return in_body(lambda body: {**body, "meta": {"usage": {"credits_used": used}}})


def leading_to(url: str) -> Callable[[Observation], Observation]:
    return in_body(lambda body: {**body, "data": [{"url": url, "b64_json": None}] * 2})


def carrying(encoded: str) -> Callable[[Observation], Observation]:
    def change(observation: Observation) -> Observation:
        data = [{"url": None, "b64_json": encoded}] * 2
        return replace(with_body(observation, lambda body: {**body, "data": data}), pictures=())

    return change


TAMPERINGS: dict[str, tuple[Callable[[Observation], Observation], list[str]]] = {
    "empty object": (in_body(lambda _body: {}), ["answer-strict/absent"] * 2),
    "another status": (in_answer(status=201), ["valid-accepted/status-201"]),
    "media type": (in_answer(headers={"content-type": "text/plain"}), ["answer-media-type"]),
    "no media type": (in_answer(headers={}), ["answer-media-type"]),
    "HTML": (in_answer(headers={"content-type": "text/html"}, content=b"<html>"), ["answer-media-type"]),
    "not JSON": (in_answer(content=b'{"data": ['), ["answer-conforms/not-json"]),
    "not a number": (
        in_answer(content=b'{"data": [], "meta": {"usage": {"credits_used": NaN}}}'),
        ["answer-conforms/not-json"],
    ),
    "no body": (in_answer(content=b""), ["answer-conforms/not-json"]),
    "a list": (in_body(lambda body: [body]), ["answer-conforms/type"]),
    "an empty list": (in_body(lambda body: {**body, "data": []}), ["answer-strict/empty"]),
    "a picture more": (
        in_body(lambda body: {**body, "data": [*body["data"], body["data"][0]]}),
        ["image-count/more", "picture-distinct"],
    ),
    "a picture less": (in_body(lambda body: {**body, "data": body["data"][:1]}), ["image-count/fewer"]),
    "free": (costing(0), ["credits-positive"]),
    "a negative price": (costing(-84000), ["credits-positive"]),
    "too dear": (costing(168001), ["charge-as-documented/more-for-several"]),
    "cheap for two": (costing(84000), []),
    "a price in words": (costing("84000"), ["answer-conforms/type"]),
    "a relative URL": (leading_to("/generations/a.png"), ["picture-url-absolute"]),
    "a URL without scheme": (leading_to("//cdn.example.com/a.png"), ["picture-url-absolute"]),
    "a data URI": (leading_to("data:image/png;base64,aGk="), ["picture-url-absolute"]),
    "a URL with a space": (leading_to("https://cdn.example.com/a b.png"), ["picture-url-absolute"]),
    "a URL with a broken host": (leading_to("https://[::1/a.png"), ["picture-url-absolute"]),
    "not found": (in_pictures(status=404, format=None, problem="404"), ["picture-downloadable/status-404"]),
    "only with a key": (in_pictures(status=401, format=None, problem="401"), ["picture-downloadable/status-401"]),
    "no such host": (in_pictures(status=None, format=None, problem="no host"), ["picture-downloadable/no-answer"]),
    "a page for a picture": (in_pictures(format=None, pixels=None, problem="HTML"), ["picture-decodable"]),
    "a broken picture": (in_pictures(problem="it ends early"), ["picture-decodable"]),
    "another format": (in_pictures(format="image/jpeg"), ["picture-media-type"]),
    "no format said": (in_pictures(media_type="application/octet-stream"), ["picture-media-type"]),
    "another name of a format": (in_pictures(media_type="image/JPG; q=1", format="image/jpeg"), []),
    "another ratio": (in_pictures(pixels=(1024, 1024)), ["picture-pixels/16:9-other-ratio"]),
    "turned": (in_pictures(pixels=(768, 1344)), ["picture-pixels/16:9-other-ratio"]),
    "another size": (in_pictures(pixels=(1280, 720)), ["picture-pixels/16:9-other-size"]),
    "a pixel less": (in_pictures(pixels=(1343, 768)), ["picture-pixels/16:9-other-size"]),
    "no Base64": (carrying("!"), ["picture-decodable/base64"]),
    "a data URI for Base64": (carrying("data:image/png;base64,aGk="), ["picture-decodable/base64"]),
    "no time": (in_answer(status=None, trouble=Trouble.TIMEOUT), ["answer-in-time/a-case"]),
    "a reset": (in_answer(trouble=Trouble.BROKEN), ["answer-whole/a-case"]),
    "no connection": (in_answer(status=None, trouble=Trouble.UNREACHABLE), ["answer-whole/a-case"]),
    "a wrong length": (in_answer(trouble=Trouble.WRONG_LENGTH), ["body-length"]),
    "broken gzip": (in_answer(trouble=Trouble.UNDECODABLE), ["content-encoding"]),
    "refused": (in_answer(status=400), ["valid-accepted/a-case"]),
    "broken down": (in_answer(status=500), ["valid-accepted/a-case"]),
    "redirected": (in_answer(status=307), ["valid-accepted/a-case"]),
    "broken down and broken off": (
        in_answer(status=502, trouble=Trouble.WRONG_LENGTH),
        ["body-length", "valid-accepted/a-case"],
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_each_tampering_is_found_by_its_own_check(linked: Observation, name: str) -> None:
    tamper, expected = TAMPERINGS[name]
    assert ids(check_observation(PROFILE, tamper(linked))) == expected


def test_the_media_type_that_an_item_states_is_compared_with_the_picture(linked: Observation) -> None:
    def change(body: Any) -> Any:
        return {**body, "data": [{**item, "mime_type": "image/webp"} for item in body["data"]]}

    found = check_observation(PROFILE, with_body(linked, change))
    assert {(item.id, item.pointer) for item in found} == {
        ("answer-strict/undocumented", "/data/*/mime_type"),
        ("picture-media-type", "/data/*/mime_type"),
    }


def test_a_picture_is_checked_as_base64_too(correct: Observation) -> None:
    turned = tuple(replace(item, pixels=(768, 1344)) if item.source == "base64" else item for item in correct.pictures)
    found = check_observation(PROFILE, replace(correct, pictures=turned))
    assert [(item.id, item.pointer) for item in found] == [("picture-pixels/16:9-other-ratio", "/data/*/b64_json")]


@pytest.mark.parametrize(
    ("ratio", "pixels", "severity"),
    [
        ("16:9", (1280, 720), Severity.WARNING),
        ("4:5", (1024, 1280), Severity.WARNING),  # exactly four to five, which the documented 896x1152 is not
        ("4:5", (448, 576), Severity.WARNING),
        ("1:1", (1024, 1024), None),
        ("1:1", (1, 1), Severity.WARNING),
        ("4:5", (864, 1184), Severity.ERROR),  # the pixels of 3:4
        ("21:9", (1344, 768), Severity.ERROR),
        ("1:1", (1024, 0), Severity.ERROR),
    ],
)
def test_another_size_of_the_ratio_is_a_warning_and_another_ratio_an_error(
    linked: Observation, ratio: str, pixels: tuple[int, int], severity: Severity | None
) -> None:
    case = a_case(more={"num_images": 2, "aspect_ratio": ratio})
    found = check_observation(PROFILE, with_pictures(replace(linked, case=case), pixels=pixels))
    assert [finding.severity for finding in found] == ([] if severity is None else [severity])


@pytest.mark.parametrize(
    ("used", "is_live", "found"),
    [
        (84000, True, []),
        (84001, True, [("charge-as-documented/more", Severity.ERROR)]),
        (84001, False, [("charge-as-documented/more", Severity.ERROR)]),
        (52000, True, [("charge-as-documented/less", Severity.ERROR)]),
        (0, True, [("credits-positive", Severity.ERROR)]),
    ],
)
def test_another_charge_than_the_documented_price_of_one_picture_is_an_error(
    used: float, is_live: bool, found: list[tuple[str, Severity]]
) -> None:
    body = {
        "data": [{"url": "https://a.example/b.png", "b64_json": None}],
        "meta": {"usage": {"credits_used": used}},
    }
    said = check_observation(PROFILE, answered(a_case(), 200, body), is_live=is_live)
    assert [(item.id, item.severity) for item in said] == found


def test_the_number_of_pictures_is_not_checked_where_it_is_not_specified(linked: Observation) -> None:
    case = a_case(ExpectedOutcome.SURVIVED, more={"num_images": 1.5, "aspect_ratio": "16:9"})
    assert check_observation(PROFILE, replace(linked, case=case)) == []


# --- the expected outcome of a call ---------------------------------------------------------------------------------------

GOOD_PROBLEM: dict[str, Any] = {
    "title": "Bad Request",
    "status": 400,
    "message": "Invalid payload provided",
    "instance": "/v1/images/generations",
    "timestamp": "2026-06-12T10:00:00.000Z",
    "error": {"name": "BadRequestException", "message": "Invalid payload provided"},
}
LEGACY = {
    "statusCode": 400,
    "message": "no",
    "requestId": "1",
    "timestamp": "2026-06-12T10:00:00.000Z",
    "path": "/v1/images/generations",
}


@pytest.mark.parametrize(
    ("expectation", "status", "expected"),
    [
        (ExpectedOutcome.REFUSED, 200, ["invalid-refused/a-case"]),
        (ExpectedOutcome.REFUSED, 201, ["invalid-refused/a-case"]),
        (ExpectedOutcome.REFUSED, 422, ["invalid-refused/a-case"]),
        (ExpectedOutcome.REFUSED, 500, ["invalid-refused/a-case"]),
        (ExpectedOutcome.UNAUTHORIZED, 200, ["no-key-refused/a-case"]),
        (ExpectedOutcome.UNAUTHORIZED, 400, ["no-key-refused/a-case"]),
        (ExpectedOutcome.UNAUTHORIZED, 403, ["no-key-refused/a-case"]),
        (ExpectedOutcome.SURVIVED, 400, []),
        (ExpectedOutcome.SURVIVED, 404, []),
        (ExpectedOutcome.SURVIVED, 500, ["odd-request-survived/a-case"]),
        (ExpectedOutcome.ACCEPTED, 401, ["valid-accepted/a-case"]),
    ],
)
def test_a_status_that_was_not_expected_is_one_finding(
    expectation: ExpectedOutcome, status: int, expected: list[str]
) -> None:
    case = a_case(expectation, credential=Credential.NONE)
    assert ids(check_observation(PROFILE, answered(case, status, GOOD_PROBLEM, PROBLEM))) == expected


def test_a_wrong_key_and_a_refused_unknown_key_are_findings_of_their_own_checks() -> None:
    wrong = a_case(ExpectedOutcome.UNAUTHORIZED, credential=Credential.WRONG, check="wrong-key-refused")
    unknown = a_case(check="unknown-key-tolerated")
    found = (check_observation(PROFILE, answered(case, 403, GOOD_PROBLEM, PROBLEM)) for case in (wrong, unknown))
    assert [ids(item) for item in found] == [["wrong-key-refused/a-case"], ["unknown-key-tolerated/a-case"]]


def test_a_success_that_only_has_to_be_survived_is_checked_like_any_other() -> None:
    found = check_observation(PROFILE, answered(a_case(ExpectedOutcome.SURVIVED), 200, {"data": None}))
    assert checks(found) == {"answer-strict"}


@pytest.mark.parametrize("evidence", Evidence)
@pytest.mark.parametrize("expectation", [ExpectedOutcome.ACCEPTED, ExpectedOutcome.REFUSED])
def test_the_evidence_of_a_case_decides_the_severity_of_its_status(
    expectation: ExpectedOutcome, evidence: Evidence
) -> None:
    (found,) = check_observation(PROFILE, answered(a_case(expectation, evidence=evidence), 422, b""))
    assert (found.evidence, found.severity) == (evidence, Severity.for_evidence(evidence))


@pytest.mark.parametrize(
    ("more", "status", "expected"),
    [
        ({"prompt": " \n"}, 400, ["valid-accepted/prompt-blank"]),
        ({"prompt": "x" * 1001}, 400, ["valid-accepted/prompt-long"]),
        ({"prompt": "a\x00b"}, 400, ["valid-accepted/prompt-characters"]),
        ({"prompt": "x" * 1001}, 200, []),
        ({"prompt": "x" * 1001}, 403, []),  # the safety filter, perhaps
        ({"prompt": " ", "num_images": 1.5}, 400, []),  # the fraction is not specified either
        ({"num_images": 1.5}, 400, []),
    ],
)
def test_a_limit_of_prompts_that_the_contract_does_not_state_is_a_remark(
    more: Any, status: int, expected: list[str]
) -> None:
    case = a_case(ExpectedOutcome.SURVIVED, more=more)
    found = [*check_status(PROFILE, case, status, b"")]
    assert [(item.id, item.severity) for item in found] == [(name, Severity.INFO) for name in expected]


@pytest.mark.parametrize("evidence", Evidence)
@pytest.mark.parametrize("expectation", ExpectedOutcome)
def test_a_5xx_is_an_error_whatever_the_request_was(expectation: ExpectedOutcome, evidence: Evidence) -> None:
    (found,) = check_observation(PROFILE, answered(a_case(expectation, evidence=evidence), 500, b""))
    assert found.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        (PROBLEM, GOOD_PROBLEM, []),
        (PROBLEM, {**GOOD_PROBLEM, "timestamp": "yesterday"}, ["refusal-consistent/timestamp"]),
        (JSON, LEGACY, []),
        (JSON, {**LEGACY, "statusCode": "400"}, []),
        (JSON, {"statusCode": 400, "message": "no"}, []),
        (JSON, GOOD_PROBLEM, ["refusal-envelope/400-media-type"]),
        ("text/plain", GOOD_PROBLEM, ["refusal-envelope/400-media-type"]),
        ("text/html", b"<h1>Bad Request</h1>", ["refusal-envelope/400-media-type"]),
        ("", b"Bad Request", ["refusal-envelope/400-media-type"]),
        (PROBLEM, b"Bad Request", ["refusal-envelope/400-not-json"]),
        (PROBLEM, b"", ["refusal-envelope/400-not-json"]),
        (JSON, {"error": "no"}, ["refusal-envelope/400-required"] * 2),
        (PROBLEM, {**GOOD_PROBLEM, "status": "400"}, ["refusal-envelope/400-type"]),
        (PROBLEM, {**GOOD_PROBLEM, "trace": "at line 5"}, ["refusal-envelope/400-undocumented"]),
    ],
)
def test_an_undocumented_envelope_is_a_warning(content_type: str, body: Any, expected: list[str]) -> None:
    found = check_observation(PROFILE, answered(a_case(ExpectedOutcome.REFUSED), 400, body, content_type))
    assert (ids(found), {item.severity for item in found} - {Severity.WARNING}) == (expected, set())


@pytest.mark.parametrize(
    ("expectation", "status"), [("accepted", 500), ("accepted", 400), ("refused", 500), ("refused", 200)]
)
def test_one_fault_of_generated_calls_has_one_fingerprint(expectation: str, status: int) -> None:
    calls = [
        replace(
            a_case(ExpectedOutcome(expectation), more={"num_images": count}),
            id=f"generated/{name}",
            pointer="/num_images",
        )
        for name, count in (("0123456789ab", 7), ("ba9876543210", 9))
    ]
    assert (
        len(
            {
                finding.fingerprint
                for case in calls
                for finding in check_observation(PROFILE, answered(case, status, {}))
            }
        )
        == 1
    )


def test_generated_calls_that_should_be_refused_for_different_properties_are_different_findings() -> None:
    calls = [
        replace(a_case(ExpectedOutcome.REFUSED), id="generated/0123456789ab", pointer=pointer)
        for pointer in ("/num_images", "/prompt")
    ]
    assert (
        len({finding.fingerprint for case in calls for finding in check_observation(PROFILE, answered(case, 200, {}))})
        == 2
    )


def test_generated_calls_without_an_answer_are_one_finding() -> None:
    calls = [replace(a_case(), id=f"generated/{name}") for name in ("0123456789ab", "ba9876543210")]
    silent = [Observation(case, b"{}", None, trouble=Trouble.TIMEOUT) for case in calls]
    assert len({finding.fingerprint for seen in silent for finding in check_observation(PROFILE, seen)}) == 1


def test_a_refusal_is_quoted_briefly() -> None:
    problem = {**GOOD_PROBLEM, "message": "no " * 1_000_000}
    (found,) = check_observation(PROFILE, answered(a_case(), 400, problem, PROBLEM))
    assert found.message.startswith("a valid request was refused with 400: no no")
    assert len(found.message) < 250


def test_a_disagreement_of_openapi_core_is_a_finding(contract_of: Callable[..., Contract]) -> None:
    lax, strict = (contract_of({}, {"type": "object", "required": names}) for names in ([], ["total"]))
    found: list[Finding] = []
    for ours, theirs in ((lax, strict), (strict, lax), (lax, lax)):
        profile = OperationProfile(ours)
        profile.cross_validation = CrossValidation(theirs, theirs.operation())
        found += check_observation(
            profile, answered(Case("c", "valid-accepted", {}, ExpectedOutcome.ACCEPTED, Evidence.ASSUMED), 200, {})
        )
    opinions = [item for item in found if item.id.startswith("answer-second-opinion")]
    assert [(item.id, item.severity) for item in opinions] == [
        ("answer-second-opinion/refused", Severity.INFO),
        ("answer-second-opinion/accepted", Severity.INFO),
    ]


@pytest.mark.parametrize(
    "body", [b'{"total": 1.0}', '{"total": 1, "digit": "\u0663"}'.encode(), b'{"total": NaN}', b"{"]
)
def test_openapi_core_has_no_verdict_where_it_is_known_to_differ(
    contract_of: Callable[..., Contract], body: bytes
) -> None:
    contract = contract_of({}, {"type": "object", "properties": {"total": {"type": "integer"}}})
    assert CrossValidation(contract, contract.operation()).errors(200, JSON, body) is None


def test_a_document_that_openapi_core_does_not_read_has_no_second_opinion(contract_of: Callable[..., Contract]) -> None:
    document = {**contract_of({}).document, "openapi": "3.9.0"}
    contract = Contract.load(document, overlay=None)
    assert CrossValidation(contract, contract.operation()).errors(200, JSON, b"{}") is None


# --- arbitrary answers -------------------------------------------------------------------------------------------------

_NAMES = st.sampled_from(["data", "url", "b64_json", "meta", "usage", "credits_used", "error", "message"]) | st.text()
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)
_CONTENT = st.binary(max_size=20) | _JSON.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass"))


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    status=st.sampled_from([200, 201, 204, 302, 400, 401, 404, 500, 599]),
    content=_CONTENT,
    content_type=st.sampled_from([JSON, PROBLEM, "text/html", "", ";", "application/json; charset"]),
    expectation=st.sampled_from(ExpectedOutcome),
    trouble=st.none() | st.sampled_from(Trouble),
)
def test_every_finding_on_any_answer_is_of_a_known_check_once_and_short(
    status: int, content: bytes, content_type: str, expectation: ExpectedOutcome, trouble: Trouble | None
) -> None:
    case = a_case(expectation, credential=Credential.NONE)
    found = check_observation(PROFILE, answered(case, status, content, content_type, trouble=trouble))
    assert checks(found) <= IDS
    assert len({item.fingerprint for item in found}) == len(found)
    assert all(len(json.dumps(item.to_dict())) < 4000 for item in found)


def test_a_picture_of_five_megabytes_is_in_no_finding() -> None:
    huge = "A" * 5_000_000
    body = {"data": [{"url": huge, "b64_json": huge + "!", "extra": huge}], "meta": {"usage": {"credits_used": huge}}}
    found = check_observation(PROFILE, answered(a_case(), 200, body))
    assert found
    assert max(len(json.dumps(item.to_dict())) for item in found) < 1000


# --- an operation without pictures -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def without_pictures(contract_of: Callable[..., Contract]) -> OperationProfile:
    request = {"type": "object", "properties": {"n": {"type": "integer"}}}
    response = {"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]}
    return OperationProfile(contract_of(request, response))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"total": 5}, []),
        ({"total": 5, "images": [{"url": "nowhere"}]}, ["answer-strict/undocumented"]),
        ({"total": "5"}, ["answer-conforms/type"]),
        ({}, ["answer-conforms/required"]),
    ],
)
def test_an_operation_without_pictures_is_checked_by_its_contract_alone(
    without_pictures: OperationProfile, body: Any, expected: list[str]
) -> None:
    case = Case("c", "valid-accepted", {"n": 2}, ExpectedOutcome.ACCEPTED, Evidence.DOCUMENTED)
    assert ids(check_observation(without_pictures, answered(case, 200, body))) == expected


def test_a_refusal_without_a_documented_envelope_is_checked_by_its_status(without_pictures: OperationProfile) -> None:
    case = Case("c", "invalid-refused", 5, ExpectedOutcome.REFUSED, Evidence.DOCUMENTED)
    found = [
        ids(check_observation(without_pictures, answered(case, status, b"no", "text/plain"))) for status in (400, 200)
    ]
    assert found == [[], ["invalid-refused/c"]]


def test_findings_leave_request_and_witness_to_the_runner(linked: Observation) -> None:
    found = check_observation(PROFILE, with_body(linked, lambda body: body if not is_object(body) else {}))
    assert {(item.request, item.witness, item.operation) for item in found} == {(None, None, PROFILE.operation.key)}

import codecs
import json
import pickle
from typing import Any

import httpx
import pytest
from bodydouble_client import (
    AnswerError,
    ArgumentError,
    BodydoubleError,
    EditResult,
    ErrorInAnswer,
    Image,
    NoImageError,
    StatusError,
    UnreadableAnswer,
)
from bodydouble_client._attempt import AttemptResult, Failure, FailureKind
from bodydouble_client._response import RequestInfo, read_answer
from bodydouble_client._secret import Secret
from hypothesis import example, given
from hypothesis import strategies as st

KEY = "sk-canary-5f2b81"
URL = "http://a.test/1.png"


def _read(body: Any, status: int = 200, num_images: int | None = None, **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = httpx.Headers({name.replace("_", "-"): value for name, value in headers.items()}, encoding="utf-8")
    return read_answer(
        AttemptResult(status, fields, content), RequestInfo("http://api.test", Secret(KEY), num_images), 0.0
    )


def _result(body: Any, **more: Any) -> EditResult:
    answer = _read(body, **more)
    assert isinstance(answer, EditResult)
    return answer


def _error(body: Any, status: int = 200, **more: Any) -> BodydoubleError:
    answer = _read(body, status, **more)
    assert isinstance(answer, BodydoubleError)
    return answer


DOCUMENTED = {"data": [{"url": URL, "b64_json": None}], "meta": {"usage": {"credits_used": 84000}}}
QUICK_EXAMPLE = {
    "images": [{"url": URL, "content_type": "image/png", "file_name": "output.png", "file_size": 9, "width": None}],
    "description": "A cat.",
}
TRANSITION = {
    "images": [{"url": URL}],
    "data": [{"url": URL}],
    "seed": 1,
    "meta": {"usage": {"tokens_used": 84000}},
}
OBSERVED = {
    "data": [{"mime_type": "image/png", "b64_json": None, "url": URL}],
    "meta": {"usage": {"credits_used": 52000, "usd_spent": 0.026}},
}


@pytest.mark.parametrize("body", [DOCUMENTED, QUICK_EXAMPLE, TRANSITION, OBSERVED])
def test_each_of_the_four_success_bodies_gives_its_one_image(body: Any) -> None:
    assert _result(body).images == (Image(URL, None),)


@pytest.mark.parametrize(
    ("body", "credits_used"), [(DOCUMENTED, 84000), (QUICK_EXAMPLE, None), (TRANSITION, 84000), (OBSERVED, 52000)]
)
def test_the_credits_are_read_under_either_name(body: Any, credits_used: int | None) -> None:
    assert _result(body).credits_used == credits_used


@pytest.mark.parametrize("status", [200, 201])
def test_both_success_statuses_are_read(status: int) -> None:
    assert _result(DOCUMENTED, status=status).raw == DOCUMENTED


def test_base64_is_read_beside_a_url() -> None:
    assert _result({"data": [{"url": URL, "b64_json": "AAAA"}, {"b64_json": "BBBB"}]}).images == (
        Image(URL, "AAAA"),
        Image(None, "BBBB"),
    )


def test_null_data_beside_images_does_not_hide_them() -> None:
    assert _result({"data": None, "images": [{"url": URL}]}).images == (Image(URL),)


@pytest.mark.parametrize("used", ["84000", True, None, [], -5, "Infinity"])
def test_credits_that_are_not_a_number_are_left_out(used: Any) -> None:
    assert _result({**DOCUMENTED, "meta": {"usage": {"credits_used": used}}}).credits_used is None


@pytest.mark.parametrize("meta", [None, 5, [], {"usage": None}, {"usage": []}, {"usage": {}}])
def test_a_missing_or_malformed_usage_is_ignored(meta: Any) -> None:
    assert _result({**DOCUMENTED, "meta": meta}).credits_used is None


def test_credits_and_cost_are_read_from_the_headers_when_the_body_has_none() -> None:
    headers = {"x-aimlapi-credits-used": "84000", "x-aimlapi-usd-spent": "0.042000000"}
    result = _result(QUICK_EXAMPLE, **headers)
    assert (result.credits_used, result.cost_usd) == (84000, 0.042)


def test_the_cost_in_the_body_wins_over_the_header() -> None:
    assert _result(OBSERVED, x_aimlapi_usd_spent="0.5").cost_usd == 0.026


@pytest.mark.parametrize("value", ["", "free", "-1", "nan", "1e9", "0,5", "9" * 400, "٣"])
def test_an_unreadable_cost_header_gives_no_cost(value: str) -> None:
    assert _result(DOCUMENTED, x_aimlapi_usd_spent=value).cost_usd is None


def test_a_cost_too_large_for_a_float_is_left_out() -> None:
    assert _result({**DOCUMENTED, "meta": {"usage": {"usd_spent": 10**400}}}).cost_usd is None


def test_description_and_request_id_are_read() -> None:
    result = _result(QUICK_EXAMPLE, x_request_id="req-1")
    assert (result.description, result.request_id) == ("A cat.", "req-1")


@pytest.mark.parametrize("arrived", [1, 3])
def test_another_number_of_images_than_asked_is_a_warning_with_both_numbers(arrived: int) -> None:
    (warning,) = _result({"data": [{"url": URL}] * arrived}, num_images=2).warnings
    assert ("2" in warning, str(arrived) in warning) == (True, True)


@pytest.mark.parametrize("asked", [None, 2])
def test_as_many_images_as_asked_give_no_warning(asked: int | None) -> None:
    assert _result({"data": [{"url": URL}] * 2}, num_images=asked).warnings == ()


BODIES_WITHOUT_A_PICTURE: list[Any] = [
        {}, {"data": None}, {"data": []}, {"data": {}}, {"data": {"url": URL}}, {"data": "text"}, {"data": [None]},
        {"data": [{}]}, {"data": [{"url": None, "b64_json": None}]}, {"data": [{"url": "", "b64_json": " "}]},
        {"data": [{"url": 5}]}, {"data": [{"url": URL}, {}]}, {"images": []}, {"renamed": [{"url": URL}]},
        {"requestId": "r", "statusCode": "400", "message": "legacy"},
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES_WITHOUT_A_PICTURE, ids=str)
def test_an_answer_without_a_picture_is_no_image_error_with_its_body(body: Any) -> None:
    error = _error(body)
    assert (type(error), error.body) == (NoImageError, body)


def test_the_item_without_a_picture_is_named() -> None:
    assert "data[1]" in str(_error({"data": [{"url": URL}, {}]}))


@pytest.mark.parametrize("error", ["broken", {"message": "broken"}, {"name": "X", "message": "broken"}])
def test_an_error_beside_data_is_an_error_with_its_text(error: Any) -> None:
    found = _error({**DOCUMENTED, "error": error})
    assert (type(found), "broken" in str(found)) == (ErrorInAnswer, True)


@pytest.mark.parametrize("error", [None, "", {}])
def test_an_empty_error_is_ignored(error: Any) -> None:
    assert _result({**DOCUMENTED, "error": error}).images


@pytest.mark.parametrize(
    "body",
    [
        b"", b" \n", b"{", b'{"data": [', b"<html><title>Oops</title></html>", b"\xff\xfe\xfa", b"null", b"[]", b'"text"',
        b"5", b"NaN", b'{"data": NaN}', b'{"data": -Infinity}', b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5000,
        '{"data": [{"url": "http://a/é.png"}]}'.encode("latin-1"), b'{"data": []} trailing', b"\x1f\x8b\x08\x00",
    ],
    ids=lambda body: repr(body)[:40],
)  # fmt: skip
def test_a_body_that_is_not_a_json_object_is_unreadable(body: bytes) -> None:
    assert type(_error(body)) is UnreadableAnswer


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"])
def test_every_unicode_encoding_of_json_is_read(encoding: str) -> None:
    assert _result(json.dumps(DOCUMENTED).encode(encoding)).images


def test_of_a_repeated_property_the_last_counts() -> None:
    assert _result(b'{"data": null, "data": [{"url": "http://b"}]}').images == (Image("http://b"),)


def test_an_unusable_success_may_be_charged() -> None:
    bodies: list[Any] = [{}, b"", {"data": [{}], "error": "x"}]
    assert all(_error(body).may_be_charged for body in bodies)


CURRENT = {
    "title": "Bad Request",
    "status": 400,
    "message": "Invalid payload provided",
    "instance": "/v1/images/generations",
    "requestId": "req-2",
    "timestamp": "2026-06-12T10:00:00.000Z",
    "error": {
        "name": "BadRequestException",
        "message": "Invalid payload provided",
        "data": [
            {"code": "invalid_enum_value", "path": ["aspect_ratio"], "message": "Expected '1:1'", "options": ["1:1"]},
            {"code": "invalid_type", "path": ["image_urls", 0], "message": "Required"},
        ],
    },
}
LEGACY = {
    "requestId": "req-2",
    "statusCode": 400,
    "timestamp": "t",
    "path": "/p",
    "message": "Invalid payload provided",
}


@pytest.mark.parametrize("body", [CURRENT, LEGACY, {**LEGACY, "statusCode": "400"}])
def test_both_envelopes_give_message_request_id_and_body(body: Any) -> None:
    error = _error(body, 400)
    assert (error.message, error.request_id, error.body) == ("Invalid payload provided", "req-2", body)


def test_the_issues_of_a_bad_request_are_listed() -> None:
    assert _error(CURRENT, 400).issues == tuple(CURRENT["error"]["data"])  # type: ignore[index]


def test_the_text_of_a_bad_request_names_each_place() -> None:
    text = str(_error(CURRENT, 400))
    assert ("aspect_ratio: Expected '1:1'" in text, "image_urls/0: Required" in text) == (True, True)


@pytest.mark.parametrize("data", [None, "text", {"kind": "k"}, [5], []])
def test_error_data_that_is_not_a_list_of_objects_gives_no_issues(data: Any) -> None:
    assert _error({**CURRENT, "error": {"data": data}}, 400).issues == ()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "inner"}}, "inner"),
        ({"error": "plain"}, "plain"),
        ({"detail": "detail"}, "detail"),
        ({"title": "title"}, "title"),
        ({"message": ["one", "two"]}, "one; two"),
        ("text", "text"),
        (b"plain text", "plain text"),
    ],
)
def test_the_message_is_found_in_other_bodies_too(body: Any, message: str) -> None:
    assert _error(body, 500).message == message


def test_an_html_page_is_named_by_its_title() -> None:
    error = _error(b"<!DOCTYPE html><html><head><title>502 Bad\nGateway</title></head></html>", 502)
    assert "an HTML page titled '502 Bad Gateway'" in str(error)


@pytest.mark.parametrize("request_id", [None, 5, "", " ", ["r"]])
def test_a_request_id_that_is_not_text_is_left_out(request_id: Any) -> None:
    assert _error({"message": "m", "requestId": request_id}, 400).request_id is None


def test_the_request_id_of_the_header_wins() -> None:
    assert _error(CURRENT, 400, x_request_id="req-1").request_id == "req-1"


STATUS_NAMES = {
    400: "BadRequest", 401: "Unauthorized", 402: "StatusError", 403: "Forbidden", 404: "NotFound", 408: "RequestTimedOut",
    413: "RequestTooLarge", 422: "StatusError", 429: "RateLimited", 500: "ServerError", 502: "BadGateway",
    503: "ServiceUnavailable", 504: "GenerationTimedOut", 520: "ServerError", 302: "StatusError",
}  # fmt: skip


@pytest.mark.parametrize(("status", "name"), STATUS_NAMES.items())
def test_each_status_has_its_error(status: int, name: str) -> None:
    assert type(_error(LEGACY, status)).__name__ == name


@pytest.mark.parametrize(
    "body",
    [
        {"message": "You've run out of credits. Please top up"},
        {"message": "x", "error": {"data": {"kind": "err_insufficent_credits"}}},
    ],
)
def test_a_403_without_credits_is_out_of_credits(body: Any) -> None:
    assert type(_error(body, 403)).__name__ == "OutOfCredits"


def test_a_redirect_says_where_to_and_that_it_is_not_followed() -> None:
    text = str(_error(b"", 307, location="https://elsewhere.test/x"))
    assert ("https://elsewhere.test/x" in text, "not followed" in text) == (True, True)


def test_the_text_of_an_error_is_short_whatever_the_server_sends() -> None:
    error = _error({"message": "long " * 100_000, "error": {"data": [{"message": "x" * 10**4}] * 100}}, 400)
    assert len(str(error)) < 4000


def test_the_text_of_an_error_can_be_printed_whatever_the_server_sends() -> None:
    body = b'{"message": "\\ud800 \\u001b[31m red", "requestId": "\\udfff\\u0007"}'
    assert str(_error(body, 400)).isprintable()


@pytest.mark.parametrize("slash", ["/", "\\/"])
@pytest.mark.parametrize("status", [200, 401])
def test_a_key_with_characters_that_json_escapes_is_redacted_in_each_spelling(slash: str, status: int) -> None:
    key = 'sk/canary"5f2b81'
    echoed = key.replace('"', '\\"').replace("/", slash)
    body = f'{{"message": "wrong key {echoed}"}}'.encode()
    error = read_answer(AttemptResult(status, body=body), RequestInfo("http://api.test", Secret(key)), 0.0)
    assert "canary" not in f"{error}{vars(error)}"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([URL, 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
NAMES = ["data", "images", "meta", "usage", "credits_used", "usd_spent", "url", "b64_json", "error", "message",
         "requestId", "description", "statusCode", "path", "code", "kind", "title", "detail"]  # fmt: skip
# bodies with the property names that the reader looks for, and any values
LIKELY_BODIES = st.dictionaries(
    st.sampled_from(NAMES),
    st.recursive(
        JSON_VALUES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
        max_leaves=8,
    ),
)
STATUSES = st.sampled_from([200, 201, 400, 403, 429, 500]) | st.integers(100, 999)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"])


def _encoded(value: Any, encoding: str) -> bytes:
    return codecs.encode(json.dumps(value), encoding)


def _fits(answer: Any, status: int) -> bool:
    if isinstance(answer, EditResult):
        return 200 <= status < 300 and len(answer.images) > 0 and all(each.url or each.b64 for each in answer.images)
    return isinstance(answer, AnswerError if 200 <= status < 300 else StatusError) and bool(str(answer))


@given(JSON_VALUES | LIKELY_BODIES, STATUSES, ENCODINGS)
def test_any_json_gives_a_result_with_pictures_or_one_of_our_errors(value: Any, status: int, encoding: str) -> None:
    assert _fits(_read(_encoded(value, encoding), status), status)


@given(
    st.binary(),
    STATUSES,
    st.dictionaries(st.sampled_from(["retry-after", "location", "content-type", "x-request-id"]), st.text()),
)
@example(b"[" * 900, 400, {})
@example(b'{"error":{"data":[' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"]}}", 400, {})
@example(b'{"error":' + b"[" * 900 + b"]" * 900 + b"}", 200, {})
def test_any_bytes_give_a_result_or_one_of_our_errors(body: bytes, status: int, headers: dict[str, str]) -> None:
    fields = httpx.Headers(
        {name: value.encode("utf-8", "replace").decode() for name, value in headers.items()}, "utf-8"
    )
    answer = read_answer(AttemptResult(status, fields, body), RequestInfo("http://api.test", Secret(KEY)), 0.0)
    assert _fits(answer, status)


@given(st.sampled_from(list(FailureKind)), st.booleans(), st.none() | STATUSES, st.binary(), st.text())
def test_any_failure_gives_one_of_our_errors(
    kind: FailureKind, sent: bool, status: int | None, body: bytes, detail: str
) -> None:
    attempt = AttemptResult(status, body=body, failure=Failure(kind, detail, sent))
    error = read_answer(attempt, RequestInfo("http://api.test", Secret(KEY)), 0.0)
    refused = status is not None and not 200 <= status < 300
    assert isinstance(error, StatusError) == refused
    assert isinstance(error, BodydoubleError)


def test_results_and_errors_survive_pickling() -> None:
    kept = [_result(OBSERVED), _error(CURRENT, 400, retry_after="5"), ArgumentError("x", argument="a", allowed=(1,))]
    copies = pickle.loads(pickle.dumps(kept))
    assert [(str(each), getattr(each, "__dict__", each)) for each in copies] == [
        (str(each), getattr(each, "__dict__", each)) for each in kept
    ]


def test_equal_answers_give_equal_results() -> None:
    assert _result(OBSERVED) == _result(OBSERVED)

"""Recordings checked without a server: of any recorder and any age."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bodydouble_contract_tests.verification import (
    OperationProfile,
    Target,
    Verification,
    VerifyOptions,
    verify,
    verify_recording,
)
from bodydouble_mockserver import Settings, create_app
from bodydouble_mockserver.transport import MockTransport
from bodydouble_spec import Contract, Exchange, ExchangeLog, RecordedAnswer, RecordedPicture, read_exchanges
from bodydouble_spec.recording import CallFacts, PicturePlace, RecordingFolder, read_stored_recording
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

NOW = datetime(2026, 7, 1, tzinfo=UTC)
BODY: dict[str, Any] = {
    "model": "google/gemini-2.5-flash-image-edit",
    "prompt": "make it night",
    "image_urls": ["https://example.com/a.png"],
}
GOOD = {"data": [{"url": "https://cdn.test/a.png", "b64_json": None}], "meta": {"usage": {"credits_used": 84_000}}}


def exchange(
    body: Any = BODY, status: int = 200, answer: Any = GOOD, time: str = "2026-06-12T10:00:00.000Z", **changes: Any
) -> Exchange:
    kind = "application/json" if status < 400 else "application/problem+json; charset=utf-8"
    recorded = RecordedAnswer(status, {"content-type": kind}, answer)
    return Exchange("app-1", time, "POST", "/v1/images/generations", body=body, answer=recorded, **changes)


# They are about headers, bytes and methods, which a recording does not keep.
NOT_IN_A_RECORDING = {
    "answer-headers", "refusal-headers", "request-id-new", "client-id-echoed", "client-id-dropped", "cors-answer", "cors-preflight",
    "key-secret", "malformed-refused", "method-refused", "picture-cors",
}  # fmt: skip


def not_run(result: Verification) -> set[str]:
    return {name for name, outcome in result.outcomes.items() if outcome != "passed"}


def checked(profile: OperationProfile, *exchanges: Exchange) -> Verification:
    return verify_recording(profile, ExchangeLog(exchanges, ()), NOW)


def ids(verification: Verification) -> list[str]:
    return [finding.id.partition("/")[0] for finding in verification.findings]


@pytest.fixture(scope="module")
def recorded(profile: OperationProfile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the recording of a verification of the unchanged mock."""
    path = tmp_path_factory.mktemp("recording") / "r"
    transport = MockTransport(create_app(profile.contract, Settings(api_keys=("canary-4f1c9a7e2b",), seed=1)))
    with Target("http://mock.test", "canary-4f1c9a7e2b", transport=transport) as target:
        verify(profile, target, VerifyOptions(examples=0, recording=path))
    transport.close()
    return path


def test_what_a_verification_recorded_passes_the_same_checks_offline(profile: OperationProfile, recorded: Path) -> None:
    result = verify_recording(profile, read_exchanges(recorded), datetime.now(UTC))
    assert (result.findings, not_run(result) - NOT_IN_A_RECORDING, result.requests, result.usd) == ((), set(), 0, 0)


def test_an_expired_recording_is_checked_with_a_warning(profile: OperationProfile, recorded: Path) -> None:
    result = verify_recording(profile, read_exchanges(recorded), datetime.now(UTC) + timedelta(days=91))
    assert [(item.id, item.severity) for item in result.findings] == [("recording-expired", "warning")]
    assert not_run(result) <= NOT_IN_A_RECORDING


@pytest.mark.parametrize(
    ("time", "found"), [("2026-04-03T00:00:00Z", []), ("2026-04-01T00:00:00Z", ["recording-expired"])]
)
def test_an_app_s_recording_expires_after_ninety_days(profile: OperationProfile, time: str, found: list[str]) -> None:
    assert ids(checked(profile, exchange(time=time))) == found


def test_the_age_from_which_a_recording_is_old_can_be_chosen(profile: OperationProfile) -> None:
    log, now = ExchangeLog((exchange(time="2026-06-01T00:00:00Z"),), ()), datetime(2026, 7, 1, tzinfo=UTC)
    assert ids(verify_recording(profile, log, now, max_age_days=31)) == []
    assert ids(verify_recording(profile, log, now, max_age_days=29)) == ["recording-expired"]


@pytest.mark.parametrize(
    ("recorded", "found"),
    [
        (exchange(), []),
        (exchange(answer={}), "answer-strict"),
        (exchange(answer=GOOD | {"surprise": 1}), "answer-strict"),
        (exchange(answer={"data": "text"}), "answer-conforms"),
        (exchange(status=500, answer={}), "valid-accepted"),
        (exchange(status=400, answer={}), "valid-accepted"),
        (exchange(BODY | {"num_images": 0}), "invalid-refused"),
        (exchange(BODY | {"num_images": 2}), "image-count"),
        (exchange(status=429, answer=None), "recording-empty"),
        (exchange(status=403, answer={}), "recording-empty"),
        (exchange(status=401, answer={}), "recording-empty"),
        (exchange(BODY | {"prompt": ""}, 400, {}), "valid-accepted"),
    ],
)  # fmt: skip
def test_an_app_s_exchange_is_checked_by_the_outcome_that_its_request_must_have(
    profile: OperationProfile, recorded: Exchange, found: str | list[str]
) -> None:
    result = ids(checked(profile, recorded))
    assert found in result if isinstance(found, str) else result == found


def test_a_picture_that_was_not_kept_does_not_make_a_request_invalid(profile: OperationProfile) -> None:
    kept = {"$picture": {"sha256": "0" * 64, "media_type": "image/webp", "bytes": 9, "pixels": None, "data_uri": True}}
    assert checked(profile, exchange(BODY | {"image_urls": [kept]})).findings == ()


def test_a_request_that_breaks_the_contract_and_was_refused_is_fine(
    profile: OperationProfile, vendored: Contract
) -> None:
    refusal: dict[str, Any] = {
        "title": "Bad Request", "status": 400, "message": "Invalid payload provided", "instance": "/v1/images/generations",
        "requestId": "a", "timestamp": "2026-06-12T10:00:00.000Z",
        "error": {"name": "BadRequestException", "message": "Invalid payload provided", "data": [
            {"code": "too_small", "path": ["num_images"], "message": "Too few."},
        ]},
    }  # fmt: skip
    assert checked(profile, exchange(BODY | {"num_images": 0}, 400, refusal)).findings == ()
    assert OperationProfile(vendored).operation.validate_request(BODY | {"num_images": 0})


@pytest.mark.parametrize("path", ["/v1/images/generations/", "/images/generations", "//v1/images//generations?a=/b"])
def test_an_exchange_without_an_operation_belongs_to_it_by_any_spelling_of_its_path(
    profile: OperationProfile, path: str
) -> None:
    spelled = replace(exchange(answer={"data": "text"}, operation=None), path=path)
    assert "answer-conforms" in ids(checked(profile, spelled))


def test_a_picture_that_was_not_kept_in_an_answer_is_a_text(profile: OperationProfile) -> None:
    kept = {"$picture": {"sha256": "0" * 64, "media_type": "image/png", "bytes": 9, "pixels": None, "data_uri": False}}
    assert checked(profile, exchange(answer=GOOD | {"data": [{"url": None, "b64_json": kept}]})).findings == ()


@pytest.mark.parametrize(("size", "found"), [(4, ["answer-conforms"]), (90_000, [])])
def test_an_answer_of_which_only_the_beginning_was_kept_may_be_json(
    profile: OperationProfile, size: int, found: list[str]
) -> None:
    raw = {"bytes": size, "sha256": "0" * 64, "text": '{"a"'}
    answer = RecordedAnswer(200, {"content-type": "application/json"}, raw=raw)
    assert ids(checked(profile, replace(exchange(), answer=answer))) == found


def test_exchanges_of_other_operations_are_left_alone(profile: OperationProfile) -> None:
    other = exchange(status=500, answer={}, operation="POST /v1/chat/completions")
    assert ids(checked(profile, other)) == ["recording-empty"]


def test_a_finding_names_its_exchange_and_how_to_send_it_again(profile: OperationProfile) -> None:
    (finding, *_) = checked(profile, exchange(answer={"data": "text"})).findings
    assert (finding.witness, "${base%/v1}" in finding.request, "$AIMLAPI_KEY" in finding.request) == (
        "app-1",
        True,
        True,
    )


def test_an_operation_that_takes_no_body_is_called_without_one(contract_of: Callable[..., Contract]) -> None:
    recorded = Exchange("app-1", "2026-06-12T10:00:00Z", "POST", "/things", answer=RecordedAnswer(500))
    (finding,) = checked(OperationProfile(contract_of(None)), recorded).findings
    assert (finding.id.partition("/")[0], "--data" in finding.request) == ("valid-accepted", False)


def test_lines_that_cannot_be_read_keep_their_findings(profile: OperationProfile, tmp_path: Path) -> None:
    (tmp_path / "r").write_bytes(exchange().to_line() + b'{"torn')
    result = verify_recording(profile, read_exchanges(tmp_path / "r"), NOW)
    assert ids(result) == ["exchange-torn"]


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "url", "b64_json", "meta", "usage", "credits_used", "$picture"]), inner
        )
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def check(profile: OperationProfile) -> Callable[[Exchange], Verification]:
    return lambda item: checked(profile, item)


@settings(max_examples=60, deadline=None)
@given(JSON, st.sampled_from([200, 201, 301, 400, 404, 500]), JSON)
def test_any_recorded_exchange_can_be_checked(
    check: Callable[[Exchange], Verification], body: Any, status: int, answer: Any
) -> None:
    json.dumps([finding.to_dict() for finding in check(exchange(body, status, answer)).findings])


def test_calls_of_another_contract_are_named_and_checked_against_this_one(profile: OperationProfile) -> None:
    facts = CallFacts("0123456789abcdef", "https://api.example.com").to_extra()
    result = checked(profile, exchange(BODY | {"num_images": 0}, extra=facts))
    assert "invalid-refused" in ids(result)
    (found,) = (item for item in result.findings if item.id == "recording-other-contract")
    assert found.severity == "info"
    assert found.message.startswith("1 of 1 exchanges were recorded under another contract (0123456789ab)")
    own = CallFacts(profile.contract.fingerprint, "https://api.example.com").to_extra()
    assert checked(profile, exchange(extra=own)).findings == ()


def file_of(width: int, height: int, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, kind)
    return file.getvalue()


def with_picture(folder: Path, data: bytes, *, as_base64: bool) -> Path:
    """Record a call whose picture is a file of the folder: behind its URL, or in its answer as Base64."""
    call = exchange(BODY | {"aspect_ratio": "16:9"})
    with RecordingFolder(folder) as recording:
        described = RecordedPicture(recording.put(data), "image/png", len(data), None, is_data_uri=False).to_dict()
        if as_base64:
            item = {"url": None, "b64_json": described}
            recording.append(exchange(call.body, answer=GOOD | {"data": [item]}))
            return folder
        recording.append(call)
        answer = RecordedAnswer(200, {"content-type": "image/png"}, described)
        place = PicturePlace(call.id, "/data/0/url").to_extra()
        recording.append(
            Exchange("app-1.data.0", call.time, "GET", "/a.png", answer=answer, kind="picture", extra=place)
        )
    return folder


RIGHT = file_of(84, 48)


@pytest.mark.parametrize("as_base64", [False, True])
@pytest.mark.parametrize(
    ("data", "found"),
    [
        (RIGHT, []),
        (file_of(84, 47), ["picture-pixels"]),
        (file_of(64, 64), ["picture-pixels"]),
        (RIGHT[:-12], ["picture-whole"]),
        (RIGHT[: len(RIGHT) // 2], ["picture-whole"]),
        (b"<html>no picture</html>", ["picture-decodable"]),
    ],
    ids=["right", "other-size", "other-shape", "no-end", "half", "html"],
)
def test_the_pictures_of_a_recording_are_looked_at(
    profile: OperationProfile, tmp_path: Path, data: bytes, found: list[str], as_base64: bool
) -> None:
    recording = read_stored_recording(with_picture(tmp_path, data, as_base64=as_base64))
    result = verify_recording(profile, recording, NOW)
    assert ids(result) == found
    assert result.outcomes["picture-decodable"] != "not run"


def test_a_picture_behind_a_url_must_have_the_type_that_was_sent(profile: OperationProfile, tmp_path: Path) -> None:
    recording = read_stored_recording(with_picture(tmp_path, file_of(84, 48, "WEBP"), as_base64=False))
    assert ids(verify_recording(profile, recording, NOW)) == ["picture-media-type"]


def test_a_picture_that_was_changed_or_lost_is_reported_once(profile: OperationProfile, tmp_path: Path) -> None:
    folder = with_picture(tmp_path, RIGHT, as_base64=False)
    (file,) = (folder / "files").iterdir()
    for data, rule in ((RIGHT[:-1], "recording-file-changed"), (None, "recording-file-missing")):
        file.unlink() if data is None else file.write_bytes(data)
        assert ids(verify_recording(profile, read_stored_recording(folder), NOW)) == [rule]

"""What is said of a recording at start: damage, age, and a contract that has changed since."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bodydouble.app import app
from bodydouble.recordings import UnusableRecording, read_recordings, recording_notices
from bodydouble_spec import Contract, Exchange, RecordedAnswer, RecordedPicture
from bodydouble_spec.recording import CallFacts, PicturePlace, RecordingFolder
from typer.testing import CliRunner

NOW = datetime(2026, 11, 29, tzinfo=UTC)
BODY = {
    "model": "google/gemini-2.5-flash-image-edit",
    "prompt": "x",
    "image_urls": ["https://example.org/a.png"],
    "num_images": 3,
}
ANSWER = {
    "data": [{"url": f"https://cdn.example.com/{number}.png", "b64_json": None} for number in range(3)],
    "meta": {"usage": {"credits_used": 252000}},
}


def record(path: Path, fingerprint: str, age_days: float = 1, body: Any = BODY, *, with_pictures: bool = True) -> Path:
    time = (NOW - timedelta(days=age_days)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    answer = RecordedAnswer(200, {"content-type": "application/json"}, ANSWER)
    facts = CallFacts(fingerprint, "https://api.example.com").to_extra()
    with RecordingFolder(path) as folder:
        number = folder.summary.calls + 1
        folder.append(
            Exchange(
                f"run-{number}", time, "POST", "/v1/images/generations", key="k", body=body, answer=answer, extra=facts
            )
        )
        picture = RecordedPicture(folder.put(b"a picture"), None, 9, None, is_data_uri=False).to_dict()
        for index in range(3 if with_pictures else 0):
            place = PicturePlace(f"run-{number}", f"/data/{index}/url").to_extra()
            found = RecordedAnswer(200, {}, picture)
            folder.append(Exchange(f"{number}-{index}", time, "GET", "/", answer=found, kind="picture", extra=place))
    return path


def notices(path: Path, contract: Contract, max_age_days: float = 90) -> list[str]:
    return recording_notices(read_recordings([path]), [contract], NOW, max_age_days)


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract.load()


def test_a_fresh_recording_of_the_same_contract_needs_no_word(tmp_path: Path, contract: Contract) -> None:
    assert notices(record(tmp_path, contract.fingerprint), contract) == []


def test_old_calls_are_said_to_be_old(tmp_path: Path, contract: Contract) -> None:
    record(record(tmp_path, contract.fingerprint, 31), contract.fingerprint)
    (text,) = notices(tmp_path, contract, 30)
    assert "1 of 2 calls are older than 30 days, the oldest is from 2026-10-29" in text
    assert notices(tmp_path, contract, 32) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (BODY, "its 1 call that can be checked keeps the present one as well"),
        ({**BODY, "num_images": 9}, "1 of 1 calls break the present one: invalid-refused"),
    ],
)
def test_a_recording_of_another_contract_is_checked_against_this_one(
    tmp_path: Path, contract: Contract, body: Any, words: str
) -> None:
    (text,) = notices(record(tmp_path, "0123456789abcdef", body=body), contract)
    assert "recorded under another contract (0123456789ab)" in text
    assert words in text


def test_pictures_that_were_not_recorded_are_counted(tmp_path: Path, contract: Contract) -> None:
    record(tmp_path, contract.fingerprint, with_pictures=False)
    (text,) = notices(tmp_path, contract)
    assert "1 call has pictures that are not in the recording; their URLs lead to the service" in text


def test_damage_is_named(tmp_path: Path, contract: Contract) -> None:
    record(tmp_path, contract.fingerprint)
    file = tmp_path / "exchanges.jsonl"
    file.write_bytes(b"{}\n" + file.read_bytes())
    (text,) = notices(tmp_path, contract)
    assert "line 1 was skipped" in text


@pytest.mark.parametrize(
    ("name", "words"),
    [("missing", "there is no such folder"), ("empty", "there is no exchanges.jsonl in it"), ("torn", "was cut off")],
)
def test_a_recording_without_a_call_cannot_be_used(tmp_path: Path, name: str, words: str) -> None:
    path = tmp_path / name
    if name != "missing":
        path.mkdir()
    if name == "torn":
        (path / "exchanges.jsonl").write_bytes(b'{"format": 1, "id"')
    with pytest.raises(UnusableRecording, match=words):
        read_recordings([path])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--replay", "nowhere"], "nowhere: there is no such folder"),
        (["--replay", ".", "--replay-ignore", "seed"], "'seed' is not a JSON pointer"),
    ],
)
def test_serve_says_what_is_wrong_with_its_options(
    tmp_path: Path,
    arguments: list[str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(record(tmp_path, "f"))
    result = CliRunner().invoke(app, ["serve", "--port", "0", *arguments])
    assert (result.exit_code, words in result.stderr) == (2, True)

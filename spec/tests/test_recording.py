"""Recordings: what comes is on disk at once, is read back whole, and what is damaged is named."""

import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from bodydouble_spec import Exchange, RecordedAnswer, RecordedPicture, Redactor, record_body
from bodydouble_spec.recording import (
    CallFacts,
    CannotRecord,
    PicturePlace,
    RecordingFolder,
    kept_bytes,
    read_recording_folder,
    read_stored_recording,
)

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))
LONG = "a dinosaur in a café " * 2000


def exchange(number: int = 1, body: Any = None, **more: Any) -> Exchange:
    fields: dict[str, Any] = {
        "id": f"run-{number}",
        "time": f"2026-11-{number:02}T10:00:00.000Z",
        "method": "POST",
        "path": "/v1/images/generations",
        "body": {"prompt": "hello"} if body is None else body,
        "answer": RecordedAnswer(200, {"content-type": "application/json"}, {"data": []}),
        "extra": CallFacts("f1f2", "https://api.example.com", 1, 84000, 0.042).to_extra(),
        **more,
    }
    return Exchange(**fields)


def test_what_was_appended_is_on_disk_before_the_folder_is_closed(tmp_path: Path) -> None:
    with RecordingFolder(tmp_path) as folder:
        folder.append(exchange(1))
        folder.append(exchange(2))
        assert [item.id for item in read_stored_recording(tmp_path).exchanges] == ["run-1", "run-2"]


def test_a_recording_goes_on_where_an_earlier_process_was_killed(tmp_path: Path) -> None:
    with RecordingFolder(tmp_path) as folder:
        folder.append(exchange(1))
    file = tmp_path / "exchanges.jsonl"
    file.write_bytes(file.read_bytes() + exchange(2).to_line()[:-20])
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / ".new-cut").write_bytes(b"half")
    with RecordingFolder(tmp_path) as folder:
        folder.append(exchange(3))
    assert [item.id for item in read_stored_recording(tmp_path).exchanges] == ["run-1", "run-3"]
    assert read_stored_recording(tmp_path).findings == ()
    assert [*(tmp_path / "files").iterdir()] == []


def test_a_last_line_without_its_end_is_not_lost(tmp_path: Path) -> None:
    (tmp_path / "exchanges.jsonl").write_bytes(exchange(1).to_line().rstrip(b"\n"))
    with RecordingFolder(tmp_path) as folder:
        folder.append(exchange(2))
    assert [item.id for item in read_stored_recording(tmp_path).exchanges] == ["run-1", "run-2"]


def _open(path: Path, result: "multiprocessing.Queue[str]") -> None:
    try:
        RecordingFolder(path).close()
        result.put("opened")
    except CannotRecord as error:
        result.put(str(error))


def test_a_second_process_is_refused_while_the_first_one_records(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    result: multiprocessing.Queue[str] = spawn.Queue()
    folder = RecordingFolder(tmp_path)
    child = spawn.Process(target=_open, args=(tmp_path, result))
    child.start()
    assert "another process is recording into this folder" in result.get(timeout=30)
    child.join()
    folder.close()
    RecordingFolder(tmp_path).close()


def test_a_folder_that_cannot_be_written_is_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(CannotRecord, match="name a writable folder"):
        RecordingFolder(file)


def test_a_long_text_lies_beside_the_exchange_and_is_read_back_whole(tmp_path: Path) -> None:
    with RecordingFolder(tmp_path) as folder:
        folder.append(exchange(body={"prompt": LONG, "list": [LONG, "short"]}))
    line = (tmp_path / "exchanges.jsonl").read_text()
    assert len(line) < 2000
    assert len([*(tmp_path / "files").iterdir()]) == 1
    assert read_stored_recording(tmp_path).exchanges[0].body == {"prompt": LONG, "list": [LONG, "short"]}


def test_the_readme_has_the_dates_the_contract_and_the_cost(tmp_path: Path) -> None:
    with RecordingFolder(tmp_path) as folder:
        folder.append(exchange(1))
    with RecordingFolder(tmp_path) as folder:
        folder.append(exchange(12))
        picture = RecordedPicture("0" * 64, "image/png", 1, None, is_data_uri=False)
        of = PicturePlace("run-12", "/data/0/url").to_extra()
        folder.append(exchange(13, kind="picture", answer=RecordedAnswer(200, {}, picture.to_dict()), extra=of))
    text = (tmp_path / "README.md").read_text()
    for fact in (
        "2026-11-01 to 2026-11-12",
        "f1f2",
        "0.084 USD for 2 pictures",
        "https://api.example.com",
        "| calls | 2 (",
    ):
        assert fact in text


@pytest.mark.parametrize(("change", "rule"), [(None, "recording-file-missing"), (b"x", "recording-file-changed")])
def test_damaged_files_are_named_with_their_call_and_the_rest_is_read(
    tmp_path: Path, change: bytes | None, rule: str
) -> None:
    with RecordingFolder(tmp_path) as folder:
        sha256 = folder.put(PNG)
        picture = RecordedPicture(sha256, "image/png", len(PNG), None, is_data_uri=True)
        folder.append(exchange(1, body={"image_urls": [picture.to_dict()]}))
        folder.append(exchange(2))
        folder.append(exchange(3, body={"prompt": LONG}))
    for file in (tmp_path / "files").iterdir():
        if change is None:
            file.unlink()
        else:
            file.write_bytes(change)
    recording = read_recording_folder(tmp_path)
    assert [(finding.id, finding.witness) for finding in recording.findings] == [(rule, "run-1"), (rule, "run-3")]
    # Without its text, a call is another one.
    assert [exchange.id for exchange in recording.exchanges] == ["run-1", "run-2"]
    assert "and the call is left out; restore it" in recording.findings[1].message
    assert recording.files.get(sha256) is None


def test_a_whole_body_has_neither_keys_nor_account_ids_and_is_not_cut() -> None:
    body = b'{"prompt": "%b", "api_key": "a", "account_id": "acct_1", "user": {"email": "a@b.c"}, "request_id": "r"}'
    kept, raw = record_body(body % LONG.encode(), Redactor(), whole=True)
    assert raw is None
    assert kept == {
        "prompt": LONG, "api_key": "***", "account_id": "***", "user": {"email": "***"}, "request_id": "r"
    }  # fmt: skip


def test_a_body_that_is_no_json_is_kept_without_its_keys() -> None:
    redactor = Redactor(["sk-0123456789"])
    assert kept_bytes(b"<p>sk-0123456789 \xc3\xa9</p>", redactor, [b"sk-0123456789"]) == "<p>*** é</p>".encode()
    assert kept_bytes(b"\xff\xfe\x00", redactor, [b"sk-0123456789"]) == b"\xff\xfe\x00"
    assert kept_bytes(b"\xff sk-0123456789", redactor, [b"sk-0123456789"]) is None


@pytest.mark.parametrize("extra", [{}, {"recording": 1}, {"recording": {"usd": "much", "images": True}}])
def test_the_facts_of_a_call_are_read_from_anything(extra: dict[str, Any]) -> None:
    record = CallFacts.of(exchange(extra=extra))
    assert record is None or (record.usd, record.images) == (0, 0)

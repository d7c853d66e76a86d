"""The recording of a run: its content, its redaction, and the reasons not to resume it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from bodydouble_contract_tests.run.charges import Charge
from bodydouble_contract_tests.run.recording import (
    CallState,
    Entry,
    Recorder,
    entry_of,
    observation_of,
    read_recorded_run,
    to_exchange,
)
from bodydouble_contract_tests.run.redaction import Redaction
from bodydouble_contract_tests.verification import (
    CannotVerify,
    Case,
    ExpectedOutcome,
    FetchedPicture,
    Observation,
    Trouble,
)
from bodydouble_spec import Evidence, Exchange, Finding, Severity, parse_exchange, read_exchanges
from bodydouble_spec.recording import latest
from hypothesis import given, settings
from hypothesis import strategies as st

KEY = "canary-4f1c9a7e2b"
IDENTITY = {"contract": "abc", "plan": "def", "target": "https://api.test"}
CASE = Case("success/one", "valid-accepted", {"prompt": "x"}, ExpectedOutcome.ACCEPTED, Evidence.DOCUMENTED)
FINDING = Finding("image-count", Severity.ERROR, Evidence.DOCUMENTED, "/data", "1 of 2", 2, 1, covers=(
    Finding("inner", Severity.INFO, Evidence.ASSUMED, "", "x"),
))  # fmt: skip
PICTURE = FetchedPicture("/data/0", "https://cdn.test/a.png", 200, "image/png", "image/png", (4, 3), b"", None)

Line = Callable[..., Exchange]


def line(identifier: str = "run-1", state: CallState = CallState.CHECKED, **changes: Any) -> Exchange:
    members: dict[str, Any] = {
        "charge": Charge(1, 84_000, 0.042),
        "reserved_usd": 0.042,
        "expires": "2026-09-10T10:00:00.000Z",
        "run_identity": IDENTITY,
    }
    entry = Entry(identifier, "2026-06-12T10:00:00.000Z", state, "success/one", "valid-accepted", **members | changes)
    seen = Observation(CASE, b'{"prompt":"x"}', 200, {"content-type": "application/json"}, b'{"data":[]}', 1.5)
    seen = Observation(CASE, seen.sent, 200, seen.headers, seen.content, 1.5, 0, Trouble.TIMEOUT, "late", (PICTURE,))
    return to_exchange(entry, "POST", "/v1/images/generations", "0af3", seen, (FINDING,), Redaction(KEY).redactor)


def write(path: Path, *exchanges: Exchange) -> Path:
    path.write_bytes(b"".join(exchange.to_line() for exchange in exchanges))
    return path


def test_a_call_is_read_as_it_was_written() -> None:
    written = line()
    read = parse_exchange(orjson.loads(written.to_line()))
    observation = observation_of(read, CASE)
    assert entry_of(read) == entry_of(written)
    assert (observation.trouble, observation.detail, observation.pictures) == (Trouble.TIMEOUT, "late", (PICTURE,))
    assert (observation.status, observation.content, observation.sent) == (200, b'{"data":[]}', b'{"prompt":"x"}')
    assert [Finding.from_dict(item) for item in read.findings] == [FINDING]
    assert [Finding.from_dict(item).covers for item in read.findings] == [FINDING.covers]


def test_of_one_call_the_last_line_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "r", *(line(state=state) for state in CallState), line("run-2"))
    assert [entry.state for item in latest(read_exchanges(path).exchanges) if (entry := entry_of(item))] == [
        "checked"
    ] * 2


def test_what_was_reserved_and_never_settled_counts_as_charged(tmp_path: Path) -> None:
    path = write(tmp_path / "r", line(state=CallState.RESERVED))
    recorded_run = read_recorded_run(path, IDENTITY)
    call = recorded_run.get(CASE, 0)
    assert call is not None
    assert (call.is_lost, recorded_run.charge) == (True, Charge(1, 84_000, 0.042))


def test_a_released_call_is_still_to_be_made(tmp_path: Path) -> None:
    lines = (line(state=CallState.RESERVED), line(state=CallState.RELEASED, charge=Charge()))
    recorded_run = read_recorded_run(write(tmp_path / "r", *lines), IDENTITY)
    assert (recorded_run.get(CASE, 0), recorded_run.charge.usd, recorded_run.requests) == (None, 0, 1)


@pytest.mark.parametrize("changed", IDENTITY)
def test_no_run_resumes_the_recording_of_another(tmp_path: Path, changed: str) -> None:
    path = write(tmp_path / "r", line())
    with pytest.raises(CannotVerify, match=f"another {changed};"):
        read_recorded_run(path, {**IDENTITY, changed: "else"})


@pytest.mark.parametrize(
    "lines",
    [
        b'{"format": 9}\n',
        b"not json\n",
        b'{"format":1,"id":"a","time":"2026-06-12T10:00:00Z","method":"GET","path":"/"}\n',
    ],
)
def test_a_recording_with_unreadable_lines_is_not_resumed(tmp_path: Path, lines: bytes) -> None:
    path = tmp_path / "r"
    path.write_bytes(line().to_line() + lines)
    with pytest.raises(CannotVerify):
        read_recorded_run(path, IDENTITY)


def test_a_missing_recording_is_reported(tmp_path: Path) -> None:
    with pytest.raises(CannotVerify, match="No such file"):
        read_recorded_run(tmp_path / "r", IDENTITY)


@pytest.mark.parametrize("torn", [0, 1, 70_000])
def test_half_a_line_of_a_killed_process_is_removed(tmp_path: Path, torn: int) -> None:
    path = write(tmp_path / "r", line())
    path.write_bytes(path.read_bytes() + b"{" * torn)
    with Recorder(path, is_new=False) as recorder:
        recorder.write(line("run-2"))
    log = read_exchanges(path)
    assert ([item.id for item in log.exchanges], log.findings) == (["run-1", "run-2"], ())


def test_what_is_written_can_be_read_before_the_file_is_closed(tmp_path: Path) -> None:
    with Recorder(tmp_path / "r", is_new=True) as recorder:
        recorder.write(line(), is_money=True)
        assert len(read_exchanges(tmp_path / "r").exchanges) == 1


def test_a_new_run_does_not_write_into_another_s_recording(tmp_path: Path) -> None:
    path = write(tmp_path / "r", line())
    before = path.read_bytes()
    with pytest.raises(CannotVerify, match="already contains a recording"):
        Recorder(path, is_new=True)
    assert path.read_bytes() == before


@pytest.mark.parametrize("is_new", [True, False])
def test_a_run_that_another_process_makes_is_refused_until_its_end(tmp_path: Path, is_new: bool) -> None:
    with Recorder(tmp_path / "r", is_new=True) as recorder:
        recorder.write(line(), is_money=True)
        before = (tmp_path / "r").read_bytes()
        with pytest.raises(CannotVerify, match="another process is making this run"):
            Recorder(tmp_path / "r", is_new=is_new)
        assert (tmp_path / "r").read_bytes() == before
    Recorder(tmp_path / "r", is_new=False).close()


@pytest.mark.parametrize("path", ["/", "/dev/stdin/none"])
def test_a_path_that_is_not_a_file_is_rejected(path: str) -> None:
    with pytest.raises(CannotVerify):
        Recorder(Path(path), is_new=True)


def test_a_file_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    with pytest.raises(CannotVerify, match="No such file or directory"):
        Recorder(tmp_path / "missing" / "r", is_new=True)
    assert list(tmp_path.iterdir()) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["state", "case", "charge", "images", "number", "run_identity", "credential"]), inner
        )
    ),
    max_leaves=8,
)


@settings(max_examples=100)
@given(
    JSON, st.sampled_from(["", "state", "number", "charge", "run_identity", "expectation", "reserved_usd", "pictures"])
)
def test_any_record_of_a_call_is_read_or_rejected(value: Any, member: str) -> None:
    good = line()
    details = {**good.extra["verify"], member: value} if member else value
    read = Exchange("a", "2026-06-12T10:00:00Z", "POST", "/", extra={"verify": details})
    entry = entry_of(read)
    assert entry is None or isinstance(entry.reserved_usd, float)
    assert observation_of(read, CASE).status is None


@settings(max_examples=60)
@given(st.sampled_from(["header", "body", "name", "url", "detail", "picture", "number"]), st.data())
def test_the_key_is_redacted_wherever_a_server_puts_it(place: str, data: st.DataObject) -> None:
    spelled = data.draw(st.sampled_from([KEY, KEY.replace("-", "%2D"), KEY.replace("c", "\\u0063", 1)]))
    around = data.draw(st.text(st.characters(codec="utf-8", exclude_characters='"\\'), max_size=5))
    text = f"{around}{spelled}{around}"
    body = {"header": b"{}", "name": f'{{"{text}": 1}}'.encode(), "body": f'{{"m": "{text}"}}'.encode()}
    seen = Observation(
        CASE,
        f'{{"prompt": "{text}"}}'.encode(),
        400,
        {"content-type": text, "x-request-id": text, "set-cookie": text},
        body.get(place, text.encode()),
        detail=text,
        pictures=(FetchedPicture("/data/0", f"https://cdn.test/{text}", 200, text, None, None, KEY.encode(), text),),
    )
    redaction = Redaction(KEY)
    kept = redaction.observation(seen)
    finding = redaction.finding(
        Finding(f"a/{text}", Severity.INFO, Evidence.ASSUMED, f"/{text}", text, {text: [text]}, text)
    )
    entry = Entry("run-1", "2026-06-12T10:00:00.000Z", CallState.CHECKED, "c", "k")
    exchange = to_exchange(entry, "POST", "/", None, kept, (finding,), redaction.redactor)
    everything = repr(kept) + repr(finding) + exchange.to_line().decode()
    assert KEY not in everything
    assert "canary" not in everything.replace("\\\\u0063", "c").replace("\\u0063", "c")

"""The journal in memory: bounded, without keys, and in the format for exchanges."""

import base64
import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from bodydouble_mockserver.asgi import Answer
from bodydouble_mockserver.endpoints.handled import Effects, HandledRequest
from bodydouble_mockserver.journal.journal import Journal
from bodydouble_mockserver.request import CheckedRequest
from bodydouble_spec import Evidence, Finding, Redactor, Severity, decode_picture, record_value
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mockserver.tests.bodies import json_intake

CANARY = "sk-canary-0123456789-abcdef"
FINDING = Finding("request-enum", Severity.ERROR, Evidence.DOCUMENTED, "/aspect_ratio", "is not one", got="x")


def hashed(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:8] if key else ""


def make(
    body: bytes = b'{"prompt": "hi"}', *, key: str = "any-key", status: int = 200, **changes: Any
) -> HandledRequest:
    answer = Answer(status, b"application/json", b'{"data": []}', [(b"x-request-id", b"r-1")])
    headers = [(b"content-type", b"application/json"), (b"authorization", f"Bearer {key}".encode())]
    scope = {"method": "POST", "path": "/v1/images/generations", "query_string": b"", "headers": headers}
    handled = HandledRequest(
        {name: changes.pop(name, value) for name, value in scope.items()},
        answer,
        CheckedRequest(None, key.encode()),
        json_intake(body),
        "POST /v1/images/generations",
        started=1_781_258_400.0,
        duration_s=0.25,
    )
    return replace(handled, **changes)


def everything(journal: Journal) -> str:
    lines = [journal.line(number) or b"" for number in journal.numbers()]
    return b"".join(lines).decode() + "".join(str(exchange) for exchange in journal.exchanges())


def held(journal: Journal) -> str:
    """Return everything in memory, whether or not it was read."""
    return str(list(journal._entries))  # pyright: ignore[reportPrivateUsage] - entries that were not read are visible nowhere else


def test_an_entry_holds_the_request_and_the_answer() -> None:
    journal = Journal(hashed, run="run")
    journal.append(make(query_string=b"n=1", effects=Effects(applied=["code=429"], matched="answer-1")))
    (exchange,) = journal.exchanges()
    assert exchange.to_dict() == {
        "format": 1,
        "id": "run-1",
        "time": "2026-06-12T10:00:00.000Z",
        "method": "POST",
        "path": "/v1/images/generations?n=1",
        "operation": "POST /v1/images/generations",
        "key": hashed(b"any-key"),
        "headers": {"content-type": "application/json"},
        "body": {"prompt": "hi"},
        "findings": [],
        "answer": {
            "status": 200,
            "headers": {"content-type": "application/json", "content-length": "12", "x-request-id": "r-1"},
            "body": {"data": []},
        },
        "duration_s": 0.25,
        "matched": "answer-1",
        "applied": ["code=429"],
    }


def test_findings_are_in_the_entry() -> None:
    journal = Journal(hashed)
    journal.append(make(answer=Answer(400, b"application/json", b"{}", [], [FINDING])))
    assert journal.exchanges()[0].findings == (FINDING.to_dict(),)


def test_findings_beyond_a_hundred_are_counted() -> None:
    journal = Journal(hashed)
    journal.append(make(answer=Answer(400, b"application/json", b"{}", [], [FINDING] * 250)))
    findings = journal.exchanges()[0].findings
    assert (len(findings), findings[-1]["message"]) == (101, "150 more findings were omitted")


def test_a_finding_with_too_large_a_value_keeps_its_id_and_pointer() -> None:
    long = Finding("request-long", Severity.ERROR, Evidence.DOCUMENTED, "/a", "x", got=[["y"] * 9_000] * 2)
    journal = Journal(hashed)
    journal.append(make(answer=Answer(400, b"application/json", b"{}", [], [long])))
    assert journal.exchanges()[0].findings[0]["pointer"] == "/a"


@pytest.mark.parametrize("form", ["data:image/png;base64,{}", "{}"])
def test_a_picture_is_kept_by_the_hash_that_the_store_has_for_it(png: bytes, form: str) -> None:
    text = form.format(base64.b64encode(png).decode())
    journal = Journal(hashed)
    journal.append(make(orjson.dumps({"image_urls": [text]})))
    (kept,) = journal.exchanges()[0].body["image_urls"]
    assert kept["$picture"]["sha256"] == hashlib.sha256(decode_picture(text)).hexdigest()
    assert kept["$picture"]["pixels"] == [8, 8]


def test_a_large_picture_is_not_held() -> None:
    journal = Journal(hashed)
    journal.append(make(orjson.dumps({"image_urls": ["data:image/png;base64," + "A" * 5_000_000]})))
    assert journal.size_bytes < 5_000


# Values that a record may treat differently: secrets by name, by scheme and in URLs, pictures, escapes.
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "api_key", "token", "prompt", "Bearer abc123DEF456", "https://a:b@example.com/?key=1", "https://example.com/a.png", ":token",
            "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk", "iVBORw0KGgo" + "A" * 40, "A" * 1100, "a\nb",
            'say "hi": now',
        ]
    ),
)  # fmt: skip


PLACES: dict[str, Callable[[str], dict[str, Any]]] = {
    "prompt": lambda text: {"body": orjson.dumps({"prompt": f"draw {text} please"})},
    "escaped prompt": lambda text: {
        "body": b'{"prompt": "%b"}' % "".join(f"\\u{ord(letter):04x}" for letter in text).encode()
    },
    "name": lambda text: {"body": orjson.dumps({text: {"a": [text]}})},
    "broken body": lambda text: {"body": b'{"prompt": "' + text.encode()},
    "path": lambda text: {"path": f"/v1/{text}/images"},
    "method": lambda text: {"method": text},
    "query": lambda text: {"query_string": f"a=1&q={text}".encode()},
    "encoded query": lambda text: {"query_string": "".join(f"%{ord(letter):02X}" for letter in text).encode()},
    "header": lambda text: {"headers": [(b"user-agent", f"app/{text}".encode()), (b"cookie", text.encode())]},
    "bare header": lambda text: {
        "headers": [(b"authorization", text.encode())],
        "key": "",
        "body": orjson.dumps({"prompt": text}),
    },
    "second header": lambda text: {
        "headers": [(b"authorization", b"Bearer another-key"), (b"x-api-key", text.encode())],
        "key": "another-key",
        "body": orjson.dumps({"prompt": text}),
    },
    "answer": lambda text: {"answer": Answer(200, b"application/json", orjson.dumps({"echo": text}), [])},
    "answer header": lambda text: {"answer": Answer(200, b"a/b", b"", [(b"x-client-request-id", text.encode())])},
    "finding": lambda text: {
        "body": orjson.dumps({"aspect_ratio": text}),
        "answer": Answer(
            400,
            b"application/json",
            b"{}",
            [],
            [Finding("a", Severity.ERROR, Evidence.DOCUMENTED, f"/{text}", f"not {text}", got=text)],
        ),
    },
    "applied": lambda text: {"effects": Effects(applied=[f"code={text}"]), "query_string": text.encode()},
}


@pytest.mark.parametrize("place", PLACES)
def test_a_key_is_neither_shown_nor_held_wherever_it_was_sent(place: str) -> None:
    journal = Journal(hashed)
    changes: dict[str, Any] = {"key": CANARY, **PLACES[place](CANARY)}
    journal.append(make(**changes))
    assert CANARY not in held(journal)
    assert CANARY not in everything(journal)
    assert len(journal.exchanges()) == 1


def test_configured_keys_are_redacted_in_calls_with_another_key() -> None:
    journal = Journal(hashed, redactor=Redactor([CANARY]))
    journal.append(make(orjson.dumps({"prompt": CANARY}), key="another-key"))
    assert CANARY not in everything(journal)


def test_two_keys_have_different_hashes_and_no_key_is_none() -> None:
    journal = Journal(hashed)
    for key in ("first-key", "second-key", "first-key", ""):
        journal.append(make(key=key))
    first, second, again, none = [exchange.key for exchange in journal.exchanges()]
    assert first == again != second
    assert none is None


@example({"a": "A" * 1100})
@settings(deadline=None, max_examples=100)
@given(
    st.dictionaries(TEXTS, st.recursive(TEXTS | st.integers(-9, 9) | st.none() | st.booleans(), st.lists, max_leaves=6))
)
def test_a_line_has_the_body_as_it_is_redacted_value_by_value(body: dict[str, Any]) -> None:
    journal = Journal(hashed)
    journal.append(make(orjson.dumps(body, option=orjson.OPT_INDENT_2), key=""))
    line = journal.line(1) or b""
    assert line.count(b"\n") == 1
    assert orjson.loads(line)["body"] == record_value(body, Redactor())


BODIES = st.one_of(
    st.binary(max_size=100),
    st.integers(0, 40_000).map(lambda size: b'{"prompt": "%b"}' % (b"a b " * (size // 4))),
    st.text(max_size=50).map(lambda text: orjson.dumps({"prompt": text, "key": 5}) if text.isascii() else b"x"),
)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(BODIES, st.booleans(), st.sampled_from(["append", "read", "clear"])), max_size=30),
    st.integers(0, 8),
    st.integers(0, 60_000),
)
def test_any_sequence_of_calls_stays_within_both_bounds(
    calls: list[tuple[bytes, bool, str]], entries: int, max_bytes: int
) -> None:
    journal = Journal(hashed, entries=entries, max_bytes=max_bytes)
    appended = 0
    for body, is_wrong, action in calls:
        if action == "append":
            appended += 1
            journal.append(make(body, answer=Answer(200, b"a/b", body, [], [FINDING] if is_wrong else ())))
        elif action == "read":
            journal.exchanges()
        else:
            journal.clear()
        assert len(journal.numbers()) <= entries
        assert 0 <= journal.size_bytes <= max_bytes
    assert journal.numbers().stop == appended + 1


def test_an_entry_that_alone_is_over_the_bound_is_not_kept() -> None:
    journal = Journal(hashed, max_bytes=30_000)
    # Each number is recorded as 100000.0.
    journal.append(make(b"[" + b"1e5," * 7000 + b"0]"))
    assert journal.exchanges() == []
    assert journal.size_bytes == 0


def test_the_oldest_go_first_and_keep_their_numbers() -> None:
    journal = Journal(hashed, entries=2, run="run")
    for _ in range(5):
        journal.append(make())
    assert [exchange.id for exchange in journal.exchanges()] == ["run-4", "run-5"]


def test_numbers_are_not_used_again_after_clearing() -> None:
    journal = Journal(hashed, run="run")
    journal.append(make())
    assert journal.clear() == 1
    journal.append(make())
    assert [exchange.id for exchange in journal.exchanges()] == ["run-2"]


@settings(deadline=None)
@given(st.text(max_size=20) | st.integers(-5, 5).map(lambda number: f"run-{number}"))
def test_any_text_as_an_id_is_a_number_of_this_run_or_none(text: str) -> None:
    number = Journal(hashed, run="run").number(text)
    assert number is None or (text.startswith("run-") and number >= 0)


def test_reading_while_others_append_never_fails() -> None:
    journal = Journal(hashed, entries=50)
    done = threading.Event()

    def append() -> None:
        for _ in range(2000):
            journal.append(make())
        done.set()

    thread = threading.Thread(target=append)
    thread.start()
    while not done.is_set():
        journal.exchanges()
    thread.join()
    assert len(journal.exchanges()) == 50

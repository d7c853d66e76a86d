"""Redaction: no record has a key in any spelling, nor the value of a secret name."""

import base64
import json
import tracemalloc
from collections.abc import Callable
from urllib.parse import quote

import orjson
import pytest
from bodydouble_spec import Exchange, RecordedAnswer, Redactor, credentials, may_hold_key, record_body
from hypothesis import example, given, settings
from hypothesis import strategies as st

KEYS = st.text("abcXYZ019-_.~+/=", min_size=8, max_size=40).filter(lambda key: not set("*") & set(key))
PROSE = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
ODD_KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=255), min_size=8, max_size=20).filter(
    lambda key: "*" not in key and key.isprintable()
)


def as_escapes(key: str) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in key)


def as_percent(key: str) -> str:
    return "".join(f"%{ord(character):02x}" for character in key)


SPELLINGS: list[Callable[[str], str]] = [
    str,
    lambda key: quote(key, safe=""),
    as_percent,
    lambda key: as_percent(key).upper().replace("%", "%25"),
    lambda key: quote(quote(key, safe=""), safe=""),
    lambda key: f"Bearer {key}",
    lambda key: f"https://example.com/a.png?x=1&api_key={key}#end",
    lambda key: f"https://user:{key}@example.com/",
]


def with_escaped_slashes(key: str) -> str:
    return key.replace("/", "\\/")


def decoded(text: str) -> str:
    """Undo every encoding that a reader of a recorded line could undo."""
    from urllib.parse import unquote

    for _ in range(4):
        text = unquote(text)
    return text


def record(key: str, body: bytes, path: str = "/v1/images", query: str = "", header: str = "curl") -> str:
    redactor = Redactor([key])
    kept, raw = record_body(body, redactor)
    headers = redactor.headers(
        [("authorization", f"Bearer {key}"), ("user-agent", header), ("cookie", key), ("x-api-key", key)]
    )
    line = Exchange(
        "1", "2026-06-12T10:00:00Z", "POST", redactor.path(path, query), headers=headers, body=kept, raw=raw
    ).to_line()
    assert orjson.loads(line)["id"] == "1"
    return line.decode()


@settings(deadline=None)
@given(KEYS, PROSE, st.sampled_from(SPELLINGS), st.sampled_from(["value", "name", "deep", "header", "path", "query"]))
@example("abcXYZ019", "%", SPELLINGS[1], "value")
def test_a_key_is_found_nowhere_in_a_recorded_exchange(
    key: str, prose: str, spell: Callable[[str], str], place: str
) -> None:
    text = f"{prose}{spell(key)}"
    bodies = {"value": {"prompt": text}, "name": {text: 1}, "deep": [{"a": [[text]]}]}
    line = record(
        key,
        orjson.dumps(bodies.get(place, {})),
        path=f"/v1/{text}" if place == "path" else "/v1",
        query=f"a=b&{quote(prose)}={spell(key)}" if place == "query" else "",
        header=text if place == "header" else "curl",
    )
    assert key not in decoded(line)
    assert key not in json.dumps(orjson.loads(line), ensure_ascii=False)


@settings(deadline=None)
@given(KEYS)
def test_a_key_written_with_json_escapes_is_found_nowhere(key: str) -> None:
    body = f'{{"prompt": "{as_escapes(key)}"}}'.encode()
    assert key not in str(orjson.loads(record(key, body)))


@settings(deadline=None)
@given(KEYS, st.sampled_from([str, as_escapes, as_percent]), st.integers(0, 260))
def test_a_body_that_is_not_json_shows_no_part_of_a_key(key: str, spell: Callable[[str], str], before: int) -> None:
    line = record(key, b"{" + b" " * before + spell(key).encode() + b"\n" + b"[" * 300)
    text = orjson.loads(line)["raw"]["text"]
    assert not any(spell(key[: length + 4]) in text for length in range(len(key) - 4))


@settings(deadline=None)
@given(ODD_KEYS)
def test_a_key_of_any_characters_is_found_nowhere(key: str) -> None:
    as_sent = key.encode("latin-1").decode("latin-1")
    kept = orjson.loads(record(as_sent, orjson.dumps({"prompt": f"my key is {key}"})))["body"]["prompt"]
    assert kept in ("my key is ***", "***")


@settings(deadline=None)
@given(KEYS, st.binary(max_size=60), st.sampled_from([str, as_escapes, as_percent, with_escaped_slashes]))
def test_bytes_with_a_key_in_any_spelling_may_hold_a_key(key: str, noise: bytes, spell: Callable[[str], str]) -> None:
    assert may_hold_key(noise + spell(key).encode() + noise, [key.encode()])


def test_a_key_of_digits_is_redacted_as_a_number_too() -> None:
    assert record_body(b'{"a": 1234567890, "b": 5}', Redactor(["1234567890"]))[0] == {"a": "***", "b": 5}


def test_a_key_under_eight_characters_is_not_redacted() -> None:
    assert Redactor(["test"]).text("a test of the latest tests") == "a test of the latest tests"


def test_the_longer_of_two_keys_is_redacted_as_a_whole() -> None:
    assert Redactor(["abcdefgh", "abcdefgh-long"]).text("abcdefgh-long") == "***"


@pytest.mark.parametrize(
    "name",
    [
        "api_key",
        "apiKey",
        "key",
        "API-KEY",
        "access_token",
        "token",
        "password",
        "clientSecret",
        "Authorization",
        "X-Amz-Signature",
        "sig",
    ],
)
def test_the_value_of_a_secret_name_is_redacted_in_body_and_query(name: str) -> None:
    redactor = Redactor()
    assert record_body(orjson.dumps({name: "hidden-value"}), redactor)[0] == {name: "***"}
    assert redactor.path("/v1", f"{name}=hidden-value&n=1") == f"/v1?{name}=***&n=1"


@pytest.mark.parametrize("name", ["max_tokens", "tokens_used", "prompt", "keyword", "monkey", "author", "design", "n"])
def test_the_value_of_an_ordinary_name_is_kept(name: str) -> None:
    assert record_body(orjson.dumps({name: "shown"}), Redactor())[0] == {name: "shown"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Bearer sk-0123456789", "Bearer ***"),
        ("authorization: bearer abcdefABCDEF", "authorization: bearer ***"),
        ("Basic dXNlcjpwYXNzd29yZA==", "Basic ***"),
        ("a flag bearer walking along", "a flag bearer walking along"),
        ("basic photography of a bearer", "basic photography of a bearer"),
        ("https://me:secret@example.com/a?token=abc&b=c", "https://***@example.com/a?token=***&b=c"),
        (
            "https://s3.example.com/a.png?X-Amz-Signature=0af3&w=2",
            "https://s3.example.com/a.png?X-Amz-Signature=***&w=2",
        ),
    ],
)
def test_values_that_look_like_secrets_are_redacted_and_prose_is_kept(text: str, shown: str) -> None:
    assert Redactor().text(text) == shown


def test_a_body_that_is_not_json_loses_the_values_of_secret_names() -> None:
    _, raw = record_body(b'{"api_key": "hidden-value", "prompt": "x"', Redactor())
    assert raw is not None
    assert raw["text"] == '{"api_key": "***", "prompt": "x"'


def test_a_quoted_value_that_does_not_end_takes_little_memory() -> None:
    text = '{"data": "' + "A" * 1_000_000
    tracemalloc.start()
    shown = Redactor().raw(text, len(text))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (shown == text, peak < 20_000_000) == (True, True)


def test_a_form_loses_the_value_of_its_first_secret_field() -> None:
    _, raw = record_body(b"api_key=hidden-value&prompt=x", Redactor())
    assert raw is not None
    assert raw["text"] == "api_key=***&prompt=x"


@settings(deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=20)))
def test_only_headers_of_the_list_are_kept(headers: dict[str, str]) -> None:
    assert set(Redactor().headers(headers.items())) <= Redactor.kept_headers


def test_no_header_that_carries_credentials_is_on_the_list() -> None:
    assert not Redactor.kept_headers & Redactor.credential_headers


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("Authorization", "Bearer sk-canary", ["sk-canary"]),
        ("authorization", "sk-canary", ["sk-canary"]),
        ("x-api-key", "sk-canary", ["sk-canary"]),
        ("authorization", f"Basic {base64.b64encode(b'user:sk-canary').decode()}", "sk-canary"),
        ("authorization", f"Basic {base64.b64encode(b'sk-canary:').decode()}", "sk-canary"),
        ("user-agent", "curl", []),
        ("authorization", "", []),
    ],
)
def test_the_keys_in_headers_are_found(name: str, value: str, found: list[str] | str) -> None:
    keys = credentials([(name, value)])
    assert found in keys if isinstance(found, str) else keys == found


def test_a_redactor_with_more_keys_checks_header_values_again() -> None:
    redactor = Redactor()
    redactor.headers([("user-agent", "app sk-canary-0")])
    shown = redactor.with_keys(["sk-canary-0"]).headers([("user-agent", "app sk-canary-0")])
    assert shown == {"user-agent": "app ***"}


def test_the_answer_of_an_exchange_shows_in_its_line() -> None:
    line = Exchange("1", "2026-06-12T10:00:00Z", "GET", "/", answer=RecordedAnswer(204)).to_line()
    assert orjson.loads(line)["answer"] == {"status": 204, "headers": {}}

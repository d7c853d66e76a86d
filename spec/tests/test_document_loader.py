"""Reading of documents: files, URLs, JSON, YAML, and anything else."""

import contextlib
import json
import re
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from bodydouble_spec import Contract, UnreadableDocument
from bodydouble_spec.document.loader import copy_document, parse_document, read_source
from hypothesis import given, settings
from hypothesis import strategies as st

from spec.tests.servers import Quiet, serve_http

MINIMAL: dict[str, Any] = {
    "openapi": "3.0.0",
    "info": {"title": "t", "version": "1"},
    "paths": {"/a": {"get": {"responses": {}}}},
}
FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | FINITE | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)
LARGE_BYTES = 33 * 1024 * 1024


class Handler(Quiet, BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        answers: dict[str, tuple[int, bytes, dict[str, str]]] = {
            "/spec.json": (200, json.dumps(MINIMAL).encode(), {}),
            "/moved": (302, b"", {"Location": "/spec.json"}),
            "/loop": (302, b"", {"Location": "/loop"}),
            "/elsewhere": (302, b"", {"Location": "file:///etc/hostname"}),
            "/large": (200, b" " * LARGE_BYTES, {}),
            "/page": (200, b"<!doctype html><title>Sign in</title>", {"Content-Type": "text/html"}),
            "/squeezed": (200, b"not gzip", {"Content-Encoding": "gzip"}),
        }
        status, body, headers = answers.get(self.path, (404, b"no", {}))
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # the reader has closed the connection
            self.wfile.write(body)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serve_http(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as origin:
        yield origin


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.mark.parametrize("path", ["/spec.json", "/moved"])
def test_a_contract_is_loaded_from_a_url_also_after_a_redirect(server: str, path: str) -> None:
    contract = Contract.load(server + path, overlay=None)
    assert (contract.source, contract.operation().key) == (server + path, "GET /a")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/missing", "the server answered 404; check the URL"),
        ("/large", "larger than 32 MB"),
        ("/loop", "redirects"),
        ("/elsewhere", "file"),
        ("/squeezed", "check the address"),
    ],
)
def test_a_failed_download_is_one_clear_error(server: str, path: str, reason: str) -> None:
    with pytest.raises(UnreadableDocument, match=reason) as caught:
        Contract.load(server + path)
    assert str(caught.value).startswith(server + path)
    assert "\n" not in str(caught.value)


def test_a_page_instead_of_a_document_is_exactly_one_finding(server: str) -> None:
    assert [item.id for item in Contract.load(f"{server}/page").findings] == ["document-unreadable"]


def test_a_refused_connection_is_one_clear_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(UnreadableDocument, match="check the address and the network"):
            Contract.load(f"http://127.0.0.1:{taken.getsockname()[1]}/spec.json")


@pytest.mark.parametrize("url", ["http://", "http://[", "http://127.0.0.1:99999/", "https://\x00/", "HTTP://a b/"])
def test_a_malformed_url_is_one_clear_error(url: str) -> None:
    with pytest.raises(UnreadableDocument, match="check the address"):
        Contract.load(url)


@pytest.mark.parametrize("name", ["missing.json", "x" * 5000, "nul\0.json"])
def test_a_path_that_leads_to_no_file_is_one_clear_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableDocument, match="name a readable file or an http"):
        Contract.load(tmp_path / name)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no endless file")
def test_an_endless_file_is_refused() -> None:
    with pytest.raises(UnreadableDocument, match="larger than 32 MB"):
        read_source("/dev/zero")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not JSON .* and not YAML"),
        (b"{", "not JSON .line 1, column 2.* and not YAML .line 1, column 2"),
        (b"just words", "as YAML it is not an object"),
        (b"- a\n- b\n", "as YAML it is not an object"),
        (b"a: !!python/object:os.system {}", "not YAML"),
        (b"a: !!timestamp 2026-06-12", "not YAML"),
        (b"a: &a [*a]", "not YAML"),
        (b"a: " + b"9" * 5000, "not YAML"),
        (b"[" * 100_000, "not JSON .* and not YAML"),
    ],
)
def test_an_unreadable_document_is_explained_in_one_line(data: bytes, reason: str) -> None:
    document, problem = parse_document(data)
    assert document is None
    assert problem is not None
    assert "\n" not in problem
    assert re.search(reason, problem)


@pytest.mark.parametrize("data", [b"[1]", b"7", b'"text"', b"null"])
def test_json_that_is_not_an_object_is_exactly_one_finding(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_bytes(data)
    assert [item.id for item in Contract.load(path).findings] == ["document-unreadable"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_does_no_harm(encoding: str) -> None:
    assert parse_document(json.dumps(MINIMAL).encode(encoding)) == (MINIMAL, None)


@pytest.mark.parametrize(
    "bomb",
    [
        "\n".join(["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]),
        "\n".join(["a0: &a0 {k: v}"] + [f"a{n}: &a{n} {{p: *a{n - 1}, q: *a{n - 1}}}" for n in range(1, 40)]),
        f"a: &a [{', '.join('x' * 9000)}]\nb: &b [{', '.join(['*a'] * 9000)}]\nc: [{', '.join(['*b'] * 9000)}]",
    ],
    ids=["lists", "objects", "wide"],
)
def test_yaml_aliases_that_expand_without_end_are_refused(bomb: str) -> None:
    document, problem = parse_document(bomb.encode())
    assert document is None
    assert problem == "the document expands to more than 1000000 values"


def test_yaml_merges_of_merges_stay_small() -> None:
    lines = ["a0: &a0 {k: v, l: w}"] + [
        f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}], k{n}: v}}" for n in range(1, 12)
    ]
    document, problem = parse_document("\n".join(lines).encode())
    assert problem is None
    assert document["a11"] == {"k": "v", "l": "w", **{f"k{n}": "v" for n in range(1, 12)}}


def test_keys_of_a_yaml_mapping_override_merged_ones() -> None:
    document, _ = parse_document(b"a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc: {<<: [*a, *b], y: 3}")
    assert document["c"] == {"x": 1, "y": 3, "z": 2}


@pytest.mark.parametrize("nesting", [100, 121, 900, 5000])
def test_nesting_is_either_read_or_refused_never_a_crash(nesting: int) -> None:
    data = b'{"a":' * nesting + b"1" + b"}" * nesting
    document, problem = parse_document(data)
    assert (document is None) == (nesting > 120)
    assert (problem is None) == (nesting <= 120)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("on", "on"), ("yes", "yes"), ("y", "y"), ("true", True), ("False", False),
        ("16:9", "16:9"), ("1:1", "1:1"), ("190:20:30.15", "190:20:30.15"),
        ("2026-06-12", "2026-06-12"), ("2026-06-12T10:00:00Z", "2026-06-12T10:00:00Z"),
        ("1", 1), ("-3", -3), ("010", 10), ("0o17", 15), ("0x1F", 31), ("1_000", "1_000"), ("0b1", "0b1"),
        ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("1.2.3", "1.2.3"), ("3.0.0", "3.0.0"),
        ("~", None), ("null", None), ("", None), ("=", "="), ("'1'", "1"),
    ],
)  # fmt: skip
def test_an_unquoted_yaml_value_follows_yaml_1_2(text: str, value: Any) -> None:
    document, problem = parse_document(f"key: {text}".encode())
    assert problem is None
    assert document == {"key": value}
    assert type(document["key"]) is type(value)


def test_every_key_of_yaml_is_a_text() -> None:
    document, _ = parse_document(b"{200: a, 1.5: b, true: c, null: d, no: e, 2026-06-12: f}")
    assert list(document) == ["200", "1.5", "true", "null", "no", "2026-06-12"]


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs", "Cc"])), JSON_VALUES, max_size=4))
def test_json_is_read_as_it_is(value: dict[str, Any]) -> None:
    assert parse_document(json.dumps(value).encode()) == (value, None)


def test_yaml_and_json_of_the_same_document_give_the_same_contract(own_path: Path, tmp_path: Path) -> None:
    document, problem = parse_document(own_path.read_bytes())
    if problem is not None or own_path.stat().st_size > 20_000:
        return  # the empty document, and those that take PyYAML seconds
    path = tmp_path / "contract.yaml"
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)  # pyright: ignore[reportUnknownMemberType] - the stubs of PyYAML leave the type of its width open
    path.write_text(text, encoding="utf-8")
    from_yaml, from_json = Contract.load(path, overlay=None), Contract.load(document, overlay=None)
    assert from_yaml.document == from_json.document
    assert from_yaml.findings == from_json.findings


def test_a_document_made_in_python_is_read_as_its_json() -> None:
    made = {200: ("a", None), True: {"b": 2.0}}
    assert copy_document(made) == ({"200": ["a", None], "true": {"b": 2.0}}, None)


def test_a_document_that_contains_itself_is_one_finding() -> None:
    made: dict[str, Any] = dict(MINIMAL)
    made["x-self"] = made
    assert [item.id for item in Contract.load(made).findings] == ["document-unreadable"]


def test_a_document_that_is_not_json_is_one_finding() -> None:
    contract = Contract.load({**MINIMAL, "x-when": object()})
    assert [item.id for item in contract.findings] == ["document-unreadable"]


def test_loading_does_not_keep_the_document_that_it_was_given() -> None:
    made = json.loads(json.dumps(MINIMAL))
    contract = Contract.load(made, overlay=None)
    made["paths"].clear()
    assert contract.published == MINIMAL

"""The fuzz run's requests, as bytes, and the connections that send them and read the answers."""

import contextlib
import gzip
import json
import re
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from bodydouble_mockserver.directives import DIRECTIVE_NAMES
from bodydouble_mockserver.faults import FAULTS
from hypothesis import strategies as st

__all__ = ["CANARY", "MAX_BODY_BYTES", "Answer", "Plan", "plans", "send"]

CANARY = "sk-canary-0123456789-canary"
"""The key of the mock; it must leave it nowhere."""
MAX_BODY_BYTES = 2 * 1024 * 1024
OPERATION = "/v1/images/generations"
HOST = "api.aimlapi.com"
_QUIET_S = 0.4
# Stands for the path of the last picture.
_PICTURE = b"/generations/a/b.png"

BODY: dict[str, Any] = {
    "model": "google/gemini-2.5-flash-image-edit",
    "prompt": "hello",
    "image_urls": ["https://example.org/a.png"],
}
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(CANARY),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.sampled_from([*BODY]), inner, max_size=3)
    ),
    max_leaves=8,
)
# Bodies that ask for much work or memory.
_LARGE: tuple[Callable[[], bytes], ...] = (
    lambda: json.dumps({**BODY, "image_urls": [0] * 200_000}).encode(),
    lambda: json.dumps({**BODY, "image_urls": ["x"] * 90_000}).encode(),
    lambda: json.dumps({**BODY, "x": [{"a": 1}] * 40_000}).encode(),
    lambda: b"[" * 500_000,
    lambda: json.dumps({**BODY, "prompt": '"' * 700_000}).encode(),
    lambda: json.dumps({**BODY, "prompt": "no picture " * 150_000}).encode(),
    lambda: json.dumps({**BODY, "image_urls": ["data:image/png;base64," + "iVBORw0KGgo" + "A" * 1_000_000]}).encode(),
    lambda: b" " * (MAX_BODY_BYTES + 1),
    lambda: b"x" * (3 * MAX_BODY_BYTES),
)
_EDITS = st.dictionaries(
    st.sampled_from([*BODY, "num_images", "aspect_ratio", "provider", "n"]), _JSON, max_size=3
).map(lambda changes: {**BODY, **changes})


def _text(value: Any) -> bytes:
    return json.dumps(value).encode()


_BODIES = st.one_of(
    st.just(_text(BODY)),
    _EDITS.map(_text),
    _JSON.map(_text),
    st.binary(max_size=200),
    st.sampled_from(_LARGE).map(lambda make: make()),
    st.tuples(_EDITS.map(_text), st.integers(0, 300)).map(lambda both: both[0][: both[1]]),
)
_SECONDS = st.sampled_from(["0", "0.02", "0..0.05", "3600", "-1", "1e3", ""])
_DIRECTIVES = st.one_of(
    st.integers(199, 600).map(lambda code: f"code={code}"),
    _SECONDS.map(lambda text: f"delay={text}"),
    st.sampled_from([*FAULTS, "none"]).map(lambda name: f"fault={name}"),
    st.sampled_from(["documented", "quick-example", "observed-2026", "x"]).map(lambda name: f"dialect={name}"),
    st.sampled_from(["legacy", "problem", "x"]).map(lambda name: f"envelope={name}"),
    st.sampled_from(["url", "b64_json", "both", "x"]).map(lambda name: f"images={name}"),
    st.integers(-1, 10**10).map(lambda number: f"retry-after={number}"),
    st.sampled_from(["missing-data", "null-url", "extra-property", "x"]).map(lambda name: f"violation={name}"),
    st.tuples(st.sampled_from([*DIRECTIVE_NAMES, "respond-async", "x", ""]), st.text(max_size=8)).map("=".join),
)
_PREFER = st.lists(_DIRECTIVES, min_size=1, max_size=3).map(", ".join)
_SCENARIO_ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from([200, 429, 500, 503, 99]),
        "fault": st.sampled_from([*FAULTS]),
        "delay": st.sampled_from([0, 0.02, "0..0.05"]),
        "times": st.sampled_from([1, 2, None, 0]),
        "body": _JSON,
        "violation": st.just(value=True),
        "headers": st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=1),
        "match": st.fixed_dictionaries(
            {}, optional={"path": st.sampled_from(["/generations/*", "/v1/*"]), "prompt": st.text(max_size=5)}
        ),
        "path": st.sampled_from(["/v1/chat/completions", "/v1/*", "*"]),
    },
)
_SCENARIOS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "answers": st.lists(_SCENARIO_ANSWERS, max_size=3),
        "limits": st.fixed_dictionaries(
            {},
            optional={
                "requests_per_minute": st.sampled_from([0, 3, 1000, None]),
                "credits": st.sampled_from([0, 10**6]),
                "retry_after": st.booleans(),
                "expires_after_s": st.sampled_from([0, 100]),
            },
        ),
    },
)
_FILTERS = st.dictionaries(
    st.sampled_from(["status", "path", "method", "key", "since", "with_findings", "limit", "after", "last", "x"]),
    st.sampled_from(["429", "4xx", "/v1/*", "POST", "true", "1", "1000", "0", "-1", "2026-01-01", "a-1", "", "%00"]),
    max_size=3,
).map(lambda items: "&".join(f"{name}={value}" for name, value in items.items()))
_EXPECTATIONS = st.fixed_dictionaries(
    {},
    optional={
        "match": st.dictionaries(st.sampled_from(["status", "path", "prompt", "x"]), _JSON, max_size=2),
        "count": st.integers(-1, 3),
    },
)


@dataclass
class Request:
    """One request before it is written: ``asks`` tells that an answer of any status or form may come, as the client wanted it."""

    method: str = "POST"
    target: str = OPERATION
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    body: bytes = b""
    framing: str = "length"
    asks: bool = False

    def write(self) -> bytes:
        """Return the request as bytes."""
        headers = [("Host", "127.0.0.1"), *self.headers]
        body = self.body
        match self.framing:
            case "length":
                headers.append(("Content-Length", str(len(body))))
            case "chunked":
                headers.append(("Transfer-Encoding", "chunked"))
                parts = [body[start : start + 70_000] for start in range(0, len(body), 70_000)]
                body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])
            case "expect":
                headers += [("Content-Length", str(len(body))), ("Expect", "100-continue")]
            case "gzip":
                body = gzip.compress(body)
                headers += [("Content-Encoding", "gzip"), ("Content-Length", str(len(body)))]
            case _:
                headers.append(("Content-Length", str(len(body) + 7)))
        head = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
        return "\r\n".join(head).encode("utf-8", "surrogateescape") + body


def _control(method: str, path: str, body: bytes = b"") -> Request:
    return Request(
        method,
        f"/_bodydouble/{path}",
        [("Content-Type", "application/json"), ("Authorization", "Bearer control")],
        body,
    )


_FORM = [
    ("Content-Type", "application/x-www-form-urlencoded"),
    ("Authorization", "Bearer control"),
    ("Origin", "http://127.0.0.1"),
]
_CONTROL = st.one_of(
    st.sampled_from(["health", "faults", "violations", "scenarios", "events", "requests/x-1", "nothing"]).map(
        lambda path: _control("GET", path)
    ),
    _SCENARIOS.map(lambda value: _control("POST", "scenarios", _text(value))),
    _BODIES.map(lambda body: _control("POST", "scenarios", body)),
    _FILTERS.map(lambda query: _control("GET", f"requests?{query}")),
    _FILTERS.map(lambda query: _control("GET", f"requests/count?{query}")),
    _EXPECTATIONS.map(lambda value: _control("POST", "requests/verify", _text(value))),
    st.sampled_from([("DELETE", "scenarios"), ("POST", "reset"), ("DELETE", "requests"), ("PUT", "health")]).map(
        lambda both: _control(*both)
    ),
    _BODIES.map(lambda body: _control("POST", "reset", body)),
    st.sampled_from(
        ["", "contract", "rows", "calls/x-1", "static/x", "script", "limits", "try", f"inputs/{'a' * 64}"]
    ).map(lambda path: _control("GET", path)),
    st.tuples(st.sampled_from(["script", "script/remove", "limits", "try"]), _FILTERS | _BODIES.map(repr)).map(
        lambda both: replace(_control("POST", both[0], both[1].encode()), headers=_FORM)
    ),
)
_KEYS = st.sampled_from(
    [f"Bearer {CANARY}", f"bearer  {CANARY}", f"Basic {CANARY}", CANARY, "Bearer other-key-0123", "", "Bearer"]
)
_CONTENT_TYPES = st.sampled_from(
    [
        "application/json",
        "application/json",
        "application/json; charset=utf-8",
        "text/plain",
        "multipart/form-data; boundary=x",
        "",
    ]
)
_TARGETS = st.one_of(
    st.sampled_from(
        [OPERATION] * 3
        + ["/images/generations/", "/v1/chat/completions", "/v1/models", "/v2/billing", "/generations/a/b.png"]
    ),
    st.just(f"{OPERATION}?api_key={CANARY}&x=%ff"),
    st.sampled_from([f"/v1/{CANARY}", "/", "//", "/%00", "/a b", "/../..", "*"]),
    st.just(f"http://{HOST}{OPERATION}"),
    st.just("http://other.example/x"),
)
_EXTRA = st.sampled_from(
    [
        [],
        [("Connection", "close")],
        [("Connection", "keep-alive, Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABk")],
        [
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "eA=="),
        ],
        [
            ("Origin", "https://page.example"),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "authorization"),
        ],
        [("Accept", "text/event-stream")],
        [("Accept-Encoding", "x" * 70_000)],
        [(f"X-{number}", "1") for number in range(3000)],
        [("X-Client-Request-Id", "a" * 129)],
        [("Transfer-Encoding", "gzip, chunked")],
        [("Cookie", f"session={CANARY}")],
        [("X-Bad\0", "1")],
    ]
)


@st.composite
def _calls(draw: st.DrawFn) -> Request:
    """Draw a request to the operation, a picture, or a route of no contract."""
    headers = [
        ("Authorization", draw(_KEYS)),
        ("Content-Type", draw(_CONTENT_TYPES)),
        *(draw(_EXTRA) if draw(st.integers(0, 2)) == 2 else []),
    ]
    asks = draw(st.integers(0, 3)) == 3
    if asks:
        headers.append(("Prefer", draw(_PREFER)))
    method = draw(
        st.sampled_from(["POST"] * 9 + ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "CONNECT", "post"])
    )
    target = f"{draw(st.sampled_from([HOST, 'other.example', '']))}:443" if method == "CONNECT" else draw(_TARGETS)
    framing = draw(st.sampled_from(["length"] * 4 + ["chunked", "expect", "gzip", "wrong"]))
    return Request(method, target, headers, draw(_BODIES), framing, asks)


@dataclass
class Plan:
    """What one connection does: it sends ``parts`` and then ends; ``is_exact`` tells that they are whole requests, and ``asks`` as in `Request`."""

    parts: list[bytes]
    ending: str
    is_exact: bool
    asks: bool


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Draw what one connection does: some requests, as they are or damaged, in several parts, pipelined or not."""
    count = draw(st.integers(1, 3))
    requests = [draw(_CONTROL if draw(st.integers(0, 3)) == 3 else _calls()) for _ in range(count)]
    data = b"".join(request.write() for request in requests)
    damage = draw(st.sampled_from(["none"] * 4 + ["cut", "replace", "insert", "bytes"]))
    place = draw(st.integers(0, min(len(data), 2000)))
    if damage == "cut":
        data = data[:place]
    elif damage == "replace":
        data = data[:place] + draw(st.binary(max_size=5)) + data[place + 5 :]
    elif damage == "insert":
        data = (
            data[:place]
            + draw(st.sampled_from([b"\r\n", b"\0", b"\r\n\r\n", b" ", b":", b"Content-Length: 3\r\n"]))
            + data[place:]
        )
    elif damage == "bytes":
        data = draw(st.binary(min_size=1, max_size=400))
    cuts = sorted(draw(st.lists(st.integers(0, max(len(data), 1)), max_size=2)))
    parts = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True) if start < end]
    is_exact = damage == "none" and all(request.framing in ("length", "chunked", "gzip") for request in requests)
    ending = draw(st.sampled_from(["read"] * 4 + ["close", "reset", "half"]))
    return Plan(parts, ending, is_exact, any(request.asks for request in requests))


@dataclass(frozen=True)
class Answer:
    """An answer that was read: its status, and its request id, empty where it has none."""

    status: int
    request_id: str


_HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n")


def read_answers(data: bytes) -> tuple[list[Answer], bytes]:
    """Return the whole answers in what a connection sent, and what is left after them."""
    answers: list[Answer] = []
    while found := _HEAD.match(data):
        lines = (line.partition(":") for line in found[2].decode("latin-1").splitlines())
        headers = {name.strip().lower(): value.strip() for name, _, value in lines}
        status = int(found[1])
        length = 0 if status in (100, 204, 304) else int(headers.get("content-length", "0"))
        is_to_head = data.startswith(b"HTTP/1.1 ", found.end())
        end = found.end() + (0 if is_to_head else length)
        if len(data) < end:
            break
        if status != 100:
            answers.append(Answer(status, headers.get("x-request-id", "")))
        data = data[end:]
    return answers, data


def send(port: int, plan: Plan, picture: bytes, patience_s: float = _QUIET_S) -> bytes:
    """Do what a plan says, with the path of a picture; return the bytes that came back, as far as they were read."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection, contextlib.suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in plan.parts:
            connection.sendall(part.replace(_PICTURE, picture))
        if plan.ending == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if plan.ending == "half":
            connection.shutdown(socket.SHUT_WR)
        if plan.ending in ("read", "half"):
            connection.settimeout(patience_s)
            while part := connection.recv(65536):
                received += part
    return received

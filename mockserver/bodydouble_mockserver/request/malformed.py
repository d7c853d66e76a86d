"""Requests that no answer of the contract fits: what was sent instead of HTTP/1.1, or what is wrong with the head, and what to do."""

import re
from dataclasses import dataclass

from bodydouble_spec import Evidence, Finding, Severity

__all__ = ["MAX_URL_BYTES", "MalformedRequest", "explain_malformed", "too_late", "too_long", "too_many", "too_slow"]

# Assumed: usual limits of proxies in front of an API.
MAX_URL_BYTES = 16 * 1024

_REQUEST_LINE = re.compile(rb"\s{0,8}([!-~]{1,40}) ([^ \r\n]{0,200})")
_METHODS = frozenset(b"GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT".split())
_VERSION = re.compile(rb"[^\r\n]* (HTTP/[0-9.]{1,8})\r?\n")
# Only a name before a colon is shown: a line without one may be a key.
_HEADER_NAME = re.compile(rb"\n([!-9;-~]{1,40})[ \t]+:")
# What other protocols send first, and the advice.
_OTHER_PROTOCOLS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"SSH-"), "an SSH greeting"),
    (re.compile(rb"PROXY (TCP|UNKNOWN)|\r\n\r\n\x00\r\nQUIT\n"), "the header of the PROXY protocol; switch it off in the load balancer"),
    (re.compile(rb"\*[0-9]+\r\n\$|PING\r\n"), "a command of Redis"),
    (re.compile(rb"(EHLO|HELO) "), "a greeting of SMTP"),
    (re.compile(rb"\s*[{\[<]"), "a body without a request line and headers; use an HTTP client"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MalformedRequest:
    """A request that cannot be served: the rule, the status, one sentence, method and path as far as they were readable."""

    rule: str
    status: int
    message: str
    method: str = "-"
    path: str = "/"
    severity: Severity = Severity.ERROR
    evidence: Evidence = Evidence.DOCUMENTED

    def finding(self) -> Finding:
        """Return the finding for journal and log."""
        return Finding(
            self.rule, self.severity, self.evidence, "", self.message, direction="request"
        )  # fmt: skip


def too_late(head: bytes, timeout_s: float) -> MalformedRequest:
    """Return the refusal of a head that was not complete in time."""
    text = f"The request line and headers did not arrive within {timeout_s:g} seconds; end them with an empty line"
    return _malformed("request-head-too-late", 408, text, head)


def too_slow(method: str, path: str, timeout_s: float) -> MalformedRequest:
    """Return the refusal of a request whose body stopped coming."""
    text = f"No more of the request body arrived within {timeout_s:g} seconds; send as much as Content-Length says"
    return MalformedRequest("request-body-too-late", 408, text, method, path)


def too_many(head: bytes, max_connections: int) -> MalformedRequest:
    """Return the refusal of a request on a connection beyond the limit."""
    text = f"There are more than {max_connections:,} connections; close some, or start the mock with a larger --max-connections"
    return _malformed("too-many-connections", 503, text, head)


def too_long(head: bytes, url_bytes: int, max_head_bytes: int) -> MalformedRequest:
    """Return the refusal of a head that is too long: 414 when the URL is, else 431."""
    if url_bytes > MAX_URL_BYTES:
        text = f"The URL is longer than {MAX_URL_BYTES:,} bytes; send the data in the body"
        return _malformed("request-url-too-long", 414, text, head)
    text = f"The request line and headers are longer than {max_head_bytes:,} bytes; send fewer or shorter headers and cookies"
    return _malformed("request-head-too-long", 431, text, head)


def explain_malformed(head: bytes, reason: str, *, is_body: bool = False) -> MalformedRequest:
    """Return what is wrong with a request that the parser refused for ``reason``; ``head`` begins where the request begins.

    ``is_body`` tells that the head was complete, so that the fault is in the body. No value of a header is repeated.
    """
    if is_body and "Transfer-Encoding" not in reason:
        text = (
            f"The body is not in the chunks that Transfer-Encoding announces ({reason}); let the HTTP client write them"
        )
        return _malformed("request-chunk-malformed", 400, text, head)
    return _other_protocol(head) or _faulty_line(head, reason) or _faulty_headers(head, reason)


def _other_protocol(head: bytes) -> MalformedRequest | None:
    if (head[:1] == b"\x16" and head[1:2] in (b"", b"\x03")) or (
        len(head) > 4 and head[0] & 0x80 and head[2:4] == b"\x01\x03"
    ):
        text = "This is a TLS handshake, and this port speaks plain HTTP; use http:// instead of https://, or start the server with a certificate (--tls-cert, --tls-key)"
        return MalformedRequest("request-is-tls", 400, text)
    if head.startswith(b"PRI * HTTP/2"):
        text = "This is HTTP/2 from the first byte (prior knowledge), and this port speaks HTTP/1.1; switch the client to HTTP/1.1 (curl: --http1.1)"
        return MalformedRequest("request-is-http2", 400, text)
    for pattern, name in _OTHER_PROTOCOLS:
        if pattern.match(head):
            return MalformedRequest("request-not-http", 400, f"This is not HTTP but {name}")
    return None


def _faulty_line(head: bytes, reason: str) -> MalformedRequest | None:
    line = _REQUEST_LINE.match(head)
    method = b"" if line is None else line[1]
    version = _VERSION.match(head)
    if method == b"CONNECT":
        text = "CONNECT asks a proxy for a tunnel, and this server is not a proxy; use its address as base URL, and not in HTTPS_PROXY"
        return _malformed("request-connect", 400, text, head)
    if "method" in reason:
        if method in _METHODS:
            text = "More bytes follow than Content-Length says, and they are not a request; correct Content-Length, or leave it to the HTTP client"
            return _malformed("request-length-conflict", 400, text, head)
        if version is None:
            text = "This is not HTTP: a request begins with a line such as POST /v1/images/generations HTTP/1.1"
            return MalformedRequest("request-not-http", 400, text)
        upper = method.upper()
        advice = (
            f"methods are case-sensitive, send {upper.decode()}" if upper in _METHODS else "HTTP has no such method"
        )
        name = method.decode("latin-1") if method.isalpha() else "in the request line"
        return _malformed("request-method-unknown", 400, f"The method {name} is unknown; {advice}", head)
    if ("version" in reason and "after" not in reason) or reason == "HTTP/0.9":
        if reason == "HTTP/0.9":
            text = "This is HTTP/0.9, a request line without a version and headers; send HTTP/1.1"
            return _malformed("request-is-http09", 400, text, head)
        named = version[1].decode() if version is not None else "another version"
        return _malformed("request-version-unknown", 400, f"The request line says {named}; send HTTP/1.1", head)
    if "url" in reason.lower() or "HTTP/" in reason or "dot" in reason:
        text = "The request line is malformed: write the method, one space, the URL, one space and HTTP/1.1, and percent-encode spaces and every character beyond ASCII in the URL"
        return _malformed("request-line-malformed", 400, text, head)
    return None


def _faulty_headers(head: bytes, reason: str) -> MalformedRequest:
    if "Content-Length" in reason and "Transfer-Encoding" in reason:
        text = "Content-Length and Transfer-Encoding are both sent, and contradict each other; send one of them"
        return _malformed("request-length-conflict", 400, text, head)
    if "Duplicate" in reason:
        return _malformed("request-length-conflict", 400, "Content-Length is sent twice; send it once", head)
    if "Content-Length" in reason:
        text = f"Content-Length is not a number of bytes that can be sent ({reason}); send the length of the body in digits"
        return _malformed("request-length-malformed", 400, text, head)
    if "Transfer-Encoding" in reason:
        text = "Transfer-Encoding must be chunked, and nothing after it; send chunked or a Content-Length"
        return _malformed("request-transfer-encoding-unknown", 400, text, head)
    if "header token" in reason:
        name = _HEADER_NAME.search(head)
        which = (
            f"the header {name[1].decode()} has a space before its colon"
            if name
            else "a header's name is missing, has no colon after it, or has characters that are not allowed"
        )
        text = f"The headers are malformed: {which}; write Name: value, the name in ASCII without spaces"
        return _malformed("request-header-malformed", 400, text, head)
    if "whitespace after header value" in reason:
        text = "The headers are malformed: a header continues on a second line; write it on one line"
        return _malformed("request-header-malformed", 400, text, head)
    if "header value" in reason:
        text = "The headers are malformed: a value has a control character; remove line breaks and NUL from it"
        return _malformed("request-header-malformed", 400, text, head)
    if "CR" in reason or "LF" in reason:
        text = "The lines of the head do not end in CR LF; end every line with both"
        return _malformed("request-line-ends", 400, text, head)
    return _malformed("request-malformed", 400, f"The request is not valid HTTP/1.1: {reason}", head)


def _malformed(rule: str, status: int, message: str, head: bytes) -> MalformedRequest:
    line = _REQUEST_LINE.match(head)
    if line is None or not line[1].isalpha():
        return MalformedRequest(rule, status, message)
    # Without the query, which may hold a key, and without the host and user of a whole URL.
    path = re.sub(rb"[a-zA-Z]{1,10}://[^/?]*", b"", line[2]).partition(b"?")[0]
    return MalformedRequest(
        rule, status, message, line[1].decode(), path.decode("latin-1") if path.startswith(b"/") else "/"
    )

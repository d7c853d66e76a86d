"""An answer of the upstream as journal, recording and report have it."""

from collections.abc import Sequence
from typing import Any

import orjson
from bodydouble_mockserver.asgi import Answer
from bodydouble_mockserver.endpoints import HandledRequest
from bodydouble_spec import Evidence, Finding, Severity

from bodydouble_contract_tests.model import Trouble
from bodydouble_contract_tests.proxy.relay import Relayed
from bodydouble_contract_tests.proxy.upstream import STOPPED, CallFailure
from bodydouble_contract_tests.target import Undecodable, decoded

__all__ = ["answer_of", "decoded_answer", "failure_finding", "header_of", "listed", "parsed"]


def decoded_answer(relayed: Relayed, max_bytes: int) -> tuple[bytes, CallFailure | None]:
    """Return the body of an answer without its content encoding, and the failure of the call; one that cannot be decoded stays as it came."""
    encoding = header_of(relayed, "content-encoding")
    if not relayed.is_whole:
        text = f"the answer is longer than {max_bytes:,} bytes: it was passed on, and only its beginning was kept (--max-answer-mb)"
        return relayed.body, CallFailure("answer-too-large", Trouble.BROKEN, text, was_sent=True)
    if relayed.failure is not None or not relayed.body:
        return relayed.body, relayed.failure
    try:
        return decoded(relayed.body, encoding, max_bytes), None
    except Undecodable as error:
        if "gzip" in encoding.lower():
            text = f"the answer cannot be decoded: {error}; it was passed on as it came"
            return relayed.body, CallFailure("answer-undecodable", Trouble.UNDECODABLE, text, was_sent=True)
        # Perhaps a coding that only the client knows; it is kept as it came.
        return relayed.body, None


def answer_of(relayed: Relayed, content: bytes, failure: CallFailure | None) -> Answer:
    """Return an answer of the upstream for journal and recording."""
    own = {b"content-type", b"content-length", b"transfer-encoding"}
    if content is not relayed.body or failure is not None:
        own.add(b"content-encoding")
    headers = [(name.lower(), value) for name, value in relayed.headers if name.lower() not in own]
    return Answer(relayed.status or 0, header_of(relayed, "content-type").encode("latin-1"), content, headers)


def failure_finding(handled: HandledRequest, failure: CallFailure) -> Finding:
    """Return the finding about a call without a whole answer."""
    return Finding(
        failure.rule,
        Severity.WARNING if failure.rule == STOPPED else Severity.ERROR,
        Evidence.OBSERVED,
        "",
        failure.message,
        direction="response",
        operation=handled.operation,
    )


def header_of(relayed: Relayed, name: str) -> str:
    """Return a header of an answer, the first of several; empty where there is none."""
    wanted = name.encode()
    return next((value.decode("latin-1") for key, value in relayed.headers if key.lower() == wanted), "")


def parsed(content: bytes) -> Any:
    """Return the JSON of a body; None for any other."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None


def listed(findings: Sequence[Finding]) -> bytes:
    """Return findings for a header: their number, then id and place of each."""
    named = [f"{finding.id} {finding.pointer}".strip() for finding in findings[:20]]
    return "; ".join([str(len(findings)), *named]).encode("ascii", "backslashreplace")

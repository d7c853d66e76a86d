"""A request with its answer, and everything that a script or a directive changed about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from bodydouble_spec import Redactor, credentials

from bodydouble_mockserver.asgi import Answer, Headers, Scope
from bodydouble_mockserver.request import CheckedRequest, Intake
from bodydouble_mockserver.scripting import ScriptedAnswer

__all__ = ["Effects", "HandledRequest", "apply_script", "put_header"]


@dataclass(frozen=True, slots=True)
class Effects:
    """Everything that a Prefer header, a script or a setting of the run changed about one answer.

    The answer waits for ``delay_s`` seconds and is broken by ``fault``. ``matched`` is the id of the scripted answer that was used, ``applied``
    the directives that took effect ("code=429", "fault=hang"). ``is_random`` marks a failure that the failure rate of the run chose.
    """

    delay_s: float = 0.0
    fault: str | None = None
    matched: str | None = None
    applied: Sequence[str] = ()
    is_random: bool = False


_CREDENTIAL_HEADERS = frozenset(name.encode() for name in Redactor.credential_headers)
_NO_EFFECTS = Effects()
_NO_BODY = Intake()


@dataclass(slots=True)
class HandledRequest:
    """A request and its answer, neither redacted nor formatted: the journal and the log decide what to keep.

    ``scope`` is that of the ASGI connection, ``intake`` the body (empty where the request was refused unread), ``operation`` the key of the
    operation or None, ``kind`` what was asked for where it is no operation. ``started`` is seconds since the epoch, and ``duration_s`` includes the delay.
    ``note`` is what the log tells of the call besides, such as its cost.
    """

    scope: Scope
    answer: Answer
    checked: CheckedRequest
    intake: Intake = _NO_BODY
    operation: str | None = None
    contract: str | None = None
    kind: str | None = None
    effects: Effects = _NO_EFFECTS
    started: float = 0.0
    duration_s: float = 0.0
    note: str | None = None

    @property
    def method(self) -> str:
        """The request method."""
        method: str = self.scope["method"]
        return method

    @property
    def path(self) -> str:
        """The path, percent-decoded by the ASGI server."""
        path: str = self.scope["path"]
        return path

    @property
    def query(self) -> bytes:
        """The query string as sent, without the question mark."""
        query: bytes = self.scope["query_string"]
        return query

    @property
    def headers(self) -> Headers:
        """The request's headers as received, by lower-case name."""
        headers: Headers = self.scope["headers"]
        return headers

    @property
    def keys(self) -> list[bytes]:
        """The keys and other credentials of the request that are long enough to search for."""
        key, secrets = self.checked.key, self.checked.secrets
        sent = [header for header in self.scope["headers"] if header[0] in _CREDENTIAL_HEADERS]
        # The only credential header is that of the bearer key, which is known.
        if len(sent) == 1 and (key,) == secrets:
            return [key] if len(key) >= Redactor.shortest_key else []
        return [secret for secret in (key, *secrets, *_credentials(sent)) if len(secret) >= Redactor.shortest_key]

    def redactor(self, known: Redactor) -> Redactor:
        """Return a redactor that knows the keys of the request beside those that ``known`` has."""
        keys = self.keys
        return known.with_keys(key.decode("latin-1") for key in keys) if keys else known


def _credentials(headers: Headers) -> list[bytes]:
    found = credentials((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)
    return [secret.encode("latin-1", "ignore") for secret in found]


def apply_script(answer: Answer, scripted: ScriptedAnswer) -> None:
    """Replace body and headers by those of a scripted answer."""
    if scripted.body is not None:
        answer.body = scripted.body
    answer.content_type = scripted.content_type or answer.content_type
    for name, value in scripted.headers:
        put_header(answer, name, value)


def put_header(answer: Answer, name: bytes, value: bytes) -> None:
    """Set a header of an answer, in the place of one with the same name."""
    answer.headers = [(known, old) for known, old in answer.headers if known != name]
    answer.headers.append((name, value))

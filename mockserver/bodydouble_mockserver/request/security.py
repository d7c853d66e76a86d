"""Keys of a request, by the security that the contract declares: found in their places, and accepted or refused."""

import base64
import binascii
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from bodydouble_spec import BEARER, Evidence, Finding, KeyPlace, Operation, Redactor, Security, Severity, join_pointer

from bodydouble_mockserver.asgi import Scope
from bodydouble_mockserver.errors import MESSAGES, NO_KEY
from bodydouble_mockserver.settings import Settings

__all__ = ["CheckedKeys", "KeyChecks", "SentKeys", "bearer_key", "refuse_keys", "sent_keys"]

# The bearer keys of which the result of the checks is kept, and the length of the longest one.
_MAX_KNOWN, _MAX_KNOWN_BYTES = 100, 500

# Values that stand in the place of a key when a variable is not set, not replaced or quoted once too often.
_PLACEHOLDER = re.compile(
    rb"""(?P<unset>undefined|null|none|nil|nan|false|true|\[object\ Object\])
    |(?P<scheme>bearer(?:\s.*)?)
    |(?P<quoted>['"`].*|.*['"`])
    |(?P<variable>\$.*|%.*%|\{.*\}|(?:process|os|import\.meta)\.env.*)
    |(?P<sample>api[-_ ]?key|key|token|secret|change-?me|todo|x{3,}|\.{3,}|\*{3,}|<.*>|\[.*\]|(?:.*\b)?your[-_ ].*|(?:insert|enter|paste|replace|put)[-_ ].*)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_MISTAKES = {
    "unset": "is what an unset variable turns into",
    "scheme": "repeats the name of the scheme; send that once",
    "quoted": "has quotation marks, which belong to a shell or a .env file and not to the key",
    "variable": "is the name of a variable instead of its value",
    "sample": "is a placeholder from an example",
}
_CREDENTIAL_HEADERS = tuple(name.encode() for name in sorted(Redactor.credential_headers))


def bearer_key(authorization: bytes) -> bytes:
    """Return the key of an Authorization header, or empty bytes when it has none."""
    if authorization.startswith(b"Bearer "):
        return authorization[7:].strip()
    scheme, _, key = authorization.strip().partition(b" ")
    return key.strip() if scheme.lower() == b"bearer" else b""


@dataclass(slots=True)
class SentKeys:
    """The keys of a request. ``key`` tells callers apart; it is empty when no place that the contract names has one.

    ``by_place`` has the key of each place, unless a bearer key is all that the contract has, and ``secrets`` every spelling that
    must not be kept.
    """

    key: bytes
    by_place: Mapping[KeyPlace, bytes]
    secrets: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class KeyRefusal:
    """The reason of a 401: ``message`` in the vendor's words, ``detail`` in those of the contract, and the place.

    ``is_on_purpose`` tells that the key is one that is always refused.
    """

    rule: str
    message: str
    detail: str
    pointer: str
    is_on_purpose: bool = False

    def finding(self, operation: str) -> Finding:
        """Return the finding for journal and log; it has no key."""
        severity = Severity.INFO if self.is_on_purpose else Severity.for_evidence(Evidence.DOCUMENTED)
        return Finding(
            self.rule, severity, Evidence.DOCUMENTED, self.pointer, self.detail, direction="request", operation=operation
        )  # fmt: skip


_BEARER_PLACE = BEARER.alternatives[0][0]
_NO_KEYS = SentKeys(b"", {}, ())


def sent_keys(security: Security, scope: Scope, headers: Mapping[bytes, bytes]) -> SentKeys:
    """Return the keys of a request in the places of the contract; without any place, the bearer key."""
    if security is BEARER or not security.alternatives:
        key = bearer_key(headers.get(b"authorization", b""))
        return SentKeys(key, {_BEARER_PLACE: key}, (key,)) if key else _NO_KEYS
    found: dict[KeyPlace, bytes] = {}
    secrets: list[bytes] = []
    for place in security.places:
        value = _value_at(place, scope, headers)
        key = _key_of(place, value)
        if key:
            found[place] = key
        if value:
            secrets += (value, key, *_parts(place, key))
    used = next((places for places in security.alternatives if places and all(map(found.get, places))), None)
    keys = [found[place] for place in used] if used is not None else list(found.values())
    return SentKeys(b" ".join(keys), found, tuple(dict.fromkeys(filter(None, secrets))))


def refuse_keys(
    settings: Settings, security: Security, sent: SentKeys, headers: Mapping[bytes, bytes]
) -> KeyRefusal | None:
    """Return the reason to refuse a request for its keys, or None when they are accepted.

    Without configured keys, any key is accepted that is not empty and does not begin with the prefix of the settings. Where the contract makes
    the key optional, one that is sent must be accepted nevertheless.
    """
    if not settings.require_key or not security.alternatives:
        return None
    if security is BEARER:
        if not sent.key:
            return _missing(security, sent, headers)
        return None if _is_accepted(settings, _BEARER_PLACE, sent.key) else _refused(settings, _BEARER_PLACE, sent.key)
    refused: KeyPlace | None = None
    for places in security.alternatives:
        if places and all(place in sent.by_place for place in places):
            refused_here = next(
                (place for place in places if not _is_accepted(settings, place, sent.by_place[place])), None
            )
            if refused_here is None:
                return None
            refused = refused or refused_here
    if refused is not None:
        return _refused(settings, refused, sent.by_place[refused])
    return _missing(security, sent, headers) if security.is_required else None


@dataclass(slots=True)
class CheckedKeys:
    """The keys of a request, the reason to refuse it for them, and a warning about one that is accepted."""

    sent: SentKeys
    refused: KeyRefusal | None
    doubtful: Finding | None


class KeyChecks:
    """The checks of the keys in the requests for one operation.

    An app sends the same bearer key with every request, so what was found of the last ones is kept, in memory only.
    """

    def __init__(self, operation: Operation, settings: Settings) -> None:
        self._security = operation.security
        self._operation = operation.key
        self._settings = settings
        self._known = lru_cache(_MAX_KNOWN)(self._check_bearer)

    def check(self, headers: Mapping[bytes, bytes], scope: Scope) -> CheckedKeys:
        """Check the keys of a request."""
        if self._security is BEARER:
            authorization = headers.get(b"authorization", b"")
            if bearer_key(authorization) and len(authorization) <= _MAX_KNOWN_BYTES:
                return self._known(authorization)
        return self._check(headers, scope)

    def _check_bearer(self, authorization: bytes) -> CheckedKeys:
        # Nothing else of a request with a bearer key counts.
        return self._check({b"authorization": authorization}, {})

    def _check(self, headers: Mapping[bytes, bytes], scope: Scope) -> CheckedKeys:
        sent = sent_keys(self._security, scope, headers)
        refused = refuse_keys(self._settings, self._security, sent, headers)
        doubtful = _doubtful_key(self._settings, sent, self._operation) if refused is None else None
        return CheckedKeys(sent, refused, doubtful)


def _doubtful_key(settings: Settings, sent: SentKeys, operation: str) -> Finding | None:
    """Return a warning about an accepted key that looks like a placeholder, or is not the one that the app should send.

    The key itself is not in the finding.
    """
    for place, key in sent.by_place.items():
        spellings = [key, *_parts(place, key)]
        rule, message = "", ""
        found = next(filter(None, map(_PLACEHOLDER.fullmatch, spellings)), None)
        if found is not None:
            rule = "request-key-placeholder"
            message = f"the key in {_named(place)} {_MISTAKES[found.lastgroup or 'sample']}. The service would refuse it: check where the app reads its key"
        elif settings.expected_key is not None and settings.expected_key.encode() not in spellings:
            rule = "request-key-unexpected"
            message = f"the key in {_named(place)} is not the dummy key of the test and may be a real one; let the app read its key from the environment, which has the dummy"
        if rule:
            return Finding(
                rule, Severity.WARNING, Evidence.ASSUMED, _pointer(place), message, direction="request", operation=operation
            )  # fmt: skip
    return None


def _is_accepted(settings: Settings, place: KeyPlace, key: bytes) -> bool:
    allowed = settings.api_keys
    if not allowed and not place.is_basic:
        return not _is_refused_on_purpose(settings, key)
    spellings = [key, *_parts(place, key)]
    if _is_refused_on_purpose(settings, *spellings):
        return False
    return not allowed or any(hmac.compare_digest(spelling, one.encode()) for spelling in spellings for one in allowed)


def _is_refused_on_purpose(settings: Settings, *spellings: bytes) -> bool:
    prefix = settings.refused_key_prefix.encode()
    return bool(prefix) and any(spelling.startswith(prefix) for spelling in spellings)


def _refused(settings: Settings, place: KeyPlace, key: bytes) -> KeyRefusal:
    is_on_purpose = _is_refused_on_purpose(settings, key, *_parts(place, key))
    why = (
        f'begins with "{settings.refused_key_prefix}"; the mock refuses every such key'
        if is_on_purpose
        else "is not one of those that the mock accepts (--api-key)"
    )
    detail = f"The API key in {_named(place)} {why}"
    return KeyRefusal("request-key-refused", MESSAGES[401], detail, _pointer(place), is_on_purpose)


def _missing(security: Security, sent: SentKeys, headers: Mapping[bytes, bytes]) -> KeyRefusal:
    missing = next(place for places in security.alternatives for place in places if place not in sent.by_place)
    detail = f"The request has no API key; send {security.description}"
    if sent.by_place:
        detail = f"The request has only one part of its key; send {security.description}"
    elif missing.is_basic and headers.get(b"authorization", b"")[:6].lower() == b"basic ":
        detail = "The key in the header Authorization is not the Base64 of USER:PASSWORD"
    else:
        elsewhere = next((name.decode() for name in _CREDENTIAL_HEADERS if headers.get(name)), None)
        if elsewhere is not None:
            detail = f"The request has its API key in the header {elsewhere}; send {security.description} instead"
    return KeyRefusal("request-key-missing", NO_KEY, detail, _pointer(missing))


def _named(place: KeyPlace) -> str:
    return f"the {'query parameter' if place.location == 'query' else place.location} {place.name}"


def _pointer(place: KeyPlace) -> str:
    return join_pointer("", place.location, place.name)


def _value_at(place: KeyPlace, scope: Scope, headers: Mapping[bytes, bytes]) -> bytes:
    if place.location == "header":
        return headers.get(place.name.lower().encode("latin-1", "replace"), b"").strip()
    name = place.name.encode()
    pairs = _cookies(headers.get(b"cookie", b"")) if place.location == "cookie" else _query(scope["query_string"])
    return next((value for key, value in pairs if key == name), b"")


def _query(query: bytes) -> Iterator[tuple[bytes, bytes]]:
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        yield unquote_to_bytes(name.replace(b"+", b" ")), unquote_to_bytes(value.replace(b"+", b" "))


def _cookies(header: bytes) -> Iterator[tuple[bytes, bytes]]:
    for part in header.split(b";"):
        name, _, value = part.strip().partition(b"=")
        yield name, unquote_to_bytes(value.strip(b'"'))


def _key_of(place: KeyPlace, value: bytes) -> bytes:
    """Return the key in the value of a place: without its scheme, and decoded from Base64 where it is Basic."""
    if not place.scheme:
        # Documents have the header Authorization as an `apiKey` too, and some clients put a scheme before the key there.
        return bearer_key(value) or value if place.name.lower() == "authorization" else value
    scheme, _, key = value.partition(b" ")
    if scheme.lower() != place.scheme.lower().encode("latin-1", "replace"):
        return b""
    key = key.strip()
    if not place.is_basic:
        return key
    try:
        decoded = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return decoded if b":" in decoded and decoded != b":" else b""


def _parts(place: KeyPlace, key: bytes) -> list[bytes]:
    """Return the parts of a Basic key that may be the API key: the password, or the user without one."""
    if not place.is_basic or not key:
        return []
    user, _, password = key.partition(b":")
    return [password or user]

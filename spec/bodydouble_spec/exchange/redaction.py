"""Removal of secrets from everything that is kept: a record may be published, attached to an issue or committed."""

import base64
import binascii
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import ClassVar
from urllib.parse import unquote

__all__ = [
    "DUMMY_KEY",
    "REDACTED",
    "PlainRedactor",
    "Redactor",
    "credentials",
    "is_account_name",
    "is_secret_name",
    "may_hold_key",
]

DUMMY_KEY = "bodydouble-dummy-key"
"""The key for servers other than the real API: a user's key must not go there, and a mock takes any key."""

# Lower case. Every other header is dropped.
KEPT_HEADERS = frozenset(
    (
        "accept",
        "accept-encoding",
        "access-control-allow-origin",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "host",
        "origin",
        "prefer",
        "preference-applied",
        "ratelimit",
        "ratelimit-policy",
        "retry-after",
        "transfer-encoding",
        "user-agent",
        "x-aimlapi-credits-used",
        "x-aimlapi-usd-spent",
        "x-client-request-id",
        "x-inference-id",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-request-id",
        "x-stainless-lang",
        "x-stainless-package-version",
        "x-stainless-retry-count",
    )
)

# Headers in which apps send a key, the correct one and common mistakes.
CREDENTIAL_HEADERS = frozenset(
    ("api-key", "authorization", "proxy-authorization", "x-api-key", "x-auth-token", "x-goog-api-key")
)

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS = frozenset(
    ("apikey", "auth", "authorization", "bearer", "cookie", "credential", "credentials", "passphrase", "passwd",
     "password", "pwd", "secret", "secrets", "sig", "signature", "token")
)  # fmt: skip


@lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Return whether a property, parameter or header of this name is a secret: ``api_key``, ``accessToken``, ``X-Amz-Signature``.

    ``max_tokens``, ``tokens_used`` and ``keyword`` are not.
    """
    if len(name) > 200:
        return False
    words = [word.lower() for word in _WORD.findall(name)]
    return bool(words) and (words[-1] in ("key", "keys") or not _SECRET_WORDS.isdisjoint(words))


_ACCOUNT_WORDS = frozenset(
    ("account", "billing", "customer", "org", "organisation", "organization", "owner", "project", "subscription", "team",
     "tenant", "user", "workspace")
)  # fmt: skip
_IDENTITY_WORDS = frozenset(("email", "guid", "id", "ids", "mail", "number", "phone", "uuid"))


@lru_cache(maxsize=1024)
def is_account_name(name: str) -> bool:
    """Return whether a property or parameter of this name tells who called: ``account_id``, ``organizationId``, ``email``.

    ``request_id``, ``id`` and ``user`` (a role, or the caller's own user) do not.
    """
    if len(name) > 200:
        return False
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] not in _IDENTITY_WORDS:
        return False
    return words[-1] in ("email", "phone") or not _ACCOUNT_WORDS.isdisjoint(words[:-1])


REDACTED = "***"
# A shorter key cannot be a secret, and replacing it everywhere would destroy prose ("test").
_MIN_KEY_CHARACTERS = 8
# Rounds of decoding in the search for a key: URLs within URLs within URLs.
_MAX_DECODINGS = 3
_MAX_CLEAN = 500

# The next word is a key when it is long or unlike prose ("the flag bearer walking", "basic photography").
_BEARER = re.compile(
    r"\b([Bb]earer|BEARER)(\s+)(?:(?=[\w.~+/=-]*(?:[\d_=+/~-]|[a-z][A-Z]))[\w.~+/=-]{6,}|[\w.~+/=-]{20,})"
)
_BASIC = re.compile(r"\b([Bb]asic|BASIC)(\s+)(?=[\w+/=-]*(?:\d|=|[a-z][A-Z]))[\w+/=-]{8,}")
_USER_INFO = re.compile(r"(://)[^/?#@\s]{1,500}@")
_PARAMETER = re.compile(r"(^|[?&#;])([^=&?#;\s]{1,200})=([^&#\s]+)")
# In text that is not JSON: "api_key": "…", 'token': '…'. The value may be as long as the text, and takes memory for each step that could be undone.
_QUOTED = re.compile(r"""(["'])([\w .-]{1,200})\1(\s*:\s*)(["'])((?:[^"'\\]++|\\.|(?!\4)["'])*+)""", re.DOTALL)
# JSON escapes that can stand for ASCII letters.
_ASCII_ESCAPES = re.compile(rb"\\(?:u00[2-7]|[/\\])")
# A key of these characters is unchanged in a JSON text, unless `_ASCII_ESCAPES` matches.
_UNESCAPED_CHARACTERS = bytes(set(range(0x21, 0x7F)) - set(b'"\\%'))
_ESCAPE = re.compile(r"\\(?:u00|x)([0-9A-Fa-f]{2})|\\([/\"'\\])")


def credentials(headers: Iterable[tuple[str, str]]) -> list[str]:
    """List the keys in request headers (name, value): with or without a scheme, and the password of ``Basic``."""
    found: list[str] = []
    for name, value in headers:
        if name.lower() not in CREDENTIAL_HEADERS:
            continue
        scheme, _, rest = value.strip().partition(" ")
        secret = rest.strip() or scheme
        found.append(secret)
        if scheme.lower() == "basic":
            found += _basic_parts(secret)
    return [secret for secret in dict.fromkeys(found) if secret]


def may_hold_key(data: bytes, keys: Iterable[bytes]) -> bool:
    """Return whether one of the keys may be in these bytes (text or JSON), in any spelling that `Redactor` handles.

    False is certain.
    """
    if b"%" in data or (b"\\" in data and _ASCII_ESCAPES.search(data) is not None):
        return True
    # A loop, because a generator would take longer than the search itself.
    for key in keys:  # noqa: SIM110
        if key in data or key.translate(None, _UNESCAPED_CHARACTERS):
            return True
    return False


class Redactor:
    """Replaces secrets by ``***``: given keys wherever they occur, and values that are secret by their name or scheme.

    Keys under 8 characters (``shortest_key``) are not searched for in text. A key is found as it is, percent-encoded
    and with JSON or C escapes; a string in which only the decoded form holds the key is replaced as a whole. ``names`` are
    the query parameters whose values are keys by the contract, beside those that `is_secret_name`.
    ``kept_headers`` are the lower-case names of the headers that `headers` keeps, ``credential_headers`` of those that
    `credentials` reads.
    """

    shortest_key: ClassVar[int] = _MIN_KEY_CHARACTERS
    kept_headers: ClassVar[frozenset[str]] = KEPT_HEADERS
    credential_headers: ClassVar[frozenset[str]] = CREDENTIAL_HEADERS

    def __init__(self, keys: Iterable[str] = (), names: Iterable[str] = ()) -> None:
        spellings = dict.fromkeys(
            spelling for key in keys if len(key) >= _MIN_KEY_CHARACTERS for spelling in (key, _as_utf8(key))
        )
        self._names = frozenset(names)
        # The longest first: one key may begin with another.
        self._keys = tuple(sorted(spellings, key=len, reverse=True))
        self._key_bytes = tuple(key.encode("utf-8", "surrogatepass") for key in self._keys)
        # Header values without secrets: a client repeats the same ones in each request.
        self._clean: set[str] = set()
        self._has_numeric_key = any(_is_number_like(key) for key in self._keys)

    def with_keys(self, keys: Iterable[str]) -> "Redactor":
        """Return a redactor for these keys as well."""
        return Redactor((*self._keys, *keys), self._names)

    @property
    def margin(self) -> int:
        """The number of characters beyond a cut that must be redacted too, so that no cut splits an encoded key."""
        return 1024 + 12 * max((len(key) for key in self._keys), default=0)

    def may_hold_key(self, data: bytes, keys: Iterable[bytes] = ()) -> bool:
        """Return whether a key of the redactor, or one of ``keys``, may be in these bytes (text or JSON); False is certain.

        One search of the whole is far cheaper than one of each text.
        """
        return self._has_numeric_key or may_hold_key(data, (*self._key_bytes, *keys))

    def is_plain(self, data: bytes) -> bool:
        """Return True when `text` and `number` would change nothing in this JSON (UTF-8); False means unknown."""
        if b"=" in data or b"@" in data or self.may_hold_key(data):
            return False
        lowered = data.lower()
        return b"bearer" not in lowered and b"basic" not in lowered

    def text(self, text: str) -> str:
        """Redact one string: keys, ``Bearer …`` and ``Basic …``, and secret parameters of the URLs in it."""
        if self._keys:
            text = self._without_keys(text)
        if len(text) < _MIN_KEY_CHARACTERS:
            return text
        lowered = text.lower()
        if "bearer" in lowered:
            text = _BEARER.sub(rf"\1\2{REDACTED}", text)
        if "basic" in lowered:
            text = _BASIC.sub(rf"\1\2{REDACTED}", text)
        if "://" in text:
            text = _USER_INFO.sub(rf"\1{REDACTED}@", text)
        return _PARAMETER.sub(_parameter, text) if "=" in text else text

    def number(self, value: float) -> int | float | str:
        """Return a number, or ``***`` when its digits hold a key."""
        return REDACTED if self._has_numeric_key and any(key in str(value) for key in self._keys) else value

    def path(self, path: str, query: str = "") -> str:
        """Join path and query (as sent, without the question mark) into one redacted text."""
        shown = self.text(path) if "=" in path or "://" in path or self._keys else path
        if not query:
            return shown
        return f"{shown}?{'&'.join(self._query_part(part) for part in query.split('&'))}"

    def headers(self, headers: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Return the headers that may be kept, by lower-case name; repeated headers are joined by a comma."""
        kept: dict[str, str] = {}
        for name, value in headers:
            lowered = name.lower()
            if lowered in KEPT_HEADERS:
                shown = value if value in self._clean else self._header(value)
                kept[lowered] = f"{kept[lowered]}, {shown}" if lowered in kept else shown
        return kept

    def raw(self, text: str, length: int) -> str:
        """Redact the first ``length`` characters of a text that is not JSON, including JSON-like members with secret names."""
        redacted = self.text(_QUOTED.sub(_member, text[: length + self.margin]))
        return redacted if len(redacted) <= length else redacted[:length]

    def _header(self, value: str) -> str:
        shown = self.text(value)
        if shown == value and len(value) <= 200:
            if len(self._clean) >= _MAX_CLEAN:
                self._clean.clear()
            self._clean.add(value)
        return shown

    def _query_part(self, part: str) -> str:
        name, equals, value = part.partition("=")
        decoded = _decoded(name.replace("+", " "))
        if equals and (decoded in self._names or is_secret_name(decoded)):
            return f"{self.text(name)}={REDACTED}"
        return f"{self.text(name)}{equals}{self.text(value)}"

    def _without_keys(self, text: str) -> str:
        for key in self._keys:
            if key in text:
                text = text.replace(key, REDACTED)
        if "%" in text or "\\" in text:
            decoded = _decoded(text)
            if any(key in decoded for key in self._keys):
                return REDACTED
        return text


class PlainRedactor(Redactor):
    """A redactor for what another one would not change, as its `is_plain` says: it looks at nothing again."""

    def may_hold_key(self, data: bytes, keys: Iterable[bytes] = ()) -> bool:
        """Return False."""
        return False

    def is_plain(self, data: bytes) -> bool:
        """Return True."""
        return True

    def text(self, text: str) -> str:
        """Return the text."""
        return text

    def _header(self, value: str) -> str:
        return value


def _parameter(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2]}={REDACTED}" if is_secret_name(_decoded(match[2])) else match[0]


def _member(match: re.Match[str]) -> str:
    if not is_secret_name(match[2]):
        return match[0]
    return f"{match[1]}{match[2]}{match[1]}{match[3]}{match[4]}{REDACTED}"


def _decoded(text: str) -> str:
    """Undo percent-encoding and escapes in a text, repeatedly, up to a bound."""
    for _ in range(_MAX_DECODINGS):
        decoded = _ESCAPE.sub(_unescape, unquote(text)) if "\\" in text else unquote(text)
        if decoded == text:
            break
        text = decoded
    return text


def _unescape(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else match[2]


def _as_utf8(key: str) -> str:
    """Return the key in the spelling of a JSON body, when its header's bytes were read as Latin-1."""
    try:
        return key.encode("latin-1").decode()
    except UnicodeError:
        return key


def _is_number_like(key: str) -> bool:
    return key.replace(".", "", 1).replace("e+", "", 1).isdigit()


def _basic_parts(secret: str) -> list[str]:
    try:
        text = base64.b64decode(secret, validate=True).decode()
    except (binascii.Error, ValueError):
        return []
    user, _, password = text.partition(":")
    return [text, password or user]

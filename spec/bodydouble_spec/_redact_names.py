"""The headers that may be kept, and the names that mark a value as a secret."""

import re
from functools import lru_cache

__all__ = ["CREDENTIAL_HEADERS", "KEPT_HEADERS", "is_secret_name"]

# Lower case. Every other header is dropped.
KEPT_HEADERS = frozenset(
    (
        "accept",
        "accept-encoding",
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

"""Authentication by the bearer key of a request."""

import hmac

from bodydouble_mockserver._problem import MESSAGES, NO_KEY
from bodydouble_mockserver._settings import Settings

__all__ = ["bearer_key", "refuse_key"]


def bearer_key(authorization: bytes) -> bytes:
    """Return the key of an Authorization header, or empty bytes when it has none."""
    if authorization.startswith(b"Bearer "):
        return authorization[7:].strip()
    scheme, _, key = authorization.strip().partition(b" ")
    return key.strip() if scheme.lower() == b"bearer" else b""


def refuse_key(settings: Settings, key: bytes) -> str | None:
    """Return the message of the 401 for this key, or None when it is accepted.

    Without configured keys, any key that is not empty is accepted.
    """
    if not settings.require_key:
        return None
    if not key:
        return NO_KEY
    if settings.api_keys and not any(hmac.compare_digest(key, known.encode()) for known in settings.api_keys):
        return MESSAGES[401]
    return None

"""The credentials of a call: the caller's key, wrong ones, and the key where it does not belong."""

from collections.abc import Mapping

from bodydouble_spec import KeyPlace, Security

from bodydouble_contract_tests.model import Credential

__all__ = ["WRONG_KEY", "authorized", "changed_key", "place_of"]

# The mock refuses every key that begins so, whatever keys it allows.
WRONG_KEY = "invalid-bodydouble-key"
UNISSUED_KEY = "bodydouble-a-key-that-was-not-issued"
# Where the key does not belong, or in another spelling: the name of the header, and the word before the key.
_OTHER_PLACES = {
    Credential.BASIC: ("Authorization", "Basic"),
    Credential.OTHER_SCHEME: ("Authorization", "Token"),
    Credential.BARE: ("Authorization", ""),
    Credential.OTHER_HEADER: ("X-API-Key", ""),
    Credential.SMALL_SCHEME: ("Authorization", "bearer"),
}


def changed_key(credential: Credential, key: str) -> str:
    """Return the key that a credential sends; the caller's, unless it is made from it or wrong."""
    return {
        Credential.WRONG: WRONG_KEY,
        Credential.UNISSUED: UNISSUED_KEY,
        Credential.LONGER: f"{key}0",
        Credential.LONGER_BEFORE: f"0{key}",
        # A key of one character has no shorter one, and a header must not end with a blank.
        Credential.SHORTER: key[:-1] or UNISSUED_KEY,
        # A key without letters has no other case.
        Credential.OTHER_CASE: key.swapcase() if key.swapcase() != key else f"{key}x",
    }.get(credential, key)


def place_of(credential: Credential, security: Security) -> Security:
    """Return where a credential is sent: where the contract has the key, or in a place where it does not belong."""
    other = _OTHER_PLACES.get(credential)
    return security if other is None else Security(((KeyPlace("header", *other),),))


def authorized(
    credential: Credential, key: str, security: Security, path: str, headers: Mapping[str, str]
) -> tuple[str, dict[str, str]]:
    """Return path and headers of a call with a credential in it."""
    if credential is Credential.NONE:
        return path, dict(headers)
    if credential is Credential.EMPTY:
        return path, {**headers, "Authorization": "Bearer"}
    return place_of(credential, security).authorize(changed_key(credential, key), path, headers)

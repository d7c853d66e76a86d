"""Repair of security schemes and of the requirements that name them."""

from typing import Any

from bodydouble_spec._defects import Defects, show
from bodydouble_spec._json import is_array, is_object
from bodydouble_spec._pointer import join_pointer
from bodydouble_spec._references import References

__all__ = ["repair_requirements", "repair_schemes"]

# The keys that OpenAPI 3.0 requires beside `type` in each kind of security scheme; those of 3.1 are the same.
_REQUIRED_KEYS = {
    "apiKey": {"name", "in"},
    "http": {"scheme"},
    "oauth2": {"flows"},
    "openIdConnect": {"openIdConnectUrl"},
}
_ALLOWED_KEYS = {kind: {"type", "description", *needed} for kind, needed in _REQUIRED_KEYS.items()}
_ALLOWED_KEYS["http"].add("bearerFormat")


def repair_schemes(schemes: dict[str, Any], pointer: str, references: References, defects: Defects) -> dict[str, Any]:
    """Return the readable security schemes of ``components``, without keys that their type does not allow."""
    result: dict[str, Any] = {}
    for name, found in schemes.items():
        followed = references.follow(found, join_pointer(pointer, name))
        if followed is None:
            continue
        scheme, here = followed
        kind = scheme.get("type") if is_object(scheme) else None
        if not is_object(scheme) or not isinstance(kind, str) or not _is_complete(kind, scheme):
            message = f"this is not a security scheme: {show(scheme)}"
            defects.add_error("security-scheme-malformed", here, message, repaired="left out", got=scheme)
            continue
        foreign = [key for key in scheme if key not in _ALLOWED_KEYS[kind] and not key.startswith("x-")]
        if foreign:
            message = f"a security scheme of type {kind} must not have {', '.join(map(show, foreign[:5]))}"
            defects.add("security-scheme-malformed", here, message, repaired="left out", got=foreign)
        result[name] = {key: value for key, value in scheme.items() if key not in foreign}
    return result


def _is_complete(kind: str, scheme: dict[str, Any]) -> bool:
    return kind in _REQUIRED_KEYS and _REQUIRED_KEYS[kind] <= scheme.keys()


def repair_requirements(value: Any, pointer: str, known: dict[str, Any], defects: Defects) -> list[dict[str, Any]]:
    """Return the security requirements whose schemes are all ``known``."""
    requirements: list[dict[str, Any]] = []
    for index, requirement in enumerate(value if is_array(value) else [value]):
        if is_object(requirement) and all(name in known for name in requirement):
            requirements.append(requirement)
        else:
            message = f"the requirement {show(requirement)} names a security scheme that is not declared"
            here = join_pointer(pointer, index) if is_array(value) else pointer
            defects.add_error("security-scheme-unknown", here, message, repaired="left out", got=requirement)
    return requirements

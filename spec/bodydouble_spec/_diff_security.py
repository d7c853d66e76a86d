"""Comparison of security: the schemes that an operation accepts, their scopes, and the schemes themselves."""

from collections.abc import Mapping
from typing import Any

from bodydouble_spec._diff_side import Part
from bodydouble_spec._diff_spot import Changes, Location
from bodydouble_spec._json import is_array, is_object

__all__ = ["compare_schemes", "compare_security"]


def compare_security(changes: Changes, old: Part, new: Part, location: Location, rule: str) -> None:
    """Add the changes of ``security`` between two operations or documents; ``rule`` is the start of the ids."""
    before, after = _requirements(old), _requirements(new)
    place = old.child("security"), new.child("security")
    for name in before:
        if name and name not in after:
            changes.add(f"{rule}-removed", location, place[0], name, None, is_gone=True)
    for name, scopes in after.items():
        if name and name not in before:
            changes.add(f"{rule}-added", location, place[1], None, name)
        for scope in sorted(scopes - before.get(name, scopes)):
            changes.add(f"{rule}-scope-added", location, place[1], None, scope)
        for scope in sorted(before.get(name, scopes) - scopes):
            changes.add(f"{rule}-scope-removed", location, place[0], scope, None, is_gone=True)


def compare_schemes(changes: Changes, old: Part, new: Part) -> None:
    """Add the changes between the security schemes of two documents."""
    before, after = _schemes(old), _schemes(new)
    for name in {**before, **after}:
        here, there = (part.child("components", "securitySchemes", name) for part in (old, new))
        location = Location(None, None, "", f"the security scheme `{name}`")
        if name not in after:
            changes.add("api-security-component-removed", location, here, name, None, is_gone=True)
        elif name not in before:
            changes.add("api-security-component-added", location, there, None, name)
        elif _significant_fields(before[name]) != _significant_fields(after[name]):
            values = _significant_fields(before[name]), _significant_fields(after[name])
            changes.add("api-security-component-type-changed", location, there, *values)


def _requirements(part: Part) -> dict[str, set[str]]:
    """Return the scopes that each requirement needs, by the names of its schemes."""
    found: dict[str, set[str]] = {}
    security = part.value.get("security")
    for requirement in security if is_array(security) else ():
        if is_object(requirement):
            scopes = [scope for value in requirement.values() if is_array(value) for scope in map(str, value)]
            found.setdefault(" and ".join(sorted(requirement)), set()).update(scopes)
    return found


def _schemes(part: Part) -> Mapping[str, Any]:
    components = part.value.get("components")
    schemes = components.get("securitySchemes") if is_object(components) else None
    return {name: item for name, item in schemes.items() if is_object(item)} if is_object(schemes) else {}


def _significant_fields(scheme: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a scheme that a client has to know."""
    return {key: scheme[key] for key in ("type", "scheme", "in", "name", "openIdConnectUrl", "flows") if key in scheme}

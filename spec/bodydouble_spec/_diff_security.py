"""What became different in who may call: the schemes that an operation takes, their scopes, and the schemes themselves."""

from collections.abc import Mapping
from typing import Any

from bodydouble_spec._diff_side import Node
from bodydouble_spec._diff_spot import Changes, Spot
from bodydouble_spec._json import is_array, is_object

__all__ = ["compare_schemes", "compare_security"]


def compare_security(changes: Changes, old: Node, new: Node, spot: Spot, rule: str) -> None:
    """Note what became different in ``security`` of two operations or documents; ``rule`` begins the ids."""
    before, after = _requirements(old), _requirements(new)
    place = old.child("security"), new.child("security")
    for name in before:
        if name and name not in after:
            changes.add(f"{rule}-removed", spot, place[0], name, None, is_gone=True)
    for name, scopes in after.items():
        if name and name not in before:
            changes.add(f"{rule}-added", spot, place[1], None, name)
        for scope in sorted(scopes - before.get(name, scopes)):
            changes.add(f"{rule}-scope-added", spot, place[1], None, scope)
        for scope in sorted(before.get(name, scopes) - scopes):
            changes.add(f"{rule}-scope-removed", spot, place[0], scope, None, is_gone=True)


def compare_schemes(changes: Changes, old: Node, new: Node) -> None:
    """Note what became different in the security schemes of two documents."""
    before, after = _schemes(old), _schemes(new)
    for name in {**before, **after}:
        here, there = (node.child("components", "securitySchemes", name) for node in (old, new))
        spot = Spot(None, None, "", f"the security scheme `{name}`")
        if name not in after:
            changes.add("api-security-component-removed", spot, here, name, None, is_gone=True)
        elif name not in before:
            changes.add("api-security-component-added", spot, there, None, name)
        elif _essence(before[name]) != _essence(after[name]):
            values = _essence(before[name]), _essence(after[name])
            changes.add("api-security-component-type-changed", spot, there, *values)


def _requirements(node: Node) -> dict[str, set[str]]:
    """Per requirement (the names of its schemes) the scopes that it needs."""
    found: dict[str, set[str]] = {}
    security = node.value.get("security")
    for requirement in security if is_array(security) else ():
        if is_object(requirement):
            scopes = [scope for value in requirement.values() if is_array(value) for scope in map(str, value)]
            found.setdefault(" and ".join(sorted(requirement)), set()).update(scopes)
    return found


def _schemes(node: Node) -> Mapping[str, Any]:
    components = node.value.get("components")
    schemes = components.get("securitySchemes") if is_object(components) else None
    return {name: item for name, item in schemes.items() if is_object(item)} if is_object(schemes) else {}


def _essence(scheme: Mapping[str, Any]) -> dict[str, Any]:
    """What a client must know of a scheme."""
    return {key: scheme[key] for key in ("type", "scheme", "in", "name", "openIdConnectUrl", "flows") if key in scheme}

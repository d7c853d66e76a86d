"""Comparison of security: who may call, with what, and the schemes behind it."""

from typing import Any

from bodydouble_spec.diff.changes import Changes, Location
from bodydouble_spec.meaning import Meaning, Part, digest

__all__ = ["SecurityComparison"]

Way = dict[str, list[str]]


class SecurityComparison:
    """Compares the security of two documents; schemes are the same when a client sends the same, whatever their names."""

    def __init__(self, changes: Changes, old: Meaning, new: Meaning) -> None:
        self._changes = changes
        self._old, self._new = old, new
        # Schemes of one name that changed: they are told once, not at each operation.
        self._changed = {
            name
            for name in self._old.schemes.keys() & self._new.schemes.keys()
            if digest(self._old.scheme(name)) != digest(self._new.scheme(name))
        }

    def compare_schemes(self) -> None:
        """Add the changes between the schemes."""
        before, after = self._old.schemes, self._new.schemes
        contents = [{digest(meaning.scheme(name)) for name in meaning.schemes} for meaning in (self._old, self._new)]
        for name in {**before, **after}:
            pointer = f"/components/securitySchemes/{name.replace('~', '~0').replace('/', '~1')}"
            location = Location(None, None, "", f"the security scheme `{name}`")
            if name not in after:
                if digest(self._old.scheme(name)) not in contents[1]:
                    self._changes.add("api-security-component-removed", location, pointer, name, None, is_gone=True)
            elif name not in before:
                if digest(self._new.scheme(name)) not in contents[0]:
                    self._changes.add("api-security-component-added", location, pointer, None, name)
            elif name in self._changed:
                values = self._old.scheme(name), self._new.scheme(name)
                self._changes.add("api-security-component-type-changed", location, pointer, *values)
                if name in self._old.used_schemes and _sent(values[0]) != _sent(values[1]):
                    self._changes.show(f"a call with `{name}` as it was")

    def compare_document(self) -> None:
        """Add the changes of the security that holds for every operation without its own."""
        inherit = [
            key
            for key in self._old.operations.keys() & self._new.operations.keys()
            if not any("security" in meaning.operations[key].value for meaning in (self._old, self._new))
        ]
        if inherit or not (self._old.operations or self._new.operations):
            ways = [meaning.alternatives(meaning.document.get("security")) for meaning in (self._old, self._new)]
            location = Location(None, None, "", "the service")
            self._compare(ways[0], ways[1], location, "api-global-security", "/security", "/security")

    def compare_operation(self, old: Part, new: Part, location: Location) -> None:
        """Add the changes of security between two versions of an operation of which one at least has its own."""
        if "security" in old.value or "security" in new.value:
            ways = self._old.security(old), self._new.security(new)
            self._compare(*ways, location, "api-security", old.child("security"), new.child("security"))

    def _compare(
        self, before: list[Way], after: list[Way], location: Location, rule: str, here: str, there: str
    ) -> None:
        if self._old.forms.security(before) == self._new.forms.security(after):
            return
        known = {self._key(self._old, way): way for way in before}
        kept = {self._key(self._new, way): way for way in after}
        lost = [way for key, way in known.items() if not any(other <= key for other in kept)]
        add = self._changes.add
        for key, way in known.items():
            if key in kept or self._is_rescoped(key, kept) or not (way or any(known)):
                continue
            if way:
                add(f"{rule}-removed", location, here, _name(way), None, is_gone=True)
            else:
                add(f"{rule}-became-required", location, there, None, None)
            if way in lost:
                self._changes.show(f"a call with {_name(way)}" if way else "a call without credentials")
        self._note_new(known, kept, location, rule, there)
        self._compare_scopes(known, kept, location, rule, (here, there))

    def _note_new(self, known: dict[Any, Way], kept: dict[Any, Way], location: Location, rule: str, there: str) -> None:
        add = self._changes.add
        for key, way in kept.items():
            if key in known or self._is_rescoped(key, known):
                continue
            if way:
                add(f"{rule}-added", location, there, None, _name(way))
                if [*known] == [frozenset[tuple[str, str]]()]:
                    self._changes.show("a call without credentials")
            elif any(other for other in kept if other) or len(known) > 1:
                add(f"{rule}-became-optional", location, there, None, None)

    def _compare_scopes(
        self, known: dict[Any, Way], kept: dict[Any, Way], location: Location, rule: str, places: tuple[str, str]
    ) -> None:
        for key, way in known.items():
            other = next((kept[item] for item in kept if _schemes(item) == _schemes(key) and item not in known), None)
            if key in kept or other is None or not way:
                continue
            had = {scope for scopes in way.values() for scope in scopes}
            has = {scope for scopes in other.values() for scope in scopes}
            for scope in sorted(has - had):
                self._changes.add(f"{rule}-scope-added", location, places[1], None, scope)
                self._changes.show(f"a call without the scope {scope}")
            for scope in sorted(had - has):
                self._changes.add(f"{rule}-scope-removed", location, places[0], scope, None, is_gone=True)

    @staticmethod
    def _is_rescoped(key: Any, others: dict[Any, Way]) -> bool:
        return bool(key) and any(_schemes(other) == _schemes(key) for other in others)

    def _key(self, meaning: Meaning, way: Way) -> frozenset[tuple[str, str]]:
        """Return what a caller needs: schemes, each once without scopes and once for each scope."""
        found: set[tuple[str, str]] = set()
        for name, scopes in way.items():
            scheme = name if name in self._changed else digest(meaning.scheme(name))
            found |= {(scheme, ""), *((scheme, scope) for scope in scopes)}
        return frozenset(found)


def _schemes(key: frozenset[tuple[str, str]]) -> set[str]:
    return {scheme for scheme, _ in key}


def _sent(scheme: dict[str, Any]) -> dict[str, Any]:
    """Return what a client sends; the flows say only where it gets that."""
    return {key: scheme.get(key) for key in ("type", "scheme", "in", "name")}


def _name(way: Way) -> str:
    return " and ".join(sorted(way))

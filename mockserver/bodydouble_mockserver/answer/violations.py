"""Violations of a success body, derived from the contract's schema."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from bodydouble_spec import Operation, Severity, is_array, is_object
from bodydouble_spec.image_fields import PICTURES

from bodydouble_mockserver.answer.sample import NoSample, sample

__all__ = ["Violation", "violations"]

_JSON = "application/json"
# Ids are sent in `Prefer`, so they may hold only the characters of a header's token.
_NOT_IN_TOKENS = re.compile(r"[^A-Za-z0-9._-]")
# Reserved by RFC 2606: this host never exists.
_NOWHERE = "https://unreachable.invalid"
_UNDOCUMENTED = {"undocumented_property": "this is not in the contract"}
_ERROR = {"error": {"name": "Error", "message": "The picture could not be made"}}

Change = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Violation:
    """One way to break a success body.

    ``apply`` returns the broken body and does not change its argument; a body with nothing to break is returned unchanged.
    ``effect`` names a deviation outside the body, which the server has to produce.
    """

    id: str
    description: str
    apply: Callable[[Any], Any]
    effect: str | None = None


def violations(operation: Operation) -> tuple[Violation, ...]:
    """Return every detectable way to break the success body of an operation.

    For each documented property: renamed, missing, null, empty, of a wrong type, as ``missing-data.url`` (in a list, the
    property is broken in every item). Then an undocumented property and an error beside the data, and for bodies with pictures:
    ``fewer-images``, ``unreachable-url``, ``relative-url`` and ``wrong-aspect-ratio``. All but the last four are found by the
    contract's strict validation, with at least a warning; others are not offered. Empty when the contract has no schema for the
    body.
    """
    response = operation.response(operation.success_status)
    validator = None if response is None else response.content.get(_JSON)
    try:
        reference = None if validator is None else sample(validator, fills_nulls=True)
    except NoSample:
        reference = None
    if not (is_object(reference) or is_array(reference)):
        return ()
    baseline = _finding_keys(operation, reference)
    found = {
        violation.id: replace(violation, apply=partial(_apply, change=violation.apply, reference=reference))
        for violation in _body_violations(operation, reference)
        if _finding_keys(operation, violation.apply(reference)) - baseline
    }
    pictures = _picture_violations() if _has_pictures(reference) else ()
    return (*found.values(), *pictures)


def _apply(body: Any, change: Callable[[Any], Any], reference: Any) -> Any:
    """Break a body; where it is null at the place that is broken, with the value that the contract has there."""
    changed = change(body)
    return change(_fill(body, reference)) if changed == body else changed


def _fill(body: Any, reference: Any) -> Any:
    """Return a body with a value of the reference for each null."""
    if is_object(body) and is_object(reference):
        return {name: _fill(value, reference.get(name)) for name, value in body.items()}
    if is_array(body) and is_array(reference) and reference:
        return [_fill(item, reference[0]) for item in body]
    return reference if body is None else body


def _finding_keys(operation: Operation, body: Any) -> set[tuple[str, str]]:
    """Return rule and pointer of the strict validation's warnings and errors about a success body."""
    found = operation.validate_response(operation.success_status, _JSON, body)
    return {(finding.id, finding.pointer) for finding in found if finding.severity is not Severity.INFO}


def _body_violations(operation: Operation, reference: Any) -> Iterator[Violation]:
    for path, parent in _objects(reference, ()):
        # A URL may be null beside a Base64 value: only when both are empty is something missing.
        leaves = _nullable_leaves(operation, reference, path, parent)
        for name, value in parent.items():
            location = ".".join((*path, name))
            token = _NOT_IN_TOKENS.sub("_", location)
            alternatives = dict.fromkeys(leaves if name in leaves else ())
            for kind, description, change in _changes(name, value, alternatives):
                yield Violation(
                    f"{kind}-{token}", f"`{location}` {description}", partial(_change_at, path=path, change=change)
                )
    if is_object(reference):
        yield Violation(
            "undocumented-property", "a property that the contract does not have", partial(_add, addition=_UNDOCUMENTED)
        )
        yield Violation("error-beside-data", "an `error` next to the data", partial(_add, addition=_ERROR))


def _objects(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield every object in a body with the names that lead to it; of a list, only its first item."""
    if is_array(value):
        yield from _objects(value[0], path) if value else ()
    elif is_object(value):
        yield path, value
        for name, item in value.items():
            yield from _objects(item, (*path, name))


def _changes(name: str, value: Any, alternatives: Mapping[str, None]) -> Iterator[tuple[str, str, Change]]:
    """Yield the ways to break one property; ``alternatives`` are the properties, itself included, of which one must have a value."""
    beside = ", with no alternative to it" if len(alternatives) > 1 else ""
    yield "renamed", f"is renamed to `{name}_renamed`", partial(_rename, name=name)
    yield "missing", f"is absent{beside}", partial(_without, name=name, alternatives=alternatives)
    yield "null", f"is null{beside}", partial(_put, values={**alternatives, name: None})
    empty = _emptied(value)
    if empty is not None:
        yield "empty", f"is empty{beside}", partial(_put, values={**alternatives, name: empty})
    yield "wrong-type", "has the wrong type", partial(_put, values={name: _wrong_type(value)})


def _nullable_leaves(
    operation: Operation, reference: Any, path: tuple[str, ...], parent: Mapping[str, Any]
) -> list[str]:
    def is_nullable(name: str) -> bool:
        body = _change_at(reference, path, partial(_put, values={name: None}))
        return not operation.validate_response(operation.success_status, _JSON, body, strict=False)

    return [
        name for name, value in parent.items() if not is_object(value) and not is_array(value) and is_nullable(name)
    ]


def _emptied(value: Any) -> Any:
    """Return the empty value of the same type; None when the type has no empty value."""
    if isinstance(value, str):
        return ""
    if is_array(value):
        return []
    return {} if is_object(value) else None


def _wrong_type(value: Any) -> Any:
    if is_object(value):
        return [value]
    if is_array(value):
        return {"0": value[0] if value else None}
    return 1 if value is None or isinstance(value, str) else json.dumps(value)


def _change_at(body: Any, path: tuple[str, ...], change: Change) -> Any:
    """Return the body with ``change`` applied to every object at the path, in all items of lists."""
    if is_array(body):
        return [_change_at(item, path, change) for item in body]
    if not is_object(body):
        return body
    if not path:
        return change(body)
    name, *rest = path
    return {**body, name: _change_at(body[name], tuple(rest), change)} if name in body else body


def _rename(parent: dict[str, Any], name: str) -> dict[str, Any]:
    return {f"{key}_renamed" if key == name else key: value for key, value in parent.items()}


def _without(parent: dict[str, Any], name: str, alternatives: Mapping[str, Any]) -> dict[str, Any]:
    return {key: alternatives.get(key, value) for key, value in parent.items() if key != name}


def _put(parent: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    return {**parent, **values}


def _add(body: Any, addition: Mapping[str, Any]) -> Any:
    return {**body, **addition} if is_object(body) else body


def _picture_violations() -> tuple[Violation, ...]:
    return (
        Violation("fewer-images", "one picture fewer than requested", _drop_picture),
        Violation("unreachable-url", "pictures on a host that does not exist", partial(_edit_urls, change=_to_nowhere)),
        Violation("relative-url", "picture URLs without scheme and host", partial(_edit_urls, change=_to_relative)),
        Violation(
            "wrong-aspect-ratio",
            "pictures with a different aspect ratio than requested",
            _unchanged,
            effect="wrong-aspect-ratio",
        ),
    )


def _is_picture(value: Any) -> bool:
    return is_object(value) and bool(PICTURES & value.keys())


def _has_pictures(body: Any) -> bool:
    return any(PICTURES & parent.keys() for _, parent in _objects(body, ()))


def _drop_picture(body: Any) -> Any:
    if is_object(body):
        return {name: _drop_picture(value) for name, value in body.items()}
    if is_array(body):
        return body[:-1] if body and _is_picture(body[-1]) else [_drop_picture(item) for item in body]
    return body


def _edit_urls(body: Any, change: Callable[[str], str]) -> Any:
    if is_object(body):
        return {
            name: change(value) if name == "url" and isinstance(value, str) else _edit_urls(value, change)
            for name, value in body.items()
        }
    return [_edit_urls(item, change) for item in body] if is_array(body) else body


def _to_nowhere(url: str) -> str:
    return _NOWHERE + _to_relative(url)


def _to_relative(url: str) -> str:
    parts = urlsplit(url)
    return f"/{parts.path.lstrip('/')}" + (f"?{parts.query}" if parts.query else "")


def _unchanged(body: Any) -> Any:
    return body

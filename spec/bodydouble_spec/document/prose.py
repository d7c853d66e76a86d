"""The structure of a document without its prose, and the prose put back."""

from typing import Any

from bodydouble_spec.schema import EXTENSIBLE_NAME_MAPS, NAME_MAPS, PROSE
from bodydouble_spec.values import is_array, is_object

__all__ = ["NEUTRAL_DESCRIPTION", "restore_prose", "strip_prose"]


NEUTRAL_DESCRIPTION = "A response."
"""The description of a response for which only the publisher has a text; OpenAPI requires one."""

# Titles and examples belong to one structure; descriptions may fit another.
_DESCRIPTIONS = {"description", "summary"}
# The keys of components are names too.
_NAME_MAPS = NAME_MAPS | EXTENSIBLE_NAME_MAPS | {"parameters", "requestBodies", "schemas"}
_DATA_KEYWORDS = {"const", "default", "enum", "required"}


def strip_prose(value: Any, key: str = "", *, named: bool = False) -> Any:
    """Return ``value`` without prose, samples and ``x-`` keys; ``key`` is its key, ``named`` tells that this is a name.

    The fingerprint does not change. Title and version of the document become ``"0"``, the description of a response
    NEUTRAL_DESCRIPTION.
    """
    if is_array(value):
        return (
            value
            if key in _DATA_KEYWORDS and not named
            else [strip_prose(item, "paths" if key == "paths" else "") for item in value]
        )
    if not is_object(value) or (key in _DATA_KEYWORDS and not named):
        return value
    result: dict[str, Any] = {}
    for name, item in value.items():
        if key in _NAME_MAPS and not named:
            if not (name.startswith("x-") and key in {"paths", "responses", "callbacks"}):
                result[name] = strip_prose(item, name if key != "responses" else "response", named=key != "responses")
        elif name in {"title", "version"} and key == "info":
            result[name] = "0" if isinstance(item, str) else item
        elif name == "description" and key == "response":
            result[name] = NEUTRAL_DESCRIPTION if item and isinstance(item, str) else item
        elif name not in PROSE and not name.startswith("x-"):
            result[name] = strip_prose(item, name)
    return result


def restore_prose(ours: Any, structure: Any, key: str = "", *, named: bool = False) -> Any:
    """Return ``structure`` (from `strip_prose`) with the prose of ``ours`` wherever both have the same place.

    A title or an example is kept only where nothing below it has changed. ``key`` and ``named`` are as for
    `strip_prose`.
    """
    if is_array(structure) and is_array(ours) and (named or key not in _DATA_KEYWORDS):
        # The position of an item may mean nothing, so only an unchanged item counts as the same.
        inner = "paths" if key == "paths" else ""
        known = [(strip_prose(item, inner), item) for item in ours]
        return [next((item for same, item in known if same == new), new) for new in structure]
    if not is_object(structure) or not is_object(ours) or (key in _DATA_KEYWORDS and not named):
        return structure
    if key in _NAME_MAPS and not named:
        is_response = key == "responses"
        return {
            name: restore_prose(ours.get(name), item, "response" if is_response else name, named=not is_response)
            for name, item in structure.items()
        }
    carried = PROSE if strip_prose(ours, key, named=named) == structure else _DESCRIPTIONS
    kept = {name: restore_prose(ours.get(name), item, name) for name, item in structure.items()}
    return kept | {name: text for name, text in ours.items() if name in carried}

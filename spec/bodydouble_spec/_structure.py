"""A published document without its publisher's prose: structure is a fact and can be copied, descriptions and samples are somebody's text."""

from typing import Any

from bodydouble_spec._json import is_array, is_object
from bodydouble_spec._keywords import EXTENSIBLE_NAME_MAPS, NAME_MAPS, PROSE

__all__ = ["NEUTRAL_DESCRIPTION", "strip", "with_prose_of"]

NEUTRAL_DESCRIPTION = "A response."
"""What stands for the description of a response, which OpenAPI requires, where the publisher has one and we have none."""

# The others name or show one thing, and do not fit another structure.
_DESCRIPTIONS = {"description", "summary"}
_PROSE = PROSE | {"externalDocs"}
# Components are named as well.
_NAME_MAPS = NAME_MAPS | EXTENSIBLE_NAME_MAPS | {"parameters", "requestBodies", "schemas"}
_DATA = {"const", "default", "enum", "required"}


def strip(value: Any, key: str = "", *, named: bool = False) -> Any:
    """``value``, which stands under ``key``, without prose, samples and ``x-`` keys; ``named`` says that ``key`` is a name, not a keyword.

    The fingerprint stays what it was. Title and version of the document become ``"0"``, the description of a response NEUTRAL_DESCRIPTION.
    """
    if is_array(value):
        return (
            value if key in _DATA and not named else [strip(item, "paths" if key == "paths" else "") for item in value]
        )
    if not is_object(value) or (key in _DATA and not named):
        return value
    result: dict[str, Any] = {}
    for name, item in value.items():
        if key in _NAME_MAPS and not named:
            if not (name.startswith("x-") and key in {"paths", "responses", "callbacks"}):
                result[name] = strip(item, name if key != "responses" else "response", named=key != "responses")
        elif name in {"title", "version"} and key == "info":
            result[name] = "0" if isinstance(item, str) else item
        elif name == "description" and key == "response":
            result[name] = NEUTRAL_DESCRIPTION if item and isinstance(item, str) else item
        elif name not in _PROSE and not name.startswith("x-"):
            result[name] = strip(item, name)
    return result


def with_prose_of(ours: Any, structure: Any, key: str = "", *, named: bool = False) -> Any:
    """``structure``, as `strip` gives it, with the prose of ``ours`` wherever the same place is in both.

    A title or an example is carried over only where nothing below it has changed. ``key`` and ``named`` are as for `strip`.
    """
    if is_array(structure) and is_array(ours) and (named or key not in _DATA):
        # The position of an item need not mean anything, so only one that is still the same is known again.
        inner = "paths" if key == "paths" else ""
        known = [(strip(item, inner), item) for item in ours]
        return [next((item for same, item in known if same == new), new) for new in structure]
    if not is_object(structure) or not is_object(ours) or (key in _DATA and not named):
        return structure
    if key in _NAME_MAPS and not named:
        is_response = key == "responses"
        return {
            name: with_prose_of(ours.get(name), item, "response" if is_response else name, named=not is_response)
            for name, item in structure.items()
        }
    carried = _PROSE if strip(ours, key, named=named) == structure else _DESCRIPTIONS
    kept = {name: with_prose_of(ours.get(name), item, name) for name, item in structure.items()}
    return kept | {name: text for name, text in ours.items() if name in carried}

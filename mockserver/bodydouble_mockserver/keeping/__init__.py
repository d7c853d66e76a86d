"""Recipes of pictures and the inputs that they need: bounded, and in a folder kept across restarts."""

from typing import TYPE_CHECKING, Any

from bodydouble_mockserver.keeping.recipes import (
    MAX_SHOWN_INPUTS,
    Recipe,
    RecipeBounds,
    RecipeInput,
    Recipes,
    picture_id,
)
from bodydouble_mockserver.keeping.settings import KeepSettings

if TYPE_CHECKING:
    from bodydouble_mockserver.keeping.folder import CannotKeep, KeepFolder

__all__ = [
    "MAX_SHOWN_INPUTS",
    "CannotKeep",
    "KeepFolder",
    "KeepSettings",
    "Recipe",
    "RecipeBounds",
    "RecipeInput",
    "Recipes",
    "picture_id",
]


def __getattr__(name: str) -> Any:
    """Import the folder when it is first used: a server without one starts sooner."""
    if name in {"CannotKeep", "KeepFolder"}:
        from bodydouble_mockserver.keeping import folder

        return getattr(folder, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

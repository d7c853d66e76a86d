"""Recipes of pictures and the inputs that they need: bounded, and in a folder kept across restarts."""

from bodydouble_mockserver.keeping.folder import CannotKeep, KeepFolder
from bodydouble_mockserver.keeping.recipes import (
    MAX_SHOWN_INPUTS,
    Recipe,
    RecipeBounds,
    RecipeInput,
    Recipes,
    picture_id,
)
from bodydouble_mockserver.keeping.settings import KeepSettings

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

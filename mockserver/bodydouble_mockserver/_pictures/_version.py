"""A fingerprint of the drawing code and everything else that its pixels depend on."""

import hashlib
from functools import cache
from importlib import metadata, resources

from PIL import features

from ._fonts import FONT_DISTRIBUTION

__all__ = ["digest"]


@cache
def digest() -> str:
    """Return sixteen hexadecimal digits over the package's source and the versions of its dependencies."""
    parts = [metadata.version("pillow"), metadata.version(FONT_DISTRIBUTION)]
    parts += [f"{name} {features.version(name)}" for name in ("freetype2", "raqm", "harfbuzz", "fribidi")]
    modules = (item for item in resources.files(__package__ or "").iterdir() if item.name.endswith(".py"))
    parts += [module.read_text("utf-8") for module in sorted(modules, key=lambda module: module.name)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

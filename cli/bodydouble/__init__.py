"""An offline stand-in for one paid image API, a client for it, and the proof that they agree."""

from importlib.metadata import version as _version

__all__ = ["__version__"]
__version__ = _version("bodydouble")

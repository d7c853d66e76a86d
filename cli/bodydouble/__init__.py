"""An offline stand-in for one paid image API, a client for it, and the proof that they agree."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str

__all__ = ["__version__"]


def __getattr__(name: str) -> Any:
    """Read the version when it is first asked for: a command starts sooner without."""
    if name == "__version__":
        from importlib.metadata import version

        return version("bodydouble")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

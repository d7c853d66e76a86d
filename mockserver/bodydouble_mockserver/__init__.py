"""A mock server that answers as the contract describes, with real pictures."""

from typing import TYPE_CHECKING, Any

from bodydouble_mockserver.app import MockServer, create_app
from bodydouble_mockserver.directives import parse_seconds
from bodydouble_mockserver.logs import LoggedCall
from bodydouble_mockserver.pictures import Render
from bodydouble_mockserver.scripting import BadScenario
from bodydouble_mockserver.settings import Images, Settings

if TYPE_CHECKING:
    __version__: str

__all__ = ["BadScenario", "Images", "LoggedCall", "MockServer", "Render", "Settings", "create_app", "parse_seconds"]


def __getattr__(name: str) -> Any:
    """Read the version when it is first asked for: a command starts sooner without."""
    if name == "__version__":
        from bodydouble_spec import __version__

        return __version__
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

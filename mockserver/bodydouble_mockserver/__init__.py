"""A mock server that answers as the contract describes, with real pictures."""

from importlib.metadata import version as _version

from bodydouble_mockserver.app import MockServer, create_app
from bodydouble_mockserver.directives import parse_seconds
from bodydouble_mockserver.logs import LoggedCall
from bodydouble_mockserver.pictures import Render
from bodydouble_mockserver.scripting import BadScenario
from bodydouble_mockserver.settings import Images, Settings

__all__ = ["BadScenario", "Images", "LoggedCall", "MockServer", "Render", "Settings", "create_app", "parse_seconds"]
__version__ = _version("bodydouble")

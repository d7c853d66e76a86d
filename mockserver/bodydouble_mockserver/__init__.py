"""The stand-in: a mock server that answers as the contract says the service would, with pictures that can be looked at."""

from importlib.metadata import version as _version

from bodydouble_mockserver._app import MockServer, create_app
from bodydouble_mockserver._settings import Images, Settings

__all__ = ["Images", "MockServer", "Settings", "create_app"]
__version__ = _version("bodydouble")

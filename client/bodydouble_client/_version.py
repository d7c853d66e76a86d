"""The installed version and the User-Agent of the client."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("bodydouble")
except PackageNotFoundError:  # imported from a source tree that is not installed
    __version__ = "0+unknown"

USER_AGENT = f"bodydouble/{__version__}"

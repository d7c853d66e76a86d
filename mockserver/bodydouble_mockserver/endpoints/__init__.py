"""The endpoints of a server: the operations of its contracts, the files of pictures, and routes of no contract."""

from bodydouble_mockserver.endpoints.foreign import ForeignEndpoint
from bodydouble_mockserver.endpoints.handled import Effects, HandledRequest
from bodydouble_mockserver.endpoints.parts import SharedParts
from bodydouble_mockserver.endpoints.picture import PICTURE, PICTURES, PictureEndpoint
from bodydouble_mockserver.endpoints.service import Endpoint, Service, names_of

__all__ = [
    "PICTURE",
    "PICTURES",
    "Effects",
    "Endpoint",
    "ForeignEndpoint",
    "HandledRequest",
    "PictureEndpoint",
    "Service",
    "SharedParts",
    "names_of",
]

"""A client for ``google/gemini-2.5-flash-image-edit`` on the AI/ML API, blocking and asynchronous.

with Client() as client:
    result = client.edit("Give the cat a hat", ["cat.png"])
result.images[0].save("hat.png")
"""

from bodydouble_client._async_client import AsyncClient
from bodydouble_client._client import Client
from bodydouble_client._errors import (
    AnswerError,
    ArgumentError,
    BadGateway,
    BadRequest,
    BodydoubleError,
    ClientClosed,
    ConnectFailed,
    ConnectionLost,
    DownloadError,
    ErrorInAnswer,
    Forbidden,
    GenerationTimedOut,
    NoImageError,
    NotFound,
    OutOfCredits,
    RateLimited,
    RequestTimedOut,
    RequestTooLarge,
    SaveError,
    ServerError,
    ServiceUnavailable,
    StatusError,
    TimedOut,
    TransportError,
    Unauthorized,
    UnreadableAnswer,
)
from bodydouble_client._image_input import ImageInput
from bodydouble_client._request import ASPECT_RATIOS, MODEL, AspectRatio, Job
from bodydouble_client._result import EditResult, Image, SyncEditResult, SyncImage
from bodydouble_client._settings import BASE_URL_VARIABLES, DEFAULT_BASE_URL, KEY_VARIABLES
from bodydouble_client._version import __version__

__all__ = [
    "ASPECT_RATIOS",
    "BASE_URL_VARIABLES",
    "DEFAULT_BASE_URL",
    "KEY_VARIABLES",
    "MODEL",
    "AnswerError",
    "ArgumentError",
    "AspectRatio",
    "AsyncClient",
    "BadGateway",
    "BadRequest",
    "BodydoubleError",
    "Client",
    "ClientClosed",
    "ConnectFailed",
    "ConnectionLost",
    "DownloadError",
    "EditResult",
    "ErrorInAnswer",
    "Forbidden",
    "GenerationTimedOut",
    "Image",
    "ImageInput",
    "Job",
    "NoImageError",
    "NotFound",
    "OutOfCredits",
    "RateLimited",
    "RequestTimedOut",
    "RequestTooLarge",
    "SaveError",
    "ServerError",
    "ServiceUnavailable",
    "StatusError",
    "SyncEditResult",
    "SyncImage",
    "TimedOut",
    "TransportError",
    "Unauthorized",
    "UnreadableAnswer",
    "__version__",
]

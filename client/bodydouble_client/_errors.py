"""The errors of this package; a client raises no others.

BodydoubleError
├── ArgumentError            a wrong argument or setting: nothing was sent (also a ValueError)
├── ClientClosed             the client was used after close()
├── TransportError           no complete answer arrived
│   ├── ConnectFailed        no connection: nothing was sent
│   ├── ConnectionLost       reset, cut off or malformed after sending had begun
│   └── TimedOut             timeout_s or deadline_s passed
├── AnswerError              a success status whose body cannot be used
│   ├── UnreadableAnswer     not JSON, wrong encoding or compression, too large
│   ├── NoImageError         no picture in it, or a picture with neither URL nor Base64
│   └── ErrorInAnswer        it reports an error
├── StatusError              any other status that is not a success, redirects included
│   ├── BadRequest           400; ``issues`` says what is wrong with each property
│   ├── Unauthorized         401
│   ├── Forbidden            403
│   │   └── OutOfCredits     403, the balance is used up
│   ├── NotFound             404
│   ├── RequestTimedOut      408
│   ├── RequestTooLarge      413
│   ├── RateLimited          429; ``retry_after_s`` when the server gave it
│   └── ServerError          5xx
│       ├── BadGateway           502
│       ├── ServiceUnavailable   503; ``retry_after_s`` when the server gave it
│       └── GenerationTimedOut   504
├── DownloadError            a picture could not be fetched or decoded
└── SaveError                a picture could not be written to its file
"""

from collections.abc import Sequence
from typing import Any


class BodydoubleError(Exception):
    """The base class of all errors; the text names the problem, its place and the remedy.

    ``message`` is the message of the server when the answer has one, else the text. ``status_code`` is the HTTP
    status, None without an answer. ``issues`` are the problems that a 400 lists, as the JSON objects of the server.
    ``request_id`` is the id that the server gave the request, ``client_request_id`` the one sent as
    X-Client-Request-Id; the provider can trace a charge by either. ``body`` is the JSON value of the answer, or its
    text when it is not JSON. ``retry_after_s`` is the wait that the server asked for, in seconds. ``may_be_charged``
    is True when the request may have been carried out and paid for although no result arrived.
    """

    def __init__(
        self,
        text: str,
        *,
        message: str | None = None,
        status_code: int | None = None,
        request_id: str | None = None,
        body: Any = None,
        may_be_charged: bool = False,
    ) -> None:
        super().__init__(text)
        self.message = text if message is None else message
        self.status_code = status_code
        self.issues: tuple[dict[str, Any], ...] = ()
        self.request_id = request_id
        self.client_request_id: str | None = None
        self.body = body
        self.retry_after_s: float | None = None
        self.may_be_charged = may_be_charged

    def __str__(self) -> str:
        names = [
            f"{label} {value}"
            for label, value in (("request id", self.request_id), ("client request id", self.client_request_id))
            if value
        ]
        text = super().__str__()
        return f"{text} [{', '.join(names)}]" if names else text


class ArgumentError(BodydoubleError, ValueError):
    """A wrong argument or setting; nothing was sent.

    ``argument`` names it (``images[1]``, ``AIMLAPI_KEY``); ``allowed`` lists the allowed values where they are few.
    """

    def __init__(self, text: str, *, argument: str = "", allowed: Sequence[Any] = ()) -> None:
        super().__init__(text)
        self.argument = argument
        self.allowed = tuple(allowed)


class ClientClosed(BodydoubleError):
    """The client was used after it had been closed."""


class TransportError(BodydoubleError):
    """No complete answer arrived; ``may_be_charged`` tells whether the request was sent."""


class ConnectFailed(TransportError):
    """No connection could be made, so nothing was sent."""


class ConnectionLost(TransportError):
    """The connection was reset, cut off or malformed after sending had begun."""


class TimedOut(TransportError):
    """``timeout_s`` or ``deadline_s`` passed before the answer was complete."""


class AnswerError(BodydoubleError):
    """An answer with a success status that cannot be used; ``body`` keeps it."""


class UnreadableAnswer(AnswerError):
    """The body is not JSON, is wrongly encoded or compressed, or is too large."""


class NoImageError(AnswerError):
    """The answer has no picture, or one with neither URL nor Base64."""


class ErrorInAnswer(AnswerError):
    """The answer has a success status, yet reports an error."""


class StatusError(BodydoubleError):
    """An answer whose status is not a success. Failed requests are not charged (documented)."""


class BadRequest(StatusError):
    """400: the request breaks the contract; ``issues`` lists the problems when the server does."""


class Unauthorized(StatusError):
    """401: the API key is missing or wrong."""


class Forbidden(StatusError):
    """403: the server refused the request."""


class OutOfCredits(Forbidden):
    """403 because the balance is used up."""


class NotFound(StatusError):
    """404: no such route or model; often a wrong ``base_url``."""


class RequestTimedOut(StatusError):
    """408: the server gave up waiting."""


class RequestTooLarge(StatusError):
    """413: the request body is too large for the server."""


class RateLimited(StatusError):
    """429: too many requests; ``retry_after_s`` is the wait that the server asked for."""


class ServerError(StatusError):
    """5xx: the server failed."""


class BadGateway(ServerError):
    """502: the service behind the gateway failed."""


class ServiceUnavailable(ServerError):
    """503: not available now; ``retry_after_s`` is the wait that the server asked for."""


class GenerationTimedOut(ServerError):
    """504: the generation took too long."""


class DownloadError(BodydoubleError):
    """A picture could not be fetched or decoded."""


class SaveError(BodydoubleError):
    """A picture could not be written to its file."""


_BY_STATUS: dict[int, type[StatusError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    408: RequestTimedOut,
    413: RequestTooLarge,
    429: RateLimited,
    502: BadGateway,
    503: ServiceUnavailable,
    504: GenerationTimedOut,
}


def status_error_class(status_code: int) -> type[StatusError]:
    """Return the error class for a status that is not a success."""
    return _BY_STATUS.get(status_code, ServerError if status_code >= 500 else StatusError)

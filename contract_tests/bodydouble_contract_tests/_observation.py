"""The outcome of one case: the answer as received, and its pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bodydouble_contract_tests._case import Case

__all__ = ["FetchedPicture", "Observation", "Trouble"]


class Trouble(StrEnum):
    """The reason for an incomplete answer.

    ``unreachable``: no connection. ``timeout``: no answer in time. ``broken``: the connection ended within the exchange, or the bytes were not
    HTTP. ``undecodable``: the content encoding (gzip) is broken. ``wrong-length``: the body does not have the length that its header states.
    """

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    BROKEN = "broken"
    UNDECODABLE = "undecodable"
    WRONG_LENGTH = "wrong-length"


@dataclass(frozen=True, slots=True)
class FetchedPicture:
    """One picture of an answer. ``pointer`` is its place in the body.

    ``source`` is the URL (redacted) or ``base64``. ``content`` holds the bytes received, ``status`` and ``media_type`` are those of the
    download (None and ``""`` for Base64). ``format`` is the format of the bytes (``image/png``; None when they are not a picture), ``pixels``
    width and height, ``problem`` the reason why the picture cannot be checked.
    """

    pointer: str
    source: str
    status: int | None = None
    media_type: str = ""
    format: str | None = None
    pixels: tuple[int, int] | None = None
    content: bytes = b""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """One call and its outcome, within ``elapsed_s`` seconds.

    ``sent`` is the request body, ``status`` is None when no answer began, ``headers`` are by lower-case name, ``content`` is the decoded body.
    ``number`` counts the repetitions of a case from 0. ``trouble`` is the reason for an incomplete answer, ``detail`` describes it.
    """

    case: Case
    sent: bytes
    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    content: bytes = b""
    elapsed_s: float = 0.0
    number: int = 0
    trouble: Trouble | None = None
    detail: str = ""
    pictures: tuple[FetchedPicture, ...] = ()

    @property
    def content_type(self) -> str:
        """The Content-Type header, or an empty text."""
        return self.headers.get("content-type", "")

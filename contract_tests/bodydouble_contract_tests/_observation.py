"""What came of one case: the answer as it was received, and the pictures that it names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bodydouble_contract_tests._case import Case

__all__ = ["FetchedPicture", "Observation", "Trouble"]


class Trouble(StrEnum):
    """Why there is no whole answer.

    ``unreachable``: no connection. ``timeout``: no answer in time. ``broken``: the connection ended within the exchange, or the bytes were not
    HTTP. ``undecodable``: the content encoding (gzip) is broken. ``wrong-length``: the body is not as long as its header says.
    """

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    BROKEN = "broken"
    UNDECODABLE = "undecodable"
    WRONG_LENGTH = "wrong-length"


@dataclass(frozen=True, slots=True)
class FetchedPicture:
    """One picture of an answer. ``pointer`` is its place in the body.

    ``source`` is the URL (redacted) or ``base64``. ``content`` are its bytes as far as they came, ``status`` and ``media_type`` those of
    the download (None and ``""`` for Base64), ``format`` what the bytes are (``image/png``; None when no picture) with ``pixels`` width and
    height, ``problem`` why there is nothing to look at, in words.
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
    """One call and what came of it, within ``elapsed_s`` seconds.

    ``sent`` is the request body as sent, ``status`` None when no answer began; ``headers`` are by lower-case name; ``content`` the body, decoded.
    ``number`` counts the repetitions of a case from 0. ``trouble`` says why the answer is not whole, ``detail`` in words.
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

"""One call of a verification: the request, the expected outcome, and the highest possible price."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bodydouble_spec import Evidence, Finding

__all__ = [
    "ORIGIN",
    "Case",
    "Check",
    "Credential",
    "ExpectedOutcome",
    "FetchedPicture",
    "Observation",
    "Plan",
    "Progress",
    "RequestForm",
    "Trouble",
    "Verification",
]


ORIGIN = "https://bodydouble.example"
"""The origin of the page for which the calls are made, so that a server shows its rules for pages of other origins."""


class ExpectedOutcome(StrEnum):
    """The outcome that a case must have.

    ``accepted``: the success status, and an answer that keeps the contract. ``refused``: 400 with the error envelope. ``unauthorized``: 401.
    ``survived``: any answer but a 5xx, because the behaviour is not specified.
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNAUTHORIZED = "unauthorized"
    SURVIVED = "survived"


class Credential(StrEnum):
    """The credentials that a case is sent with: the caller's key, none, or others made from it.

    ``wrong`` is a key that the vendor documents to be wrong, ``unissued`` one that no server has issued. ``longer``, ``longer-before``, ``shorter`` and
    ``other-case`` are the caller's key with a character more at its end or beginning, with one less, and in the other letter case. ``empty`` is the
    scheme without a key, ``small-scheme`` the key under the scheme in small letters, which is the same scheme (RFC 9110, section 11.1). ``basic``, ``other-scheme``, ``bare`` and ``other-header`` hold the key itself: under the schemes Basic and Token, without a
    scheme, and in the header X-API-Key.
    """

    KEY = "key"
    NONE = "none"
    WRONG = "wrong"
    UNISSUED = "unissued"
    EMPTY = "empty"
    LONGER = "longer"
    LONGER_BEFORE = "longer-before"
    SHORTER = "shorter"
    OTHER_CASE = "other-case"
    BASIC = "basic"
    OTHER_SCHEME = "other-scheme"
    BARE = "bare"
    OTHER_HEADER = "other-header"
    SMALL_SCHEME = "small-scheme"

    @property
    def is_right(self) -> bool:
        """True when the caller's key is sent where it belongs; the name of the scheme may have small letters (RFC 9110, 11.1)."""
        return self in {Credential.KEY, Credential.SMALL_SCHEME}

    @property
    def holds_key(self) -> bool:
        """True when the caller's key is sent, so that the call can be charged to its account."""
        return self in {
            Credential.KEY,
            Credential.BASIC,
            Credential.OTHER_SCHEME,
            Credential.BARE,
            Credential.OTHER_HEADER,
            Credential.SMALL_SCHEME,
        }


@dataclass(frozen=True, slots=True)
class RequestForm:
    """The form of a request where it is not the usual one, which is the body as compact JSON.

    ``content`` are the bytes to send (None: those of the case's body), ``media_type`` is the Content-Type (empty: that of the operation's JSON, None: no such header), ``method``
    replaces the operation's, and ``target`` its path and query. ``headers`` are sent in addition, an empty one drops that of the usual request, ``is_chunked`` sends the body without a stated length.
    """

    content: bytes | None = None
    media_type: str | None = ""
    method: str | None = None
    target: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    is_chunked: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """One call, made for one `Check`.

    ``id`` names the case and stays the same as long as the contract does (``refusal/num_images/maximum+1``). ``body`` is the JSON value
    to send, and ``images`` the number of pictures that the call costs if the server carries it out (a wrongly accepted one too). ``pointer`` is the
    place in ``body`` under test, ``evidence`` the evidence for the expected outcome. ``covers`` are the contract elements that the call proves
    when it succeeds. The call is made ``repeats`` times. ``form`` is the form of the request, None for the usual one. ``statuses`` are the statuses of
    a refusal that are allowed where the evidence does not decide between several; empty for the documented one.
    """

    id: str
    check: str
    body: Any
    expectation: ExpectedOutcome
    evidence: Evidence
    images: int = 1
    pointer: str = ""
    credential: Credential = Credential.KEY
    repeats: int = 1
    covers: tuple[str, ...] = ()
    form: RequestForm | None = None
    statuses: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Check:
    """A claim: its id in kebab case, one sentence, its evidence and source, and its price.

    ``images`` is the number of pictures that the proof of this claim alone costs; 0 when it is free.
    A finding of a check has the check's id, or ``<check>/<rule or case>`` where one check can fail in several distinct ways.
    """

    id: str
    claim: str
    evidence: Evidence
    source: str
    images: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """The calls of a verification, in order.

    ``free`` calls cost nothing unless the server errs. ``paid`` calls prove the elements of the contract with the fewest pictures, then use the rest of
    the budget. ``after`` calls cost nothing either and are made after a success. ``unpaid`` calls are added where nothing costs money (repeated calls,
    odd prompts), and so are ``parallel`` calls, which are made at the same time. ``elements`` are the contract elements to prove, and ``unbought`` gives
    the reason for each id that the budget or the caller left out. ``pairs`` are the pairs of values that the contract allows, and ``pairs_of`` maps the
    id of a call to those in its request.
    """

    checks: tuple[Check, ...]
    free: tuple[Case, ...]
    paid: tuple[Case, ...]
    unpaid: tuple[Case, ...] = ()
    elements: tuple[str, ...] = ()
    unbought: dict[str, str] = field(default_factory=dict[str, str])
    after: tuple[Case, ...] = ()
    parallel: tuple[Case, ...] = ()
    pairs: frozenset[str] = frozenset()
    pairs_of: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    @property
    def images(self) -> int:
        """The number of pictures that the paid calls cost."""
        return sum(case.images * case.repeats for case in self.paid)

    @property
    def calls(self) -> tuple[Case, ...]:
        """Every call in order."""
        return (*self.free, *self.paid, *self.after, *self.unpaid, *self.parallel)

    def pairs_in(self, cases: Iterable[Case]) -> frozenset[str]:
        """Return the pairs of values in some of the calls."""
        return frozenset[str]().union(*(self.pairs_of.get(case.id, ()) for case in cases))


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
    width and height, ``problem`` the reason why the picture cannot be checked, ``damage`` a fault that many programs do not notice (a checksum).
    ``headers`` are those of the download, by lower-case name.
    """

    pointer: str
    source: str
    status: int | None = None
    media_type: str = ""
    format: str | None = None
    pixels: tuple[int, int] | None = None
    content: bytes = b""
    problem: str | None = None
    damage: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str], compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Observation:
    """One call and its outcome, within ``elapsed_s`` seconds.

    ``sent`` is the request body, ``status`` is None when no answer began, ``headers`` are by lower-case name, ``content`` is the decoded body.
    ``number`` counts the repetitions of a case from 0. ``trouble`` is the reason for an incomplete answer, ``detail`` describes it.
    ``client_id`` is the request id that the call was sent with, ``time_s`` the moment of the answer in seconds since the epoch; both are None where
    they are not known. ``has_headers`` is True when every header of the answer is there: a recording has some of them. ``beginning`` is the part of a very
    large body that is examined, None where all of it is.
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
    client_id: str | None = None
    time_s: float | None = None
    has_headers: bool = False
    beginning: bytes | None = field(default=None, repr=False, compare=False)

    @property
    def examined(self) -> bytes:
        """The body, or the beginning of a very large one."""
        return self.content if self.beginning is None else self.beginning

    @property
    def content_type(self) -> str:
        """The Content-Type header, or an empty text."""
        return self.headers.get("content-type", "")


@dataclass(frozen=True, slots=True)
class Verification:
    """Findings, outcomes and cost of a verification.

    ``findings`` are all distinct deviations, one for each cause, which covers the others with it; ``muted`` those that the baseline has, ``gone`` the fingerprints of the baseline that were not found
    again. ``outcomes`` maps each check's id to ``passed``, ``passed with remarks`` (information only), ``failed`` or ``not run``. ``requests`` counts calls to the API; ``paid_images``,
    ``credits`` and ``usd`` are the charges (``usd`` is None where no price is known). ``coverage`` maps each contract element to the number of
    successful calls that prove it; of the ``pairs`` of values, ``pairs_covered`` were in a successful call. ``incomplete`` is the reason why the run ended early, None when it did not; ``unbought`` lists what the budget left out.
    """

    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]
    outcomes: Mapping[str, str]
    observations: tuple[Observation, ...] = ()
    requests: int = 0
    paid_images: int = 0
    credits: float = 0
    usd: float | None = None
    coverage: Mapping[str, int] = field(default_factory=dict[str, int])
    pairs: int = 0
    pairs_covered: int = 0
    unbought: Mapping[str, str] = field(default_factory=dict[str, str])
    muted: tuple[Finding, ...] = ()
    gone: tuple[str, ...] = ()
    incomplete: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a run before a call or a wait.

    ``case`` is the id of the next case, ``number`` the number of calls made so far, ``total`` the number of planned calls (generated examples
    included; their reduction may take more). ``spent_usd`` and ``left_usd`` are None where nothing costs money. ``waiting_s`` is above 0 when the server
    asked for a pause (429) that begins now. ``findings`` counts the distinct findings so far.
    """

    case: str
    number: int
    total: int
    spent_usd: float | None = None
    left_usd: float | None = None
    waiting_s: float = 0.0
    findings: int = 0

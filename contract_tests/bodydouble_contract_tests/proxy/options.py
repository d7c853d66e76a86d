"""Options of one proxy."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bodydouble_spec.recording import StoredRecording

from bodydouble_contract_tests.spending import SpendingCap

__all__ = ["ProxyOptions"]


@dataclass(frozen=True, slots=True)
class ProxyOptions:
    """The options of one proxy.

    ``upstream`` is the base URL of the server that answers, ``recording`` the folder that takes the calls, and ``known`` the recordings to answer from:
    before a call is sent with ``replay_first``, else only where the ``cap`` does not allow it. ``ignored`` are JSON pointers of values in a request
    that do not count when it is compared. ``price_usd`` is the price of a picture, by default that of the contract; a call whose price is not known is sent only
    with ``passes_unpriced``.

    ``timeout_s`` is the longest silence of the upstream, ``authorities`` a PEM file of authorities to trust in addition to the usual ones. Of an answer, at most
    ``max_answer_bytes`` are kept; more is passed on. ``trust_env`` lets the variables for HTTP proxies apply.
    """

    upstream: str
    recording: Path
    cap: SpendingCap
    known: Sequence[StoredRecording] = ()
    replay_first: bool = False
    ignored: Sequence[str] = ()
    price_usd: float | None = None
    passes_unpriced: bool = False
    timeout_s: float = 600.0
    authorities: Path | None = None
    max_answer_bytes: int = 64 * 1024 * 1024
    trust_env: bool = True

"""The limits and the request of a download; the request has no key."""

from dataclasses import dataclass, field, replace

import httpx

from bodydouble_client._allowance import Deadline
from bodydouble_client._hooks import Clock
from bodydouble_client._outgoing import Request
from bodydouble_client._retry import Retrying, RetryPolicy
from bodydouble_client._version import USER_AGENT

__all__ = ["DownloadPlan"]


@dataclass(frozen=True, slots=True)
class DownloadPlan:
    """The limits of one download: seconds for each attempt, seconds in all, bytes and retries."""

    timeout_s: float = 180.0
    deadline_s: float | None = None
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    limit_bytes: int = 64 * 2**20
    clock: Clock = field(default_factory=Clock, repr=False, compare=False)

    def start(self, deadline: Deadline | None) -> Retrying:
        """Start a download within the deadline of its call.

        A download is free, so it is also retried after a lost answer.
        """
        policy = replace(self.policy, retry_after_send=True)
        return Retrying(policy, self.clock, self.timeout_s, deadline or Deadline(self.deadline_s))

    def request(self, url: httpx.URL) -> Request:
        """Return the request for a picture."""
        headers = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": USER_AGENT}
        return Request("GET", str(url), headers)

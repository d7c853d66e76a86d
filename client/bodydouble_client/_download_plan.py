"""How pictures are fetched: the limits, and the request, which carries no key."""

from dataclasses import dataclass, field, replace

import httpx

from bodydouble_client._allowance import Allowance
from bodydouble_client._hooks import Hooks
from bodydouble_client._outgoing import Outgoing
from bodydouble_client._retry import Retrying, RetryPolicy
from bodydouble_client._version import USER_AGENT

__all__ = ["DownloadPlan"]


@dataclass(frozen=True, slots=True)
class DownloadPlan:
    """The limits of one download: seconds an attempt, seconds in all, bytes, and how often it is tried."""

    timeout_s: float = 180.0
    deadline_s: float | None = None
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    limit_bytes: int = 64 * 2**20
    hooks: Hooks = field(default_factory=Hooks, repr=False, compare=False)

    def start(self, allowance: Allowance | None) -> Retrying:
        """The course of one download, within what its call has left; fetching twice costs nothing, so a lost answer is asked for again."""
        policy = replace(self.policy, retry_after_send=True)
        return Retrying(policy, self.hooks, self.timeout_s, allowance or Allowance(self.deadline_s))

    def request(self, url: httpx.URL) -> Outgoing:
        """The request for a picture."""
        headers = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": USER_AGENT}
        return Outgoing("GET", str(url), headers)

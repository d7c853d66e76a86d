"""What both clients share: everything that is decided before and after the network, and nothing that waits."""

import os
from dataclasses import dataclass, field
from typing import Any

from bodydouble_client._allowance import Allowance, carry
from bodydouble_client._answer import Question, read_answer
from bodydouble_client._download_plan import DownloadPlan
from bodydouble_client._errors import ArgumentError, BodydoubleError
from bodydouble_client._hooks import Hooks
from bodydouble_client._intake import ACCEPTED_CODINGS
from bodydouble_client._kinds import is_iterable
from bodydouble_client._outcome import Outcome
from bodydouble_client._outgoing import Outgoing
from bodydouble_client._request import Job, encode_job
from bodydouble_client._result import EditResult, Image
from bodydouble_client._retry import Retrying, RetryPolicy
from bodydouble_client._secret import BearerAuth, Secret
from bodydouble_client._settings import checked_count, checked_seconds, endpoint_of, find_base_url
from bodydouble_client._version import USER_AGENT

__all__ = ["ANSWER_LIMIT_BYTES", "Call", "Setup", "checked_http_client", "checked_image", "checked_jobs", "prepare"]

ANSWER_LIMIT_BYTES = 64 * 2**20  # four pictures in Base64 are about 12 MB


@dataclass(frozen=True, slots=True)
class Call:
    """One logical call, the same over all its attempts."""

    outgoing: Outgoing
    question: Question


@dataclass(frozen=True, slots=True)
class Setup:
    """A client's checked settings."""

    key: Secret
    endpoint: str
    timeout_s: float
    deadline_s: float | None
    policy: RetryPolicy
    hooks: Hooks = field(repr=False)

    def start(self) -> Retrying:
        """The course of one call; its deadline begins now."""
        return Retrying(self.policy, self.hooks, self.timeout_s, Allowance(self.deadline_s))

    def call(self, job: Job) -> Call:
        """The request of a job. Reads the job's files; raises ArgumentError for what is wrong with it."""
        client_request_id = self.hooks.new_id()
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": ACCEPTED_CODINGS,
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            "X-Client-Request-Id": client_request_id,
        }
        return Call(
            Outgoing("POST", self.endpoint, headers, encode_job(job), BearerAuth(self.key)),
            Question(self.endpoint, self.key, job.num_images, client_request_id),
        )

    def read(self, outcome: Outcome, call: Call, retrying: Retrying) -> EditResult | BodydoubleError:
        """The result of the last attempt, or the error to raise."""
        answer = read_answer(outcome, call.question, self.hooks.wall_clock())
        if isinstance(answer, BodydoubleError):
            answer.client_request_id = call.question.client_request_id
            answer.may_be_charged |= retrying.may_be_charged
        else:
            for image in answer.images:
                carry(image, retrying.allowance)
        return answer

    def download_plan(self) -> DownloadPlan:
        """The limits of a download: those of a call."""
        return DownloadPlan(self.timeout_s, self.deadline_s, self.policy, hooks=self.hooks)


def prepare(
    key: Secret | ArgumentError,
    base_url: str | None,
    *,
    timeout_s: float,
    deadline_s: float | None,
    retries: int,
    retry_after_send: bool,
    max_retry_wait_s: float,
    hooks: Hooks | None,
) -> Setup:
    """Check a client's settings; raises ArgumentError for the first that is wrong."""
    if isinstance(key, ArgumentError):
        raise key
    return Setup(
        key=key,
        endpoint=endpoint_of(*find_base_url(base_url, os.environ)),
        timeout_s=checked_seconds("timeout_s", timeout_s),
        deadline_s=None if deadline_s is None else checked_seconds("deadline_s", deadline_s),
        policy=RetryPolicy(
            retries=checked_count("retries", retries, 0),
            retry_after_send=retry_after_send,
            max_wait_s=checked_seconds("max_retry_wait_s", max_retry_wait_s),
        ),
        hooks=hooks or Hooks(),
    )


def checked_http_client(name: str, client: Any, kind: type[Any]) -> None:
    """Raise ArgumentError unless the caller's HTTP client is of the kind that this client can use, or None."""
    if client is not None and not isinstance(client, kind):
        raise ArgumentError(
            f"{name} must be an httpx.{kind.__name__}, not {type(client).__module__}.{type(client).__name__}",
            argument=name,
        )


def checked_jobs(jobs: object) -> list[Job]:
    """The jobs as a list; raises ArgumentError when one is not a Job, before anything is sent."""
    if not is_iterable(jobs):
        raise ArgumentError(f"jobs must be a list of Job, not {type(jobs).__name__}", argument="jobs")
    found: list[Any] = list(jobs)
    for place, job in enumerate(found):
        if not isinstance(job, Job):
            raise ArgumentError(
                f"jobs[{place}] must be a Job, not {type(job).__name__}: Job(prompt, images)", argument=f"jobs[{place}]"
            )
    return found


def checked_image(image: object) -> Image:
    """The image; raises ArgumentError when it is not one of a result."""
    if isinstance(image, Image):
        return image
    raise ArgumentError(f"image must be one of an EditResult's images, not {type(image).__name__}", argument="image")

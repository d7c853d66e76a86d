"""The settings and steps that both clients share, without I/O on the network."""

import os
import uuid
from dataclasses import dataclass, field, replace
from typing import Any

from bodydouble_client._attempt import ACCEPTED_CODINGS, AttemptResult, Request
from bodydouble_client._download import DownloadPlan
from bodydouble_client._errors import ArgumentError, BodydoubleError
from bodydouble_client._request import Job, encode_job
from bodydouble_client._response import RequestInfo, read_answer
from bodydouble_client._result import EditResult, Image
from bodydouble_client._retry import Clock, Deadline, Retrying, RetryPolicy, attach_deadline
from bodydouble_client._secret import BearerAuth, Secret
from bodydouble_client._settings import build_endpoint, check_count, check_seconds, find_base_url
from bodydouble_client._values import is_iterable
from bodydouble_client._version import USER_AGENT

ANSWER_LIMIT_BYTES = 64 * 2**20  # four pictures in Base64 are about 12 MB


@dataclass(frozen=True, slots=True)
class PreparedCall:
    """One call, the same for all its attempts."""

    request: Request
    info: RequestInfo


@dataclass(frozen=True, slots=True)
class Setup:
    """The checked settings of a client."""

    key: Secret
    endpoint: str
    timeout_s: float
    deadline_s: float | None
    policy: RetryPolicy
    clock: Clock = field(repr=False)

    def start_call(self) -> Retrying:
        """Start the time of one call."""
        return Retrying(self.policy, self.clock, self.timeout_s, Deadline(self.deadline_s))

    def prepare_call(self, job: Job) -> PreparedCall:
        """Make the request of a job, with the contents of its files. Raises ArgumentError."""
        client_request_id = uuid.uuid4().hex
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": ACCEPTED_CODINGS,
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            "X-Client-Request-Id": client_request_id,
        }
        return PreparedCall(
            Request("POST", self.endpoint, headers, encode_job(job), BearerAuth(self.key)),
            RequestInfo(self.endpoint, self.key, job.num_images, client_request_id),
        )

    def read_answer(
        self, attempt: AttemptResult, call: PreparedCall, retrying: Retrying
    ) -> EditResult | BodydoubleError:
        """Return the result of the last attempt, or the error to raise."""
        answer = read_answer(attempt, call.info, self.clock.wall_time())
        if isinstance(answer, BodydoubleError):
            answer.client_request_id = call.info.client_request_id
            answer.may_be_charged |= retrying.may_be_charged
        else:
            for image in answer.images:
                attach_deadline(image, retrying.deadline)
        return answer

    def download_plan(self) -> DownloadPlan:
        """Return the limits of downloads, which are those of a call."""
        return DownloadPlan(self.timeout_s, self.deadline_s, self.policy, clock=self.clock)


def prepare(
    key: Secret | ArgumentError,
    base_url: str | None,
    *,
    timeout_s: float,
    deadline_s: float | None,
    policy: RetryPolicy,
    clock: Clock | None,
) -> Setup:
    """Check the settings of a client; raises ArgumentError for the first wrong one."""
    if isinstance(key, ArgumentError):
        raise key
    return Setup(
        key=key,
        endpoint=build_endpoint(*find_base_url(base_url, os.environ)),
        timeout_s=check_seconds("timeout_s", timeout_s),
        deadline_s=None if deadline_s is None else check_seconds("deadline_s", deadline_s),
        policy=replace(
            policy,
            retries=check_count("retries", policy.retries, 0),
            max_wait_s=check_seconds("max_retry_wait_s", policy.max_wait_s),
        ),
        clock=clock or Clock(),
    )


def check_http_client(name: str, client: Any, client_class: type[Any]) -> None:
    """Raise ArgumentError unless the HTTP client of the caller is a ``client_class`` or None."""
    if client is not None and not isinstance(client, client_class):
        raise ArgumentError(
            f"{name} must be an httpx.{client_class.__name__}, not {type(client).__module__}.{type(client).__name__}",
            argument=name,
        )


def check_jobs(jobs: object) -> list[Job]:
    """Return the jobs as a list; raises ArgumentError when one is not a Job."""
    if not is_iterable(jobs):
        raise ArgumentError(f"jobs must be a list of Job, not {type(jobs).__name__}", argument="jobs")
    items: list[Any] = list(jobs)
    for index, job in enumerate(items):
        if not isinstance(job, Job):
            raise ArgumentError(
                f"jobs[{index}] must be a Job, not {type(job).__name__}: Job(prompt, images)", argument=f"jobs[{index}]"
            )
    return items


def check_image(image: object) -> Image:
    """Return the image; raises ArgumentError when it is not an Image."""
    if isinstance(image, Image):
        return image
    raise ArgumentError(f"image must be an image of an EditResult, not {type(image).__name__}", argument="image")

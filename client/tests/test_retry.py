from typing import Any

import httpx
import pytest
from bodydouble_client import (
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    RateLimited,
    RequestTimedOut,
    ServiceUnavailable,
    StatusError,
    TimedOut,
    TransportError,
)
from bodydouble_client._attempt import AttemptResult, Failure, FailureKind
from bodydouble_client._retry import RetryPolicy, retry_after_s
from hypothesis import given
from hypothesis import strategies as st

TEMPORARY = (408, 429, 502, 503, 504)
NOW = 1_000_000_000.0


def _answered(status: int, retry_after: str | None = None) -> AttemptResult:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return AttemptResult(status, httpx.Headers(headers, encoding="utf-8"))


def _failed(kind: FailureKind, *, sent: bool) -> AttemptResult:
    return AttemptResult(failure=Failure(kind, "detail", sent))


@given(st.integers(100, 599))
def test_only_temporary_statuses_are_retried(status: int) -> None:
    assert RetryPolicy().allows_retry(_answered(status)) == (status in TEMPORARY)


@pytest.mark.parametrize("kind", [FailureKind.CONNECT, FailureKind.TIMEOUT, FailureKind.LOST])
def test_a_request_that_was_not_sent_is_retried(kind: FailureKind) -> None:
    assert RetryPolicy().allows_retry(_failed(kind, sent=False))


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("kind", [FailureKind.TIMEOUT, FailureKind.LOST])
def test_a_request_that_was_sent_is_retried_only_if_asked_for(kind: FailureKind, asked: bool) -> None:
    assert RetryPolicy(retry_after_send=asked).allows_retry(_failed(kind, sent=True)) == asked


@pytest.mark.parametrize("kind", [FailureKind.MISUSE, FailureKind.UNREADABLE])
def test_a_failure_that_would_happen_again_is_not_retried(kind: FailureKind) -> None:
    assert not RetryPolicy(retry_after_send=True).allows_retry(_failed(kind, sent=False))


@pytest.mark.parametrize(("status", "retried"), [(400, False), (503, True)])
def test_an_error_status_with_an_incomplete_body_is_retried_by_its_status(status: int, retried: bool) -> None:
    attempt = AttemptResult(status, failure=Failure(FailureKind.LOST, "detail", sent=True))
    assert RetryPolicy(retry_after_send=True).allows_retry(attempt) == retried


@given(st.integers(0, 10), st.floats(0, 1, exclude_max=True))
def test_the_number_of_attempts_is_one_more_than_the_retries(retries: int, jitter: float) -> None:
    policy = RetryPolicy(retries)
    waits = [policy.wait_s(attempt, _answered(503), NOW, jitter) for attempt in range(1, 20)]
    assert waits.index(None) == retries


@given(st.integers(1, 10**9), st.floats(0, 1, exclude_max=True))
def test_the_back_off_stays_within_its_bounds_for_any_attempt(attempt: int, jitter: float) -> None:
    wait_s = RetryPolicy(10**9).wait_s(attempt, _answered(503), NOW, jitter)
    assert wait_s is not None
    assert 0.25 <= wait_s <= 8


def test_the_back_off_doubles() -> None:
    waits = [RetryPolicy(9).wait_s(attempt, _answered(503), NOW, 0.0) for attempt in range(1, 8)]
    assert waits == [0.25, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0]


@given(st.floats(0, 60, allow_subnormal=False), st.floats(0, 1, exclude_max=True), st.integers(1, 9))
def test_a_retry_is_never_earlier_than_the_server_asks(asked_s: float, jitter: float, attempt: int) -> None:
    asked = f"{asked_s:.3f}"
    wait_s = RetryPolicy(9).wait_s(attempt, _answered(429, asked), NOW, jitter)
    assert wait_s is not None
    assert wait_s >= float(asked)


@given(st.floats(60.01, 1e12))
def test_a_longer_wait_than_allowed_ends_the_call(asked_s: float) -> None:
    assert RetryPolicy().wait_s(1, _answered(429, f"{asked_s:.3f}"), NOW, 0.0) is None


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [
        ("0", 0), ("7", 7), ("1.5", 1.5), (" 7 ", 7), ("9" * 300, 31_536_000),
        ("Sun, 09 Sep 2001 01:46:50 GMT", 10), ("Sunday, 09-Sep-01 01:46:50 GMT", 10), ("Sun Sep  9 01:46:50 2001", 10),
        ("Sun, 09 Sep 2001 03:46:50 +0200", 10), ("Sun, 09 Sep 1990 01:46:40 GMT", 0),
        ("Sun, 09 Sep 9999 01:46:40 GMT", 31_536_000),
        ("", None), ("-5", None), ("soon", None), ("nan", None), ("inf", None), ("1e3", None), ("٣", None), ("5, 7", None),
        ("0x10", None), ("9" * 5000, None), ("Sun, 99 Sep 2001 01:46:50 GMT", None), ("0 Jan 0000 00:00:00 +9999", None),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_date_and_nonsense_is_ignored(value: str, wait_s: float | None) -> None:
    assert retry_after_s(_answered(429, value), NOW) == wait_s


@given(
    st.text(st.characters(max_codepoint=255))
    | st.from_regex(r"[A-Z][a-z]{2}, [0-9]+ [A-Z][a-z]{2} -?[0-9]+ [0-9:]+ [A-Z+0-9-]+")
)
def test_any_retry_after_gives_a_wait_that_is_not_negative_or_none(value: str) -> None:
    wait_s = retry_after_s(_answered(429, value), NOW)
    assert wait_s is None or wait_s >= 0


class _Script:
    """A handler that answers with statuses or raises errors, in turn, and keeps the requests."""

    def __init__(self, *steps: Any) -> None:
        self.steps = list(steps)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        if isinstance(step, httpx.Response):
            return step
        return httpx.Response(step, json={"data": [{"url": "http://a/b.png"}], "message": "from the script"})


@pytest.mark.parametrize("status", TEMPORARY)
def test_a_temporary_failure_is_retried_until_it_succeeds(twin: Any, fake_time: Any, status: int) -> None:
    script = _Script(status, status, 200)
    twin.edit(handler=script, _clock=fake_time.clock())
    assert fake_time.waits == [0.375, 0.75]


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x"), httpx.ProxyError("x")]
)
def test_a_failure_to_connect_is_retried(twin: Any, fake_time: Any, error: Exception) -> None:
    script = _Script(error, 200)
    twin.edit(handler=script, _clock=fake_time.clock())
    assert len(script.requests) == 2


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout("x"),
        httpx.ReadError("x"),
        httpx.WriteError("x"),
        httpx.WriteTimeout("x"),
        httpx.RemoteProtocolError("x"),
    ],
)
def test_a_failure_after_sending_is_not_retried_and_may_be_charged(twin: Any, fake_time: Any, error: Exception) -> None:
    script = _Script(error)
    with pytest.raises(TransportError) as caught:
        twin.edit(handler=script, _clock=fake_time.clock())
    assert caught.value.may_be_charged


def test_a_failure_after_sending_is_retried_if_asked_for(twin: Any, fake_time: Any) -> None:
    script = _Script(httpx.ReadTimeout("x"), 200)
    twin.edit(handler=script, retry_after_send=True, _clock=fake_time.clock())
    assert len(script.requests) == 2


def test_a_charge_that_an_earlier_attempt_may_have_caused_is_remembered(twin: Any, fake_time: Any) -> None:
    script = _Script(httpx.ReadTimeout("x"), 400)
    with pytest.raises(BadRequest) as caught:
        twin.edit(handler=script, retry_after_send=True, _clock=fake_time.clock())
    assert caught.value.may_be_charged


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("x"), ConnectFailed),
        (httpx.ReadError("x"), ConnectionLost),
        (httpx.ReadTimeout("x"), TimedOut),
    ],
)
def test_a_failure_below_http_has_its_own_error(twin: Any, error: Exception, kind: Any) -> None:
    with pytest.raises(kind):
        twin.edit(handler=_Script(error), retries=0)


def test_the_last_failure_is_raised_when_the_retries_are_used_up(twin: Any, fake_time: Any) -> None:
    with pytest.raises(RequestTimedOut):
        twin.edit(handler=_Script(503, 429, 408), _clock=fake_time.clock())


def test_all_attempts_of_one_call_carry_the_same_client_request_id(twin: Any, fake_time: Any) -> None:
    script = _Script(503, 503, 200)
    result = twin.edit(handler=script, _clock=fake_time.clock())
    assert {request.headers["x-client-request-id"] for request in script.requests} == {result.client_request_id}


def test_each_call_has_its_own_client_request_id(twin: Any) -> None:
    ids = {twin.edit(handler=_Script(200)).client_request_id for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_waited_for(twin: Any, fake_time: Any, form: str) -> None:
    value = "30" if form == "seconds" else fake_time.date(30)
    script = _Script(httpx.Response(429, headers={"Retry-After": value}), 200)
    twin.edit(handler=script, _clock=fake_time.clock())
    assert fake_time.waits == [30]


@pytest.mark.parametrize(("status", "kind"), [(429, RateLimited), (503, ServiceUnavailable)])
def test_a_retry_after_beyond_the_cap_raises_at_once_with_the_wait(
    twin: Any, fake_time: Any, status: int, kind: type[StatusError]
) -> None:
    script = _Script(httpx.Response(status, headers={"Retry-After": "61"}))
    with pytest.raises(kind) as caught:
        twin.edit(handler=script, _clock=fake_time.clock())
    assert (caught.value.retry_after_s, fake_time.waits) == (61, [])


def test_a_wait_beyond_the_deadline_raises_the_failure_at_once(twin: Any, fake_time: Any) -> None:
    script = _Script(httpx.Response(429, headers={"Retry-After": "6"}))
    with pytest.raises(RateLimited):
        twin.edit(handler=script, deadline_s=5, _clock=fake_time.clock())
    assert fake_time.waits == []


def test_the_deadline_counts_waits_and_attempts_together(twin: Any, fake_time: Any) -> None:
    def slow_refusal(request: httpx.Request) -> httpx.Response:
        fake_time.now += 40
        return httpx.Response(503, headers={"Retry-After": "20"})

    with pytest.raises(ServiceUnavailable):
        twin.edit(handler=slow_refusal, deadline_s=130, retries=9, _clock=fake_time.clock())
    assert fake_time.waits == [20, 20]  # 40 + 20 + 40 + 20 = 120 s; after another 40 s no time is left for a third wait

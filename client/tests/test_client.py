import json
import threading
from typing import Any

import httpx
import pytest
from bodydouble_client import ArgumentError, BadRequest, BodydoubleError, EditResult, Job
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

URL = "http://in.test/a.png"


def _by_prompt(request: httpx.Request) -> httpx.Response:
    """Answer 400 to the prompt ``bad``, else with a result that repeats the prompt."""
    prompt = json.loads(request.content)["prompt"]
    if prompt == "bad":
        return httpx.Response(400, json={"message": "bad prompt"})
    return httpx.Response(200, json={"data": [{"url": URL}], "description": prompt})


def _many(twin: Any, jobs: Any, handler: Any = _by_prompt, **more: Any) -> Any:
    return twin.call("edit_many", jobs, options=more, handler=handler)


# the fixture has no state to carry over between examples
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prompts=st.lists(st.text("abc", min_size=1), max_size=8), concurrency=st.integers(1, 9))
def test_results_come_in_the_order_of_the_jobs(twin: Any, prompts: list[str], concurrency: int) -> None:
    results = _many(twin, [Job(prompt, [URL]) for prompt in prompts], concurrency=concurrency)
    assert [result.description for result in results] == prompts


def test_one_failure_does_not_lose_the_others(twin: Any) -> None:
    results = _many(twin, [Job("a", [URL]), Job("bad", [URL]), Job("b", [b"no picture"]), Job("c", [URL])])
    assert [type(result) for result in results] == [type(results[0]), BadRequest, ArgumentError, type(results[0])]
    assert isinstance(results[0], EditResult)


def test_each_job_has_its_own_client_request_id(twin: Any) -> None:
    results = _many(twin, [Job("a", [URL]), Job("bad", [URL]), Job("a", [URL])])
    assert len({result.client_request_id for result in results}) == 3


def test_no_jobs_give_no_results(twin: Any) -> None:
    assert _many(twin, []) == []


def test_jobs_may_come_from_a_generator(twin: Any) -> None:
    assert len(_many(twin, (Job("a", [URL]) for _ in range(3)))) == 3


@pytest.mark.parametrize("concurrency", [1, 2, 5])
def test_as_many_calls_run_at_once_as_allowed_and_no_more(twin: Any, server: Any, concurrency: int) -> None:
    lock, running, most = threading.Lock(), 0, 0
    full = threading.Event()

    def count(connection: Any, _: Any) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if running == concurrency:
                full.set()
        full.wait(5)  # until as many run together as are allowed
        with lock:
            running -= 1
        server.answer()(connection, _)

    server.enqueue(*[count] * 6)
    jobs = [Job("p", [URL])] * 6
    twin.call("edit_many", jobs, options={"concurrency": concurrency}, base_url=server.url)
    assert most == concurrency


@pytest.mark.parametrize("concurrency", [0, -1, 1.5, True, None])
def test_a_concurrency_that_is_not_a_positive_whole_number_is_refused(twin: Any, concurrency: Any) -> None:
    with pytest.raises(ArgumentError, match="concurrency"):
        _many(twin, [Job("a", [URL])], concurrency=concurrency)


@pytest.mark.parametrize("jobs", [5, None, ["prompt"], [Job("a", [URL]), ("b", [URL])]])
def test_anything_but_jobs_is_refused_before_anything_is_sent(twin: Any, jobs: Any) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise AssertionError

    with pytest.raises(BodydoubleError, match="Job") as caught:
        _many(twin, jobs, refuse)
    assert isinstance(caught.value, ArgumentError)

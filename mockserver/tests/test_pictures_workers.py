"""Threads for drawing: jobs are shared, bounded in number, and hold up neither callers nor the exit of the process."""

import asyncio
import subprocess
import sys
import threading

import pytest
from bodydouble_mockserver.pictures import Workers


def test_jobs_with_an_equal_key_are_done_once_while_they_overlap() -> None:
    done: list[int] = []
    may_end = threading.Event()

    def job() -> int:
        may_end.wait()
        done.append(len(done))
        return len(done)

    async def ask() -> list[int]:
        workers = Workers[int](2, "test")
        asked = [asyncio.create_task(workers.run("a", job)) for _ in range(50)]
        await asyncio.sleep(0)
        may_end.set()
        return [*await asyncio.gather(*asked), await workers.run("a", job)]

    assert asyncio.run(ask()) == [1] * 50 + [2]


def test_no_more_jobs_run_at_once_than_allowed() -> None:
    running: list[int] = []
    lock = threading.Lock()
    most = 0
    both = threading.Barrier(2)

    def job() -> None:
        nonlocal most
        with lock:
            running.append(1)
            most = max(most, len(running))
        both.wait()  # fails unless two jobs run side by side
        with lock:
            running.pop()

    async def ask() -> None:
        workers = Workers[None](2, "test")
        await asyncio.gather(*[workers.run(key, job) for key in range(20)])

    asyncio.run(ask())
    assert most == 2


def test_an_error_reaches_every_caller_and_the_next_job_runs() -> None:
    def fail() -> str:
        raise ValueError("no picture")

    async def ask() -> str:
        workers = Workers[str](1, "test")
        outcomes = await asyncio.gather(workers.run("a", fail), workers.run("a", fail), return_exceptions=True)
        assert [str(outcome) for outcome in outcomes] == ["no picture"] * 2
        with pytest.raises(ValueError, match="no picture"):
            await workers.run("a", fail)
        return await workers.run("a", lambda: "a picture")

    assert asyncio.run(ask()) == "a picture"


def test_a_caller_that_gives_up_does_not_take_the_job_from_the_others() -> None:
    may_end = threading.Event()

    def job() -> str:
        may_end.wait()
        return "a picture"

    async def ask() -> str:
        workers = Workers[str](1, "test")
        first, second = (asyncio.create_task(workers.run("a", job)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        may_end.set()
        return await second

    assert asyncio.run(ask()) == "a picture"


def test_a_job_that_never_ends_does_not_keep_the_process() -> None:
    script = """\
import asyncio, threading
from bodydouble_mockserver.pictures import Workers

async def ask():
    begun = threading.Event()
    task = asyncio.create_task(Workers(1, "test").run("a", lambda: (begun.set(), threading.Event().wait())))
    await asyncio.to_thread(begun.wait)
    task.cancel()

asyncio.run(ask())
print("ended")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.returncode) == ("ended\n", 0), done.stderr
